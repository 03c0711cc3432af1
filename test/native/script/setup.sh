#!/bin/sh
# The machine's uplink, to a namespace that stands for the world, and the domain
# private with a cable of its own. The scripts of the tests begin with it.
ip link set lo up
ip netns add world
ip link add up0 type veth peer name down0 netns world
ip address add 198.51.100.1/24 dev up0; ip link set up0 up
ip -n world address add 198.51.100.53/24 dev down0; ip -n world link set down0 up
ip route add default via 198.51.100.53
mkdir -p /etc/rdomain /etc/conf.d /etc/netns/private /etc/systemd/resolved.conf.d
cat >/etc/rdomain/private.conf <<E
[Domain]
Kind=netns
[Link veth0]
Kind=veth
Peer=veth-private
Address=192.0.2.2/30
PeerAddress=192.0.2.1/30
E
printf 'nameserver 192.0.2.1\noptions timeout:1 attempts:1\n' >/etc/netns/private/resolv.conf
printf '[Resolve]\nDNS=198.51.100.53\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n' >/etc/systemd/resolved.conf.d/x.conf
