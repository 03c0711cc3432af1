#!/bin/sh
# shellcheck disable=SC2046,SC2154
# A VLAN and a WireGuard link in the namespace vpn, against the host far. $peer is the
# public key of that host.

# part: prepare
ip link set u1 down; ip link set u1 name eth0; ip link set eth0 up
echo '10.0.1.2 vpn.example.org' >>/etc/hosts
ip -n far link add link f1 name f1.10 type vlan id 10; ip -n far address add 10.10.0.1/24 dev f1.10; ip -n far link set f1.10 up
ip -n far link add wg0 type wireguard
ip netns exec far wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) \
	preshared-key /etc/wireguard/psk allowed-ips 10.64.0.2/32
ip -n far address add 10.64.0.1/24 dev wg0; ip -n far link set wg0 up
ip -n far address add 203.0.113.1/32 dev lo
mkdir -p /srv; echo the far host >/srv/index.html
ip netns exec far busybox httpd -p 203.0.113.1:80 -h /srv

# part: up
rdomain up vpn; rdomain up vpn; rdomain check vpn
await rdexec -n vpn -- ping -c 1 -W 2 10.10.0.1
await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1
test "$(rdexec -n vpn -- busybox wget -q -O - http://203.0.113.1/)" = 'the far host'
# Outside there is the socket and no way to what is behind the tunnel; inside the reverse.
ss -Huln | grep -q :51820; ! ip netns exec vpn ss -Huln | grep :51820 || exit 1
! ping -c 1 -W 1 203.0.113.1 || exit 1
ip -n vpn route | grep -qx 'default dev wg0 scope link '
rdexec -n vpn -- cat /etc/resolv.conf | grep -qx 'nameserver 10.64.0.1'

# part: moves
index=$(ip -n vpn -o link show wg0 | cut -d: -f1)
ip netns exec far wg set wg0 listen-port 51999
ip netns exec far wg set wg0 peer $(cat /etc/wireguard/0.pub) endpoint 10.0.1.1:51820
await ip netns exec far ping -c 1 -W 2 10.64.0.2
ip netns exec vpn wg show wg0 endpoints | grep -q :51999
rdomain up vpn; rdomain check vpn
ip netns exec vpn wg show wg0 endpoints | grep -q :51999
ip netns exec vpn wg set wg0 peer "$peer" remove
! rdomain check vpn >/root/diff || exit 1; grep -q 'wg set wg0 peer' /root/diff
ip netns exec far wg set wg0 listen-port 51820
rdomain up vpn
await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1
# An edit changes the peer, not the link.
sed -i 's/PersistentKeepalive=25/PersistentKeepalive=20/; s/ListenPort=51820/ListenPort=51821/' /etc/rdomain/vpn.conf
rdomain reload vpn; rdomain check vpn
ip netns exec vpn wg show wg0 persistent-keepalive | grep -q '20$'
test "$(ip netns exec vpn wg show wg0 listen-port)" = 51821
test "$index" = "$(ip -n vpn -o link show wg0 | cut -d: -f1)"
await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1

# part: taken back
ip netns exec vpn wg showconf wg0 | sort >/root/before
cp /etc/rdomain/vpn.conf /root/good
sed -i 's/PersistentKeepalive=20/PersistentKeepalive=21/; s/0.key/2.key/' /etc/rdomain/vpn.conf
printf '[Route]\nDestination=10.99.0.0/16\nDevice=nowhere\n' >>/etc/rdomain/vpn.conf
! rdomain up vpn 2>/root/why || exit 1; grep -q 'vpn.conf:22: ip -n vpn route add 10.99.0.0/16 dev nowhere' /root/why
ip netns exec vpn wg showconf wg0 | sort >/root/after; cmp /root/before /root/after
cp /root/good /etc/rdomain/vpn.conf; rdomain check vpn
! grep -l -F -f /etc/wireguard/0.key -r /run/rdomain || exit 1
rdomain down vpn; ! ip netns list | grep vpn || exit 1; test ! -e /etc/netns/vpn; ip link show eth0 >/dev/null

# part: deaf
sed -i '/^.Sysctl/d; /udp_l3mdev_accept/d' /etc/rdomain/red.conf; rdomain reload red
test "$(sysctl -n net.ipv4.udp_l3mdev_accept)" = 0
sed -i 's/Kind=wireguard/Kind=wireguard\nOuter=red/' /etc/rdomain/vpn.conf
! rdomain up vpn 2>/root/why || exit 1; grep -q 'vpn.conf:10: .*udp_l3mdev_accept=1' /root/why || { cat /root/why; false; }
! ip netns list | grep vpn || exit 1

