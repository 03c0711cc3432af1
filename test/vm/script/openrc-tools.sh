#!/bin/sh
# shellcheck disable=SC2086
# Shell functions of the tests of OpenRC. A service's functions say "here NAME" to write
# down the domain that they run in.
here() { echo "$RC_SVCNAME $1 in $(rdomain identify $$ 2>&1)" >>/run/where; }
sockets() { ss -Htlnp; [ ! -e /run/netns/t1 ] || ip netns exec t1 ss -Htlnp; }
# where: the port and the domain of each daemon that listens
where()
{
	rdomain ps >/tmp/ps
	sockets | sed -n 's/.*:\(8[0-9]*\) .*pid=\([0-9]*\).*/\1 \2/p' | sort -u | while read -r port pid; do
		echo "$port in $(awk -v p="$pid" '$2 == p { print $1 }' /tmp/ps)"
	done
}
# pid PORT: who listens there
pid() { sockets | sed -n "s/.*:$1 .*pid=\([0-9]*\).*/\1/p" | head -n 1; }
listens() { [ -n "$(pid "$1")" ]; }
silent() { [ -z "$(pid "$1")" ]; }
count() { [ "$(sockets | grep -c ':8[0-9][0-9][0-9] ')" = "$1" ]; }
# pairs COMMAND SERVICE...: two at a time; prints what a failing one said
pairs()
{
	command=$1
	shift
	printf '%s\n' "$@" | xargs -P 2 -n 1 sh -c "($command)"' >/tmp/said.$1 2>&1 || { echo "$1: $?"; cat /tmp/said.$1; }' sh
}
# edit SERVICE LINE: makes its conf.d file that line, below its port
edit() { sed -i '2,$d;s/ .*//' /etc/conf.d/$1; echo "$2" >>/etc/conf.d/$1; }
# look: all that services may leave
look() { find /sys/fs/cgroup -type d | sort; mount | sort; find /run/rdomain /run/openrc/options /sys/fs/bpf | sort; }
# refused COMMAND...: prints what it says if it fails, as it must
refused() { if "$@" >/tmp/refused 2>&1; then echo "$* works"; else sed 's/.*\.\.\.rdomain/rdomain/' /tmp/refused | grep -e '^rd' -e '^ \* [^AC]' | grep -v -e usage: -e 'Bringing up' -e 'Starting rdomain-watch' -e 'rdomain: note' || :; fi; }
