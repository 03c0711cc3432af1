#!/bin/sh
# shellcheck disable=SC2046,SC2086
# What works for a user in a VRF: its member links, also one that comes later. After
# network.sh.
user="rdexec -v mgmt -u nobody --"
await sh -c 'ip -n lan -6 address show dev lan0 scope link | grep -q fe80'
ll=$(scoped lan lan0)
rdexec -v mgmt -- ping -c 1 -W 5 -I eth1 10.20.30.1; rdexec -v mgmt -- ping -c 1 -W 5 10.20.30.1
rdexec -v mgmt -- ping -c 1 -W 5 $ll%eth1; $user ping -c 1 -W 5 2001:db8:1::1; $user ping -c 1 -W 5 $ll%eth1
ip netns exec lan probe receive 10.20.30.1:9 >/run/test/received & echo $! >/run/test/pid
await grep -q receiving /run/test/received
$user probe escape eth1 10.20.30.1:9; await grep -qx IP_PKTINFO /run/test/received; kill $(cat /run/test/pid)
$user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:10.20.30.40
$user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:eth1
! $user socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7:w0 || exit 1
# The default domain's link has the member's address, too, and later: the kernel would take
# that one for a join by the address.
ip address add 10.20.30.40/32 dev w0
cat >/usr/local/bin/joined_on <<'EOT'
#!/bin/sh
exec awk -v want="$1" '/^[0-9]/ { link = $2 } $1 == "080707EF" { at = link } END { exit at != want }' /proc/net/igmp
EOT
chmod 755 /usr/local/bin/joined_on
receive="socat -u UDP4-RECV:7006,ip-add-membership=239.7.7.8:10.20.30.40 /dev/null"
ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups $receive & echo $! >/run/test/pid
await joined_on w0; kill $(cat /run/test/pid); await joined_on ""
$user $receive & echo $! >/run/test/pid
await joined_on eth1; kill $(cat /run/test/pid); await joined_on ""
ip address del 10.20.30.40/32 dev w0
# A program with the privilege to bind elsewhere, which any user may start, holds as well.
cp "$(command -v ping)" /usr/local/bin/ping-of-root; chmod 4755 /usr/local/bin/ping-of-root
ip vrf exec mgmt setpriv --reuid=65534 --regid=65534 --clear-groups ping-of-root -c 1 -W 5 -I w0 192.0.2.9
! $user ping-of-root -c 1 -W 2 -I w0 192.0.2.9 || exit 1
$user ping-of-root -c 1 -W 5 -I eth1 10.20.30.1
cable eth3 lan lan3; give_in lan lan3 10.20.31.1/24
ip netns exec lan probe listen 10.20.31.1:7007 >/run/test/listens 2>&1 & echo $! >/run/test/pid
await grep -q listening /run/test/listens
give eth3 10.20.31.40/24
# Nobody has told the address of a link that was added by hand: a join by it is refused, one
# by the link is not. A start in the VRF tells it.
join="socat -u /dev/null UDP4-RECV:7006,ip-add-membership=239.7.7.7"
$user sh -c "echo; await test -e /run/test/member; $join:eth3 && ! $join:10.20.31.40 && echo refused" >/run/test/joins 2>&1 & joins=$!
await test -s /run/test/joins
rdexec -v mgmt -- sh -c "echo; await test -e /run/test/known; ping -c 1 -W 5 10.20.31.1" >/run/test/pinged & inside=$!
await test -s /run/test/pinged
ip link set eth3 master mgmt
touch /run/test/member; wait $joins; grep -q refused /run/test/joins
$user $join:10.20.31.40
# A user outside of it comes in by a socket that he binds to its device.
setpriv --reuid=65534 --regid=65534 --clear-groups socat -u TCP4:10.20.31.1:7007,so-bindtodevice=mgmt STDOUT | grep hello
rdexec -v mgmt -- ping -c 1 -W 5 10.20.31.1; ip link set eth3 nomaster
! rdexec -v mgmt -- ping -c 1 -W 2 -I eth3 10.20.31.1 || exit 1
rm -f /run/test/watched; rdomain watch >/run/test/watched 2>&1 & watch=$!
ip link set eth3 master mgmt; await sh -c 'touch /run/test/known; rdexec -v mgmt -- ping -c 1 -W 5 10.20.31.1'
wait $inside; cat /run/test/pinged
kill $watch $(cat /run/test/pid); ip link del eth3
