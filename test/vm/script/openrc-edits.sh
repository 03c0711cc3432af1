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
