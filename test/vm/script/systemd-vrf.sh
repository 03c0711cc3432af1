#!/bin/sh
# Services in a VRF of the host and in one inside a namespace are bound from the first
# socket on, and stay so whatever systemd and others do.
mkdir -p /run/look
outside
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
unit away.socket <<'E'
[Socket]
ListenStream=0.0.0.0:7002
BindToDevice=lo
E
unit away.service <<'E'
[Service]
ExecStart=/bin/busybox sleep 1000
E
unit late.socket <<'E'
[Socket]
ListenStream=0.0.0.0:7003
E
unit late.service <<'E'
[Service]
ExecStart=/bin/busybox sleep 1000
E
# A session of PAM's has a cgroup of its own, outside of the service's and of the VRF.
unit session.service <<'E'
[Service]
User=nobody
PAMName=login
ExecStart=/bin/busybox httpd -f -p 8089
E
unit plain.service <<'E'
[Service]
TasksMax=2
ExecStart=/sbin/runuser -u nobody -- /bin/busybox httpd -f -p 8088
E
# A process that it leaves keeps the unit's cgroup, and what binds there to the VRF.
unit left.service <<'E'
[Service]
KillMode=process
ExecStart=/bin/sh -c '/bin/busybox sleep 1234 & exec /bin/busybox sleep 1235'
E
for name in web looker@m talk act away session plain left; do echo vrf=mgmt >/etc/conf.d/$name; done
printf 'netns=t1\nvrf=inner\n' >/etc/conf.d/looker@n
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
ok "a unit that PAM would take out of the VRF" failed session
ok "with the reason" has "systemctl status session" 'pam_systemd (/etc/pam.d/common-session:'
ok "one that opens no session starts, with room for the look" systemctl start plain
ok "inside" has "ss -Htln" %mgmt:8088
ok "nothing listens outside" sh -c '! ss -Htln | grep -E "[*0]:808[89]"'

# part: without pins
rm -f /sys/fs/bpf/rdomain/*; systemctl daemon-reload
ok "bound when the pins are gone and systemd reloaded" sees m mgmt d
ok "bound then, in the namespace" sees n inner d
fails "without a pin it does not restart" systemctl restart web
ok "and does not run" await sh -c '! systemctl is-active web'
ok "nothing listens outside" sh -c '! ss -Htln | grep -E "[*0]:8080"'
ok "rdomain@ made again repairs it" systemctl restart rdomain@mgmt; systemctl start web
ok "in the VRF again" has "ss -Htln" %mgmt:8080

# part: sockets of units
ok "the socket of a service with Accept=yes" systemctl start talk.socket
ok "listens in the VRF" has "ss -Htln" %mgmt:7000
ok "and serves connections there" has "rdexec -v mgmt -- busybox timeout 20 nc 10.20.30.40 7000 </dev/null" "tcp4 mgmt"
ok "BindToDevice= and the drop-in together" systemctl start act.socket
ok "listen in the VRF" has "ss -Htln" %mgmt:7001
systemctl stop talk.socket act.socket act.service
fails "BindToDevice= of a link outside" systemctl start away.socket
ok "nothing listens there" sh -c '! ss -Htln | grep :7002'
systemctl start late.socket
echo vrf=mgmt >/etc/conf.d/late
noted='note: late: late.socket listens at tcp 0.0.0.0:7003 of the default domain; '
ok "rdgen check has a note of a socket that waits outside" has "rdgen check 2>&1" "$noted"
# What the note has done is in test/native.
systemctl stop late.socket

# part: a process that is left
ok "one that leaves a process starts in the VRF" systemctl start left
await pgrep -f '^/bin/busybox sleep 1234'
systemctl stop left
left=$(pgrep -f '^/bin/busybox sleep 1234')
echo netns=t1 >/etc/conf.d/left; systemctl daemon-reload
fails "beside it the service does not start in a namespace" systemctl start left
ok "and says who is left" has "systemctl status left" "left: process $left (busybox) (end it"
is "which is where it was" mgmt rdomain identify "$left"
kill "$left"; await sh -c "! kill -0 $left"
ok "without it it starts" systemctl start left
ok "there" inside left t1
systemctl stop left; pkill -f '^/bin/busybox sleep 1234'

# part: the VRF is deleted
# Somebody deletes the VRF while rdomain@ is active; udev is there.
systemctl start looker@m; await test -p /run/look/m
old=$(cat /sys/class/net/mgmt/ifindex); pid=$(systemctl show -p MainPID --value web)
ip link delete mgmt
ok "a deleted VRF is made again" await sh -c "[ -e /sys/class/net/mgmt ] && [ \$(cat /sys/class/net/mgmt/ifindex) != $old ]"
ok "its services are restarted" await sh -c "[ \$(systemctl show -p MainPID --value web) != $pid ] && systemctl is-active web"
ok "into the new one" has "ss -Htln" %mgmt:8080
await systemctl is-active looker@m
ok "their sockets as well" sees m mgmt e

# part: and nobody is there
# The same where neither udev nor the watch is: what runs is cut off, and does not come
# back outside.
systemctl mask --runtime --no-reload rdomain-watch 2>/dev/null
systemctl stop rdomain-watch
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udevd 2>/dev/null
index=$(cat /sys/class/net/mgmt/ifindex); ip link delete mgmt; systemctl daemon-reload
ok "no new socket is in the default domain" sees m "if$index" f
systemctl restart web
fails "without its VRF the service does not start" systemctl is-active web
ok "nothing listens outside then" sh -c '! ss -Htln | grep -E "[*0]:8080"'
rdomain down mgmt; systemctl daemon-reload
ok "nor after rdomain down by hand" sees m "if$index" g
