#!/bin/sh
# A systemd that cannot attach a program, names with dashes and dots, and a networkd that
# removes what is not its own.
mkdir -p /etc/conf.d
# A systemd that cannot attach programs, as one that is built without BPF; and a
# container, where nobody can load one.
printf '[Domain]\nKind=vrf\nTable=77\n' >/etc/rdomain/held.conf; echo vrf=held >/etc/conf.d/held
unit held.service <<E
[Service]
ExecStart=/bin/sh -c 'touch /run/leaked; /usr/local/bin/probe sockets >/run/held; exec sleep infinity'
E
systemctl daemon-reload; systemctl start rdomain@held
strace -qq -e trace=bpf -e inject=bpf:error=EPERM -o /run/strace -p 1 & strace=$!
await grep -q '^TracerPid:.[1-9]' /proc/1/status
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

# part: names
printf '[Domain]\nKind=vrf\nTable=77\n' >/etc/rdomain/v-1.x@t-1.a.conf
ok "names with dashes and dots, and a VRF inside a namespace" systemctl start rdomain@v-1.x@t-1.a
ok "exist as they are called" ip -n t-1.a link show v-1.x

# part: networkd
# networkd removes rules and routes that are not its own.
systemctl start rdomain@mgmt
mkdir -p /etc/systemd/network; printf '[Match]\nName=nd0\n[Network]\nAddress=203.0.113.1/24\n' >/etc/systemd/network/x.network
ip link add nd0 type dummy
systemctl start systemd-networkd; has "ip address show nd0" 203.0.113.1
ok "networkd manages its own" has "ip address show nd0" 203.0.113.1
systemctl restart systemd-networkd
ok "and leaves the domain's rules and routes" rdomain check mgmt
