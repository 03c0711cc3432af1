#!/bin/sh
# A VRF with resolvers of its own: its services ask those, through the VRF, and nothing that
# answers look-ups for the host. A service that one of them starts has what the host has.
mkdir -p /run/asker /run/systemd/resolve /run/nscd
chmod 1777 /run/asker
: >/run/systemd/resolve/host; : >/run/nscd/host
printf 'nameserver 127.0.0.53\n' >/etc/resolv.conf
host lan; cable e0 lan lan0; give e0 10.20.30.40/24; give_in lan lan0 10.20.30.53/24
cat >/etc/rdomain/named.conf <<'E'
[Domain]
Kind=vrf
Table=30
DNS=10.20.30.53
Domains=lan.example.org
[Link e0]
E
printf '[Domain]\nKind=vrf\nTable=31\n' >/etc/rdomain/plain.conf
cat >/usr/local/bin/asker <<'E'
#!/bin/sh
while :; do
	{
		cat /etc/resolv.conf
		for f in /run/nscd/host /run/nscd/socket /run/systemd/resolve/host /run/systemd/resolve/io.systemd.Resolve; do
			[ ! -e "$f" ] || echo "$f"
		done
	} >"/run/asker/.$1" 2>&1
	mv "/run/asker/.$1" "/run/asker/$1"
	getent hosts www.lan.example.org
	sleep .2
done
E
chmod 755 /usr/local/bin/asker
if [ -d /run/systemd/system ]; then
	for name in named plain other; do
		unit "$name.service" <<E
[Service]
User=nobody
ExecStart=/usr/local/bin/asker $name
E
	done
	echo vrf=named >/etc/conf.d/named; echo vrf=plain >/etc/conf.d/plain
	systemctl daemon-reload
	up() { systemctl start "$1"; }
	again() { systemctl daemon-reload; systemctl restart "$1"; }
else
	for name in named plain other; do
		cat >"/etc/init.d/$name" <<E
#!/sbin/openrc-run
command=/usr/local/bin/asker
command_args=$name
command_user=nobody
command_background=1
pidfile=/run/$name.pid
E
		chmod 755 "/etc/init.d/$name"
	done
	# Once: what is started from inside of a private /etc is recorded by OpenRC with a path
	# that outside leads to nothing, so a second rc-service for it fails.
	echo 'start_pre() { [ -e /run/asker/other ] || rc-service other start; }' >>/etc/init.d/named
	echo vrf=named >/etc/conf.d/named; echo vrf=plain >/etc/conf.d/plain
	ln -sf /etc/init.d/rdomain /etc/init.d/rdomain.named; ln -sf /etc/init.d/rdomain /etc/init.d/rdomain.plain
	up() { rc-service "$1" start </dev/null; }
	again() { rc-service "$1" restart </dev/null; }
fi
ok "start" up named
await test -e /run/asker/named
is "it has the resolver of the VRF, and none of the host's" "# Made by rdomain from /etc/rdomain/named.conf
nameserver 10.20.30.53
search lan.example.org" cat /run/asker/named
ok "its queries arrive there, through the VRF" timeout 60 ip netns exec lan tcpdump -lni lan0 -c 1 'src 10.20.30.40 and dst 10.20.30.53 and udp dst port 53'
is "check" "" rdomain check named
ok "start of one in a VRF without" up plain
up other
for name in plain other; do
	await test -e "/run/asker/$name"
	is "$name has what the host has" "nameserver 127.0.0.53
/run/nscd/host
/run/systemd/resolve/host" grep -v -e socket -e io.systemd "/run/asker/$name"
done

# The resolver changes, and goes.
sed -i 's/^DNS=.*/DNS=10.20.30.54/' /etc/rdomain/named.conf
ok "reload" rdomain reload named
again named
ok "a new resolver" has "cat /run/asker/named" "nameserver 10.20.30.54"
sed -i '/^DNS=/d; /^Domains=/d' /etc/rdomain/named.conf
ok "reload without" rdomain reload named
again named
ok "the host's" has "cat /run/asker/named" "nameserver 127.0.0.53"
fails "nothing is left" test -e /run/rdomain/resolver/named

# DHCP on a member of a VRF
ip netns add far; ip link add e1 type veth peer name f1 netns far
ip -n far address add 10.7.0.1/24 dev f1; ip -n far link set f1 up
printf 'start 10.7.0.50\nend 10.7.0.50\ninterface f1\nlease_file /run/udhcpd.leases\npidfile /run/udhcpd.pid\noption subnet 255.255.255.0\noption router 10.7.0.1\noption dns 10.7.0.53\noption lease 120\n' >/run/udhcpd.conf
: >/run/udhcpd.leases
ip netns exec far busybox udhcpd /run/udhcpd.conf
printf '[Domain]\nKind=vrf\nTable=32\n[Link e1]\nDHCP=ipv4\n' >/etc/rdomain/leased.conf
before=$(ip route show table main)
ok "up" rdomain up leased
ok "the address, with its time" has "ip -4 address show dev e1" "10.7.0.50/24"
ok "which ends" has "ip -4 address show dev e1" "valid_lft [0-9]*sec"
ok "the router is in the table of the VRF" has "ip route show table 32" "default via 10.7.0.1 dev e1 src 10.7.0.50 metric 1024"
is "and main is as before" "$before" ip route show table main
ok "the resolver is that of the VRF" grep -qx "nameserver 10.7.0.53" /run/rdomain/resolver/leased/resolv.conf
is "its services read it" "nameserver 10.7.0.53" rdexec -v leased -- grep nameserver /etc/resolv.conf
ok "they reach the router" rdexec -v leased -- ping -c 1 -W 5 10.7.0.1
is "check" "" rdomain check leased
ok "list shows it" has "rdomain list --json" '"address": "10.7.0.50/24"'
ok "reload" rdomain reload leased
is "check after that" "" rdomain check leased
ok "down" rdomain down leased
fails "nothing is left" sh -c "ip -4 address show dev e1 | grep 10.7; ls /run/rdomain/resolver | grep leased"

