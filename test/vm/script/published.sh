#!/bin/sh
# The recipe as it was published, networkd beside it, and sshd looked at from all sides.

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
