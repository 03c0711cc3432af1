#!/bin/sh
# shellcheck disable=SC2046,SC2154
# A file of wg-quick, as a provider of VPNs gives it, as the domain vpn, against the host
# far. $peer is the public key of that host, $dead that of one that never answers.

# part: prepare
echo '10.0.1.2 vpn.example.org' >>/etc/hosts; echo '10.0.1.8 dead.example.org' >>/etc/hosts
ip -n far link add wg0 type wireguard
ip netns exec far wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) \
	preshared-key /etc/wireguard/psk allowed-ips 10.64.0.2/32,fd64::2/128
ip -n far link set wg0 up; ip -n far route add 10.64.0.2 dev wg0; ip -n far route add fd64::2 dev wg0
ip -n far address add 203.0.113.1/32 dev lo; ip -n far address add fd00:cb::1/128 dev lo
mkdir -p /srv; echo the far host >/srv/index.html
ip netns exec far busybox httpd -p 203.0.113.1:80 -h /srv
printf '# the provider says\r\n[Interface]\r\nPrivateKey = %s\r\nAddress = 10.64.0.2/32, fd64::2/128\r\nDNS = 10.64.0.1, example.org\r\nMTU = 1380\r\n
[Peer]\r\nPublicKey = %s\r\nPresharedKey = %s # of both\r\nAllowedIPs = 0.0.0.0/0, ::/0\r\nEndpoint = vpn.example.org:51820\r\nPersistentKeepalive = 1\r\n
[Peer]\r\nPublicKey = %s\r\nAllowedIPs = 192.0.2.9/24\r\nEndpoint = dead.example.org:51820\r\nPersistentKeepalive = 1\r\n' \
	$(cat /etc/wireguard/0.key) "$peer" $(cat /etc/wireguard/psk) "$dead" >/etc/wireguard/x.conf
printf '[Link wg0]\nKind=wireguard\nConfigFile=/etc/wireguard/x.conf\n' >/etc/rdomain/vpn.conf

# part: refused
refused() { ! rdomain up vpn 2>/root/why || exit 1; grep -q "$1" /root/why || { cat /root/why; exit 1; }; ! ip netns list | grep vpn || exit 1; }
chmod 644 /etc/wireguard/x.conf
refused '/etc/rdomain/vpn.conf:3: ConfigFile=/etc/wireguard/x.conf: has mode 0644: others could read'
chmod 600 /etc/wireguard/x.conf; cp -p /etc/wireguard/x.conf /root/x.conf
sed -i '2a PostUp = iptables -A FORWARD -i %i -j ACCEPT' /etc/wireguard/x.conf
refused '/etc/wireguard/x.conf:3: PostUp= is a command, which rdomain does not run'
grep -q 'hint: take the line out' /root/why
cp -p /root/x.conf /etc/wireguard/x.conf

