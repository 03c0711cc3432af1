#!/bin/sh
# shellcheck disable=SC2034
# The domains of the tests are namespaces: mgmt, and another.
listens() { ip netns exec mgmt ss -Htln | grep -q ":$1"; }
gone() { [ ! -e /run/netns/mgmt ]; }
other=t3
other_listens() { ip netns exec t3 ss -Htln | grep -q ":$1"; }
# How many sockets of a service in mgmt the host sees.
sockets=0
