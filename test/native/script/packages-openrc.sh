#!/bin/sh
# Debian's packages of rdgen with OpenRC, below a service in a namespace.
ip link set lo up
cd /root || exit 1
: >/etc/insserv.conf
ok "they are installed" dpkg -i rdgen_0.1.0-1_amd64.deb rdgen-openrc_0.1.0-1_amd64.deb
cat >/etc/init.d/web <<'X'
#!/sbin/openrc-run
command=/bin/busybox
command_args="httpd -f -p 8110 -h /srv"
command_background=yes
pidfile="/run/web.pid"
X
chmod +x /etc/init.d/web
ln -s rdomain /etc/init.d/rdomain.t1
echo netns=t1 >/etc/conf.d/web
mkdir -p /srv
rc-update -u >/dev/null 2>&1
ok "it starts" rc-service web start
is "inside" t1 sh -c 'rdomain identify $(cat /run/web.pid)'
pid=$(cat /run/web.pid)
same() { [ "$(cat /run/web.pid)" = "$pid" ] && [ "$(rdomain identify "$pid")" = t1 ]; }
for version in 0.2.0 0.1.0; do
	ok "to $version" dpkg -i "rdgen_$version-1_amd64.deb" "rdgen-openrc_$version-1_amd64.deb"
	ok "it goes on where it is" same
	ok "rdgen check" rdgen check
done
ok "it restarts" rc-service web restart
is "inside once more" t1 sh -c 'rdomain identify $(cat /run/web.pid)'
ok "they are removed, and say what does not start" sh -c 'dpkg -r rdgen-openrc rdgen | grep -F web'
ok "it goes on" kill -0 "$(cat /run/web.pid)"
kill "$(cat /run/web.pid)"
awaited sh -c '! kill -0 $(cat /run/web.pid)'
rc-service web zap >/dev/null 2>&1
fails "it does not start outside" rc-service web start
is "nothing answers" "" sh -c 'ss -Htln sport = 8110'
ok "installed again" dpkg -i rdgen_0.2.0-1_amd64.deb rdgen-openrc_0.2.0-1_amd64.deb
ok "it starts as before" rc-service web start
is "inside as before" t1 sh -c 'rdomain identify $(cat /run/web.pid)'
ok "they are purged" dpkg -P rdgen-openrc rdgen
is "nothing of it is left" "" sh -c 'find /etc /usr -name "*rdgen*" ! -name "rdgen-agent*" ! -path "/usr/lib/rdgen*"'
ok "what others wrote stays" test -e /etc/conf.d/web
