#!/bin/sh
# The network of a published recipe for a management VRF on Alpine, after network.sh: the
# management LAN 10.20.30.0/24 behind eth0, this server as 10.20.30.40, the VRF
# vrf-management with table 1. The Internet is a host behind w0.
lan_and_world eth0
cat >/root/rules <<'EOT'
1000 from all lookup [l3mdev-table]
2000 from all lookup [l3mdev-table] unreachable
32765 from all lookup local
32766 from all lookup main
EOT
ssh-keygen -q -t ed25519 -N '' -f /root/key
mkdir -p /root/.ssh /run/sshd; chmod 700 /root/.ssh; cp /root/key.pub /root/.ssh/authorized_keys
