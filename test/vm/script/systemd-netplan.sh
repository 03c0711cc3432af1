#!/bin/sh
# After systemd-ubuntu.sh.

# part: again
# What netplan and networkd do to a link of ours.
ok "netplan apply once more" netplan apply
ok "and a new networkd" systemctl restart systemd-networkd
ok "which has come to the link" has "networkctl status eth1" "configured"
ok "leave the link in the VRF" sh -c 'ip link show eth1 | grep -q "master mgmt"'
ok "with its address" sh -c 'ip address show eth1 | grep -q 10.20.30.40/24'
ok "and the route in its table" has "ip route show table 10" "default via 10.20.30.1"
ok "rdomain check" rdomain check mgmt
mv /etc/systemd/network/10-netplan-eth1.network.d /root/
ok "without the drop-in" netplan apply
systemctl restart systemd-networkd
ok "networkd takes it out, and rdomain watch in again" has "journalctl -u rdomain-watch" "mgmt: somebody changed it; put right: .*eth1"
ok "it is there" has "ip link show eth1" "master mgmt"
mv /root/10-netplan-eth1.network.d /etc/systemd/network/
networkctl reload
ok "the service never left" sh -c 'ss -Htln | grep -q %mgmt:8110'

# part: given back
systemctl stop web rdomain@mgmt
rm /etc/conf.d/web /etc/rdomain/mgmt.conf
ok "networkd keeps the address of what is no member any more" has "ip address show eth1" 10.20.30.40/24