# part: printed
rdomain up -n vpn >/root/script; ! grep -F -f /etc/wireguard/0.key /root/script || exit 1; ! grep -F -f /etc/wireguard/psk /root/script || exit 1
is() { ip netns exec vpn wg showconf wg0 | grep -v ListenPort; ip -n vpn -br address; ip -n vpn link show wg0 | grep -o 'mtu [0-9]*'; ip -n vpn route; ip -n vpn -6 route | sort; cat /etc/netns/vpn/*; }
sh -e /root/script; is >/root/printed
ip netns delete vpn; rm -r /etc/netns/vpn
rdomain up vpn; is >/root/made; diff /root/printed /root/made

# part: up
rdomain up vpn; rdomain check vpn; test -z "$(rdomain up -n vpn)"
await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1
rdexec -n vpn -- ping -c 1 -W 2 fd00:cb::1
test "$(rdexec -n vpn -- busybox wget -q -O - http://203.0.113.1/)" = 'the far host'
! ping -c 1 -W 1 203.0.113.1 || exit 1
rdexec -n vpn -- cat /etc/resolv.conf | grep -qx 'nameserver 10.64.0.1'
ip -n vpn route | grep -qx 'default dev wg0 scope link '; ip -n vpn route | grep -q '^192.0.2.0/24 dev wg0'; ip -n vpn link show wg0 | grep -q 'mtu 1380'
for key in 0.key psk; do
	! grep -l -F -f /etc/wireguard/$key -r /run/rdomain || exit 1
	! { rdomain check --json vpn; rdomain list --json; } | grep -F -f /etc/wireguard/$key || exit 1
done

# part: was
# A change of the provider's file is taken back, its keys and all.
is >/root/before
sed -i "s|^PrivateKey.*|PrivateKey = $(wg genkey)|; s|^PresharedKey.*|PresharedKey = $(wg genkey)|; s,192.0.2.9/24,198.51.100.0/24,; s/MTU = 1380/MTU = 1370/" /etc/wireguard/x.conf
! rdomain reload --try 1 vpn 2>/root/why || exit 1; grep -q 'nobody confirmed' /root/why
is >/root/after; diff /root/before /root/after; await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1
# The watch makes the link again as it was, with the keys that it had, which are nowhere else by now.
rdomain watch >/root/watched 2>&1 &
watch=$!
is_up() { ip -n vpn link show up wg0 | grep -q .; }
ip -n vpn link set wg0 down; await is_up
rm /etc/wireguard/x.conf; ip -n vpn link delete wg0; await is_up
as_before() { is >/root/after; diff /root/before /root/after; }
await as_before; await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1
kill $watch; wait $watch
# One that has not seen them says so; the domain needs its file then.
ip -n vpn link delete wg0; rdomain watch >/root/watched 2>&1 &
watch=$!
await grep -q 'the key that /etc/wireguard/x.conf had when the domain was brought up is not known any more' /root/watched
kill $watch; wait $watch
cp -p /root/x.conf /etc/wireguard/x.conf; rdomain reload vpn; rdomain check vpn

# part: edits
index=$(ip -n vpn -o link show wg0 | cut -d: -f1)
sed -i 's,192.0.2.9/24,198.51.100.0/24,; s/MTU = 1380/MTU = 1370/; s/^Address = .*/Address = 10.64.0.2, 10.65.0.2/' /etc/wireguard/x.conf
! rdomain check vpn >/root/diff || exit 1
for line in '-ip -n vpn route add 192.0.2.0/24 dev wg0' '+ip -n vpn route add 198.51.100.0/24 dev wg0' '+ip -n vpn address add 10.65.0.2/32 dev wg0' '+ip -n vpn link set wg0 mtu 1370'; do
	grep -qF -e "$line" /root/diff || { cat /root/diff; exit 1; }
done
rdomain reload vpn; rdomain check vpn; test "$index" = "$(ip -n vpn -o link show wg0 | cut -d: -f1)"
ip netns exec vpn wg show wg0 allowed-ips | grep -q 198.51.100.0/24; ! ip -n vpn route | grep 192.0.2 || exit 1
# A file that is wrong by now changes nothing.
sed -i 's/^MTU.*/Mtu = many/' /etc/wireguard/x.conf; is >/root/before
! rdomain reload vpn 2>/root/why || exit 1; grep -q 'x.conf:6: MTU=many: expected a number' /root/why; is >/root/after; diff /root/before /root/after
sed -i 's/^Mtu.*/Table = off/' /etc/wireguard/x.conf
rdomain reload vpn; rdomain check vpn; test -z "$(ip -n vpn route)"
cp -p /root/x.conf /etc/wireguard/x.conf; rdomain reload vpn; rdomain check vpn
test "$index" = "$(ip -n vpn -o link show wg0 | cut -d: -f1)"
await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1

rdomain down vpn; ! ip netns list | grep vpn || exit 1; test ! -e /etc/netns/vpn

# part: again
# The names of endpoints are looked up again, of peers that are silent.
name() { grep -v "$1" /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts; echo "$2 $1" >>/etc/hosts; }
at() { ip netns exec vpn wg show wg0 endpoints | tr '\t' ' ' | grep -qxF "$1 $2:51820"; }
name vpn.example.org 10.0.1.8; name dead.example.org 10.0.1.7
echo ReResolveSec=1 >>/etc/rdomain/vpn.conf
rdomain up vpn; at "$peer" 10.0.1.8; at "$dead" 10.0.1.7
rdomain watch >/root/watched 2>&1 &
watch=$!
name vpn.example.org 10.0.1.2
await at "$peer" 10.0.1.2; await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1
await grep -qF "$peer was silent, and vpn.example.org:51820 is 10.0.1.2:51820 now" /root/watched
# A peer that works stays where it is, while the other one follows its name.
name vpn.example.org 10.0.1.8
for a in 10.0.1.6 10.0.1.5; do name dead.example.org $a; await at "$dead" $a; done
at "$peer" 10.0.1.2; rdomain check vpn
# It is silent, for long enough by the clock.
ip -n far link set wg0 down; date -s "$(date -d '+5 minutes' '+%Y-%m-%d %H:%M:%S')"
await at "$peer" 10.0.1.8
ip -n far link set wg0 up; ip -n far route add 10.64.0.2 dev wg0
name vpn.example.org 10.0.1.2
await rdexec -n vpn -- ping -c 1 -W 2 203.0.113.1; rdomain check vpn
kill $watch; wait $watch
rdomain down vpn
