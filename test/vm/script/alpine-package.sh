#!/bin/sh
# Alpine's package of rdgen, below a service in a VRF.
cd /root || exit 1
cat >/etc/init.d/web <<'X'
#!/sbin/openrc-run
command=/usr/local/bin/probe
command_args="serve 0.0.0.0:8110"
command_background=yes
pidfile="/run/web.pid"
X
chmod +x /etc/init.d/web
add() { apk add --no-network --allow-untrusted "./rdgen_$1-r1_x86_64.apk"; }
ok "it is installed" add 0.1.0
printf '[Domain]\nKind=vrf\nTable=10\n' >/etc/rdomain/mgmt.conf
ln -s rdomain /etc/init.d/rdomain.mgmt
echo vrf=mgmt >>/etc/conf.d/web
ok "rdgen check" rdgen check web
ok "it starts" rc-service web start
is "inside" mgmt sh -c 'rdomain identify $(cat /run/web.pid)'
pid=$(cat /run/web.pid)
same() { [ "$(cat /run/web.pid)" = "$pid" ] && [ "$(rdomain identify "$pid")" = mgmt ]; }
for version in 0.2.0 0.1.0; do
	touch -d '2001-01-01 00:00:00' /run/openrc/deptree
	ok "to $version" add $version
	ok "and OpenRC's cache is made again" test /run/openrc/deptree -nt /etc/init.d/web
	is "it is that" "rdgen version $version" rdgen --version
	ok "it goes on where it is" same
done
ok "it restarts" rc-service web restart
is "inside once more" mgmt sh -c 'rdomain identify $(cat /run/web.pid)'
ok "it is removed, and says what does not start" sh -c 'apk del --no-network rdgen 2>&1 | tee /tmp/del | grep -F web || { cat /tmp/del; false; }'
ok "no program is left" test ! -e /usr/sbin/rdexec -a ! -e /usr/bin/rdgen -a ! -e /usr/libexec/rdgen
ok "it goes on" kill -0 "$(cat /run/web.pid)"
kill "$(cat /run/web.pid)"
await sh -c '! kill -0 $(cat /run/web.pid)'
rc-service web zap >/dev/null 2>&1
fails "it does not start outside" sh -c 'rc-service web start >/tmp/start 2>&1'
ok "it is said what to do" grep -F "install rdgen; or remove /etc/rc.conf.d/51-rdgen-removed.conf" /tmp/start
fails "nothing answers" sh -c 'netstat -ltn | grep :8110'
ok "installed again" add 0.2.0
is "nothing holds it" "" find /etc -name "*rdgen-removed*"
ok "it starts as before" rc-service web start
is "inside as before" mgmt sh -c 'rdomain identify $(cat /run/web.pid)'
ok "it stops" rc-service web stop
rm /etc/conf.d/web
ok "it is removed, and nothing names a domain" apk del --no-network rdgen
is "nothing of it is left" "" sh -c 'find /etc /usr -name "*rdgen*" ! -name "rdgen-agent*"'
ok "what others wrote stays" test -e /etc/rdomain/mgmt.conf
