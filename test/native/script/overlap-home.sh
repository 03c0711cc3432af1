#!/bin/sh
# shellcheck disable=SC2154 # $init is set before
# docs/overlap-home.md: "home" has the router and a host 192.168.1.20; behind it is "office", with
# the server of the VPN and another host 192.168.1.20. What the machine sends at home is captured,
# and what comes out of the tunnel. The softphone says REGISTER, and what is outside PRINT: the
# length tells one from the other. $init is the machine's init system.

# part: prepare
host home office
cable eth0 home lan; ip link add wan netns home type veth peer name wan netns office
give eth0 192.168.1.10/24; give_in home lan 192.168.1.1/24 192.168.1.20/24
give_in home wan 203.0.113.1/24; give_in office wan 203.0.113.9/24
give_in office lo 192.168.1.20/32 192.168.1.53/32
ip route add default via 192.168.1.1
ip netns exec home sysctl -qw net.ipv4.ip_forward=1
ip netns exec home nft 'add table ip n; add chain ip n c { type nat hook postrouting priority 100; }; add rule ip n c oifname "wan" masquerade'
for side in home office; do
	ip netns exec $side socat UDP4-RECVFROM:5060,bind=192.168.1.20,fork SYSTEM:"echo $side" &
done
tcpdump -Uni eth0 -Q out -w /run/test/eth0.pcap 2>/run/test/eth0.said &
cat >/usr/bin/linphone <<'L'
#!/bin/sh
# Asks for a name, and registers, time and again.
while :; do
	getent hosts exchange.office.example &
	echo REGISTER | socat -t 1 - UDP4:192.168.1.20:5060 >>/tmp/heard || sleep 0.5 # no route: nothing to wait for
	echo >>/tmp/tried
done
L
chmod 755 /usr/bin/linphone
cd /etc/openvpn || exit
umask 077
for who in server client; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $who.key -out $who.crt -subj /CN=$who -days 30
	openssl x509 -in $who.crt -noout -fingerprint -sha256 | sed 's/.*=//' >$who.print
done
cat >server/lab.conf <<S
dev tun-srv
dev-type tun
proto udp
topology subnet
server 10.9.0.0 255.255.255.0
cert /etc/openvpn/server.crt
key /etc/openvpn/server.key
dh none
peer-fingerprint $(cat client.print)
keepalive 1 4
push "route 192.168.1.0 255.255.255.0"
push "dhcp-option DNS 192.168.1.53"
S
cat >work.conf <<C
client
dev tun
proto udp
remote 203.0.113.9 1194
cert /etc/openvpn/client.crt
key /etc/openvpn/client.key
peer-fingerprint $(cat server.print)
connect-retry 1 1
C
cat >/usr/local/bin/server <<'S'
#!/bin/sh
exec ip netns exec office openvpn --config /etc/openvpn/server/lab.conf --daemon server --writepid /run/test/server.pid --log /run/test/server.log
S
chmod 755 /usr/local/bin/server
server
await ip -n office link show tun-srv
ip netns exec office tcpdump -Uni tun-srv -w /run/test/tun.pcap 2>/run/test/tun.said &
await grep -q listening /run/test/tun.said /run/test/eth0.said
if [ "$init" = openrc ]; then
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { :; }\n' >/etc/init.d/lab
	chmod 755 /etc/init.d/lab
	rc-update add lab boot
	rc-update -u
fi

# part: look
outside() { [ "$(echo PRINT | socat -t 2 - UDP4:192.168.1.20:5060)" = home ]; }
seen() { tcpdump -nr "/run/test/$1.pcap" "$2" 2>/dev/null; }
some() { seen "$@" | grep -q .; }
heard() { [ -s /tmp/heard ]; }
tried() { n=$(($(wc -l </tmp/tried) + 3)); await more; }
more() { [ "$(wc -l </tmp/tried)" -ge "$n" ]; }
silent() { before=$(wc -l </tmp/heard); tried; [ "$(wc -l </tmp/heard)" = "$before" ]; }
register='udp dst port 5060 and udp[4:2] = 17' print='udp dst port 5060 and udp[4:2] = 14'
: >/tmp/heard; : >/tmp/tried; chmod 666 /tmp/heard /tmp/tried
runuser -l alice -c "$(sed -n 's/^Exec=//p' /usr/share/applications/linphone-work.desktop)" >/dev/null 2>&1 </dev/null &
ok "the softphone hears" await heard
is "the exchange at work" office sort -u /tmp/heard
ok "outside, there is home at that address" await outside
is "it is alice's" alice sh -c 'ps -o user= -p "$(pgrep -ox linphone)"'
is "in the domain" work sh -c 'rdomain identify "$(pgrep -ox linphone)"'
ok "its packets come out of the tunnel" await some tun "$register"
ok "and its questions for names" await some tun 'udp dst port 53 and dst host 192.168.1.53'
export await_pause=0.3
kill "$(cat /run/test/server.pid)"
ok "the server is away: it hears nothing, and tries" await silent
ok "outside, home is there" await outside
if [ "$init" = systemd ]; then systemctl stop openvpn@work; else rc-service openvpn stop </dev/null; fi
fails "there is no tunnel" ip -n work link show tun-work
ok "it hears nothing, and tries" await silent
ok "outside, home is there" await outside
server
if [ "$init" = systemd ]; then systemctl start openvpn@work; else rc-service openvpn start </dev/null; fi
: >/tmp/heard
ok "the tunnel is back: it hears" await heard
pkill -x linphone
is "it never heard another" office sort -u /tmp/heard
# A last packet of the machine's own shows that all before it was captured.
ping -c 1 -s 333 192.168.1.1 >/dev/null
ok "captured" await some eth0 'icmp and ip[2:2] = 361'
ok "at home is what was outside" some eth0 "$print"
is "nothing of the softphone's" "" seen eth0 "$register"
is "no question for a name" "" seen eth0 'port 53'
is "and nothing else but the tunnel" "" seen eth0 "ip and not (($print and src host 192.168.1.10) or (udp dst port 1194 and dst host 203.0.113.9) or icmp[icmptype] = icmp-unreach or igmp or (icmp and ip[2:2] = 361))"
is "what was outside is not in the tunnel" "" seen tun "$print"
