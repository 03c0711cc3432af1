#!/sbin/openrc-run
# shellcheck shell=sh disable=SC2034
command=/usr/sbin/sshd
command_args="-D -e"
command_background=true
pidfile=/run/sshd.pid
start_pre() { checkpath -d -m 0755 /run/sshd && /usr/sbin/sshd -t; }
