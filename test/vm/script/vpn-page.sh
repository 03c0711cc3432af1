#!/bin/sh
# shellcheck disable=SC2046,SC2154 # keys have no spaces; $port, $endpoint are this file's own
# docs/vpn.md on a machine of a LAN. The host "lan" has a reader of the page, "provider" is what
# is behind the default route: the server of the VPN, and behind that a tracker. What the machine
# sends by its links is captured from before the domain is there to the end. $init is the
# machine's init system.

# part: network
host lan provider
cable eth0 lan lan0; cable w0 provider p0
give eth0 192.168.1.10/24; give_in lan lan0 192.168.1.20/24
give w0 192.0.2.1/24; give_in provider p0 192.0.2.9/24
ip route add default via 192.0.2.9
ip -n provider link add wg0 type wireguard
ip netns exec provider wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) allowed-ips 10.64.0.2/32
give_in provider wg0 10.64.0.1/32; ip -n provider route add 10.64.0.2 dev wg0; give_in provider lo 203.0.113.9/32
ip netns exec provider busybox httpd -p 203.0.113.9:6969 -h /srv
for link in eth0 w0; do
	tcpdump -Uni $link -Q out -w /run/test/$link.pcap 2>/run/test/$link.said &
	await grep -q listening /run/test/$link.said
done
ip netns exec provider tcpdump -lni wg0 >/run/test/provider 2>/dev/null &

# part: prepare
mkdir -p /etc/wireguard /srv; cd /etc/wireguard || exit; umask 077
for k in 0 1; do wg genkey >$k.key; wg pubkey <$k.key >$k.pub; done
echo 192.0.2.9 vpn.example.org >>/etc/hosts
printf '[Interface]\nPrivateKey = %s\nAddress = 10.64.0.2/32\nDNS = 10.64.0.1\n\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\nEndpoint = vpn.example.org:51820\nPersistentKeepalive = 1\n' \
	$(cat 0.key) $(cat 1.pub) >provider.conf
umask 022
printf 'd8:intervali60e5:peers0:e' >/srv/announce
# What is in the domain with the daemon tries all addresses, time and again.
cat >/usr/local/bin/knock <<'K'
#!/bin/sh
while :; do
	for a in 203.0.113.9 192.0.2.9 192.168.1.20 192.168.1.10 10.255.0.1; do
		ping -c 1 -W 1 $a &
		busybox nc -w 1 $a 80 </dev/null &
	done
	wait
	echo >>/run/test/knocked
done
K
chmod 755 /usr/local/bin/knock

# part: with the tunnel
# rpc ID BODY prints what the page's own program answers, with the headers.
cat >/usr/local/bin/rpc <<'R'
#!/bin/bash
exec 3<>/dev/tcp/192.168.1.10/9091 || exit
printf 'POST /transmission/rpc HTTP/1.1\r\nHost: 192.168.1.10:9091\r\nConnection: close\r\nAuthorization: Basic %s\r\nX-Transmission-Session-Id: %s\r\nContent-Length: %d\r\n\r\n%s' \
	dHJhbnNtaXNzaW9uOnRyYW5zbWlzc2lvbg== "$1" "${#2}" "$2" >&3
exec timeout 10 cat <&3
R
chmod 755 /usr/local/bin/rpc
session() { ip netns exec lan rpc "" "{}" | sed -n 's/.*X-Transmission-Session-Id: *\([A-Za-z0-9]*\).*/\1/p' | head -n 1; }
answers() { [ -n "$(session)" ]; }
ok "the LAN reaches the page" await answers
info='d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae'
torrent=$(printf 'd8:announce32:http://203.0.113.9:6969/announce4:info%se' "$info" | base64 -w 0)
added() { ip netns exec lan rpc "$(session)" "{\"method\":\"torrent-add\",\"arguments\":{\"metainfo\":\"$torrent\"}}" >/run/test/added && grep -q success /run/test/added; }
ok "a torrent is added there" added
ok "the tracker hears of it, through the tunnel" await grep -q '10.64.0.2.* > 203.0.113.9.6969' /run/test/provider
ok "status says when the provider was heard of" await sh -c "rdgen status | grep -q 'peer *[a-z0-9]* *handshake [0-9msh]* ago *$(cat /etc/wireguard/1.pub)'"
ok "so do the numbers" sh -c "rdgen status --prometheus - | grep -q '^rdgen_peer_handshake_timestamp_seconds{.*} 1[0-9]*$'"
ok "its resolver is the provider's" await grep -q '10.64.0.2.* > 10.64.0.1.53' /run/test/provider

