package vm

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// prelude is what the scripts of these tests share. ok and fails run a command
// and print one line of the verdict; awaited runs one again until it succeeds.
const prelude = `exec 2>&1
ok() { name=$1; shift; if "$@" >/tmp/said 2>&1; then echo "ok: $name"; else echo "not ok: $name ($*)"; sed 's/^/    /' /tmp/said; fi; }
fails() { name=$1; shift; if "$@" >/tmp/said 2>&1; then echo "not ok: $name ($* succeeds)"; sed 's/^/    /' /tmp/said; else echo "ok: $name"; fi; }
awaited() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@"; }
has() { awaited sh -c "$1 | grep -q -- '$2'" || { sh -c "$1"; return 1; }; }
unit() { cat >/etc/systemd/system/$1; }
failed() { ! systemctl start $1 && [ "$(systemctl is-active $1)" != active ] && [ ! -e /run/leaked ]; }
netns_of() { readlink /proc/$(systemctl show -p MainPID --value $1)/ns/net; }
is_inside() { [ "$(netns_of $1)" = "net:[$(stat -Lc %i /run/netns/$2)]" ]; }
inside() { awaited is_inside $1 $2; }
# sees INSTANCE LINK NAME: that the instance's new sockets are all bound to LINK.
sees() { awaited test -p /run/look/$1; echo $3 >/run/look/$1; awaited test -e /run/look/$3.$1; cat /run/look/$3.$1; grep -q "^tcp4 $2\$" /run/look/$3.$1 && ! grep -Ev " $2\$|address family|rotocol|permitted|denied" /run/look/$3.$1; }
`

// verdicts runs a script in the machine, in the parts that lines of "---" make
// of it, each in a shell of its own. It fails t for each line that begins with
// "not ok", and if there are not as many of "ok" as said.
func verdicts(t *testing.T, m *Machine, want int, script string) {
	t.Helper()
	passed := 0
	for part := range strings.SplitSeq(script, "\n---\n") {
		out := m.Run(t, "/bin/sh", "-uc", prelude+part)
		bad := out.Code != 0
		for line := range strings.Lines(out.Stdout) {
			if strings.HasPrefix(line, "ok: ") {
				passed++
			}
			bad = bad || strings.HasPrefix(line, "not ok: ")
		}
		if bad {
			t.Errorf("%s: exit %d:\n%s", m.System, out.Code, out.Stdout)
		}
	}
	if passed != want {
		t.Errorf("%s: %d checks passed; want %d", m.System, passed, want)
	}
}

// TestSystemdNamespace: one line in conf.d and a daemon-reload put services of
// all kinds into a namespace, with their sandboxes and resolver files.
func TestSystemdNamespace(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/local/lib/bus.bytes", 0o644, busBytes("org.example.Bus"))
		m.Put(t, "/etc/dbus-1/system.d/bus.conf", 0o644, []byte(`<busconfig><policy user="root"><allow own="org.example.Bus"/></policy></busconfig>`))
		verdicts(t, m, 32, setup+namespace)
	})
}

// busBytes is what a program sends to own a name on the message bus: who it is,
// and two calls of the D-Bus specification.
func busBytes(name string) []byte {
	b := []byte("\x00AUTH EXTERNAL 30\r\nBEGIN\r\n")
	b = append(b, busCall(1, "Hello", "", nil)...)
	var body []byte
	body = busString(body, name)
	body = binary.LittleEndian.AppendUint32(busPad(body, 4), 0)
	return append(b, busCall(2, "RequestName", "su", body)...)
}

func busCall(serial uint32, member, signature string, body []byte) []byte {
	const bus = "org.freedesktop.DBus"
	var fields []byte
	for _, f := range []struct {
		code       byte
		kind, text string
	}{{1, "o", "/org/freedesktop/DBus"}, {2, "s", bus}, {3, "s", member}, {6, "s", bus}, {8, "g", signature}} {
		if f.text == "" {
			continue
		}
		fields = append(busPad(fields, 8), f.code, 1, f.kind[0], 0)
		if f.kind == "g" {
			fields = append(append(append(fields, byte(len(f.text))), f.text...), 0)
		} else {
			fields = busString(fields, f.text)
		}
	}
	m := []byte{'l', 1, 0, 1}
	m = binary.LittleEndian.AppendUint32(m, uint32(len(body)))
	m = binary.LittleEndian.AppendUint32(m, serial)
	m = binary.LittleEndian.AppendUint32(m, uint32(len(fields)))
	return append(busPad(append(m, fields...), 8), body...)
}

