#!/bin/sh
# networkd with a file that matches a member of a VRF of ours: it takes the link out. check
# has said so before, by file and line; the link is taken in again, and without
# rdomain-watch it would stay outside. With KeepMaster=yes networkd leaves it, and still
# sets its address.
systemctl start systemd-udevd; udevadm trigger --subsystem-match=net --action=add; udevadm settle
systemctl start systemd-networkd; systemctl start rdomain@ours; systemctl is-active rdomain-watch
printf '[Match]\nName=e2\n[Network]\nAddress=10.2.0.1/24\n' >/etc/systemd/network/20-e2.network
! rdomain check ours >/root/diff || exit 1
grep -q '^# ours: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2, and takes it out of vrf ours; write KeepMaster=yes' /root/diff || { cat /root/diff; false; }
test "$(wc -l </root/diff)" = 1 || { cat /root/diff; false; }
rdomain up ours 2>&1 | grep -q '^rdomain: note: ours: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2'
rdgen check 2>&1 | grep -q '^rdgen: error: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2'
systemctl restart systemd-networkd
await sh -c 'journalctl -u rdomain-watch | grep "ours: somebody changed it; put right: .*e2"'
await sh -c 'ip -br link show master ours | grep -q e2'
systemctl is-active rdomain@ours
await sh -c 'rdomain check ours | grep -v ^#.*20-e2.network; test $? = 1'
# Without the watch: networkd leaves it outside.
systemctl stop rdomain-watch; systemctl restart systemd-networkd
await sh -c '! ip -br link show master ours | grep -q e2'
await sh -c 'ip route get 10.2.0.9 | grep -q "dev e2"'
systemctl start rdomain-watch
await sh -c 'ip -br link show master ours | grep -q e2'
mv /root/guide.network /etc/systemd/network/20-e2.network
rdomain check ours; test -z "$(rdomain up ours 2>&1)"
systemctl stop rdomain-watch; systemctl restart systemd-networkd
await sh -c 'ip -br address show dev e2 | grep -q 10.2.0.7/24'
ip -br link show master ours | grep -q e2
ip route show table 20 | grep -q 10.2.0.0/24; ! ip route | grep 10.2.0 || exit 1
await sh -c 'ip route show table 20 | grep -q "default via 10.2.0.9"'
systemctl stop systemd-networkd.socket systemd-networkd 2>/dev/null || :
# In a namespace: a member that its owner makes again there.
: >/etc/rdomain/t9.conf; printf '[Domain]\nKind=vrf\nTable=30\n[Link m0]\n' >/etc/rdomain/in@t9.conf
rdomain up t9; ip -n t9 link add m0 type dummy; rdomain up in@t9; systemctl start rdomain-watch
ip -n t9 link delete m0; ip -n t9 link add m0 type dummy; ip -n t9 link set m0 up; ip -n t9 address add 10.9.9.1/24 dev m0
await sh -c 'ip -n t9 -br link show master in | grep -q m0'
ip -n t9 link set m0 nomaster
await sh -c 'ip -n t9 -br link show master in | grep -q m0'
await rdomain check in@t9; rdomain down in@t9 t9; rm /etc/rdomain/t9.conf /etc/rdomain/in@t9.conf
systemctl stop rdomain@ours; ip address flush dev e2; rm /etc/systemd/network/20-e2.network
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udevd 2>/dev/null || :
