#!/bin/sh
# Another host, the namespace far, after network.sh, to which links lead: two from the default domain, two
# from the namespace tr, two from the VRF red. Each has its own networks, so that a packet
# that gets there went that way, and a second address there for tunnels by IPsec, which take
# what is for another tunnel with the same ends. Of macvlan, ipvlan and macsec a link can have one
# kind above it.
mkdir -p /etc/wireguard
host far
ip netns exec far sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0
cat >/etc/rdomain/tr.conf <<'EOT'
[Sysctl]
net.ipv6.conf.default.accept_dad=0
[Link u2]
Kind=veth
Peer=f2
Outer=far
Address=10.0.2.1/24
Address=10.0.2.11/24
Address=fd00:2::1/64
Address=fd00:2::11/64
PeerAddress=10.0.2.2/24
PeerAddress=10.0.2.12/24
PeerAddress=fd00:2::2/64
PeerAddress=fd00:2::12/64
[Link w2]
Kind=veth
Peer=g2
Outer=far
PeerAddress=10.1.2.2/24
[Link x2]
Kind=veth
Peer=h2
Outer=far
EOT
cat >/etc/rdomain/red.conf <<'EOT'
[Domain]
Kind=vrf
Table=10
[Sysctl]
net.ipv4.udp_l3mdev_accept=1
[Link u3]
Kind=veth
Peer=f3
Outer=far
Address=10.0.3.1/24
Address=10.0.3.11/24
Address=fd00:3::1/64
Address=fd00:3::11/64
PeerAddress=10.0.3.2/24
PeerAddress=10.0.3.12/24
PeerAddress=fd00:3::2/64
PeerAddress=fd00:3::12/64
[Link w3]
Kind=veth
Peer=g3
Outer=far
PeerAddress=10.1.3.2/24
[Link x3]
Kind=veth
Peer=h3
Outer=far
EOT
cable u1 far f1; give u1 10.0.1.1/24 10.0.1.11/24 fd00:1::1/64 fd00:1::11/64; give_in far f1 10.0.1.2/24 10.0.1.12/24 fd00:1::2/64 fd00:1::12/64
cable w1 far g1; give w1; give_in far g1 10.1.1.2/24
cable x1 far h1; give x1; give_in far h1
rdomain up tr red
umask 077
for k in 0 1 2 3 4; do wg genkey >/etc/wireguard/$k.key; wg pubkey </etc/wireguard/$k.key >/etc/wireguard/$k.pub; done
wg genpsk >/etc/wireguard/psk
umask 022
