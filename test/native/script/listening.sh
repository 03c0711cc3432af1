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
outside() { only /proc/self/ns/net "$1"; }
inside_t1() { only /run/netns/t1 "$1"; }
# only FILE PORTS: that these are the ports there; if not, it prints those that are.
only()
{
	found=$(ports "$1")
	[ "$found" = "$2" ] || { echo "there are: $found"; false; }
}
pid_in() { listening /run/netns/t1 | sed -n "s/^$1 //p" | head -n 1; }
