#!/bin/sh
# The domains of the tests of OpenRC: a namespace with a resolver of its own, a VRF with an
# address, a VRF inside the namespace. The address of the link "outside" is one of the
# default domain, which nothing in them may reach.
mkdir -p /etc/netns/t1 /srv
outside
ping -c 1 -W 2 192.0.2.1 >/dev/null
echo nameserver 192.0.2.53 >/etc/netns/t1/resolv.conf
cat >/etc/rdomain/mgmt.conf <<X
[Domain]
Kind=vrf
Table=10

[Link d0]
Kind=dummy
Address=10.20.30.40/24
X
printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@t1.conf
for d in t1 mgmt inner@t1; do ln -s rdomain /etc/init.d/rdomain.$d; done
