#!/bin/sh
# A ruleset of a namespace, under systemd and under OpenRC: it holds for a service there, a
# reload replaces it under the running service, and one that is wrong leaves the domain
# down, and the service.
ip link set lo up
mkdir -p /etc/rdomain /etc/conf.d /srv
cat >/etc/rdomain/dmz.conf <<'E'
[Domain]
Firewall=/etc/rdomain/dmz.nft
[Link veth0]
Kind=veth
Peer=veth-dmz
Address=192.0.2.2/30
PeerAddress=192.0.2.1/30
E
# lets PORT: the ruleset that lets in this one.
lets()
{
	printf '#!/usr/sbin/nft -f\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tiifname veth0 tcp dport %s accept\n\t}\n}\n' \
		"$1" >/etc/rdomain/dmz.nft
}
echo netns=dmz >/etc/conf.d/web
if [ -d /run/systemd/system ]; then
	printf '[Service]\nExecStart=/bin/busybox httpd -f -p 8081 -h /srv\n' >/etc/systemd/system/web.service
	systemctl daemon-reload
	verb() { systemctl "$2" "$1"; }
	domain=rdomain@dmz
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 8081 -h /srv"\ncommand_background=yes\npidfile=/run/web.pid\n' >/etc/init.d/web
	chmod +x /etc/init.d/web; ln -s rdomain /etc/init.d/rdomain.dmz
	rc-update -u >/dev/null 2>&1
	verb() { rc-service "$1" "$2"; }
	domain=rdomain.dmz
fi
answers() { await nc -z -w 1 192.0.2.2 8081; }
silent() { ! nc -z -w 1 192.0.2.2 8081; }
server() { pgrep -o -f '^/bin/busybox httpd -f -p 8081'; }

lets 8080
ok "the service starts, with its domain" verb web start
ok "it listens" await sh -c "ip netns exec dmz ss -Htln | grep -q :8081"
ok "what the ruleset does not let in does not reach it" silent
pid=$(server)
lets 8081
ip -n dmz link set veth0 down
ok "the watch, woken, puts the link right" await sh -c 'ip -n dmz link show up veth0 | grep -q veth0'
ok "and loads nothing that nobody reloaded" silent
fails "check sees that the file has another one" rdomain check dmz
ok "reload" verb $domain reload
ok "its port is let in" answers
ok "it is the service that ran before" [ "$pid" = "$(server)" ]
ok "the domain is right" rdomain check dmz
lets none
fails "a ruleset that is wrong is not loaded" verb $domain reload
ok "the one before holds" answers
ok "the domain stops, with the service" verb $domain stop
fails "it does not start with a ruleset that is wrong" verb web start
ok "nor is there a namespace" sh -c '! ip netns list | grep dmz'
fails "nor a server" server
lets 8081
[ ! -d /run/systemd/system ] || systemctl reset-failed
ok "with one that is right it starts" verb web start
ok "and answers" answers
