#!/bin/sh
# shellcheck disable=SC2086,SC2154,SC3045
# Has a process try all that an ordinary user can do to leave the VRF mgmt, or to be reached
# from elsewhere, and prints what came of it: answers, what was taken, and packets seen on
# links of others. The process is the program attacker; $start starts it in the VRF, $stop
# ends it, and $at has a command run in the network namespace that the VRF is in. With
# few=few it tries few ways. All that waits for an answer waits at the same time.
ulimit -n 30000 # it is inherited
$at probe watch >/run/test/watch 2>&1 & watch=$!
await grep -q watching /run/test/watch
w=$(scoped world world0); h=$(scoped third third0)
local_of() { $at ip -6 -o address show dev "$1" scope link | sed 's,.*inet6 \([^/]*\)/.*,\1,'; }
cat >/usr/local/bin/attacker <<EOT
#!/bin/sh
echo \$\$ >/run/test/inside.pid
exec probe $few attack mgmt \
	w0/link/192.0.2.9,2001:db8:2::9,$w w0/routed/8.8.8.8,2001:db8:8::8 \
	w0/all/192.0.2.255,255.255.255.255,239.7.7.7,ff02::1 \
	eth2/link/198.51.100.9,2001:db8:3::9,$h eth2/routed/203.0.113.9,2001:db8:33::9 \
	eth2/all/198.51.100.255,239.7.7.7,ff02::1 \
	other/link/198.51.100.9,2001:db8:3::9,$h other/routed/203.0.113.9,2001:db8:33::9 \
	other/all/198.51.100.255,239.7.7.7,ff02::1 \
	lo/self/127.0.0.1,::1 lo/own/192.0.2.1,2001:db8:2::1,198.51.100.1,2001:db8:3::1 \
	lo/all/127.255.255.255,239.7.7.7 >>/run/test/inside 2>&1
EOT
chmod 755 /usr/local/bin/attacker
: >/run/test/inside; : >/run/test/inside.pid; chmod 666 /run/test/inside /run/test/inside.pid
eval "$start"
await grep -q ports /run/test/inside || { cat /run/test/inside; exit 1; }
ports=$(sed -n 's/^ports //p' /run/test/inside)
ip netns exec world probe poke "192.0.2.1,2001:db8:2::1,10.20.30.40,$(local_of w0)%world0" "$ports" >/run/test/poke.1 2>&1 & a=$!
ip netns exec third probe poke "198.51.100.1,2001:db8:3::1,$(local_of eth2)%third0" "$ports" >/run/test/poke.2 2>&1 & b=$!
$at probe poke "127.0.0.1,::1,192.0.2.1" "$ports" >/run/test/poke.3 2>&1 & c=$!
for p in $a $b $c; do wait $p || echo "failed: a poke: $?"; done
tail -n +1 -f --pid="$(cat /run/test/inside.pid)" /run/test/inside | grep -q '^answers' || { cat /run/test/inside; exit 1; }
eval "$stop"
kill $watch; wait $watch || echo "failed: the watch: $?"
cat /run/test/inside /run/test/poke.?
grep failed /run/test/watch || :
grep -v -e '^mgmt ' -e '^eth1 ' -e watching -e failed /run/test/watch | sort | uniq -c | sed 's/^/seen /' || :
