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
	port=7800 ways=$(probe ways | wc -l)
	while [ $port -lt $((7800 + 4 * ways * 3)) ]; do
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
# A unit that allows no calls of 32 bits.
unit attack-native.service <<'EOT'
[Service]
User=nobody
LimitNOFILE=30000
SystemCallArchitectures=native
ExecStart=/usr/local/bin/attacker
EOT
echo vrf=mgmt >/etc/conf.d/attack-native
# The same without rdgen: by the pin of rdomain alone, and by systemd's own directive, for a
# service and for a socket unit.
bound()
{
	unit "attack-$1.service" <<-EOT
		[Service]
		User=nobody
		LimitNOFILE=30000
		$2
		ExecStart=/usr/local/bin/attacker
	EOT
	sed "1a $2" /etc/systemd/system/attack-given.socket | unit "attack-given-$1.socket"
	cp /etc/systemd/system/attack-given.service "/etc/systemd/system/attack-given-$1.service"
}
bound pinned BPFProgram=sock_create:/sys/fs/bpf/rdomain/mgmt
bound bound BindNetworkInterface=mgmt
systemctl daemon-reload
