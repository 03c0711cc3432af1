#!/sbin/openrc-run
# shellcheck shell=sh disable=SC2034,SC2086
command=/bin/sh
command_args="-c 'mkdir -p $RC_SVCDIR/s6-scan; exec s6-svscan $RC_SVCDIR/s6-scan'"
command_background=yes
pidfile=/run/s6-svscan.pid
start_post() { for i in $(seq 100); do s6-svscanctl $RC_SVCDIR/s6-scan 2>/dev/null && return; sleep 0.1; done; return 1; }
