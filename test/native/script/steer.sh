#!/bin/sh
# A service that goes into a domain, to another one and out again by rdgen set and unset,
# under systemd and under OpenRC.
ip link set lo up
mkdir -p /etc/conf.d /srv
printf '# What web takes.\nWEB_OPTS=\n' >/etc/conf.d/web
chmod 0600 /etc/conf.d/web
before=$(cat /etc/conf.d/web)
if [ -d /run/systemd/system ]; then
	printf '[Service]\nExecStart=/bin/busybox httpd -f -p 8081 -h /srv\n' >/etc/systemd/system/web.service
	systemctl daemon-reload
	verb() { systemctl "$2" "$1"; }
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 8081 -h /srv"\ncommand_background=yes\npidfile=/run/web.pid\n' >/etc/init.d/web
	chmod +x /etc/init.d/web
	rc-update -u >/dev/null 2>&1
	verb() { rc-service "$1" "$2"; }
fi
server() { pgrep -o -f '^/bin/busybox httpd -f -p 8081'; }
in_domain() { [ "$(rdomain identify "$(server)")" = "$1" ]; }
outside() { [ "$(stat -Lc %i "/proc/$(server)/ns/net")" = "$(stat -Lc %i /proc/1/ns/net)" ]; }

for id in blue red; do
	ok "init $id" rdgen init "$id"
	ok "up -n prints what it makes" rdomain up -n "$id"
done
ok "set, of a service that does not run" rdgen set --now web netns=blue
fails "does not start it" server
ok "the service starts" verb web start
ok "inside" await in_domain blue
ok "with the cable" ping -c 1 -W 5 10.255.0.2
ok "which is as the file says" rdomain check blue
ok "set --now moves it" rdgen set --now web netns=red
ok "to the other domain" await in_domain red
fails "a domain that is not defined" rdgen set --now web vrf=mgmt
fails "a service that nobody has" rdgen set --now weeb netns=blue
ok "leave it where it is" in_domain red
ok "get prints the line" [ "$(rdgen get web)" = netns=red ]
ok "unset --now takes it out" rdgen unset --now web
ok "into the default domain" await outside
ok "the file is as it was" [ "$before" = "$(cat /etc/conf.d/web)" ]
ok "and its mode" [ "$(stat -c %a /etc/conf.d/web)" = 600 ]
ok "the line that set prints" sh -c "$(rdgen set web netns=blue | sed -n 's/^next: //p')"
ok "is what makes it count" await in_domain blue

if [ -d /run/systemd/system ]; then
	# A socket that waits goes inside, and nothing starts its service.
	printf '[Socket]\nListenStream=127.0.0.1:8082\n' >/etc/systemd/system/late.socket
	printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/late.service
	systemctl daemon-reload
	systemctl start late.socket
	listens() { ip netns exec "$1" ss -Htln | grep -q '127.0.0.1:8082'; }
	ok "set --now of a socket that waits" rdgen set --now late netns=red
	ok "it waits inside" await listens red
	fails "and not outside" sh -c "ss -Htln | grep -q 127.0.0.1:8082"
	fails "its service is not started" systemctl is-active late.service
	ok "nor to another domain" rdgen set --now late netns=blue
	ok "it waits there" await listens blue
fi

# part: a change that cuts the connection by which it was made
# An administrator comes from the other side of a cable, and changes its addresses there.
mkdir -p /run/sshd /root/.ssh
chmod 700 /root/.ssh
ssh-keygen -A >/dev/null
ssh-keygen -qt ed25519 -N '' -f /root/.ssh/try
cat /root/.ssh/try.pub >>/root/.ssh/authorized_keys
printf '%s\n' 'Port 2022' 'PermitRootLogin yes' 'UsePAM no' 'ClientAliveInterval 1' 'ClientAliveCountMax 1' 'PidFile /run/try.pid' >/srv/sshd_config
/usr/sbin/sshd -f /srv/sshd_config
printf '[Domain]\nKind=netns\n[Link veth0]\nKind=veth\nPeer=v-far\nAddress=203.0.113.2/30\nPeerAddress=203.0.113.1/30\n' >/etc/rdomain/far.conf
rdomain up far
from_far()
{
	ip netns exec far ssh -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i /root/.ssh/try -p 2022 "$@"
}
has_address() { ip -n far -4 -o address show dev veth0 | grep -qF "$1"; }
tries() { pgrep -f '^rdomain reload --try'; }
ok "he gets in" from_far 203.0.113.1 true
sed -i 's/203.0.113/198.51.100/' /etc/rdomain/far.conf
from_far -tt 203.0.113.1 'echo $$ >/run/session; rdomain reload --try 20 far; :' >/srv/typed 2>&1 </dev/null &
client=$!
ok "the change is there" await has_address 198.51.100.2/30
ok "by his shell" sh -c 'kill -0 "$(cat /run/session)"'
fails "and he is locked out" from_far 203.0.113.1 true
kill "$client"
ok "sshd gives his connection up, and his shell ends with it" await sh -c '! kill -0 "$(cat /run/session)"'
ok "which does not end the trial" tries
ok "he gets in again when it is taken back" await from_far 203.0.113.1 true
ok "and the trial has ended" await sh -c "! pgrep -f '^rdomain reload --try'"
ok "in full" sh -c 'ip -n far -4 -o address show dev veth0 | grep -qF 203.0.113.2/30 && ! ip -n far address | grep -F 198.51.100 && ! ip address | grep -F 198.51.100'
ok "without a trace" sh -c '! ls /run/rdomain | grep try'

# What keeps a trial is killed: the watch, as this init system runs it, takes it back.
rdomain reload --try 1000 far 2>/srv/typed </dev/null &
ok "on trial once more" await has_address 198.51.100.2/30
ok "what keeps it" await grep -q 'rdomain confirm far' /srv/typed
kill -9 $!
ok "is killed, and it is taken back" await has_address 203.0.113.2/30
ok "without a trace, too" await sh -c '! ls /run/rdomain | grep try'
