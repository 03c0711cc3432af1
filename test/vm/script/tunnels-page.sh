#!/bin/sh
# shellcheck disable=SC2086 # a list of words
# docs/tunnels.md: the other site is the host "site", behind up0, and has a host for each
# customer, all with the same address.

# part: prepare
host site at-north at-south at-east
cable up0 site down0
give up0 192.0.2.1/24
give_in site down0 192.0.2.9/24
umask 077
mkdir -p /etc/wireguard
wg genkey >/etc/wireguard/site.key
echo iAFeNLX+4J+hAVNIz+V49ymLSWM340FpZSQb7kwdtlg= >/run/test/other.key
umask 022
ip -n site link add wg0 type wireguard
ip netns exec site wg set wg0 private-key /run/test/other.key listen-port 51821 \
	peer "$(wg pubkey </etc/wireguard/site.key)" endpoint 192.0.2.1:51821 allowed-ips 10.64.0.2/32
give_in site wg0 10.64.0.1/30
end() { ip -n site link add $2 type $3 && ip -n site link set $2 netns at-$1 && give_in at-$1 $2 10.0.0.1/24; }
end north gre1 'gre local 10.64.0.1 remote 10.64.0.2 key 1'
end south gre2 'gre local 10.64.0.1 remote 10.64.0.2 key 2'
end east vx3 'vxlan id 3 local 10.64.0.1 remote 10.64.0.2 dstport 4789'
ip -n at-east link set vx3 mtu 1370
for customer in north south east; do
	mkdir -p /srv/$customer
	echo this is $customer >/srv/$customer/index.html
	head -c 200000 /dev/urandom >/srv/$customer/large
	ip netns exec at-$customer busybox httpd -p 80 -h /srv/$customer
done
tcpdump -Uni up0 -w /run/test/up0.pcap 2>/run/test/up0.said &
await grep -q listening /run/test/up0.said

# part: look
for customer in north south east; do
	ok "$customer reaches its other site" await rdexec -n $customer -- ping -c 1 -W 2 10.0.0.1
	is "and no other customer's" "this is $customer" rdexec -n $customer -- fetch 20 10.0.0.1
	ok "with large packets" sh -c "rdexec -n $customer -- fetch 20 10.0.0.1 large | cmp - /srv/$customer/large"
	ok "the other site reaches it" ip netns exec at-$customer ping -c 1 -W 5 10.0.0.2
done
fails "the host reaches none" ping -c 1 -W 1 10.0.0.1
fails "and has no end of the tunnel" ip link show wg0
sent() { [ "$(tcpdump -nr /run/test/up0.pcap udp port 51821 2>/dev/null | wc -l)" -gt 100 ]; }
ok "what left the machine is WireGuard" await sent
# systemd-resolved asks the host's links for names.
is "and nothing else is" "" sh -c 'tcpdump -nr /run/test/up0.pcap "ip and not udp port 51821 and not icmp and not igmp and not udp port 5355" 2>/dev/null'
ip -n site link set down0 down
fails "without the other end nothing is reached" rdexec -n north -- ping -c 1 -W 2 10.0.0.1
is "and nothing leaves another way" "" sh -c 'tcpdump -nr /run/test/up0.pcap "net 10.0.0.0/8" 2>/dev/null'
ok "all go" rdomain down north south east transit
