#!/bin/sh
# shellcheck disable=SC2034
# The domains of the tests are namespaces: mgmt, and another.
listens() { ip netns exec mgmt ss -Htln | grep -q ":$1"; }
gone() { [ ! -e /run/netns/mgmt ]; }
# holds LINK ADDRESS: mgmt has the link, with the address.
holds() { ip -n mgmt -br address show dev "$1" | grep -q "$2"; }
other=t3
other_listens() { ip netns exec t3 ss -Htln | grep -q ":$1"; }
# How many sockets of a service in mgmt the host sees.
sockets=0
