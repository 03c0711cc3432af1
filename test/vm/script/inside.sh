#!/bin/sh
# shellcheck disable=SC2046
# A tunnel's end whose owner is an ordinary user, WireGuard through a VRF, and a listener
# that a VRF lets in.

# part: owners
printf '[Link tun5]\nKind=tun\nUser=nobody\nAddress=10.5.0.1/24\n[Link tap5]\nKind=tap\nUser=nobody\nAddress=10.6.0.1/24\n' >/etc/rdomain/box.conf
sed 's/5\]/7]/; s/10\.5/10.7/; s/10\.6/10.8/; 1i [Domain]\nKind=vrf\nTable=50\n' /etc/rdomain/box.conf >/etc/rdomain/ring.conf
[ -e /dev/net/tun ] || { ! rdomain up box 2>/root/why || exit 1; grep -q 'box.conf:1: .*modprobe tun' /root/why; modprobe tun; }
rdomain up box ring; rdomain up box ring; rdomain check box ring; test -z "$(rdomain up -n box ring)"
ip -n box tuntap show | grep -q 'tun5: tun .*persist user 65534'; ip -n box tuntap show | grep -q 'tap5: tap .*persist user 65534'
ip tuntap show | grep -q 'tun7: tun .*persist user 65534'; ip -br link show master ring | grep -q tap7
rdomain down box ring; ! ip tuntap show | grep 7: || exit 1

# part: reload
printf '[Domain]\nKind=vrf\nTable=50\n[Link d1]\nKind=dummy\nAddress=10.9.0.1/24\n[Link d2]\nKind=dummy\n' >/etc/rdomain/ring.conf
rdomain up ring; sed -i '/d2/,$d; s/10.9.0.1/10.9.0.2/' /etc/rdomain/ring.conf
before=$(ip -br addr); rdomain reload -n ring >/root/would; test "$before" = "$(ip -br addr)"
printf 'ip address delete 10.9.0.1/24 dev d1\nip link delete d2\nip address add 10.9.0.2/24 dev d1\n' | diff - /root/would
rdomain reload ring; test -z "$(rdomain reload -n ring)"; rdomain check ring; ! ip link show d2 2>/dev/null || exit 1; rdomain down ring

# part: far
echo '10.0.3.2 vpn.example.org' >>/etc/hosts
ip -n far link add wg0 type wireguard
ip netns exec far wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) preshared-key /etc/wireguard/psk allowed-ips 10.64.0.2/32
ip -n far address add 10.64.0.1/24 dev wg0; ip -n far link set wg0 up
cat /etc/wireguard/1.pub

# part: listener
probe listen 0.0.0.0:7100 >/dev/null 2>&1 & await ip netns exec far probe ask 10.0.1.1:7100
! ip netns exec far probe ask 10.0.3.1:7100 || exit 1
sed -i 's/^\[Sysctl\]/&\nnet.ipv4.tcp_l3mdev_accept=1/' /etc/rdomain/red.conf
rdomain reload red; rdomain check red; ip netns exec far probe ask 10.0.3.1:7100
sed -i '/tcp_l3mdev_accept/d' /etc/rdomain/red.conf; rdomain reload red; ! ip netns exec far probe ask 10.0.3.1:7100 || exit 1