func busString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(busPad(b, 4), uint32(len(s)))
	return append(append(b, s...), 0)
}

func busPad(b []byte, n int) []byte {
	for len(b)%n != 0 {
		b = append(b, 0)
	}
	return b
}

// setup makes the machine's uplink, to a namespace that stands for the world,
// and the domain private with a cable of its own.
const setup = `ip link set lo up
ip netns add world
ip link add up0 type veth peer name down0 netns world
ip address add 198.51.100.1/24 dev up0; ip link set up0 up
ip -n world address add 198.51.100.53/24 dev down0; ip -n world link set down0 up
ip route add default via 198.51.100.53
mkdir -p /etc/rdomain /etc/conf.d /etc/netns/private /etc/systemd/resolved.conf.d
cat >/etc/rdomain/private.conf <<E
[Domain]
Kind=netns
[Link veth0]
Kind=veth
Peer=veth-private
Address=192.0.2.2/30
PeerAddress=192.0.2.1/30
E
printf 'nameserver 192.0.2.1\noptions timeout:1 attempts:1\n' >/etc/netns/private/resolv.conf
printf '[Resolve]\nDNS=198.51.100.53\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n' >/etc/systemd/resolved.conf.d/x.conf
`

const namespace = `
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
ask() { echo $1.example >/run/ask; has "cat /run/asked" $1.example; }
ask first
ok "a lookup leaves by the domain" has "cat /run/veth" 'A? first.example'
getent ahosts host.example >/dev/null & 
ok "a lookup of the host leaves by the host" has "cat /run/up0" 'A? host.example'
---
ask() { echo $1.example >/run/ask; has "cat /run/asked" $1.example; }
systemctl restart systemd-resolved nscd; ask second
ok "so does one after resolved and nscd were restarted" has "cat /run/veth" 'A? second.example'
old=$(stat -Lc %i /run/systemd/resolve/stub-resolv.conf)
systemctl stop systemd-resolved; rm /run/systemd/resolve/*; systemctl start systemd-resolved
ok "resolved wrote another file" [ "$(stat -Lc %i /run/systemd/resolve/stub-resolv.conf)" != "$old" ]
ask third
ok "a lookup after that" has "cat /run/veth" 'A? third.example'
ok "is not seen on the host's link, nor any before" sh -c '! grep -E "(first|second|third).example" /run/up0'

---
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
kill -9 $(systemctl show -p MainPID --value forker)
ok "Restart= runs it again, inside" has "systemctl show -p NRestarts --value forker; ip netns exec private ss -Htln" :8080
ok "and nothing listens outside" sh -c '! ss -Htln | grep :8080'
---
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
ip netns exec private busybox timeout 5 nc 127.0.0.1 7003 </dev/null
ok "and starts it inside" inside call private
ok "a conf.d file that cannot be followed stops its service" failed bad
ok "and says so in systemctl status" has "systemctl status bad" '/etc/conf.d/bad:1: netns=.*needs a shell to read'
ok "its socket as well" failed bad.socket
ok "and the kernel's log has it" sh -c 'dmesg | grep "rdgen: error: /etc/conf.d/bad:1"'
`

// TestSystemdVRF: services in a VRF of the host and in one inside a namespace
// are bound from the first socket on, and stay so whatever systemd and others do.
func TestSystemdVRF(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		verdicts(t, m, 31, inVRF)
	})
}

