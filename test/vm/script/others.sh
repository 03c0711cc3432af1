#!/bin/sh
# shellcheck disable=SC2154
# VRFs that ifupdown-ng or systemd-networkd make: $make makes them, $again has those
# programs look once more, $unmake takes them away.

# part: links
mkdir -p /etc/rdomain; ip link set lo up
ip link add e0 type veth peer name e1; ip link set e1 up; ip link add e2 type veth peer name e3; ip link set e3 up
printf '[Domain]\nKind=vrf\nTable=1010\nManaged=no\n' >/etc/rdomain/theirs.conf
printf '[Domain]\nKind=vrf\nTable=20\n[Link e2]\nAddress=10.2.0.1/24\n' >/etc/rdomain/ours.conf

# part: interfaces
cat >/etc/network/interfaces <<'EOT'
auto lo
iface lo inet loopback

auto theirs
iface theirs
	vrf-table 1010
EOT

# part: netdev
mkdir -p /etc/systemd/network
printf '[NetDev]\nName=theirs\nKind=vrf\n[VRF]\nTable=1010\n' >/etc/systemd/network/10-theirs.netdev

# part: made
sed 's/Managed=no/Managed=no\nTimeoutSec=1/' /etc/rdomain/theirs.conf >/etc/rdomain/soon.conf; sed -i 's/^Kind=vrf/Kind=vrf\nName=theirs2/' /etc/rdomain/soon.conf
! rdomain up soon 2>/root/why || exit 1; grep -q 'soon.conf:1: vrf theirs2 does not exist after 1 s; Managed=no leaves making it to somebody else' /root/why
rm /etc/rdomain/soon.conf
rdomain up theirs >/root/out 2>&1 & pid=$!
eval "$make"
wait $pid; ! grep -v "note: theirs: waiting for vrf theirs" /root/out || exit 1
test -e /sys/fs/bpf/rdomain/theirs
await sh -c 'ip -br addr show dev e0 | grep -q 10.1.0.1 && ip -br link show master theirs | grep -q e0'
rdexec -v theirs -- rdomain check --self -v theirs
rdexec -v theirs -- ping -c 1 -W 2 10.1.0.1
rdomain list | grep -q '^theirs *vrf *foreign'

# part: beside
rdomain up ours; rdomain check ours
eval "$again"
await rdomain check ours
rdexec -v ours -- ping -c 1 -W 2 10.2.0.1
before=$(ip -br link; ip -br addr)
rdomain up ours theirs; rdomain down theirs
test "$before" = "$(ip -br link; ip -br addr)"
ip link show theirs >/dev/null; test ! -e /sys/fs/bpf/rdomain/theirs
rdomain down ours; ! ip link show ours 2>/dev/null || exit 1; ip link show e2 >/dev/null; ip link show theirs >/dev/null

# part: thief
printf '[Domain]\nKind=vrf\nTable=21\nTimeoutSec=0\n[Link e0]\n' >/etc/rdomain/thief.conf
! rdomain up thief 2>/root/why || exit 1; grep -q 'thief.conf:5: link e0 is a member of vrf theirs; release it first' /root/why || { cat /root/why; false; }
! ip link show thief 2>/dev/null || exit 1
printf '[Domain]\nKind=vrf\nTable=1010\n' >/etc/rdomain/thief.conf
! rdomain up thief 2>/root/why || exit 1; grep -q 'thief.conf:1: Table=1010 is already that of vrf theirs' /root/why || { cat /root/why; false; }
! ip link show thief 2>/dev/null || exit 1
rdomain up theirs; eval "$unmake"; ip link del theirs 2>/dev/null || true; rdomain down theirs

# part: deleted
mv /etc/rdomain/ours.conf /root/ # has the same link, which check would say
printf '[Link e2]\n[Link d0]\nKind=dummy\nAddress=10.3.0.1/24\n' >/etc/rdomain/ns.conf
rdomain up ns
ip netns delete ns
! rdomain check ns >/root/diff || exit 1; grep -qx '# ns: netns ns does not exist' /root/diff
await sh -c '! ip link show e3'
# e2 was a veth, and died with the namespace: that is said, and nothing is made.
sed -i '1i [Domain]\nTimeoutSec=1' /etc/rdomain/ns.conf
! rdomain up ns 2>/root/why || exit 1; grep -q 'ns.conf:3: there is no link e2' /root/why || { cat /root/why; false; }
ip link add e2 type dummy
rdomain up ns; rdomain check ns; rdomain down ns
ip link show e2 >/dev/null; ! ip netns list | grep . || exit 1
rm /etc/rdomain/ns.conf; mv /root/ours.conf /etc/rdomain/
