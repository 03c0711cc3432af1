#!/bin/sh
# Who listens where: the probe asks the sockets, since busybox has no ss.
# listening FILE: the ports 81.. and the pids of those in the namespace of FILE.
listening()
{
	probe listeners | while read -r address pid; do
		[ "$(stat -Lc %i "/proc/$pid/ns/net")" != "$(stat -Lc %i "$1")" ] || echo "${address##*:} $pid"
	done | grep '^81'
}
ports() { listening "$1" | cut -d ' ' -f 1 | sort -u | tr '\n' ' '; }
outside() { [ "$(ports /proc/self/ns/net)" = "$1" ]; }
inside_t1() { [ "$(ports /run/netns/t1)" = "$1" ]; }
pid_in() { listening /run/netns/t1 | sed -n "s/^$1 //p" | head -n 1; }