# Router advertisements on a member of a VRF: what the kernel makes of them is in its table, and
# what they say of resolvers is for its services.
routers() # what radvd says of resolvers
{
	printf 'interface f1 {\n AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix 2001:db8:5::/64 { };\n%s\n};\n' "$1" >/run/radvd.conf
	ip netns exec far radvd -n -m logfile -l /run/radvd.log -C /run/radvd.conf -p /run/radvd.pid &
	router=$!
}
resolvers() { rdexec -v "$1" -- grep -v '^#' /etc/resolv.conf; }
rm /etc/rdomain/leased.conf
printf '[Domain]\nKind=vrf\nTable=33\n[Link e1]\nIPv6AcceptRA=yes\n' >/etc/rdomain/advertised.conf
sysctl -qw net.ipv6.conf.all.forwarding=1; ip netns exec far sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n far address add fe80::53/64 dev f1 nodad; ip -n far address add 2001:db8:5::53/64 dev f1 nodad
before=$(ip -6 route show table main)
host=$(cat /etc/resolv.conf)
routers 'RDNSS 2001:db8:5::53 fe80::53 { AdvRDNSSLifetime 8; }; DNSSL lan.example.org { AdvDNSSLLifetime 8; };'
ok "up" rdomain up advertised
ok "an address of the router's network" has "ip -6 address show dev e1 scope global" "2001:db8:5:0:.*/64"
ok "the router is in the table of the VRF" has "ip -6 route show table 33" "default via fe80::.* dev e1 proto ra"
ok "and so is the network" has "ip -6 route show table 33" "2001:db8:5::/64 dev e1"
is "and main is as before" "$before" ip -6 route show table main
is "its services have the resolvers" "nameserver 2001:db8:5::53
nameserver fe80::53%e1
search lan.example.org" resolvers advertised
is "those of another VRF what the host has" "$(grep -v '^#' /etc/resolv.conf)" resolvers plain
is "and so has the host" "$host" cat /etc/resolv.conf
is "check" "" rdomain check advertised
ok "reload" rdomain reload advertised
is "check after that" "" rdomain check advertised
ip netns exec far tcpdump -Ulni f1 'udp dst port 53' >/run/asked 2>/run/asked.said &
await grep -q listening /run/asked.said
rdexec -v advertised -- getent hosts www
for address in 2001:db8:5::53 fe80::53; do
	ok "$address is asked, for a name of the search domain" await grep -q " > $address.53: .* www.lan.example.org" /run/asked
done
kill $router; wait $router
routers 'RDNSS 2001:db8:5::54 { AdvRDNSSLifetime 8; };'
other() { [ "$(resolvers advertised)" = "nameserver 2001:db8:5::54" ]; }
ok "the router says another, and no domain: the watch has it" await other
is "main is as before" "$before" ip -6 route show table main
is "the host's are its own" "$host" cat /etc/resolv.conf
ok "down" rdomain down advertised
fails "nothing is left" test -e /run/rdomain/resolver/advertised
kill $router
is "the variable is as it was" 1 cat /proc/sys/net/ipv6/conf/e1/accept_ra
rm /etc/rdomain/advertised.conf
ip -n far address delete fe80::53/64 dev f1; ip -n far address delete 2001:db8:5::53/64 dev f1

# DHCPv6 on a member of a VRF, from a dnsmasq.
ip -n far address add 2001:db8:6::1/64 dev f1 nodad
ip netns exec far dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user= --group= --interface=f1 --bind-dynamic --pid-file= \
	--dhcp-leasefile=/run/leases6 --dhcp-range=2001:db8:6::60,2001:db8:6::60,64,120s '--dhcp-option=option6:dns-server,[2001:db8:6::53]' &
server=$!
printf '[Domain]\nKind=vrf\nTable=34\n[Link e1]\nDHCP=ipv6\n' >/etc/rdomain/leased6.conf
before=$(ip -6 route show table main)
ok "up" rdomain up leased6
ok "the address, with its time" has "ip -6 address show dev e1" "2001:db8:6::60/128"
ok "the resolver is that of the VRF" grep -qx "nameserver 2001:db8:6::53" /run/rdomain/resolver/leased6/resolv.conf
is "and main is as before" "$before" ip -6 route show table main
is "check" "" rdomain check leased6
ok "down" rdomain down leased6
fails "nothing is left" sh -c "ip -6 address show dev e1 | grep 2001:db8:6"
kill $server
