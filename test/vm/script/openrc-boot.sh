#!/bin/sh
# Domains and services that come up at boot, with openrc-tools.sh.

# part: prepare
printf '[Domain]\nKind=vrf\nTable=30\nManaged=no\n' >/etc/rdomain/red.conf; ln -s rdomain /etc/init.d/rdomain.red
printf 'port=8144\nvrf=red\n' >/etc/conf.d/own.red; ln -s own /etc/init.d/own.red
modprobe -n dummy; printf 'vrf\ndummy\n' >>/etc/modules
cat >/etc/init.d/outside <<'X'
#!/sbin/openrc-run
depend() { before net; }
start() { ip link set lo up; ip link add outside type dummy; ip address add 192.0.2.1/24 dev outside; ip link set outside up; }
X
chmod +x /etc/init.d/outside; mkdir -p /etc/runlevels/boot /etc/runlevels/default
rc-update add networking boot; rc-update add outside boot; rc-update add rdomain.t1 boot; rc-update add decl.both default; rc-update add decl.netns default; rc-update add own.red default

# part: booted
await count 3; where; sockets | grep -o '%[a-z]*:[0-9]*'
rc-status boot | sed -n 's/^ *\(rdomain[^ ]*\).*started.*/\1/p'
rc-service rdomain.red stop >/dev/null; rc-status -a | grep -c 'own.red .*stopped'; ip -o link show red | grep -o red:
