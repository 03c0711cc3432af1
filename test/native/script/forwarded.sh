#!/bin/sh
# A domain whose packets leave by the host's default route, and one port of which is published,
# beside the programs that have a say about what is forwarded. The host "world" is where the
# route leads. With iptables of nftables and, where a program goes by iptables, with the legacy.

# part: shared
leaves() { rdexec -n web -- busybox wget -q -T 1 -O - "http://$1/" | grep -q world; }
enters() { ip netns exec world busybox wget -q -T 1 -O - "http://$1:8080/" | grep -q web; }
# all: both ways, in both families.
all() { leaves 192.0.2.9 && enters 192.0.2.1 && leaves '[2001:db8:2::9]' && enters '[2001:db8:2::1]'; }
iptables_are()
{
	update-alternatives --quiet --set iptables "/usr/sbin/iptables-$1"
	update-alternatives --quiet --set ip6tables "/usr/sbin/ip6tables-$1"
}
# told WHAT...: check says that each of them is dropped, and nothing else. What it says to let them
# pass is typed as it is: all pass, and it says nothing.
told()
{
	rdomain check web >/tmp/said 2>&1
	is "check says what drops what" "$(for what in "$@"; do echo "# web: $what; to let it pass:"; done)" \
		sed 's/\(to let it pass:\) .*/\1/' /tmp/said
	sed -n 's/.*; to let it pass: //p' /tmp/said >/tmp/typed
	cat /tmp/typed
	ok "what it says is typed" sh -e /tmp/typed
	ok "all pass" await all
	is "check has nothing" "" rdomain check web
}
drops='in the default domain drops what is forwarded'
chain='chain FORWARD of table'

# part: prepare
# serve NAME: a web server in a namespace, which says its name.
cat >/usr/local/bin/serve <<'S'
#!/bin/sh
mkdir -p "/srv/$1"
echo "$1" >"/srv/$1/index.html"
exec ip netns exec "$1" busybox httpd -p '[::]:80' -h "/srv/$1"
S
chmod 755 /usr/local/bin/serve
host world
cable w0 world world0
give w0 192.0.2.1/24 2001:db8:2::1/64
give_in world world0 192.0.2.9/24 2001:db8:2::9/64
ip route add default via 192.0.2.9
ip route add default via 2001:db8:2::9
cat >/etc/rdomain/web.conf <<'C'
[Link veth0]
Kind=veth
Peer=veth-web
Address=10.7.0.2/30
Address=fd00:7::2/64
PeerAddress=10.7.0.1/30
PeerAddress=fd00:7::1/64
Masquerade=yes

[Route]
Destination=default
Gateway=10.7.0.1

[Route]
Destination=default
Gateway=fd00:7::1

[Publish]
Listen=8080
Connect=80
C
rdomain up web
serve web
serve world

# part: ufw
ok "with nothing beside it, all pass" await all
is "check has nothing" "" rdomain check web
for kind in nft legacy; do
	iptables_are $kind
	as=
	[ $kind = nft ] || as=' (iptables-legacy)'
	ok "ufw by iptables-$kind" ufw --force enable
	fails "nothing leaves" leaves 192.0.2.9
	fails "in no family" leaves '[2001:db8:2::9]'
	fails "nothing enters" enters 192.0.2.1
	fails "in no family" enters '[2001:db8:2::1]'
	told "$chain ip filter$as $drops from veth-web (ipv4)" "$chain ip filter$as $drops to veth-web (ipv4)" \
		"$chain ip6 filter$as $drops from veth-web (ipv6)" "$chain ip6 filter$as $drops to veth-web (ipv6)"
	ok "ufw loads its rules again" ufw reload
	ok "all pass" await all
	ufw --force reset # which leaves its chains
	iptables -P FORWARD ACCEPT
	ip6tables -P FORWARD ACCEPT
done
is "switched off, it drops nothing" "" rdomain check web

# part: docker
dockerd_is() { systemctl reset-failed; systemctl "$1" docker; }
mkdir -p /etc/docker
echo '{"storage-driver": "vfs"}' >/etc/docker/daemon.json
for kind in nft legacy; do
	iptables_are $kind
	as=
	[ $kind = nft ] || as=' (iptables-legacy)'
	ok "dockerd by iptables-$kind, where forwarding is switched on" dockerd_is start
	ok "all pass" await all
	is "check has nothing" "" rdomain check web
	systemctl stop docker docker.socket
	kill "$(ip netns pids web)"
	ok "the domain goes" rdomain down web
	is "and gives forwarding back" 0 cat /proc/sys/net/ipv4/ip_forward
	ok "dockerd switches it on" dockerd_is start
	ok "the domain comes" rdomain up web
	serve web
	fails "nothing leaves" leaves 192.0.2.9
	fails "nothing enters" enters 192.0.2.1
	told "$chain ip filter$as $drops from veth-web (ipv4)" "$chain ip filter$as $drops to veth-web (ipv4)"
	ok "in Docker's chain for it" grep -q DOCKER-USER /tmp/typed
	ok "dockerd starts again" dockerd_is restart
	ok "all pass" await all
	systemctl stop docker docker.socket
	iptables -P FORWARD ACCEPT
	kill "$(ip netns pids web)"
	rdomain down web
	sysctl -qw net.ipv4.ip_forward=0 # which was dockerd's
	rdomain up web
	serve web
done

# part: firewalld
ok "firewalld" systemctl start firewalld
fails "nothing leaves" leaves 192.0.2.9
fails "in no family" leaves '[2001:db8:2::9]'
ok "what is published enters" enters 192.0.2.1
told "chain filter_FORWARD of table inet firewalld $drops from veth-web (ipv4, ipv6)"
