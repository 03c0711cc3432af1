#!/bin/sh
# shellcheck disable=SC2034 # of cut.sh
# What cut.sh asks of OpenRC: a service, in the namespace private.
ip link set lo up
cd /root || exit 1
packages='rdgen-openrc rdgen'
port=8110
: >/etc/insserv.conf
cat >/etc/init.d/web <<'I'
#!/sbin/openrc-run
command=/bin/busybox
command_args="httpd -f -p 8110 -h /srv"
command_background=yes
pidfile="/run/web.pid"
I
chmod +x /etc/init.d/web
mkdir -p /srv /etc/conf.d
ln -s rdomain /etc/init.d/rdomain.private
echo netns=private >/etc/conf.d/web
refresh() { rc-update -u; }
restart() { rc-service web restart; }
main() { cat /run/web.pid; }
end() { kill "$(cat /run/web.pid)"; await sh -c '! kill -0 $(cat /run/web.pid)'; rc-service web zap; }
