#!/bin/sh
# shellcheck disable=SC2317 # member is called by ok, fails and await
# Other managers of the network beside a VRF of ours, each of which is given its member:
# ifupdown, dhcpcd and NetworkManager. (networkd is in networkd.sh.) eth1 is a cable to the
# host lan, which leases addresses. docs/domains.md says what each does to it.
host lan
cable eth1 lan lan0
give_in lan lan0 10.20.30.1/24
printf 'start 10.20.30.50\nend 10.20.30.50\ninterface lan0\nlease_file /run/leases\npidfile /run/udhcpd.pid\noption subnet 255.255.255.0\noption router 10.20.30.1\noption lease 600\n' >/run/udhcpd.conf
: >/run/leases
ip netns exec lan busybox udhcpd /run/udhcpd.conf
printf '[Domain]\nKind=vrf\nTable=10\n\n[Link eth1]\nAddress=10.20.30.40/24\n' >/etc/rdomain/mgmt.conf
# A cable is a link that NetworkManager's own rule of udev has it leave; a port is not.
mkdir -p /etc/udev/rules.d
printf 'ENV{INTERFACE}=="eth1", ENV{NM_UNMANAGED}="0"\n' >/etc/udev/rules.d/99-port.rules
systemctl start systemd-udevd
udevadm trigger --subsystem-match=net --action=add
udevadm settle
ok "the domain" systemctl start rdomain@mgmt
ok "the watch" systemctl is-active rdomain-watch
is "nothing to say" "" rdgen check

# part: ifupdown
member() { ip -o link show master mgmt | grep -q eth1; }
printf 'iface eth1 inet static\n\taddress 10.20.30.41/24\n' >/etc/network/interfaces.d/eth1
ok "ifup" ifup eth1
ok "leaves the master" member
ok "and sets its address" has "ip address show eth1" 10.20.30.41/24
ok "rdgen check" rdgen check
ok "ifdown" ifdown eth1
printf 'iface eth1 inet static\n\taddress 10.20.30.41/24\n\tgateway 10.20.30.1\n' >/etc/network/interfaces.d/eth1
ok "with a gateway" ifup eth1
ok "leaves the master too" member
ok "and leads the default domain by it" has "ip route show table main" "default via 10.20.30.1 dev eth1"
fails "which rdgen check finds" rdgen check
ok "by file and line" has "rdgen check 2>&1" "error: /etc/network/interfaces.d/eth1:3: gateway of ifupdown puts the default route of eth1 into the main table"
ip route show table main
ok "ifdown" ifdown eth1
rm /etc/network/interfaces.d/eth1
ok "up puts it right" rdomain up mgmt
ok "as check says" rdomain check mgmt
ok "a member" member

# part: dhcpcd
member() { ip -o link show master mgmt | grep -q eth1; }
ok "dhcpcd for all links" dhcpcd -4 -b
ok "leases an address" has "ip address show eth1" 10.20.30.50/24
ok "leaves the master" member
fails "which rdgen check finds" rdgen check
ok "by its file" has "rdgen check 2>&1" "error: /etc/dhcpcd.conf: dhcpcd leases an address for eth1"
ok "it ends" dhcpcd -x
await test ! -e /run/dhcpcd/pid
printf 'denyinterfaces eth1\n' >>/etc/dhcpcd.conf
ok "told to leave it" dhcpcd -4 -b
ok "rdgen check has nothing to say" rdgen check
ok "it ends" dhcpcd -x
await test ! -e /run/dhcpcd/pid
ok "up puts it right" rdomain up mgmt
ok "as check says" rdomain check mgmt

# part: NetworkManager
member() { ip -o link show master mgmt | grep -q eth1; }
no_member() { ! member; }
systemctl stop rdomain-watch
ok "NetworkManager" systemctl start NetworkManager
ok "has the link" has "nmcli -t -f DEVICE,STATE device" "^eth1:"
ok "of which rdgen check has a note" has "rdgen check 2>&1" "note: /etc/rdomain/mgmt.conf:5: NetworkManager is not told to leave link eth1 alone"
ok "a profile" nmcli connection add type ethernet ifname eth1 con-name port ipv4.method manual ipv4.addresses 10.20.30.42/24
ok "comes up" nmcli connection up port
ok "and takes it out of the VRF" await no_member
nmcli device; ip -d link show eth1
ok "rdomain watch" systemctl start rdomain-watch
ok "takes it in again" await member
printf '[keyfile]\nunmanaged-devices+=interface-name:eth1\n' >/etc/NetworkManager/conf.d/member.conf
is "told to leave it, there is nothing to say" "" rdgen check
systemctl stop rdomain-watch
ok "it starts again" systemctl restart NetworkManager
ok "and has not the link" has "nmcli -t -f DEVICE,STATE device" "^eth1:unmanaged"
ok "up puts it right" rdomain up mgmt
ok "it stays" member
ok "after a reload of its profiles" nmcli connection reload
ok "too" member
systemctl stop NetworkManager
