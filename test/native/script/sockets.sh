#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# One line lets a service's sockets stay in the default domain, while its processes
# and what they open are in the service's.
unit web.service <<'E'
[Service]
User=nobody
ExecStart=/usr/bin/socat -u OPEN:/dev/null TCP-LISTEN:7102,fork,reuseaddr
E
unit web.socket <<'E'
[Socket]
ListenStream=0.0.0.0:7101
E
unit call@.service <<'E'
[Service]
StandardInput=socket
StandardOutput=socket
ExecStart=/bin/readlink /proc/self/ns/net
E
unit call.socket <<'E'
[Socket]
ListenStream=127.0.0.1:7103
Accept=yes
E
unit lone.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
E
for s in web call; do printf 'netns=private\nsocket_domain=default\n' >/etc/conf.d/$s; done
systemctl daemon-reload
ok "rdgen check" rdgen check
ok "it says which sockets are outside" has "rdgen check 2>&1" 'web.socket stays in the default domain'
ok "rdgen list says it" has "rdgen list" 'web.service; outside: web.socket'
systemctl start web.socket call.socket
ok "the socket listens in the default domain" has "ss -Htln" ':7101'
ok "and does not wait for the domain" sh -c '! systemctl -q is-active rdomain@private'
ok "the other one too" has "ss -Htln" ':7103'
socat -u OPEN:/dev/null TCP:127.0.0.1:7101
ok "a connection starts the service inside" inside web private
ok "which needed the domain" systemctl is-active rdomain@private
ok "what the service opens is inside" has "ip netns exec private ss -Htln" ':7102'
ok "and nowhere else" sh -c '! ss -Htln | grep :7102'
ok "the socket is not inside" sh -c '! ip netns exec private ss -Htln | grep -e :7101 -e :7103'
is "an instance for each connection is inside, and answers outside" "net:[$(stat -Lc %i /run/netns/private)]" socat -u TCP:127.0.0.1:7103 -
systemctl stop web.socket web call.socket

# A reload with another line: both are inside, as without the key.
sed -i /socket_domain/d /etc/conf.d/web
systemctl daemon-reload
systemctl start web.socket
ok "without the key the socket is inside" has "ip netns exec private ss -Htln" ':7101'
ok "and nowhere else, once more" sh -c '! ss -Htln | grep :7101'
systemctl stop web.socket web

# What was meant to be the key stops the service, and its socket.
echo socket_domian=default >>/etc/conf.d/web
systemctl daemon-reload
fails "a slip stops the service" systemctl start web
ok "and says so" has "systemctl status web" '/etc/conf.d/web:2: socket_domian= is not read'
fails "its socket too" systemctl start web.socket
fails "rdgen check finds it" rdgen check
rm /etc/conf.d/web
printf 'netns=private\nsocket_domain=default\n' >/etc/conf.d/lone
systemctl daemon-reload
fails "a service without a socket" systemctl start lone
ok "is told" has "systemctl status lone" 'no socket unit starts lone'
rm /etc/conf.d/lone

# Files of before the key are found, and taken away.
echo netns=private >/etc/conf.d/call
rdgen systemd call -o /etc
ok "a file in /etc" test -e /etc/systemd/system/call.socket.d/zz-rdomain.conf
echo socket_domain=default >>/etc/conf.d/call
fails "that the line no longer wants" rdgen check
ok "is pruned" rdgen systemd --prune
systemctl daemon-reload
systemctl start call.socket
ok "then it listens in the default domain" has "ss -Htln" ':7103'

# Nor does a file of before take away what the unit got since.
later() { printf '[Service]\nExecStartPre=/bin/touch /run/test/%s\nExecStart=/bin/sleep infinity\n' "$1" >/etc/systemd/system/later.service; }
mkdir -p /run/test
later before
echo netns=private >/etc/conf.d/later
rdgen systemd later -o /etc
later since
systemctl daemon-reload
ok "a unit that is another since the file starts" systemctl start later
ok "with the command that it got" test -e /run/test/since -a ! -e /run/test/before
ok "inside" inside later private
fails "rdgen check finds the file" rdgen check
