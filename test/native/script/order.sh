#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# A firewall that is after a service in a domain, and a socket in a domain beside one that is
# after all sockets, as firewalld is: rdgen names the circle that systemd itself would find.
unit fw.service <<'X'
[Unit]
DefaultDependencies=no
Before=network-pre.target
Wants=network-pre.target
After=dns.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
X
unit dns.service <<'X'
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
X
unit wall.service <<'X'
[Unit]
Before=network-pre.target
Wants=network-pre.target
[Service]
ExecStart=/bin/sleep infinity
X
unit shell.service <<'X'
[Service]
ExecStart=/bin/sleep infinity
X
unit shell.socket <<'X'
[Socket]
ListenStream=127.0.0.1:7201
[Install]
WantedBy=sockets.target
X
mkdir -p /run/test /etc/systemd/system/multi-user.target.wants
systemctl -q enable fw.service dns.service shell.socket

# The units of the circle that systemd finds once UNIT waits for the domain, and those that
# rdgen names for the line of NAME.
found() {
	mkdir -p "/run/systemd/system/$1.d"
	printf '[Unit]\nBindsTo=rdomain@private.service\nAfter=rdomain@private.service\n' >"/run/systemd/system/$1.d/by-hand.conf"
	systemd-analyze --man=no verify default.target 2>&1 | grep 'Found' | grep -o '[a-z-]*\(@private\)*\.\(service\|socket\|target\)' | sort -u
	rm -r "/run/systemd/system/$1.d"
}
named() {
	{ echo rdomain@private.service; rdgen systemd "$1" 2>&1 | grep 'error:.* runs before' | sed 's/([^)]*)//g; s/^[^ ]* [^ ]* [^ ]* //; s/, and domains.*//' | grep -o '[a-z-]*\.\(service\|socket\|target\)'; } | sort -u
}
echo netns=private >/etc/conf.d/dns
found dns.service >/run/test/found
ok "systemd finds a circle" has "cat /run/test/found" fw.service
is "rdgen names its units" "$(cat /run/test/found)" named dns
fails "rdgen check says so" rdgen check
systemctl daemon-reload
fails "the service does not start" systemctl start dns
ok "its log has the line" has "systemctl status dns" 'fw.service:5: dns.service runs before fw.service'
ok "the firewall does" systemctl start fw
systemctl disable -q fw
systemctl stop fw
systemctl daemon-reload
ok "no circle without the firewall" rdgen check
ok "and the service starts" systemctl start dns
systemctl stop dns
rm /etc/conf.d/dns

ln -s ../wall.service /etc/systemd/system/multi-user.target.wants/wall.service
echo netns=private >/etc/conf.d/shell
found shell.socket >/run/test/found
ok "systemd finds the one of a socket" has "cat /run/test/found" wall.service
is "rdgen names its units, too" "$(cat /run/test/found)" named shell
fails "rdgen check says that, too" rdgen check
ok "with a way out" has "rdgen check 2>&1" 'socket_domain=default in /etc/conf.d/shell'
echo socket_domain=default >>/etc/conf.d/shell
ok "which is one" rdgen check
