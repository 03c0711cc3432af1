#!/sbin/openrc-run
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
# It goes to the background by itself and has no pid file (which rc-status of
# OpenRC 0.56 takes for a crash, in a domain or not). Debian's
# start-stop-daemon starts no second process of one executable unless a pid
# file, which does not exist, says that it does not run; stop has none.
. /usr/local/lib/tools.sh
command=/usr/local/bin/httpd
command_args="-p $port -h /srv"
start_stop_daemon_args="--pidfile /run/$RC_SVCNAME.never"
