#!/bin/sh
# rdgen below /opt/rd: a service enters by the hook, its domain is made by the
# init script, and without the hook or rdexec it does not start.
PATH=$PATH:/opt/rd/bin
ip link set lo up
: >/etc/insserv.conf
ln -s rdomain /etc/init.d/rdomain.t1
cat >/etc/init.d/web <<'X'
#!/sbin/openrc-run
command=/bin/busybox
command_args="httpd -f -p 8110 -h /srv"
command_background=yes
pidfile="/run/web.pid"
X
chmod +x /etc/init.d/web
echo netns=t1 >/etc/conf.d/web
rc-update -u >/dev/null 2>&1
ok "nothing is at the usual places" test ! -e /usr/libexec/rdgen -a ! -e /usr/sbin/rdexec
ok "rdgen check" rdgen check
ok "it starts" rc-service web start
ok "its domain is there" test -e /run/netns/t1
is "it is inside" t1 sh -c 'rdomain identify $(cat /run/web.pid)'
ok "it stops" rc-service web stop
mv /opt/rd/bin/rdexec /root/
fails "no rdexec, no service" rc-service web start
mv /root/rdexec /opt/rd/bin/
mv /opt/rd/lib/rdgen /root/
fails "no hook, no service" rc-service web start
is "and nothing was left behind" "" sh -c "ss -Htln | grep 8110"
