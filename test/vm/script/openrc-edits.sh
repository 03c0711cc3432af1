#!/bin/sh
# Edits of conf.d between the commands of services, with openrc-tools.sh.

# part: elsewhere
for c in netns vrf; do ln -s chain /etc/init.d/chain.$c; done
echo 'netns=t1 chained=own.none' >/etc/conf.d/chain.netns
echo 'vrf=mgmt chained=super.none' >/etc/conf.d/chain.vrf
pairs 'rc-service $1 start' chain.netns chain.vrf
ip netns exec t1 rc-service decl.none start
ip vrf exec mgmt rc-service decl.none reload
ip vrf exec mgmt rc-service decl.netns start
ip netns exec t1 rc-service decl.vrf start
await count 5; where; sockets | grep -o '%[a-z]*:[0-9]*'; cat /run/where
cmp /etc/resolv.conf /run/resolv.8110 && echo own resolver

# part: edited
rm /run/where
edit decl.netns vrf=mgmt; edit decl.vrf ''; edit decl.none netns=t1
rc-service decl.netns reload 2>&1 | grep still
rc-service decl.vrf look 2>&1 | grep still
refused rc-service decl.none reload
pairs 'rc-service $1 restart' decl.netns decl.vrf decl.none
await count 5; where; cat /run/where

# part: down
/lib/rc/bin/rc-depend -t ineed decl.none decl.netns | tr ' ' '\n' | grep rdomain; edit decl.none ''
rc-service rdomain.t1 stop >/dev/null 2>&1 || echo failed
await count 3; where; ls /run/netns; rc-status -a | grep -c -e 'decl.none.*started' || :

# part: left
# What a stop leaves, as sshd does its sessions, stays in its VRF, and does not keep the next
# start in it.
edit decl.vrf vrf=mgmt; rc-service decl.vrf restart >/dev/null 2>&1 || echo failed
at() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
root=/sys/fs/cgroup; [ -e $root/cgroup.controllers ] || root=$root/unified
await listens 8112; where | grep 8112
stays() { echo 0 >"$root$(at "$(pid 8112)")/cgroup.procs"; exec sleep 1000; }
stays & first=$!
in_mgmt() { [ "$(rdomain identify "$1")" = mgmt ]; }
await in_mgmt $first
edit decl.vrf ''; rc-service decl.vrf restart >/dev/null 2>&1 || echo failed
await listens 8112; where | grep 8112; echo "left in $(rdomain identify $first)"
edit decl.vrf vrf=mgmt; rc-service decl.vrf restart >/dev/null 2>&1 || echo failed
await listens 8112; where | grep 8112
# by a shell that is one of them
stays & second=$!
await in_mgmt $second
edit decl.vrf netns=t1
(echo 0 >"$root$(at $second)/cgroup.procs"; rc-service decl.vrf restart >/dev/null 2>&1 || echo failed)
await listens 8112; where | grep 8112; echo "left in $(rdomain identify $second)"
kill $first $second
