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
gone()
{
	kill "$(cat /run/web.pid)"
	await sh -c '! kill -0 $(cat /run/web.pid)'
	rc-service web zap >/dev/null 2>&1
}
# held FILE: the service does not start outside, and it is said what to do.
held()
{
	gone
	fails "it does not start outside" sh -c 'rc-service web start >/tmp/start 2>&1'
	ok "it is said what to do" sh -c 'grep -F "install rdgen; or remove '"$1"'" /tmp/start || { cat /tmp/start; false; }'
	is "nothing answers" "" sh -c 'ss -Htln sport = 8110'
}
again()
{
	ok "installed again" dpkg -i rdgen_0.2.0-1_amd64.deb rdgen-openrc_0.2.0-1_amd64.deb
	is "nothing holds it" "" find /etc -name "*rdgen-removed*"
	ok "it starts as before" rc-service web start
	is "inside as before" t1 sh -c 'rdomain identify $(cat /run/web.pid)'
}
nothing() { is "nothing of it is left" "" sh -c 'find /etc /usr -name "*rdgen*" ! -name "rdgen-agent*" ! -path "/usr/lib/rdgen*"'; }
kept=/etc/rc.conf.d/51-rdgen-removed.conf
ok "they are removed, and say what does not start" sh -c 'dpkg -r rdgen-openrc rdgen | grep -F web'
ok "it goes on" kill -0 "$(cat /run/web.pid)"
held $kept
again
ok "OpenRC's part is purged alone, and says what stays" sh -c "dpkg -P rdgen-openrc | grep -F $kept"
ok "it goes on" kill -0 "$(cat /run/web.pid)"
held $kept
again
ok "all is purged, and it is said what stays" sh -c "dpkg -P rdgen-openrc rdgen | grep -F $kept"
held $kept
again
ok "removed, and then purged" sh -c 'dpkg -r rdgen-openrc rdgen && dpkg -P rdgen rdgen-openrc'
held $kept
echo '# netns=t1' >/etc/conf.d/web
ok "without the line it starts outside" rc-service web start
ok "there it answers" await sh -c "ss -Htln sport = 8110 | grep -q LISTEN"
gone
rm $kept /etc/user/rc.conf.d/${kept##*/} /etc/systemd/system-generators/rdgen-removed /usr/lib/lsb/init-functions.d/51-rdgen-removed
nothing
ok "installed once more" dpkg -i rdgen_0.2.0-1_amd64.deb rdgen-openrc_0.2.0-1_amd64.deb
ok "purged, and nothing names a domain" dpkg -P rdgen-openrc rdgen
nothing
ok "what others wrote stays" test -e /etc/conf.d/web