const inVRF = `ip link set lo up; mkdir -p /etc/conf.d /run/look
ip link add outside type dummy; ip address add 192.0.2.1/24 dev outside; ip link set outside up
printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@t1.conf
unit web.service <<'E'
[Service]
DynamicUser=yes
ProtectControlGroups=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ExecStart=/bin/busybox httpd -f -p 8080 -h /srv
E
# Services that look at new sockets of theirs when told to.
unit looker@.service <<'E'
[Service]
Restart=on-failure
ExecCondition=/bin/sh -c 'exec /usr/local/bin/probe sockets >/run/look/first.%i'
ExecStart=/bin/sh -c 'rm -f /run/look/%i; mkfifo /run/look/%i; exec <>/run/look/%i; while read -r n; do /usr/local/bin/probe sockets >/run/look/.new.%i; mv /run/look/.new.%i /run/look/$$n.%i; done'
E
unit talk.socket <<'E'
[Socket]
ListenStream=0.0.0.0:7000
Accept=yes
E
unit talk@.service <<'E'
[Service]
StandardInput=socket
ExecStart=-/usr/local/bin/probe sockets
E
unit talk.service <<'E'
[Service]
ExecStart=/bin/true
E
unit act.socket <<'E'
[Socket]
ListenStream=0.0.0.0:7001
BindToDevice=mgmt
E
unit act.service <<'E'
[Service]
ExecStart=/bin/busybox sleep 1000
E
echo vrf=mgmt >/etc/conf.d/web; echo vrf=mgmt >/etc/conf.d/looker@m; printf 'netns=t1\nvrf=inner\n' >/etc/conf.d/looker@n
echo vrf=mgmt >/etc/conf.d/talk; echo vrf=mgmt >/etc/conf.d/act
systemctl daemon-reload
ok "start" systemctl start web
ok "it listens in the VRF" has "ss -Htln" %mgmt:8080
ok "by a program that systemd attaches" has "systemctl show web -p BPFProgram" sock_create:/sys/fs/bpf/rdomain/mgmt
ok "start of a looker" systemctl start looker@m
ok "its own ExecCondition= was bound" sh -c 'grep -q "^tcp4 mgmt$" /run/look/first.m && ! grep -Ev " mgmt$|permitted|denied" /run/look/first.m'
ok "start of one in a VRF inside a namespace" systemctl start looker@n
ok "which is bound" sees n inner a
ok "the other is bound" sees m mgmt a
systemctl daemon-reload
ok "bound after daemon-reload" sees m mgmt b
ok "bound after daemon-reload, in the namespace" sees n inner b
systemctl set-property --runtime looker@m CPUWeight=50; systemctl daemon-reexec
ok "bound after set-property and daemon-reexec" sees m mgmt c
---
rm -f /sys/fs/bpf/rdomain/*; systemctl daemon-reload
ok "bound when the pins are gone and systemd reloaded" sees m mgmt d
ok "bound then, in the namespace" sees n inner d
fails "without a pin it does not restart" systemctl restart web
ok "and does not run" awaited sh -c '! systemctl is-active web'
ok "nothing listens outside" sh -c '! ss -Htln | grep -E "[*0]:8080"'
ok "rdomain@ made anew repairs it" systemctl restart rdomain@mgmt; systemctl start web
ok "in the VRF again" has "ss -Htln" %mgmt:8080

---
ok "the socket of a service with Accept=yes" systemctl start talk.socket
ok "listens in the VRF" has "ss -Htln" %mgmt:7000
ok "and serves connections there" has "rdexec -v mgmt -- busybox timeout 20 nc 10.20.30.40 7000 </dev/null" "tcp4 mgmt"
ok "BindToDevice= and the drop-in together" systemctl start act.socket
ok "listen in the VRF" has "ss -Htln" %mgmt:7001
systemctl stop talk.socket act.socket act.service

---
# Somebody deletes the VRF behind the back of rdomain@; udev is there.
systemctl start looker@m; awaited test -p /run/look/m
old=$(cat /sys/class/net/mgmt/ifindex); pid=$(systemctl show -p MainPID --value web)
ip link delete mgmt
ok "a deleted VRF is made again" awaited sh -c "[ -e /sys/class/net/mgmt ] && [ \$(cat /sys/class/net/mgmt/ifindex) != $old ]"
ok "its services are restarted" awaited sh -c "[ \$(systemctl show -p MainPID --value web) != $pid ] && systemctl is-active web"
ok "into the new one" has "ss -Htln" %mgmt:8080
awaited systemctl is-active looker@m
ok "their sockets as well" sees m mgmt e
---
# The same where udev is not: what runs is cut off, and does not come back outside.
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udevd 2>/dev/null
index=$(cat /sys/class/net/mgmt/ifindex); ip link delete mgmt; systemctl daemon-reload
ok "no new socket is in the default domain" sees m "if$index" f
systemctl restart web
fails "without its VRF the service does not start" systemctl is-active web
ok "nothing listens outside then" sh -c '! ss -Htln | grep -E "[*0]:8080"'
rdomain down mgmt; systemctl daemon-reload
ok "nor after rdomain down by hand" sees m "if$index" g
`

// TestSystemdInstances: Debian's own nginx and sshd, once more each in other
// domains, beside the ones of the host; and by the static files alone.
func TestSystemdInstances(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		verdicts(t, m, 21, setup+instances)
	})
}

