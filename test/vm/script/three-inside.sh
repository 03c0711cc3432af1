#!/bin/sh
# Takes down what two.sh and three.sh made, and has the program links make the links and
# hosts again, now in the namespace t1.
rdomain down mgmt other
for host in lan world third; do
	ip netns pids $host | xargs -r kill
	ip netns del $host
done
pkill -x probe || :
await sh -c '! ip link show w0 && ! ip link show eth1 && ! ip link show eth2'
nsenter --net=/run/netns/t1 links
