#!/bin/sh
# The machine of docs/domains.png, after what docs/status.md types: a namespace with a card of
# its own, a published service, a cable between two domains, and a service that was started
# before its line. What differs from one run to the next is made the same.
service()
{
	printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p %s -h /srv"\ncommand_background=yes\npidfile=/run/%s.pid\n' "$2" "$1" >"/etc/init.d/$1"
	chmod +x "/etc/init.d/$1"
	[ -z "${3-}" ] || echo "$3" >"/etc/conf.d/$1"
}
rc-service web stop
rm /etc/conf.d/web /etc/rdomain/blue.conf /etc/rdomain/red.conf
rdomain down blue red
rm -rf /etc/netns/blue /etc/netns/red
ip link add card type veth peer name switch
ip link set card up
ip link set switch up
printf '[Domain]\nKind=netns\n[Link eth0]\nKind=macvlan\nParent=card\nAddress=10.20.0.5/24\n' >/etc/rdomain/lan.conf
printf '[Domain]\nKind=netns\n[Link eth0]\nKind=veth\nPeer=to-db\nOuter=private\nAddress=192.0.2.6/30\nPeerAddress=192.0.2.5/30\n' >/etc/rdomain/db.conf
sed -i 's/^Peer=.*/&\nMasquerade=yes/' /etc/rdomain/private.conf
printf '[Publish]\nListen=80\nConnect=8082\n' >>/etc/rdomain/private.conf
ok "a port is published" rdomain reload private
for id in lan db; do ln -sf rdomain "/etc/init.d/rdomain.$id"; done
service admin 10.20.0.5:8443 netns=lan
service store 192.0.2.6:5432 netns=db
service probe 9100
rc-update -u >/dev/null 2>&1
ok "start" rc-service probe start
echo netns=lan >/etc/conf.d/probe
ok "start those with a line" sh -c "rc-service admin start && rc-service store start"
ok "all listen" await sh -c "[ \$(rdgen status | grep -c '^  service .*, tcp') = 4 ]"
rdgen status --json | sed -E 's/("pid"|"main"): [0-9]+/\1: 812/; s/process [0-9]+ /process 812 /; s/fe80::[0-9a-f:]+/fe80::1/
	s/("(received|sent)_(bytes|dropped)"): [0-9]+/\1: 0/' >/srv/status.json
