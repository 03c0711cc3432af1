#!/bin/sh
# The machine's uplink, to a host that stands for the world, and the domain private with a
# cable of its own. The scripts of the tests begin with it, after network.sh.
host world
cable up0 world down0
give up0 198.51.100.1/24
give_in world down0 198.51.100.53/24
ip route add default via 198.51.100.53
mkdir -p /etc/netns/private /etc/systemd/resolved.conf.d
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
