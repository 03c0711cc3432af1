package vm

import (
	"os"
	"testing"

	"rdgen/test/guest"
)

// TestSystemdVRF: services in a VRF of the host and in one inside a namespace
// are bound from the first socket on, and stay so whatever systemd and others do.
func TestSystemdVRF(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		m.Verdicts(t, inVRF)
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
ok "rdomain@ made again repairs it" systemctl restart rdomain@mgmt; systemctl start web
ok "in the VRF again" has "ss -Htln" %mgmt:8080

---
ok "the socket of a service with Accept=yes" systemctl start talk.socket
ok "listens in the VRF" has "ss -Htln" %mgmt:7000
ok "and serves connections there" has "rdexec -v mgmt -- busybox timeout 20 nc 10.20.30.40 7000 </dev/null" "tcp4 mgmt"
ok "BindToDevice= and the drop-in together" systemctl start act.socket
ok "listen in the VRF" has "ss -Htln" %mgmt:7001
systemctl stop talk.socket act.socket act.service

---
# Somebody deletes the VRF while rdomain@ is active; udev is there.
systemctl start looker@m; awaited test -p /run/look/m
old=$(cat /sys/class/net/mgmt/ifindex); pid=$(systemctl show -p MainPID --value web)
ip link delete mgmt
ok "a deleted VRF is made again" awaited sh -c "[ -e /sys/class/net/mgmt ] && [ \$(cat /sys/class/net/mgmt/ifindex) != $old ]"
ok "its services are restarted" awaited sh -c "[ \$(systemctl show -p MainPID --value web) != $pid ] && systemctl is-active web"
ok "into the new one" has "ss -Htln" %mgmt:8080
awaited systemctl is-active looker@m
ok "their sockets as well" sees m mgmt e
---
# The same where neither udev nor the watch is: what runs is cut off, and does not come
# back outside.
systemctl mask --runtime --now rdomain-watch 2>/dev/null
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udevd 2>/dev/null
index=$(cat /sys/class/net/mgmt/ifindex); ip link delete mgmt; systemctl daemon-reload
ok "no new socket is in the default domain" sees m "if$index" f
systemctl restart web
fails "without its VRF the service does not start" systemctl is-active web
ok "nothing listens outside then" sh -c '! ss -Htln | grep -E "[*0]:8080"'
rdomain down mgmt; systemctl daemon-reload
ok "nor after rdomain down by hand" sees m "if$index" g
`

// TestSystemdBesideVRF: a systemd that cannot attach a program, names with dashes
// and dots, and a networkd that removes what is not its own.
func TestSystemdBesideVRF(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		m.Verdicts(t, besideVRF)
	})
}

const besideVRF = `mkdir -p /etc/conf.d
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
printf '[Domain]\nKind=vrf\nTable=77\n' >/etc/rdomain/v-1.x@t-1.a.conf
ok "names with dashes and dots, and a VRF inside a namespace" systemctl start rdomain@v-1.x@t-1.a
ok "exist as they are called" ip -n t-1.a link show v-1.x
---
# networkd removes rules and routes that are not its own.
systemctl start rdomain@mgmt
mkdir -p /etc/systemd/network; printf '[Match]\nName=nd0\n[Network]\nAddress=203.0.113.1/24\n' >/etc/systemd/network/x.network
ip link add nd0 type dummy
systemctl start systemd-networkd; has "ip address show nd0" 203.0.113.1
ok "networkd manages its own" has "ip address show nd0" 203.0.113.1
systemctl restart systemd-networkd
ok "and leaves the domain's rules and routes" rdomain check mgmt
`

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
		m.Type(t, guest.Typed(string(text)))
		m.Verdicts(t, `
ok "sshd answers the management port" has "ip netns exec lan busybox timeout 20 nc 10.20.30.40 22 </dev/null" SSH-2.0
fails "and no other" sh -c 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no 192.0.2.1 true 2>&1 | grep -v refused'
ok "the instance is in its domain" inside nginx.lab lab
ok "and the host's unit in its own" inside nginx private
`)
	})
}
