#!/bin/sh
# What docs/overlap.md has made, with a service at each site that the init system starts, and
# the host "world" on the machine's own network.
for site in a b; do
	echo netns=site-$site >/etc/conf.d/page-$site
	if [ -d /run/systemd/system ]; then
		printf '[Service]\nExecStart=/bin/busybox httpd -f -p 80 -h /srv/%s\n' $site >/etc/systemd/system/page-$site.service
	else
		printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 80 -h /srv/%s"\ncommand_background=yes\npidfile=/run/page-%s.pid\n' $site $site >/etc/init.d/page-$site
		chmod +x /etc/init.d/page-$site
		ln -sf rdomain /etc/init.d/rdomain.site-$site
	fi
done
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	verb() { systemctl "$1" page-a page-b; }
	down() { systemctl stop rdomain@site-a rdomain@site-b; }
else
	verb() { rc-service page-a "$1" && rc-service page-b "$1"; }
	down() { rc-service rdomain.site-a stop && rc-service rdomain.site-b stop; }
fi
get() { ip netns exec "$1" busybox wget -q -T 10 -O - "http://$2/"; }
listens() { ip netns exec site-a ss -Htln | grep -q :80 && ip netns exec site-b ss -Htln | grep -q :80; }
ok "a service at each site starts" verb start
ok "and listens" await listens
is "the first is reached by its address" "this is a" get world 192.0.2.10
is "and the second" "this is b" get world 192.0.2.11
is "10.0.0.9 is the first's to the first" "this is a" get site-a 10.0.0.9
is "and the second's to the second" "this is b" get site-b 10.0.0.9
fails "a site's machine does not reach the world" get at-a 192.0.2.9
asked() { tcpdump -nr "/run/test/$1.pcap" 'tcp[tcpflags] == tcp-syn and dst 10.0.0.9' 2>/dev/null | sed 's/.* IP \([0-9.]*\)\.[0-9]* > .*/\1/' | sort -u | tr '\n' ' '; }
by() { [ "$(asked "$1")" = "$2 " ]; }
ok "each site saw its own machine alone" await by a 10.0.0.1
ok "both" await by b 10.0.0.1
ok "the services stop" verb stop
ok "and the domains go" down
rm -f /etc/init.d/rdomain.site-* /etc/conf.d/page-* /etc/init.d/page-*
[ ! -d /run/systemd/system ] || systemctl daemon-reload