const instances = `
mkdir -p /run/sshd; ssh-keygen -A >/dev/null
printf '[Domain]\nKind=netns\n' >/etc/rdomain/hostile.conf
for i in private hostile; do
	echo netns=$i >/etc/conf.d/nginx.$i
	cp -a /etc/nginx /etc/nginx.$i
	sed -i "s,/run/nginx.pid,/run/nginx.$i.pid," /etc/nginx.$i/nginx.conf
	mkdir -p /srv/$i; echo "this is $i" >/srv/$i/index.html
	rm -f /etc/nginx.$i/sites-enabled/*
	printf 'server { listen 80; root /srv/%s; }\n' $i >/etc/nginx.$i/conf.d/x.conf
done
echo netns=private >/etc/conf.d/ssh.private; cp -a /etc/ssh /etc/ssh.private; echo 'Port 2222' >>/etc/ssh.private/sshd_config
# Without the generator: the files of rdgen alone.
ln -s /dev/null /etc/systemd/system-generators/rdgen 2>/dev/null || { mkdir -p /etc/systemd/system-generators; ln -s /dev/null /etc/systemd/system-generators/rdgen; }
ok "rdgen systemd -o /etc" sh -c 'rdgen systemd nginx.private nginx.hostile ssh.private -o /etc 2>/run/notes'
ok "says what the instance needs" grep -q 'pid file of nginx.private is /run/nginx.private.pid' /run/notes
systemctl daemon-reload
ok "the host's own" systemctl start nginx
ok "an instance" systemctl start nginx.private
ok "another one" systemctl start nginx.hostile
ok "sshd" systemctl start ssh.private
---
for i in private hostile; do
	ok "nginx.$i is in $i" inside nginx.$i $i
	ok "with its own configuration" has "ip netns exec $i busybox wget -q -O - http://127.0.0.1/" "this is $i"
	ok "and pid file" [ "$(cat /run/nginx.$i.pid)" = "$(systemctl show -p MainPID --value nginx.$i)" ]
done
ok "nginx is outside" [ "$(netns_of nginx)" = "$(readlink /proc/1/ns/net)" ]
ok "sshd listens inside only" sh -c 'ip netns exec private ss -Htln | grep -q :2222 && ! ss -Htln | grep :2222'
ok "with a runtime directory of its own" test -d /run/sshd.private
ok "the domain goes with the services in it" systemctl stop rdomain@hostile
ok "and no others" sh -c 'systemctl is-active nginx nginx.private ssh.private && ! systemctl is-active nginx.hostile'
ok "reload" systemctl reload nginx.private
# The same files from the generator: nothing changes, nothing fights.
rm -f /etc/systemd/system-generators/rdgen
ok "the generator beside the static files" systemctl daemon-reload
ok "has nothing to say" sh -c '! dmesg | grep "rdgen:"'
ok "rdgen check agrees" rdgen check
`

// TestSystemdDomain is about rdomain@.service itself.
func TestSystemdDomain(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		verdicts(t, m, 14, setup+domains)
		m.Reboot(t)
		verdicts(t, m, 4, afterReboot)
	})
}

