#!/sbin/openrc-run
# shellcheck shell=sh disable=SC1091,SC2154
. /usr/local/lib/tools.sh
start() {
	here start
	ebegin "Starting $RC_SVCNAME"
	start-stop-daemon --start --background --make-pidfile --pidfile "/run/$RC_SVCNAME.pid" --exec /bin/busybox -- sh /usr/local/bin/daemon "$port"
	eend $?
}
stop() {
	here stop
	ebegin "Stopping $RC_SVCNAME"
	start-stop-daemon --stop --pidfile "/run/$RC_SVCNAME.pid" --retry 5
	eend $?
}