# part: imports
# Each folder of /root/imports is a case of imports/testdata: files of domains, and links that
# exist. They are made, and dump says all of them: with its files there is nothing to do, nothing
# to remove, and nothing is different.
same() { rdomain check --all >/root/said || :; ! grep '^[-+]' /root/said || { cat /etc/rdomain/*; exit 1; }; } # the article's VRF has no member, which check says
modprobe tun; modprobe bonding max_bonds=0
rdomain down --all; rm -f /etc/rdomain/*
echo '10.0.1.2 site-b.example.org' >>/etc/hosts
for dir in /root/imports/*; do
	echo "$dir"
	made=; read -r exist <"$dir/exist"
	for l in $exist; do ip link show "$l" >/dev/null 2>&1 || { ip link add "$l" type dummy; ip link set "$l" up; made="$made $l"; }; done
	cp "$dir"/*.conf /etc/rdomain/
	sed -n 's/^\(PrivateKeyFile\|PresharedKeyFile\)=//p' "$dir"/*.conf | while read -r k; do (umask 077; wg genkey >"$k"); done
	rdomain up --all; same
	for f in "$dir"/*.conf; do f=${f##*/}; rdomain dump "${f%.conf}" >"/root/$f"; done
	for f in "$dir"/*.conf; do mv "/root/${f##*/}" /etc/rdomain/; done
	for verb in up reload; do
		test -z "$(rdomain $verb -n --all)" || { rdomain $verb -n --all; cat /etc/rdomain/*; false; }
	done
	same
	rdomain down --all; rm /etc/rdomain/*
	for l in $made; do ip link del "$l"; done
done
# What somebody made by hand has a file, too: a VRF says what up would do, and that is done once.
ip link add hand type vrf table 77; ip link set hand up; ip address add 10.79.0.1/32 dev hand
ip link add h0 type dummy; ip link set h0 master hand up; ip address add 10.77.0.1/24 dev h0; ip route add 10.78.0.0/16 via 10.77.0.2 table 77
# (The shell empties the file first.)
says() { for line; do grep -q -- "$line" /etc/rdomain/hand.conf || { echo "no line $line in"; cat /etc/rdomain/hand.conf; exit 1; }; done; }
rdomain dump hand >/etc/rdomain/hand.conf
says '^Table=77$' '^\[Link h0\]$' '^Destination=10.78.0.0/16$' '^# the VRF itself has the address 10.79.0.1/32' '^# rdomain up would do: ip route add unreachable default table 77'
rdomain up hand; rdomain check hand; test -z "$(rdomain up -n hand)"
rdomain dump hand | grep -v '^# rdomain' >/root/again; grep -v '^# rdomain' /etc/rdomain/hand.conf | cmp - /root/again
rdomain down hand; ip link show h0 >/dev/null; ip link del h0; ip link del hand; rm /etc/rdomain/hand.conf
# So has a WireGuard link, without its keys: the comments have the commands that bring them.
ip netns add hw; ip -n hw link set lo up; ip -n hw link add wg9 type wireguard
ip netns exec hw wg set wg9 private-key /etc/wireguard/0.key listen-port 5555 peer "$peer" preshared-key /etc/wireguard/psk allowed-ips 10.5.0.0/24 endpoint 10.0.1.2:51820
ip -n hw address add 10.5.0.1/32 dev wg9; ip -n hw link set wg9 up; ip -n hw route add 10.5.0.0/24 dev wg9
rdomain dump hw >/etc/rdomain/hw.conf
! grep -F -f /etc/wireguard/0.key /etc/rdomain/hw.conf || exit 1
! grep -F -f /etc/wireguard/psk /etc/rdomain/hw.conf || exit 1
sed -n 's/^# the key is not taken over; this does it: //p' /etc/rdomain/hw.conf | sh
cmp /etc/wireguard/0.key /etc/wireguard/wg9.key; cmp /etc/wireguard/psk /etc/wireguard/wg9.psk1
test -z "$(rdomain up -n hw)"
rdomain up hw; rdomain check hw; test -z "$(rdomain up -n hw)"; rdomain down hw; ip netns del hw
