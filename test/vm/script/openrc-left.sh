#!/bin/sh
# shellcheck disable=SC2010,SC2046,SC2154
# What is left when all services are stopped, with openrc-tools.sh. $supers are the ports of
# the supervised ones, $all is how many listen.

# part: stopped
grep -e rmdir -e rror /tmp/said.* || :
await count 0
rc-status -a | grep -e '\.none ' -e '\.netns ' -e '\.vrf ' -e '\.both ' || :
find /sys/fs/cgroup -name '*.*[nhf]' -path '*.[nvb]*' | grep -v /openrc/ | grep -e none -e netns -e vrf -e both || :
mount | sort | diff /tmp/mounts - || :
nft list ruleset; ip netns exec t1 nft list ruleset; ipset list -n; ip netns exec t1 ipset list -n
ls /run/openrc/options | grep -e '\.' || :
echo end

# part: crashed
pids() { for port in $supers; do pid "$port"; done; }
pids >/tmp/old; kill -9 $(cat /tmp/old)
respawned() { count "$all" && ! pids | grep -qxF -f /tmp/old; }
await respawned; where