const domains = `
unit user.service <<'E'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sh -c 'ip -n private link show veth0 >/run/at-stop'
E
unit early.service <<'E'
[Unit]
After=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -n private -br address show veth0; ip -n private link show byhand'
[Install]
WantedBy=multi-user.target
E
echo netns=private >/etc/conf.d/user
# As people write it.
mkdir -p /etc/systemd/system/rdomain@private.service.d
cat >/etc/systemd/system/rdomain@private.service.d/mine.conf <<'E'
[Service]
ExecStartPost=/sbin/ip -n %i link add byhand type dummy
ExecStartPost=/sbin/ip -n %i address add 192.0.2.99/32 dev byhand
E
systemctl daemon-reload
ok "start" systemctl start user
ok "with the administrator's own lines" has "ip -n private -br address show byhand" 192.0.2.99
index=$(ip -n private -o link show veth0 | cut -d: -f1); pid=$(systemctl show -p MainPID --value user)
sed -i '/^Address/aAddress=192.0.2.3/30' /etc/rdomain/private.conf
ok "reload after an edit" systemctl reload rdomain@private
ok "applies it" has "ip -n private -br address show veth0" 192.0.2.3
ok "and leaves the rest" [ "$(ip -n private -o link show veth0 | cut -d: -f1) $(systemctl show -p MainPID --value user)" = "$index $pid" ]
ok "stop" systemctl stop rdomain@private
ok "stops the service first" grep -q veth0 /run/at-stop
ok "and takes the namespace away" sh -c '! systemctl is-active user && ! test -e /run/netns/private'
---
printf '[Domain]\nKind=vrf\nTable=77\n' >/etc/rdomain/v-1.x@t-1.a.conf
ok "names with dashes and dots, and a VRF inside a namespace" systemctl start rdomain@v-1.x@t-1.a
ok "exist as they are called" ip -n t-1.a link show v-1.x
# Another tool makes and deletes namespaces meanwhile.
(for n in 1 2 3 4 5 6 7 8; do ip netns add other$n; ip netns delete other$n; done) &
systemctl start rdomain@p1 rdomain@p2 rdomain@p3 rdomain@p4; wait $!
ok "namespaces made beside another tool" rdomain check p1 p2 p3 p4
# (ip of before 2026 mounts each one twice, on both sides of the mount of /run/netns.)
ok "none is a left-over file, nor do the mounts multiply" sh -c 'for n in /run/netns/*; do [ $(stat -fc %T $n) = nsfs ] && [ $(grep -c " $n " /proc/self/mountinfo) -le 2 ] || exit 1; done'
---
# networkd removes rules and routes that are not its own.
systemctl start rdomain@mgmt
mkdir -p /etc/systemd/network; printf '[Match]\nName=nd0\n[Network]\nAddress=203.0.113.1/24\n' >/etc/systemd/network/x.network
ip link add nd0 type dummy
systemctl start systemd-networkd; has "ip address show nd0" 203.0.113.1
ok "networkd manages its own" has "ip address show nd0" 203.0.113.1
systemctl restart systemd-networkd
ok "and leaves the domain's rules and routes" rdomain check mgmt
systemctl enable rdomain@private early user 2>/dev/null; ip netns delete world
`

const afterReboot = `
awaited sh -c 'systemctl is-active early || systemctl is-failed early'
ok "the domain is there after a reboot, before what is After=network.target" systemctl is-active rdomain@private early
ok "with all of its addresses" has "journalctl -b -u early" 192.0.2.3
ok "and the administrator's links" has "journalctl -b -u early" byhand
ok "no cycle was broken" sh -c '! journalctl -b | grep -i "ordering cycle"'
`

// TestSystemdFailsClosed tries to get a service to run outside of its domain.
func TestSystemdFailsClosed(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		verdicts(t, m, 27, setup+closed)
	})
}

