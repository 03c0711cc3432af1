#!/bin/sh
# shellcheck disable=SC2086,SC2154
# Has a process, started by the command $in, try all that an ordinary user can do to leave
# the VRF mgmt, or to be reached from elsewhere, and prints what came of it: answers, what
# was taken, and packets seen on links of others.
# shellcheck disable=SC3045
ulimit -n 30000
probe watch >/run/test/watch 2>&1 & watch=$!
await grep -q watching /run/test/watch
w=$(scoped world world0); h=$(scoped third third0)
try() { timeout 120 $in probe leave mgmt "$1" "$2" || echo "failed: $?"; }
try w0 "192.0.2.9,8.8.8.8,2001:db8:2::9,2001:db8:8::8,$w,192.0.2.255,255.255.255.255,239.7.7.7,ff02::1"
try eth2,other "198.51.100.9,203.0.113.9,2001:db8:3::9,2001:db8:33::9,$h,198.51.100.255,239.7.7.7,ff02::1"
try lo 127.0.0.1,::1,127.255.255.255,239.7.7.7
$in probe admit mgmt w0,eth2,other,lo >/run/test/admit 2>&1 & admit=$!
await grep -q ports /run/test/admit
n=$(sed -n 's/^ports //p' /run/test/admit)
poke() { from=$1; shift; $from probe poke "$1" "$n"; }
poke "ip netns exec world" "192.0.2.1,2001:db8:2::1,10.20.30.40,$(ip -6 -o address show dev w0 scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,')%world0"
poke "ip netns exec third" "198.51.100.1,2001:db8:3::1,$(ip -6 -o address show dev eth2 scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,')%third0"
poke "" "127.0.0.1,::1,192.0.2.1"
kill $admit $watch
grep took /run/test/admit || :
grep -v -e '^mgmt ' -e '^eth1 ' -e watching /run/test/watch | sort | uniq -c | sed 's/^/seen /' || :
