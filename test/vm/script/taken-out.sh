#!/bin/sh
# shellcheck disable=SC2016,SC2046,SC2086,SC3045
# What is made here, after network.sh: eth3, a member of mgmt that leads to the host "lan",
# where probes are answered. change FILE COMMAND PROG... starts a program by PROG, which
# waits until the VRF was changed by COMMAND, tries to leave by eth3, and prints into FILE
# what came of it.
cable eth3 lan lan3
sysctl -qw net.ipv6.conf.eth3.keep_addr_on_down=1
give_in lan lan3 10.20.31.1/24 2001:db8:4::1/64
give eth3 10.20.31.40/24 2001:db8:4::40/64
ip netns exec lan probe answer >/run/test/answer 2>&1 & answer=$!
await grep -q answering /run/test/answer; rm /run/test/answer
ulimit -n 30000 # it is inherited
change()
{
	file=$1; what=$2; shift 2
	ip link set eth3 master mgmt
	"$@" sh -c 'echo inside; await test -e /run/test/changed; exec probe leave eth3 "eth3/link/$1"' sh \
		"10.20.31.1,2001:db8:4::1,$(scoped lan lan3),10.20.31.255,239.7.7.7,ff02::1" >$file 2>&1 & tries=$!
	await grep -q inside $file
	eval "$what"
	probe watch >/run/test/watch 2>&1 & watch=$!
	await grep -q watching /run/test/watch
	touch /run/test/changed
	wait $tries || echo "failed: $?" >>$file
	rm /run/test/changed; kill $watch
	grep '^eth3 ' /run/test/watch | sort | uniq -c | sed 's/^/seen /' >>$file || :
}
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
change /run/test/out 'ip link set eth3 nomaster' rdexec -v mgmt -u nobody --
change /run/test/moved 'ip link set eth3 master other' rdexec -v mgmt -u nobody --
change /run/test/deleted 'ip link del mgmt' rdexec -v mgmt -u nobody --
rdomain up mgmt
# The kernel leaves later what theirs joined, and that would be seen: so it comes last.
change /run/test/theirs 'ip link set eth3 nomaster' ip vrf exec mgmt $nobody
kill $answer; ip link del eth3
