#!/bin/sh
# A host "third" on the link eth2, with hosts behind it and behind "world", after network.sh.
host third
cable eth2 third third0
give eth2 198.51.100.1/24 2001:db8:3::1/64
give_in third lo 203.0.113.9/32 2001:db8:33::9/128
give_in third third0 198.51.100.9/24 2001:db8:3::9/64
ip -n third route add default via 198.51.100.1; ip -n third route add default via 2001:db8:3::1
ip -n world address add 2001:db8:8::8/128 dev lo; ip -6 route replace default via 2001:db8:2::9
echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts
sysctl -qw net.ipv4.ping_group_range='0 2147483647'
