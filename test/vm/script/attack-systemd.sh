#!/bin/sh
# Units of systemd that run the program attacker in mgmt: with a user, with one of their own in
# a sandbox, as the first command that is the unit's own, and with sockets of a socket unit,
# one of each kind for each link and way of the probe.
unit() { cat >"/etc/systemd/system/$1"; }
unit attack.service <<'EOT'
[Service]
User=nobody
LimitNOFILE=30000
ExecStart=/usr/local/bin/attacker
EOT
unit attack-first.service <<'EOT'
[Service]
User=nobody
LimitNOFILE=30000
TimeoutStartSec=infinity
ExecStartPre=/usr/local/bin/attacker
ExecStart=/bin/true
EOT
unit attack-dynamic.service <<'EOT'
[Service]
DynamicUser=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectControlGroups=yes
ReadWritePaths=/run/test
LimitNOFILE=30000
ExecStart=/usr/local/bin/attacker
EOT
{
	echo '[Socket]'
	port=7800
	while [ $port -lt $((7800 + 4 * 15 * 3)) ]; do
		printf 'ListenStream=[::]:%s\nListenDatagram=[::]:%s\nListenDatagram=0.0.0.0:%s\n' $port $((port + 1)) $((port + 2))
		port=$((port + 3))
	done
} | unit attack-given.socket
unit attack-given.service <<'EOT'
[Service]
User=nobody
LimitNOFILE=30000
ExecStart=/usr/local/bin/attacker
EOT
for s in attack attack-first attack-dynamic attack-given; do echo vrf=mgmt >/etc/conf.d/$s; done
# The same without rdgen.
unit attack-bound.service <<'EOT'
[Service]
User=nobody
LimitNOFILE=30000
BindNetworkInterface=mgmt
ExecStart=/usr/local/bin/attacker
EOT
systemctl daemon-reload
