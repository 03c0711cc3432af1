#!/sbin/openrc-run
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
. /usr/local/lib/tools.sh
supervisor=supervise-daemon
command=/bin/busybox
command_args="sh /usr/local/bin/daemon $port"
pidfile="/run/$RC_SVCNAME.pid"
respawn_delay=1
healthcheck_delay=1
healthcheck_timer=600
extra_commands="healthcheck unhealthy"
healthcheck() { [ -e "/run/$RC_SVCNAME.checked" ] || here healthcheck; : >"/run/$RC_SVCNAME.checked"; }
unhealthy() { :; }