const closed = `
# Each of these would leave a file if any of its programs ran.
for s in stale missing lying ignored blind undefined broken half; do
	unit $s.service <<E
[Service]
ExecStartPre=/bin/touch /run/leaked
ExecStart=/bin/sleep infinity
E
	echo netns=$s >/etc/conf.d/$s
done
echo netns=private >/etc/conf.d/ignored; echo netns=private >/etc/conf.d/blind
echo vrf=undefined >/etc/conf.d/undefined
printf '[Domain]\nKind=netns\nNoSuchKey=1\n' >/etc/rdomain/broken.conf
printf '[Domain]\nKind=netns\n[Link nosuchlink]\n' >/etc/rdomain/half.conf
# rdomain@ says that these are up, and they are not.
for d in stale missing lying; do
	mkdir -p /etc/systemd/system/rdomain@$d.service.d; printf '[Service]\nExecStart=\nExecStart=/bin/true\n' >/etc/systemd/system/rdomain@$d.service.d/x.conf
done
mkdir -p /run/netns; : >/run/netns/stale; chmod 0 /run/netns/stale
mkdir /run/tmp; mount -t tmpfs x /run/tmp; : >/run/netns/lying; mount --bind /run/tmp /run/netns/lying 2>/dev/null || mount --bind /etc/hostname /run/netns/lying
systemctl daemon-reload
ok "a left-over file of 0 bytes" failed stale
ok "a namespace that is not there" failed missing
systemctl start lying
ok "a mount that is no namespace" sh -c '! systemctl is-active lying && ! test -e /run/leaked'
ok "a domain that cannot be made: its file is wrong" failed broken
ok "a domain that cannot be made: a link is missing" failed half
ok "a VRF that nobody defined" failed undefined
ok "which systemctl status says" has "systemctl status undefined" 'vrf undefined is not defined'
---
# A systemd that does not know the directive.
mkdir -p /etc/systemd/system/ignored.service.d
sed 's/^NetworkNamespacePath=/NetworkNamespacePathOfTheFuture=/' /run/systemd/generator/ignored.service.d/zz-rdomain.conf >/etc/systemd/system/ignored.service.d/zz-rdomain.conf
systemctl daemon-reload
ok "a directive that systemd does not know" failed ignored
ok "systemctl status says where it was" has "systemctl status ignored" 'this process is in another network namespace'
mv /usr/sbin/rdexec /root/
ok "nobody there to look" failed blind
mv /root/rdexec /usr/sbin/
ok "then it starts" systemctl start blind
ok "inside" inside blind private
rm -f /run/leaked
# The domain goes while the service runs.
ip netns delete private
ok "the namespace's name deleted: a restart is refused" sh -c '! systemctl restart blind && ! systemctl is-active blind'
ok "nothing ran" test ! -e /run/leaked
systemctl restart rdomain@private
ok "made again, it starts" systemctl start blind
ok "inside the new one" inside blind private
rm -f /run/leaked
---
# A systemd that cannot attach programs, as one that is built without BPF; and a
# container, where nobody can load one.
printf '[Domain]\nKind=vrf\nTable=77\n' >/etc/rdomain/held.conf; echo vrf=held >/etc/conf.d/held
unit held.service <<E
[Service]
ExecStart=/bin/sh -c 'touch /run/leaked; /usr/local/bin/probe sockets >/run/held; exec sleep infinity'
E
systemctl daemon-reload; systemctl start rdomain@held
strace -qq -e trace=bpf -e inject=bpf:error=EPERM -o /run/strace -p 1 & strace=$!
awaited grep -q '^TracerPid:.[1-9]' /proc/1/status
ok "a systemd that cannot attach a program" systemctl start held
ok "was refused it" grep -q EPERM.*INJECTED /run/strace
ok "has it done by the look" has "cat /run/held" "tcp4 held"
ok "for all sockets" sh -c '! grep -Ev " held$|permitted|denied" /run/held'
systemctl stop held; rm -f /run/leaked; mv /usr/sbin/rdexec /root/
printf '#!/bin/sh\nexec strace -f -qq -e trace=bpf -e inject=bpf:error=EPERM -o /dev/null /root/rdexec "$@"\n' >/usr/sbin/rdexec; chmod +x /usr/sbin/rdexec
ok "nobody may load a program: it does not start" failed held
ok "and says so in systemctl status" has "systemctl status held" 'operation not permitted'
mv /root/rdexec /usr/sbin/; kill $strace; wait
ok "then it starts" systemctl start held
---
# A user's systemd may not enter a namespace: it warns and goes on.
useradd -m -u 1000 alice 2>/dev/null
install -d -o alice -g alice /home/alice/.config /home/alice/.config/systemd /home/alice/.config/systemd/user
grep -v -e '^BindsTo' -e '^After' /run/systemd/generator/blind.service.d/zz-rdomain.conf >/home/alice/.config/systemd/user/x.service
sed -i 's/^ExecStartPre=+/ExecStartPre=/; /^TemporaryFileSystem/d; /^BindReadOnly/d; /^SourcePath/d' /home/alice/.config/systemd/user/x.service
echo 'ExecStart=/bin/sh -c "echo leaked >/home/alice/leaked; sleep 1000"' >>/home/alice/.config/systemd/user/x.service
systemctl start user@1000
alice() { setpriv --reuid alice --regid alice --clear-groups env XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/alice "$@"; }
awaited alice systemctl --user is-system-running
fails "a user's systemd" alice systemctl --user start x
alice systemctl --user start x 2>/dev/null
ok "has failed" sh -c '! test -e /home/alice/leaked'
ok "with the reason in the journal" has "journalctl _UID=1000" 'rdexec: fatal'
fails "rdgen refuses to write there" rdgen systemd blind -o /etc/systemd/user
`

