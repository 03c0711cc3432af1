#!/sbin/openrc-run
# shellcheck shell=sh disable=SC2034,SC2046,SC2086
extra_started_commands=reload
cfgfile="/etc/nginx/$RC_SVCNAME.conf"
pidfile="/run/$RC_SVCNAME.pid"
command=/usr/sbin/nginx
command_args="-c $cfgfile"
start_pre() { $command -q -t -c $cfgfile; }
reload() { start_pre && kill -HUP $(cat $pidfile); }
