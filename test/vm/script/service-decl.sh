#!/sbin/openrc-run
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
. /usr/local/lib/tools.sh
command=/bin/busybox
command_args="sh /usr/local/bin/daemon $port"
command_background=yes
pidfile="/run/$RC_SVCNAME.pid"
extra_commands=look
extra_started_commands=reload
start_pre() { here start_pre; }
start_post() { here start_post; }
stop_pre() { here stop_pre; }
stop_post() { here stop_post; }
reload() { here reload; }
look() { here look; }