// TestSystemdAnalyze has systemd read what is generated for every service of the
// machine. It finds no fault that was not there before, and no score is worse.
func TestSystemdAnalyze(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		got := m.Sh(t, `mkdir -p /etc/conf.d; cd /usr/lib/systemd/system
# But for those that end the machine, and so conflict with whatever they would need.
for u in *.service; do case $u in *@*|emergency.*|rescue.*|systemd-exit.*|systemd-halt.*|systemd-kexec.*|systemd-poweroff.*|systemd-*reboot.*) ;; *) [ -L $u ] || [ -L /etc/systemd/system/$u ] || echo ${u%.service}; esac; done >/run/services
look() {
	sed 's/$/.service/' /run/services | xargs systemd-analyze verify --recursive-errors=yes >/run/verify.$1 2>&1 || :
	sed 's/$/.service/' /run/services | xargs systemd-analyze security --no-pager | grep 'Overall exposure' >/run/security.$1
}
look before
while read -r s; do printf 'vrf=inner\nnetns=private\n' >/etc/conf.d/$s; done </run/services
printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@private.conf 2>/dev/null || { mkdir /etc/rdomain; printf '[Domain]\nKind=vrf\nTable=20\n' >/etc/rdomain/inner@private.conf; }
# Those that run before any domain can be there are refused, each with its line.
rdgen systemd --all -o / >/run/rdgen 2>&1 || sed -n 's/^rdgen: error: .* \([^ ]*\).service runs before .*/\1/p' /run/rdgen | while read -r s; do rm /etc/conf.d/$s; sed -i "/^$s$/d" /run/services; done
rdgen systemd --all -o / >/run/rdgen 2>&1 || cat /run/rdgen
ls -d /etc/systemd/system/*.service.d/zz-rdomain.conf | wc -l; wc -l </run/services
systemctl daemon-reload; look after; wc -l </run/security.after
grep -vxFf /run/verify.before /run/verify.after || :
score() { sed 's/.*for //; s/\.service: / /' $1 | sort | cut -d' ' -f1,2; }
score /run/security.before >/run/a; score /run/security.after >/run/b
join /run/a /run/b | awk '$3 > $2 { print "worse:", $0 }'`)
		// A service may bring other units into the domain, sockets or templates.
		var made, services, scores int
		if n, err := fmt.Sscan(got, &made, &services, &scores); n != 3 || len(strings.Fields(got)) != 3 || made < services || scores != services || services < 30 {
			t.Errorf("%s: drop-ins, services, scores, and what is new: %v\n%s", m.System, err, got)
		}
		t.Logf("%s: %d services", m.System, services)
	})
}

// TestSystemdGuide types what docs/systemd.md says, one command after the other,
// on a machine with a management port eth1, and compares what is shown there.
func TestSystemdGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Sh(t, `ip link set lo up; mkdir -p /run/sshd; ssh-keygen -A >/dev/null
			systemctl start ssh nginx
			ip netns add lan; ip link add eth1 type veth peer name lan0 netns lan
			ip address add 10.20.30.40/24 dev eth1; ip link set eth1 up
			ip -n lan address add 10.20.30.1/24 dev lan0; ip -n lan link set lan0 up`)
		commands := guide(string(text))
		if len(commands) < 20 {
			t.Fatalf("%d commands in the guide; want all of them", len(commands))
		}
		for _, c := range commands {
			out := m.Run(t, "/bin/sh", "-c", c.line)
			if out.Code != 0 {
				t.Errorf("%s: %s\nexit %d\n%s%s", m.System, c.line, out.Code, out.Stdout, out.Stderr)
			}
			if got := words(out.Stdout); c.shown != "" && got != c.shown {
				t.Errorf("%s: %s\nprints %q; the guide shows %q", m.System, c.line, got, c.shown)
			}
		}
		verdicts(t, m, 4, `
ok "sshd answers the management port" has "ip netns exec lan busybox timeout 20 nc 10.20.30.40 22 </dev/null" SSH-2.0
fails "and no other" sh -c 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no 192.0.2.1 true 2>&1 | grep -v refused'
ok "the instance is in its domain" inside nginx.lab lab
ok "and the host's unit in its own" inside nginx private
`)
	})
}

type typed struct{ line, shown string }

// guide returns the commands of a page, which are in its indented blocks and
// begin with "# ", with what the page shows under each.
func guide(page string) (commands []typed) {
	for line := range strings.Lines(page) {
		line, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		if !ok {
			continue
		}
		if command, ok := strings.CutPrefix(line, "# "); ok {
			commands = append(commands, typed{line: command})
		} else if n := len(commands); n > 0 {
			commands[n-1].shown = words(commands[n-1].shown + " " + line)
		}
	}
	return commands
}

// words joins the words of a text by single spaces.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }
