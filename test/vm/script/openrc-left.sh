#!/bin/sh
# shellcheck disable=SC2010,SC2046
# What is left when all services are stopped, with openrc-tools.sh.

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
for n in 0 1 2 3; do pid 813$n; done >/tmp/old; kill -9 $(cat /tmp/old)
respawned() { count 16 && ! { for n in 0 1 2 3; do pid 813$n; done; } | grep -qxF -f /tmp/old; }
await respawned; where
