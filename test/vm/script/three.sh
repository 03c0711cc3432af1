#!/bin/sh
# shellcheck disable=SC2154
# Another VRF, after two.sh and third.sh, whose member eth2 leads to the host "third", with
# routes in it to what is behind; and servers that answer in all other domains. $at has a
# command run in the network namespace that the VRFs are in, and $in is its part of their
# names.
cat >"/etc/rdomain/other$in.conf" <<'EOT'
[Domain]
Kind=vrf
Table=30

[Link eth2]
EOT
[ -z "$in" ] || cp /etc/rdomain/mgmt.conf "/etc/rdomain/mgmt$in.conf"
rdomain up "mgmt$in" "other$in" inner@t1
$at ip route add vrf other default via 198.51.100.9; $at ip -6 route add vrf other default via 2001:db8:3::9
for module in sctp dccp_ipv4 dccp_ipv6; do modprobe -q $module || :; done
for there in "$at" 'ip netns exec world' 'ip netns exec third'; do
	$there probe answer >/run/test/answer 2>&1 &
	await grep -q answering /run/test/answer; rm /run/test/answer
done
