#!/bin/sh
# By which commands rdgen set takes what runs into a domain and out again: what its stop runs, the
# instances of a template, sockets, and what systemd refuses, keeps and stops with it.
ip link set lo up
mkdir -p /etc/conf.d /etc/rdomain /srv
for id in blue red; do printf '[Domain]\nKind=netns\n' >"/etc/rdomain/$id.conf"; done
host=$(readlink /proc/self/ns/net)
pid() { systemctl show -P MainPID "$1"; }
# lives UNIT DOMAIN: that its process comes there. systemd calls a unit started before that is in.
lives() { await is_there "$@"; }
is_there()
{
	[ "$(pid "$1")" != 0 ] || return 1
	case $2 in
	host) [ "$(readlink "/proc/$(pid "$1")/ns/net")" = "$host" ] ;;
	*) [ "$(rdomain identify "$(pid "$1")")" = "$2" ] ;;
	esac
}
unit() { cat >"/etc/systemd/system/$1"; }
next() { "$@" | sed -n 's/^next: //p'; }

# a stop ran its commands in the new domain
unit undo.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'readlink /proc/self/ns/net >/srv/stop'
ExecStopPost=/bin/sh -c 'readlink /proc/self/ns/net >/srv/post'
U
systemctl daemon-reload
systemctl start undo
ok "set --now, and the domain is not up" rdgen set --now undo netns=blue
ok "takes it there" lives undo blue
is "ExecStop= ran where it was" "$host" cat /srv/stop
is "and ExecStopPost=" "$host" cat /srv/post
inside=$(readlink "/proc/$(pid undo)/ns/net")
line=$(next rdgen unset undo)
is "the line that unset prints" "systemctl stop undo.service && systemctl daemon-reload && systemctl start undo.service" echo "$line"
ok "takes it out" sh -c "$line"
ok "for good" lives undo host
is "and it was stopped inside" "$inside" cat /srv/stop
# What status says of one that runs outside.
echo netns=blue >/etc/conf.d/undo
ok "status says so too" sh -c "rdgen status | grep -q 'next: $line'"
rm /etc/conf.d/undo

# instances without files of their own stayed where they were
unit vpn@.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
U
mkdir -p /etc/systemd/system/vpn@b.service.d
printf '[Unit]\nDescription=b\n' >/etc/systemd/system/vpn@b.service.d/own.conf
echo netns=red >/etc/conf.d/vpn@own
systemctl daemon-reload
systemctl start vpn@a vpn@b vpn@c vpn@own
was=$(pid vpn@own)
ok "set --now of a template" rdgen set --now vpn@ netns=blue
for i in a b c; do ok "vpn@$i is there" lives "vpn@$i" blue; done
is "one with its own line is left alone" "$was" pid vpn@own
is "and the printed line has them" "systemctl daemon-reload && systemctl restart vpn@b.service vpn@a.service vpn@c.service" next rdgen unset vpn@
ok "after which they are outside" sh -c 'systemctl daemon-reload && systemctl restart vpn@b.service vpn@a.service vpn@c.service'
ok "as they were" lives vpn@c host

# a socket stayed where it was when its line went, or came
unit web.socket <<'U'
[Socket]
ListenStream=127.0.0.1:8090
U
unit web.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
U
systemctl daemon-reload
systemctl start web.socket web.service
waits() { ss -Htln | grep -q "127.0.0.1:$1"; }
waits_in() { ip netns exec "$2" ss -Htln | grep -q "127.0.0.1:$1"; }
ok "both go inside" rdgen set --now web netns=blue
ok "the socket too" waits_in 8090 blue
ok "the socket is to stay outside" rdgen set --now web socket_domain=default
ok "and is outside" waits 8090
fails "only" waits_in 8090 blue
ok "the service is inside" lives web blue
ok "without that line" rdgen unset --now web socket_domain
ok "it is inside" waits_in 8090 blue
fails "and not outside" waits 8090

# a socket that starts instances was never named
unit one.socket <<'U'
[Socket]
ListenStream=127.0.0.1:8091
Accept=yes
U
unit one@.service <<'U'
[Service]
ExecStart=-/bin/cat
StandardInput=socket
U
unit four@.socket <<'U'
[Socket]
ListenStream=127.0.0.1:%i
U
unit four@.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
U
systemctl daemon-reload
systemctl start one.socket four@7405.socket
mkfifo /srv/hold
exec 9<>/srv/hold
busybox nc 127.0.0.1 8091 </srv/hold >/dev/null 2>&1 &
ok "a connection" await sh -c 'systemctl list-units --no-legend --state=running "one@*" | grep -q one@'
is "one for each connection" "systemctl daemon-reload && systemctl stop one.socket && systemctl start one.socket" next rdgen set one netns=blue
ok "as it is printed" sh -c 'systemctl daemon-reload && systemctl stop one.socket && systemctl start one.socket'
ok "it waits inside" waits_in 8091 blue
ok "and what is connected goes on" sh -c 'systemctl list-units --no-legend --state=running "one@*" | grep -q one@'
ok "an instance of a template's" rdgen set --now four@ netns=blue
ok "that waits inside" waits_in 7405 blue
fails "and not outside" waits 7405

