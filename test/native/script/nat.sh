#!/bin/sh
# docs/overlap.md and docs/nat.md: two sites that are 10.0.0.0/24, each with a machine 10.0.0.9.
[ -d /run/systemd/system ] || : >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
host world at-a at-b
cable up0 world down0
give up0 192.0.2.10/24 192.0.2.11/24
give_in world down0 192.0.2.9/24
for site in a:1 b:2; do
	cable eth${site#?:} at-${site%:?} lan
	give_in at-${site%:?} lan 10.0.0.9/24
	ip -n at-${site%:?} route add 10.0.0.0/8 via 10.0.0.1
	mkdir -p /srv/${site%:?}
	echo this is ${site%:?} >/srv/${site%:?}/index.html
	ip netns exec at-${site%:?} busybox httpd -p 80 -h /srv/${site%:?}
	ip netns exec at-${site%:?} tcpdump -Uni lan -w /run/test/${site%:?}.pcap tcp 2>/run/test/said &
	await grep -q listening /run/test/said
done