# part: helpers
export await_pause=0.5
knock() { : >/run/test/knocked; rdexec -n vpn -- knock >/dev/null 2>&1 & knocker=$!; }
knocked() { n=$(($(wc -l </run/test/knocked) + 2)); await more; }
more() { [ "$(wc -l </run/test/knocked)" -ge "$n" ]; }
reaches() { rdexec -n vpn -- ping -c 1 -W 1 203.0.113.9; }
page() { ip netns exec lan busybox wget -S -T 10 -O - http://192.168.1.10:9091/transmission/web/ 2>&1 | grep -q 'HTTP/1.1 401'; }
runs() { [ "$(rdomain identify "$(pidof transmission-daemon)")" = vpn ]; }

# part: without
case $init in
systemd) again() { systemctl restart rdomain@vpn; }; start() { systemctl start transmission-daemon; } ;;
*) again() { rc-service rdomain.vpn restart </dev/null; }; start() { rc-service transmission-daemon start </dev/null; } ;;
esac
pid=$(pidof transmission-daemon)
knock
ip -n provider link set wg0 down
ok "the server is away, and all is tried" knocked
fails "nothing is reached" reaches
ok "the page is there" await page
ip -n provider link set wg0 up; ip -n provider route add 10.64.0.2 dev wg0
ok "the server is back" await reaches
index=$(ip -n vpn -o link show wg0 | cut -d: -f1)
remade() { new=$(ip -n vpn -o link show wg0 | cut -d: -f1) && [ -n "$new" ] && [ "$new" != "$index" ]; }
ip -n vpn link delete wg0
ok "the tunnel is deleted, and made again" await remade
ok "and works" await reaches
ok "the page is there still" await page
ok "all is tried again" knocked
is "by the same daemon" "$pid" pidof transmission-daemon
kill $knocker; wait
ok "the domain is restarted" again
ok "the daemon runs in it" await runs
ok "the page is back" await page
ok "and the tunnel" await reaches
mv /etc/wireguard/provider.conf /etc/wireguard/away
fails "without the provider's file there is no domain" again
fails "and no daemon" pidof transmission-daemon
mv /etc/wireguard/away /etc/wireguard/provider.conf
ok "with it the daemon starts" start
ok "in the domain" await runs
knock
ok "and all is tried once more" knocked
kill $knocker

# part: rebooted
ok "the LAN reaches the page" await page
ok "the daemon runs in the domain" runs
ok "the tunnel is there" await reaches
ok "the tracker hears of the torrent, through it" await grep -q '10.64.0.2.* > 203.0.113.9.6969' /run/test/provider
is "rdomain check" "" rdomain check vpn
knock
ok "and all is tried" knocked
kill $knocker

# part: nowhere else
# A last packet of the machine's own by each link shows that all before it was captured.
marked() { tcpdump -nr "/run/test/$1.pcap" 'icmp and ip[2:2] = 361' 2>/dev/null | grep -q request; }
ping -c 1 -s 333 192.168.1.20; ping -c 1 -s 333 192.0.2.9
ok "captured, on the LAN" await marked eth0
ok "captured, on the uplink" await marked w0
# The machine's own: neighbours, groups, and systemd-resolved, which asks each link's neighbours for names.
own='arp or igmp or udp port 5355 or (icmp and ip[2:2] = 361) or ip6[6] = 0 or (ip6[6] = 58 and ip6[40] >= 133 and ip6[40] <= 137)'
is "by the LAN, nothing but the page's answers" "" sh -c "tcpdump -nr /run/test/eth0.pcap 'not ($own or (tcp src port 9091 and src host 192.168.1.10))' 2>/dev/null"
# While there is no tunnel, the machine tells the server that nothing takes its packets.
is "by the uplink, nothing but what is encrypted" "" sh -c "tcpdump -nr /run/test/w0.pcap 'not ($own or (icmp[icmptype] = icmp-unreach and icmp[28:2] = 51820 and dst host 192.0.2.9) or (udp dst port 51820 and dst host 192.0.2.9))' 2>/dev/null"
ok "of which there is some" sh -c "tcpdump -nr /run/test/w0.pcap 'udp dst port 51820' 2>/dev/null | grep -q ."
ok "and answers" sh -c "tcpdump -nr /run/test/eth0.pcap 'tcp src port 9091' 2>/dev/null | grep -q ."
