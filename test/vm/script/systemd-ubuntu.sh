#!/bin/sh
# Debian's package of rdgen where netplan, networkd, resolved and AppArmor are at work. eth1
# is a cable to the host lan, and has its address from netplan.
host lan
cable eth1 lan lan0
give_in lan lan0 10.20.30.1/24
cat >/etc/netplan/50-net.yaml <<'E'
network:
  version: 2
  renderer: networkd
  ethernets:
    eth1:
      addresses: [10.20.30.40/24]
      routes:
        - {to: default, via: 10.20.30.1, table: 10}
E
chmod 600 /etc/netplan/50-net.yaml
systemctl start systemd-udevd
udevadm trigger --subsystem-match=net --action=add
systemctl enable --no-reload systemd-networkd systemd-resolved # netplan has systemd reload
systemctl start systemd-networkd systemd-resolved
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
ok "netplan apply" netplan apply
ok "networkd sets the address" has "ip address show eth1" 10.20.30.40/24
ok "resolved runs" systemctl is-active systemd-resolved
is "AppArmor is on" Y cat /sys/module/apparmor/parameters/enabled
ok "and has profiles" grep -q . /sys/kernel/security/apparmor/profiles
ok "its service has loaded them" systemctl is-active apparmor
unit web.service <<'E'
[Service]
ExecStart=/usr/local/bin/probe serve 0.0.0.0:8110
E
systemctl start web

# part: package
cd /root/new || exit 1
cp ../rdgen_0.1.0-* .
ok "one command, that of the page" sh command
file=/run/systemd/network/10-netplan-eth1.network
ok "three lines: the VRF" sh -c "printf '[Domain]\nKind=vrf\nTable=10\n\n[Link eth1]\n' >/etc/rdomain/mgmt.conf"
fails "rdgen check" sh -c 'rdgen check >/tmp/check 2>&1'
ok "has netplan's file" grep "$file:.*takes it out of vrf mgmt" /tmp/check
mkdir -p "/etc/systemd/network/${file##*/}.d"
printf '[Network]\nKeepMaster=yes\n' >"/etc/systemd/network/${file##*/}.d/keep.conf"
ok "the service" sh -c 'echo vrf=mgmt >/etc/conf.d/web'
ok "and systemd is told" systemctl daemon-reload
ok "rdgen check has nothing to say" rdgen check
ok "it restarts" systemctl restart web
ok "in the VRF" has "ss -Htln" %mgmt:8110
ok "which the management port is in" sh -c 'ip link show eth1 | grep -q "master mgmt"'
ok "and leads to" rdexec -v mgmt -- ping -c 1 -W 5 10.20.30.1
