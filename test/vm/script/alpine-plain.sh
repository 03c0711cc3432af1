#!/bin/sh
# A VRF with a dummy link, as busybox can look at it.
mkdir -p /etc/rdomain /run/test
printf '[Domain]\nKind=vrf\nTable=10\n[Link d0]\nKind=dummy\nAddress=10.20.30.40/24\n' >/etc/rdomain/mgmt.conf
unmounted() { ! grep -q cgroup /proc/mounts; }
# ping_group_range leaves out root's group here.
bound() { "$@" probe sockets >/tmp/sockets; grep -qx 'tcp4 mgmt' /tmp/sockets && grep -qx 'udp4 mgmt' /tmp/sockets && grep -qx 'raw4 mgmt' /tmp/sockets && ! grep -- ' -$' /tmp/sockets; }
listens() { probe listeners | grep -q "$1"; }
psHas() { rdomain ps | grep -q "^mgmt  *$1  *probe"; }

ok "no cgroup2 is mounted" unmounted
ok "rdomain up" rdomain up mgmt
ok "rdomain check" rdomain check mgmt
ok "sockets are bound" bound rdexec -v mgmt --
ok "a program inside sees where it is" rdexec -v mgmt -- rdomain check --self -v mgmt
rdexec -v mgmt -- probe listen 0.0.0.0:7001 >/dev/null 2>&1 &
pid=$!
ok "it listens in the VRF" await listens "0.0.0.0%mgmt:7001 $pid"
is "identify" mgmt rdomain identify "$pid"
is "identify one outside" "" rdomain identify $$
ok "ps" psHas "$pid"
ok "cgroup2 is still not mounted" unmounted
kill "$pid"
ok "rdomain down" rdomain down mgmt
# busybox's ip makes a VRF, which rdexec enters.
ok "a VRF of busybox's ip" ip link add red type vrf table 30
ip link set red up
ok "it is entered" rdexec -v red -- rdomain check --self -v red
ip link del red
