#!/bin/sh
# shellcheck disable=SC2154 # $init is set before
# docs/overlap.md: "at-a" and "at-b" are a host of each site, both with one address, and "world"
# reaches the machine. $init is the machine's init system.

# part: prepare
for s in a b; do
	mkdir -p /srv/in-$s /srv/far-$s
	echo in-$s >/srv/in-$s/index.html
	echo far-$s >/srv/far-$s/index.html
done
# lab builds the network, at each boot.
cat >/usr/local/bin/lab <<'L'
#!/bin/sh
. /usr/local/lib/network.sh
host world at-a at-b
cable w0 world world0; cable eth1 at-a lan; cable eth2 at-b lan
give w0 192.0.2.1/24 192.0.2.10/24 192.0.2.11/24; give_in world world0 192.0.2.9/24
for s in a b; do
	give_in at-$s lan 10.0.0.9/24
	ip netns exec at-$s busybox httpd -p 80 -h /srv/far-$s
done
L
chmod 755 /usr/local/bin/lab
if [ "$init" = systemd ]; then
	printf '[Unit]\nDefaultDependencies=no\nWants=network-pre.target\nBefore=network-pre.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nKillMode=none\nExecStart=/usr/local/bin/lab\n[Install]\nWantedBy=sysinit.target\n' >/etc/systemd/system/lab.service
	for s in a b; do
		printf '[Service]\nExecStart=/bin/busybox httpd -f -p 80 -h /srv/in-%s\n[Install]\nWantedBy=multi-user.target\n' $s >/etc/systemd/system/web-$s.service
		rdgen set web-$s netns=site-$s
	done
	systemctl daemon-reload
	systemctl enable lab web-a web-b
	systemctl start lab web-a web-b
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { /usr/local/bin/lab; }\n' >/etc/init.d/lab
	chmod 755 /etc/init.d/lab
	rc-update add lab boot
	rc-update -u
	/usr/local/bin/lab
	for s in a b; do
		printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 80 -h /srv/in-%s"\ncommand_background=yes\npidfile=/run/web-%s.pid\n' $s $s >/etc/init.d/web-$s
		chmod 755 /etc/init.d/web-$s
		rdgen set web-$s netns=site-$s
		ln -s rdomain /etc/init.d/rdomain.site-$s
		rc-update add web-$s default
		rc-service web-$s start </dev/null >/dev/null 2>&1
	done
fi

# part: sites
get() { fetch 2 "$1" | grep .; }
reached() { [ "$(ip netns exec world fetch 2 "$1")" = "$2" ]; }
far() { [ "$(rdexec -n "$1" -- fetch 2 10.0.0.9)" = "$2" ]; }
ok "the first site is reached at its address" await reached 192.0.2.10 in-a
ok "and the second at its own" await reached 192.0.2.11 in-b
ok "10.0.0.9 is the host of the first" await far site-a far-a
ok "and that of the second" await far site-b far-b
fails "the machine itself reaches neither" get 10.0.0.9
ok "which is right" await rdomain check site-a site-b
ok "and for rdgen" rdgen check
