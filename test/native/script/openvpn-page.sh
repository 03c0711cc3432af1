#!/bin/sh
# shellcheck disable=SC2154 # $init is set before, and $knocker by openvpn-seen.sh
# docs/openvpn.md on a machine whose default route leads to "provider", which has the server of
# the VPN, with both families, and behind it a host. What the machine sends by its link is
# captured from before the domain is there, and again from the boot on. $init is the machine's
# init system.

# part: prepare
# lab builds the network, at each boot. The server is started by hand: it may be away at a boot.
cat >/usr/local/bin/lab <<'L'
#!/bin/sh
. /usr/local/lib/network.sh
host provider; cable w0 provider p0
give w0 192.0.2.1/24; give_in provider p0 192.0.2.9/24; give_in provider lo 203.0.113.9/32
ip route add default via 192.0.2.9
tcpdump -Uni w0 -Q out -w /run/test/w0.pcap 2>/run/test/w0.said &
await grep -q listening /run/test/w0.said
L
cat >/usr/local/bin/server <<'S'
#!/bin/sh
exec ip netns exec provider openvpn --config /etc/openvpn/server/lab.conf --daemon server --writepid /run/test/server.pid --log /run/test/server.log
S
chmod 755 /usr/local/bin/lab /usr/local/bin/server
if [ "$init" = systemd ]; then
	printf '[Unit]\nDefaultDependencies=no\nWants=network-pre.target\nBefore=network-pre.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/lab\n[Install]\nWantedBy=sysinit.target\n' >/etc/systemd/system/lab.service
	systemctl daemon-reload
	systemctl enable lab
	systemctl start lab nginx # which Debian starts when it is installed
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { /usr/local/bin/lab; }\n' >/etc/init.d/lab
	chmod 755 /etc/init.d/lab
	rc-update add lab boot
	rc-update -u
	/usr/local/bin/lab
fi
cd /etc/openvpn || exit
umask 077
for who in server client; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $who.key -out $who.crt -subj /CN=$who -days 30
	openssl x509 -in $who.crt -noout -fingerprint -sha256 | sed 's/.*=//' >$who.print
done
cat >server/lab.conf <<S
dev tun-srv
dev-type tun
port 1194
proto udp
topology subnet
server 10.9.0.0 255.255.255.0
server-ipv6 fd00:9::/64
cert /etc/openvpn/server.crt
key /etc/openvpn/server.key
dh none
peer-fingerprint $(cat client.print)
keepalive 1 4
push "redirect-gateway def1 ipv6"
push "dhcp-option DNS 10.9.0.1"
S
# As a provider gives it.
cat >work.conf <<C
client
dev tun
proto udp
remote 192.0.2.9 1194
cert /etc/openvpn/client.crt
key /etc/openvpn/client.key
peer-fingerprint $(cat server.print)
connect-retry 1 1
C
umask 022
server

# part: with the tunnel
ok "the tunnel is in the domain" await reaches
ok "with both families" await reaches6
ok "the page is there" await page
fails "the host's resolver is its own" grep 10.9.0.1 /etc/resolv.conf
is "the host has no route by it" "" sh -c '{ ip route; ip -6 route; } | grep -v "dev w0"'
is "its service is in the domain" work served
ok "which is right" await rdomain check work

# part: without
export await_pause=0.5
pid=$(cat /run/nginx.pid)
knock
kill "$(cat /run/test/server.pid)"
ok "the server is away" await silent
ok "and all is tried" knocked
server
ok "it is back" await reaches
ok "and the page" await page
is "the service ran on" "$pid" cat /run/nginx.pid
client restart
ok "the client is restarted" await reaches
ok "with both families" await reaches6
ok "and all is tried" knocked
kill -KILL "$(cat /run/openvpn/work.pid)"
ok "the client is killed" await gone
ok "and all is tried" knocked
[ "$init" = systemd ] || client restart
ok "it is back" await reaches
ok "and the page" await page
is "the service ran on" "$pid" cat /run/nginx.pid
is "in the domain" work served
ok "which is right" await rdomain check work
domain restart
ok "the domain is restarted" await reaches
ok "the service is back" await served_inside
ok "and the page" await page
kill "$knocker"; wait
ok "the domain is stopped" domain stop
fails "and the service with it" served
ok "it is started" domain start
ok "the service is back" await served_inside
ok "and the tunnel" await reaches
service stop
ok "the service is stopped by hand, then the domain" domain stop
ok "it is started" domain start
ok "and the tunnel is back" await reaches
fails "the service stays as it was" served
service start
ok "until somebody starts it" await served_inside
printf 'nonsense\n' >>/etc/rdomain/work.conf
fails "with a file that is wrong the domain is not restarted" domain restart
fails "nor the service" served
sed -i '$d' /etc/rdomain/work.conf
ok "with one that is right it starts" domain start
ok "and the service" await served_inside
ok "and the tunnel is back" await reaches

# part: nowhere else
# While there is no client, the machine tells the server that nothing takes its packets.
# A last packet of the machine's own shows that all before it was captured.
ping -c 1 -s 333 192.0.2.9 >/dev/null
marked() { tcpdump -nr /run/test/w0.pcap 'icmp and ip[2:2] = 361' 2>/dev/null | grep -q request; }
ok "captured" await marked
own='arp or igmp or (icmp and ip[2:2] = 361) or ip6[6] = 0 or (ip6[6] = 58 and ip6[40] >= 133 and ip6[40] <= 143)'
is "by the link of the machine, nothing but the tunnel" "" sh -c "tcpdump -nr /run/test/w0.pcap 'not ($own or (icmp[icmptype] = icmp-unreach and icmp[28:2] = 1194 and dst host 192.0.2.9) or (udp dst port 1194 and dst host 192.0.2.9))' 2>/dev/null"
ok "of which there is some" sh -c "tcpdump -nr /run/test/w0.pcap 'udp dst port 1194' 2>/dev/null | grep -q ."

# part: booted without the server
is "the service is there, in the domain" work served
ok "which is up" is_up
fails "there is no tunnel" tun
ok "which is no fault" rdomain check work
if [ "$init" = systemd ]; then
	fails "systemd left no job out" sh -c 'journalctl -b | grep -i "ordering cycle"'
fi
knock
ok "all is tried" knocked
server
ok "the server comes: the tunnel is there" await reaches
ok "and the page" await page
kill "$knocker"; wait
