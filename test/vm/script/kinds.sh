#!/bin/sh
# shellcheck disable=SC2059,SC2086
# What some kinds of link need besides themselves, after far.sh.

# part: ipsec
# between NETNS HERE THERE NUMBER WORD VALUE: IPsec's states and policies for one end of a
# tunnel, in the namespace at the path NETNS, and for packets that WORD VALUE (mark, if_id)
# tells.
between()
{
	netns=$1 here=$2 there=$3 number=$4 word=$5 value=$6
	key=0x$(printf '%040d' "$number") id=
	[ "$word" != if_id ] || id="if_id $value"
	for pair in "src $here dst $there" "src $there dst $here"; do
		nsenter --net="$netns" ip xfrm state add $pair proto esp spi $((4096 + number)) mode tunnel flag af-unspec aead 'rfc4106(gcm(aes))' "$key" 128 $id
	done
	nsenter --net="$netns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out "$word" "$value" tmpl src "$here" dst "$there" proto esp mode tunnel
	nsenter --net="$netns" ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir in "$word" "$value" tmpl src "$there" dst "$here" proto esp mode tunnel
}

# part: macsec
# agree NAME: both ends of a macsec get the keys that MKA would agree on.
agree()
{
	for pair in "in far 1 2" "far in 2 1"; do
		set -- "$1" $pair
		peer=$(ip -n "$3" -o link show "$1" | sed 's/.*link.ether \([^ ]*\).*/\1/')
		ip -n "$2" macsec add "$1" tx sa 0 pn 1 on key "0$4" "0000000000000000000000000000000$4"
		ip -n "$2" macsec add "$1" rx port 1 address "$peer"
		ip -n "$2" macsec add "$1" rx port 1 address "$peer" sa 0 pn 1 on key "0$5" "0000000000000000000000000000000$5"
	done
}

# part: refused
for link in 'Kind=geneve\nId=9\nRemote=10.0.3.2' 'Kind=vti\nLocal=10.0.3.11' 'Kind=vti6\nLocal=fd00:3::11' 'Kind=xfrm\nInterfaceId=9'; do
	printf "[Link bad9]\nOuter=red\n$link\n" >/etc/rdomain/bad.conf
	! rdomain up bad 2>/root/why || exit 1
	grep -q '/etc/rdomain/bad.conf:2: red is a VRF, and the packets of a [a-z0-9]* do not travel through one' /root/why
	test ! -e /run/netns/bad
done
rm /etc/rdomain/bad.conf

# part: dumps
# dumps NAME LINE...: dump of a domain has these lines, and its file has nothing to do.
dumps()
{
	name=$1 conf=/etc/rdomain/$1.conf
	shift
	cp "$conf" /root/written
	rdomain dump "$name" >/root/dumped
	for line; do grep -qx "$line" /root/dumped; done
	cp /root/dumped "$conf"
	test -z "$(rdomain up -n "$name")"
	cp /root/written "$conf"
}

# part: bond
# Two cards to two ports of one switch, one of them with an address of the default domain: a bond of
# them, in a namespace and as a member of a VRF.
modprobe bonding max_bonds=0
host switch
ip -n switch link add lan type bridge
give_in switch lan 10.60.0.1/24
ip -n switch route add 10.66.0.0/16 via 10.60.0.2
for n in 1 2; do
	cable "m$n" switch "s$n"
	ip -n switch link set "s$n" master lan
	ip -n switch link set "s$n" up
