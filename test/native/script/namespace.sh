#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# One line in conf.d and a daemon-reload put services of all kinds into a
# namespace, with their sandboxes and resolver files.
# ask NAME: lets the service asker look up NAME.example.
ask()
{
	echo "$1.example" >/run/ask
	has "cat /run/asked" "$1.example"
}

ok "the host resolves through resolved" grep -q 'hosts:.*resolve' /etc/nsswitch.conf
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
# A long-running service that looks up what it is told to.
unit asker.service <<'E'
[Service]
Type=notify
NotifyAccess=all
User=nobody
ExecStart=/bin/sh -c 'exec <>/run/ask; systemd-notify --ready; while read -r n; do getent ahosts $$n; echo $$n >>/run/asked; done'
E
mkfifo -m 666 /run/ask; : >/run/asked; chmod 666 /run/asked
unit boxed.service <<'E'
[Service]
Type=oneshot
RemainAfterExit=yes
DynamicUser=yes
ProtectSystem=strict
ProtectControlGroups=yes
ProtectKernelTunables=yes
PrivateTmp=yes
SystemCallFilter=@system-service
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
CapabilityBoundingSet=
NoNewPrivileges=yes
StandardOutput=append:/run/boxed
ExecStartPre=/bin/sh -c 'echo pre $(readlink /proc/self/ns/net)'
ExecStart=/bin/sh -c 'echo start $(readlink /proc/self/ns/net); id -u; ls /tmp; grep -E "NoNewPrivs|Seccomp:|CapBnd" /proc/self/status'
ExecStart=/bin/sh -c '! touch /usr/x /sys/fs/cgroup/x || echo WRITABLE; ! unshare -U true || echo UNSHARED; cat /etc/resolv.conf'
ExecStartPost=/bin/sh -c 'echo post $(readlink /proc/self/ns/net)'
ExecReload=/bin/sh -c 'echo reload $(readlink /proc/self/ns/net)'
ExecStop=/bin/sh -c 'echo stop $(readlink /proc/self/ns/net)'
ExecStopPost=/bin/sh -c 'echo stop-post $(readlink /proc/self/ns/net)'
E
unit forker.service <<'E'
[Service]
Type=forking
Restart=always
RestartSec=0
ExecStart=/bin/busybox httpd -p 8080 -h /srv
E
unit bus.service <<'E'
[Service]
Type=dbus
BusName=org.example.Bus
ExecStart=/bin/sh -c '{ cat /usr/local/lib/bus.bytes; sleep infinity; } | socat - UNIX-CONNECT:/run/dbus/system_bus_socket >/dev/null'
E
unit tick.service <<'E'
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'readlink /proc/self/ns/net >/run/tick'
E
unit tick.timer <<'E'
[Timer]
OnActiveSec=0
E
unit other.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
E
for s in asker boxed forker tick bus; do echo netns=private >/etc/conf.d/$s; done
echo 'netns=$(hostname)' >/etc/conf.d/bad
unit bad.service <<'E'
[Service]
User=nobody
ExecStartPre=+/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
unit bad.socket <<'E'
[Socket]
ListenStream=127.0.0.1:7777
E
systemctl daemon-reload
ok "the generator's files are below /run" test -e /run/systemd/generator/asker.service.d/zz-rdomain.conf
systemctl restart systemd-resolved nscd
ok "systemctl start, Type=notify" systemctl start asker
ok "which started the domain" systemctl is-active rdomain@private
ok "and runs in it" inside asker private
P=$(stat -Lc %i /run/netns/private)
ok "a service without a domain starts" systemctl start other
ok "and stays outside" [ "$(netns_of other)" = "$(readlink /proc/1/ns/net)" ]

tcpdump -i up0 -n -l -Z root udp >/run/up0 2>/run/up0.err & tcpdump -i veth-private -n -l -Z root udp port 53 >/run/veth 2>/run/veth.err &
ok "tcpdump listens" has "cat /run/up0.err /run/veth.err" "listening on up0"
has "cat /run/veth.err" "listening on veth"
ask first
ok "a lookup leaves by the domain" has "cat /run/veth" 'A? first.example'
getent ahosts host.example >/dev/null & 
ok "a lookup of the host leaves by the host" has "cat /run/up0" 'A? host.example'

systemctl restart systemd-resolved nscd; ask second
ok "so does one after resolved and nscd were restarted" has "cat /run/veth" 'A? second.example'
old=$(stat -Lc %i /run/systemd/resolve/stub-resolv.conf)
systemctl stop systemd-resolved; rm /run/systemd/resolve/*; systemctl start systemd-resolved
ok "resolved wrote another file" [ "$(stat -Lc %i /run/systemd/resolve/stub-resolv.conf)" != "$old" ]
ask third
ok "a lookup after that" has "cat /run/veth" 'A? third.example'
ok "is not seen on the host's link, nor any before" sh -c '! grep -E "(first|second|third).example" /run/up0'

P=$(stat -Lc %i /run/netns/private)
touch /tmp/of-the-host
systemctl start boxed; systemctl reload boxed; systemctl stop boxed
ok "every command of the unit was in the namespace" [ "$(grep -c "^[a-z-]* net:.$P.$" /run/boxed)" = 6 ]
ok "the sandbox is as it was" sh -c 'grep -q "^6[0-9]*$" /run/boxed && grep -q "NoNewPrivs:.1" /run/boxed && grep -q "Seccomp:.2" /run/boxed && grep -q "CapBnd:.0000000000000000" /run/boxed && ! grep -E "WRITABLE|UNSHARED|of-the-host" /run/boxed'
ok "with the domain's resolv.conf" grep -q 'nameserver 192.0.2.1' /run/boxed
systemctl start dbus; systemctl reload dbus
ok "Type=dbus" systemctl start bus
ok "is inside" inside bus private
ok "Type=forking" systemctl start forker
ok "listens inside" has "ip netns exec private ss -Htln" :8080
kill -9 "$(systemctl show -p MainPID --value forker)"
ok "Restart= runs it again, inside" has "systemctl show -p NRestarts --value forker; ip netns exec private ss -Htln" :8080
ok "and nothing listens outside" sh -c '! ss -Htln | grep :8080'

P=$(stat -Lc %i /run/netns/private)
systemctl start tick.timer
ok "a timer starts its service inside" has "cat /run/tick" "$P"
unit call.socket <<E
[Socket]
ListenStream=0.0.0.0:7003
E
unit call.service <<E
[Service]
ExecStart=/bin/sleep infinity
E
echo netns=private >/etc/conf.d/call; systemctl daemon-reload
ok "the socket of a service" systemctl start call.socket
ok "listens inside" has "ip netns exec private ss -Htln" :7003
ok "and nowhere else" sh -c '! ss -Htln | grep :7003'
ip netns exec private busybox nc 127.0.0.1 7003 </dev/null &
caller=$!
ok "and starts it inside" inside call private
kill $caller 2>/dev/null
ok "a conf.d file that cannot be followed stops its service" failed bad
ok "and says so in systemctl status" has "systemctl status bad" '/etc/conf.d/bad:1: netns=.*needs a shell to read'
ok "its socket as well" failed bad.socket
ok "and the kernel's log has it" sh -c 'dmesg | grep "rdgen: error: /etc/conf.d/bad:1"'
