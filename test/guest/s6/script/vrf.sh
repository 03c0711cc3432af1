#!/bin/sh
# shellcheck disable=SC2034
# The domains of the tests are VRFs: mgmt, and another, which is in a namespace.
listens() { ss -Htln | grep -q "%mgmt:$1"; }
gone() { ! ip link show mgmt 2>/dev/null; }
# holds LINK ADDRESS: mgmt has the link, with the address.
holds() { ip -br address show master mgmt | grep -q "^$1 .*$2"; }
other=inner@t2
other_listens() { ip netns exec t2 ss -Htln | grep -q "%inner:$1"; }
# How many sockets of a service in mgmt the host sees.
sockets=1