# what refuses to be started or stopped by hand
unit nss.service <<'U'
[Unit]
RefuseManualStart=yes
[Service]
ExecStart=/bin/sleep infinity
U
unit nss.socket <<'U'
[Socket]
ListenStream=127.0.0.1:8092
U
unit wants.service <<'U'
[Unit]
Wants=nss.service
After=nss.service
[Service]
ExecStart=/bin/sleep infinity
U
unit audit.service <<'U'
[Unit]
RefuseManualStop=yes
[Service]
ExecStart=/bin/sleep infinity
U
systemctl daemon-reload
systemctl start nss.socket wants.service audit.service
ok "a start by hand is refused" systemctl is-active nss.service
ok "set --now stops it" rdgen set --now nss netns=blue
fails "so it does not run" systemctl is-active nss.service
ok "and its socket waits inside" waits_in 8092 blue
systemctl restart wants.service
ok "what wants it starts it" lives nss blue
is "and the printed line does not" "systemctl daemon-reload && systemctl stop nss.socket nss.service && systemctl start nss.socket" next rdgen unset nss
fails "a stop by hand is refused, and --now" rdgen set --now audit netns=blue
fails "writes nothing" test -e /etc/conf.d/audit
is "it is said" "audit.service cannot be stopped by hand (RefuseManualStop=): systemctl daemon-reload, and then reboot, or kill its main process" next rdgen set audit netns=blue
ok "by status as well" sh -c "rdgen status | grep -q 'next: audit.service cannot be stopped by hand'"
systemctl kill audit.service
rm /etc/conf.d/audit

# what systemd keeps of sockets, and cannot be told to forget
unit store.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
FileDescriptorStoreMax=4
FileDescriptorStorePreserve=yes
U
unit tmp.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
U
unit tmp@.service <<'U'
[Unit]
PartOf=tmp.service
[Service]
ExecStart=/bin/sleep infinity
FileDescriptorStoreMax=4
FileDescriptorStorePreserve=yes
U
systemctl daemon-reload
systemctl start store.service tmp.service tmp@x.service
for s in store tmp; do
	ok "set --now $s" rdgen set --now "$s" netns=blue
	ok "$s is there" lives "$s" blue
done
ok "and the instance" lives tmp@x blue
ok "the printed line" sh -c "$(next rdgen set store netns=red)"
ok "moves it" lives store red

# what systemd stops with a service was not started again
unit hub.service <<'U'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/true
FileDescriptorStoreMax=4
U
unit hub@.service <<'U'
[Unit]
PartOf=hub.service
[Service]
ExecStart=/bin/sleep infinity
U
unit apart.service <<'U'
[Unit]
BindsTo=hub.service
After=hub.service
[Service]
ExecStart=/bin/sleep infinity
U
unit idle.service <<'U'
[Unit]
PartOf=hub.service
[Service]
ExecStart=/bin/sleep infinity
U
echo netns=red >/etc/conf.d/apart
systemctl daemon-reload
systemctl start hub.service hub@a.service apart.service
ok "set --now hub" rdgen set --now hub netns=blue
for s in hub hub@a; do ok "$s is there" lives "$s" blue; done
ok "what has its own line runs again" lives apart red
fails "what did not run does not" systemctl is-active idle.service
line=$(next rdgen unset hub)
ok "the printed line has all that" sh -c "$line"
for s in hub hub@a; do ok "$s is outside" lives "$s" host; done
ok "what has its own line runs" lives apart red
fails "what did not run does not" systemctl is-active idle.service

# a service that fails and is about to be started again was left alone
unit fails.service <<'U'
[Service]
ExecStart=/bin/sh -c 'sleep 1; readlink /proc/self/ns/net >/srv/fails; exec sleep infinity'
Restart=always
RestartSec=1h
U
systemctl daemon-reload
systemctl start fails.service
systemctl kill fails.service
ok "between two starts" await sh -c '[ "$(systemctl show -P SubState fails.service)" = auto-restart ]'
ok "set --now" rdgen set --now fails netns=blue
ok "has it started inside" lives fails blue
