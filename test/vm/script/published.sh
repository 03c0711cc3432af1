#!/bin/sh
# The recipe as it was published, networkd beside it, and sshd looked at from all sides.

# part: interfaces
# As it was published. The vrf part of Debian 13's ifupdown-ng (0.12.1) makes the VRF and then
# ends with 1, for an interface that is no member of one: ifup gives up before the lines
# that order the rules. Debian 12's, which is called ifup, does not mind.
modprobe vrf
cat >/etc/network/interfaces <<'EOT'
auto lo
iface lo inet loopback

auto eth0
iface eth0

auto vrf-management
iface vrf-management
	requires eth0
	vrf-table 1
	pre-up ip -4 rule add pref 32765 table local
	pre-up ip -6 rule add pref 32765 table local
	pre-up ip -4 rule del pref 0
	pre-up ip -6 rule del pref 0
	pre-up ip -4 rule add pref 2000 l3mdev unreachable
	pre-up ip -6 rule add pref 2000 l3mdev unreachable
	post-up ip route add 10.20.30.0/24 dev eth0 table 1
EOT
rules_as_before() { for f in -4 -6; do ip $f rule add pref 0 table local; ip $f rule del pref 32765; ip $f rule del pref 2000; done; }
if command -v ifup-ng >/dev/null; then
	ng=-ng
	if ifup-ng -a; then echo "ifupdown-ng makes vrf-table by now: tell docs/openrc.md"; false; fi
	ip rule | grep -q '^0:'
	test -z "$(ip rule show pref 2000)"
	ip -d link show vrf-management | grep -q 'vrf table 1 '
	ip link del vrf-management
	ip rule del iif vrf-management; ip rule del oif vrf-management
else
	ng=
	ifup -a
	ip -d link show vrf-management | grep -q 'vrf table 1 '
	ip rule del iif vrf-management; ip rule del oif vrf-management # which are of no use
	same_rules
	ip link del vrf-management
	ifdown -f vrf-management || :
	ip route flush table 1
	rules_as_before
fi
# With lines of ip in place of vrf-table it makes all.
sed -i 's/^\tvrf-table 1$/\tpre-up ip link add $IFACE type vrf table 1\n\tpost-down ip link del $IFACE/' /etc/network/interfaces
ifup$ng -a
same_rules
printf '[Domain]\nKind=vrf\nTable=1\nManaged=no\n' >/etc/rdomain/vrf-management.conf
rdomain up vrf-management
rdexec -v vrf-management -- rdomain check --self -v vrf-management
if rdexec -v vrf-management -- ping -c 1 -W 2 8.8.8.8 2>/root/why; then false; fi
grep -q 'Network is unreachable' /root/why
rdomain down vrf-management
ifdown$ng vrf-management
test ! -e /sys/class/net/vrf-management
ip route flush table 1 # the route leads to eth0, and outlives the VRF
# The rule of pref 1000 stays: the kernel makes it with the first VRF of all, and never again.
rules_as_before
rm /etc/rdomain/vrf-management.conf

# part: recipe
modprobe vrf
ip link add vrf-management type vrf table 1; ip link set vrf-management up
for f in -4 -6; do
	ip $f rule add pref 32765 table local; ip $f rule del pref 0
	ip $f rule add pref 2000 l3mdev unreachable
done
ip route add 10.20.30.0/24 dev eth0 table 1; ip route add 2001:db8:1::/64 dev eth0 table 1
same_rules
rdexec -v vrf-management -- probe listen 0.0.0.0:22 >/dev/null 2>&1 & echo $! >/run/test/pid
await sh -c "ss -Htln | grep -F '%vrf-management:22'"

# part: server
same_rules; for f in -4 -6; do ip $f rule | grep 2001; done; rdomain check vrf-management
await sh -c "ss -Htln | grep -F '0.0.0.0%vrf-management:22'"; ss -Htln | grep -F '[::]%vrf-management:22'
for a in 10.20.30.40 2001:db8:1::40; do login $a lan | grep -x "hello from $(hostname)"; done
for a in 8.8.8.8 2001:db8:2::9; do ping -c 1 -W 5 $a; done

# part: networkd
ip rule add pref 3000 table 77; ip -6 rule add pref 3000 table 77
systemctl start systemd-networkd; await sh -c '! ip rule | grep -q 3000'; await sh -c '! ip -6 rule | grep -q 3000'
await sh -c "networkctl status w0 | grep -q w0.network"
ip rule add pref 3000 table 77; systemctl restart systemd-networkd; await sh -c '! ip rule | grep -q 3000'
same_rules; rdomain check vrf-management; login 10.20.30.40 lan
systemctl stop systemd-networkd.socket systemd-networkd 2>/dev/null || :
ip address replace 192.0.2.1/24 dev w0; ip route replace default via 192.0.2.9; ip -6 route replace default via 2001:db8:2::9 2>/dev/null || :
