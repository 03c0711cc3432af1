#!/bin/sh
# Two hosts and three domains, after network.sh: the default domain of the machine reaches
# the host "world" by the link w0, the VRF mgmt reaches the host "lan" by the link eth1, and
# inner is a VRF in the namespace t1.
cat >/etc/rdomain/mgmt.conf <<'EOT'
[Domain]
Kind=vrf
Table=10

[Link eth1]
EOT
cat >/etc/rdomain/inner@t1.conf <<'EOT'
[Domain]
Kind=vrf
Table=20
EOT
lan_and_world eth1
