#!/bin/sh
# docs/split.md: a route reflector behind eth1, which says that 172.20.0.0/16 is behind the
# host "here" of routing.sh. FRR has no bgpd of its own.
sed -i s/^bgpd=yes/bgpd=no/ /etc/frr/daemons
ip address add 192.0.2.1/32 dev lo
ip route add default via 10.98.0.9
host reflector
cable eth1 reflector r0
give_in reflector r0 203.0.113.9/24
ip -n reflector route add 192.0.2.1 via 203.0.113.2
give_in here lo 172.20.0.1/16
mkdir -p /etc/frr/reflector
install -d -o frr -g frr /run/frr/reflector
cat >/etc/frr/reflector/bgpd.conf <<'C'
router bgp 64512
 bgp router-id 203.0.113.9
 no bgp network import-check
 neighbor 192.0.2.1 remote-as 64512
 address-family ipv4 unicast
  network 172.20.0.0/16
  neighbor 192.0.2.1 route-map hop out
route-map hop permit 10
 set ip next-hop 10.98.0.9
C
ip netns exec reflector /usr/lib/frr/bgpd -d -Z -n -N reflector -f /etc/frr/reflector/bgpd.conf >/dev/null 2>&1
# captured FILE LINK [COMMAND...]: what of BGP passes the link.
captured()
{
	file=$1 link=$2
	shift 2
	"$@" tcpdump -Uni "$link" -w "/run/test/$file.pcap" tcp port 179 2>"/run/test/$file.said" &
	await grep -q listening "/run/test/$file.said"
}
captured machine lan0
captured reflector r0 ip netns exec reflector
