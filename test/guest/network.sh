#!/bin/sh
# Builds networks: hosts, which are namespaces, and cables to them. Read before the script.
mkdir -p /etc/rdomain /etc/conf.d /run/test
ip link set lo up
# host NAME...
host() { for name in "$@"; do ip netns add "$name"; ip -n "$name" link set lo up; done; }
# cable LINK HOST PEER: from LINK of this machine to PEER of the host. Neither end looks for
# duplicates of its addresses, so they work at once.
cable()
{
	ip link add "$1" type veth peer name "$3" netns "$2"
	sysctl -qw "net.ipv6.conf.$1.accept_dad=0"
	ip netns exec "$2" sysctl -qw "net.ipv6.conf.$3.accept_dad=0"
}
# give LINK ADDRESS...: gives a link its addresses, and sets it up.
give()
{
	link=$1
	shift
	for a in "$@"; do ip ${host:+-n "$host"} address add "$a" dev "$link"; done
	ip ${host:+-n "$host"} link set "$link" up
}
# give_in HOST LINK ADDRESS...: the same for a link of a host.
give_in()
{
	host=$1
	shift
	give "$@"
	host=
}
host=
# lan_and_world LINK: two hosts. The machine reaches "lan" by LINK, and "world", where its
# default route leads, by w0. Both send what is for others to the machine.
lan_and_world()
{
	host lan world
	cable "$1" lan lan0
	cable w0 world world0
	sysctl -qw net.ipv4.ping_group_range='0 2147483647'
	give "$1" 10.20.30.40/24 2001:db8:1::40/64
	give w0 192.0.2.1/24 2001:db8:2::1/64
	give_in lan lan0 10.20.30.1/24 2001:db8:1::1/64
	give_in world lo 8.8.8.8/32
	give_in world world0 192.0.2.9/24 2001:db8:2::9/64
	ip netns exec world sysctl -qw net.ipv4.conf.world0.arp_ignore=1
	ip -n lan route add default via 10.20.30.40; ip -n lan route add default via 2001:db8:1::40
	ip -n world route add default via 192.0.2.1; ip -n world route add default via 2001:db8:2::1
	ip route add default via 192.0.2.9
}
# outside: a link with an address of the default domain, which no domain may reach.
outside() { ip link add outside type dummy; give outside 192.0.2.1/24; }