done
give m1 10.61.0.1/24
before=$(ip -br address show dev m1)
cat >/root/members <<'EOT'
[Link lag0]
Kind=bond
Mode=active-backup
MIIMonitorSec=50ms
Address=10.60.0.2/24
[Link m1]
Bond=lag0
[Link m2]
Bond=lag0
EOT
for domain in netns vrf; do
	: >/etc/rdomain/bonded.conf
	inside='rdexec -n bonded --' of='-n bonded'
	if [ $domain = vrf ]; then
		printf '[Domain]\nKind=vrf\nTable=60\n' >/etc/rdomain/bonded.conf
		inside='rdexec -v bonded --' of=
	fi
	cat /root/members >>/etc/rdomain/bonded.conf
	[ $domain = vrf ] || printf '[Route]\nDestination=10.66.0.0/16\nType=local\n' >>/etc/rdomain/bonded.conf
	rdomain up bonded
	test -z "$(rdomain up -n bonded; rdomain check bonded)"
	dumps bonded Kind=bond Mode=active-backup MIIMonitorSec=50ms Address=10.60.0.2/24
	test "$(grep -cx Bond=lag0 /root/dumped)" = 2
	await $inside ping -c 1 -W 2 10.60.0.1
	[ $domain = vrf ] || ip netns exec switch ping -c 1 -W 2 10.66.1.2 # which is local to the namespace
	number=$(ip $of -o link show lag0 | cut -d: -f1)
	# The one that carries dies, and the other takes over.
	active=$(ip $of -d link show lag0 | sed -n 's/.* active_slave m\([12]\).*/\1/p')
	ip -n switch link set "s$active" down
	await $inside ping -c 1 -W 2 10.60.0.1
	ip -n switch link set "s$active" up
	# What can be changed in place is, and the bond stays the one that it was.
	sed -i 's/50ms/0.2\nTransmitHashPolicy=layer2+3/' /etc/rdomain/bonded.conf
	rdomain check bonded >/root/diff || true
	grep -qx "+ip $of link set lag0 type bond miimon 200" /root/diff || grep -qx "+ip link set lag0 type bond miimon 200" /root/diff
	rdomain reload bonded
	rdomain check bonded
	ip $of -d link show lag0 | grep -q 'miimon 200 .*xmit_hash_policy layer2+3'
	test "$(ip $of -o link show lag0 | cut -d: -f1)" = "$number"
	# Its mode cannot: it is made again, with its members.
	sed -i 's/active-backup/balance-rr/' /etc/rdomain/bonded.conf
	rdomain reload bonded
	rdomain check bonded
	await $inside ping -c 1 -W 2 10.60.0.1
	test "$(ip $of -o link show lag0 | cut -d: -f1)" != "$number"
	# A member that somebody took out is taken in again.
	ip $of link set m2 nomaster
	! rdomain check bonded >/root/diff || exit 1
	rdomain up bonded
	rdomain check bonded
	rdomain down bonded
	test "$(ip -br address show dev m1)" = "$before"
	test -z "$(ip -br address show dev m2 | grep 10.60)"
done
ip link delete m1
ip link delete m2
rm /etc/rdomain/bonded.conf
ip netns delete switch

# part: vlans
# A bridge with VLANs: a trunk to a switch, a port in VLAN 10, and the namespace itself in VLAN 20.
host trunk port
cable t1 trunk t0
cable a1 port a0
ip -n trunk link add link t0 name t10 type vlan id 10
ip -n trunk link add link t0 name t20 type vlan id 20
ip -n trunk link set t0 up
give_in trunk t10 10.10.0.1/24
give_in trunk t20 10.20.0.1/24
give_in port a0 10.10.0.2/24 10.20.0.3/24
cat >/etc/rdomain/switch.conf <<'EOT'
[Link br0]
Kind=bridge
VLANFiltering=yes
Address=10.20.0.2/24
[BridgeVLAN]
Device=br0
PVID=20
EgressUntagged=20
[Link t1]
Bridge=br0
[BridgeVLAN]
Device=t1
VLAN=10 20
[Link a1]
Bridge=br0
[BridgeVLAN]
Device=a1
PVID=10
EgressUntagged=10
EOT
rdomain up -n switch >/root/printed
rdomain up switch
test -z "$(rdomain up -n switch; rdomain check switch)"
dumps switch VLANFiltering=yes 'VLAN=10 20' PVID=20 PVID=10
await rdexec -n switch -- ping -c 1 -W 2 10.20.0.1
await ip netns exec port ping -c 1 -W 2 10.10.0.1
# What is in VLAN 10 does not get to the namespace, which is in VLAN 20.
! ip netns exec port ping -c 1 -W 1 -I 10.20.0.3 10.20.0.2 || exit 1
# VLANs that somebody took away, and that are edited, are put right on the same links.
number=$(ip -n switch -o link show br0 | cut -d: -f1)
bridge -n switch vlan del dev t1 vid 10
! rdomain check switch >/root/diff || exit 1
grep -qx '+bridge -n switch vlan add dev t1 vid 10' /root/diff
rdomain up switch
sed -i '/Device=a1/,$ s/10/20/' /etc/rdomain/switch.conf
rdomain reload switch
rdomain check switch
await ip netns exec port ping -c 1 -W 2 -I 10.20.0.3 10.20.0.2
! ip netns exec port ping -c 1 -W 1 10.10.0.1 || exit 1
sed -i 's/^VLANFiltering=yes/&\nDefaultPVID=7/' /etc/rdomain/switch.conf
rdomain reload switch
rdomain check switch
test "$(ip -n switch -o link show br0 | cut -d: -f1)" = "$number"
made=$(bridge -n switch vlan)
rdomain down switch
ip link show t1 | grep -q 'mtu 1500'
# The printed commands make what up makes.
sed -i '/Device=a1/,$ s/20/10/' /etc/rdomain/switch.conf
sh -ex /root/printed
bridge -n switch vlan show dev a1 | grep -q '10 PVID Egress Untagged'
bridge -n switch vlan show dev br0 | grep -q '20 PVID Egress Untagged'
echo "$made" | grep -q '20 PVID Egress Untagged'
ip netns delete switch
ip netns delete trunk
ip netns delete port
rm /etc/rdomain/switch.conf

# part: others
# A macsec that somebody made is taken in with its keys, and given back with them.
modprobe dummy numdummies=0
modprobe macsec
ip link add below type dummy
ip link set below up
ip link add link below sec0 type macsec encrypt on
ip macsec add sec0 tx sa 0 pn 1 on key 01 0123456789abcdef0123456789abcdef
printf '[Link sec0]\nAddress=10.67.0.1/24\n' >/etc/rdomain/sec.conf
rdomain up sec
test -z "$(rdomain up -n sec)"
ip -n sec macsec show sec0 | grep -q 'state on'
ip -n sec address show dev sec0 | grep -q 10.67.0.1/24
rdomain down sec
ip macsec show sec0 | grep -q 'state on'
ip link delete sec0
# One of ours: whether it encrypts is changed while it keeps its keys, and dump says all but those.
printf '[Link sec0]\nKind=macsec\nParent=below\nPort=7\nEncrypt=no\nAddress=10.67.0.1/24\n' >/etc/rdomain/sec.conf
rdomain up sec
test -z "$(rdomain up -n sec; rdomain check sec)"
ip -n sec macsec add sec0 tx sa 0 pn 1 on key 01 0123456789abcdef0123456789abcdef
dumps sec Kind=macsec Parent=below Port=7 Encrypt=no Address=10.67.0.1/24
! grep -i 0123456789abcdef /root/dumped /run/rdomain/sec.json || exit 1
sed -i s/Encrypt=no/Encrypt=yes/ /etc/rdomain/sec.conf
rdomain reload sec
ip -n sec macsec show sec0 | grep -q 'encrypt on'
ip -n sec macsec show sec0 | grep -q 'state on'
rdomain check sec
sed -i s/Port=7/Port=8/ /etc/rdomain/sec.conf
rdomain reload sec
rdomain check sec
rdomain down sec
ip link delete below
rm /etc/rdomain/sec.conf
