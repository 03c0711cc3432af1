#!/bin/sh
# A user's session in a namespace: all of the user's services are in it, and one that
# wants another domain does not start. OpenRC 0.60 and newer has user services.
ip link set lo up
mkdir -p /etc/rdomain /etc/conf.d /srv
ln -s rdomain /etc/init.d/rdomain.t1
ln -s rdomain /etc/init.d/rdomain.t2
ln -s user /etc/init.d/user.alice
echo netns=t1 >/etc/conf.d/user.alice
echo 'export XDG_RUNTIME_DIR=/run/user/$(id -u)' >/etc/profile.d/runtime.sh
useradd -m -s /bin/sh alice 2>/dev/null
home=/home/alice/.config/rc
mkdir -p "/run/user/$(id -u alice)" $home/runlevels/default $home/conf.d $home/init.d
# web NAME PORT: a service of hers in her default runlevel.
web()
{
	cat >"$home/init.d/$1" <<X
#!/sbin/openrc-run
command=/bin/busybox
command_args="httpd -f -p $2 -h /srv"
command_background=yes
pidfile="\$XDG_RUNTIME_DIR/\$RC_SVCNAME.pid"
X
	chmod +x "$home/init.d/$1"
	ln -s "../../init.d/$1" $home/runlevels/default/
}
web plain 8160
web other 8161
web same 8162
echo netns=t2 >$home/conf.d/other
echo netns=t1 >$home/conf.d/same
chown -R alice /home/alice "/run/user/$(id -u alice)"
rc-update -u >/dev/null 2>&1
ports() { "$@" ss -Htln | sed -n 's/.*:\(81[0-9]*\) .*/\1/p' | sort -u | tr '\n' ' '; }
listen_in() { [ "$(ports ip netns exec "$1")" = "$2" ]; }
quiet() { [ -z "$(ports env)" ]; }

ok "the other domain is there" rc-service rdomain.t2 start
rc-service user.alice start >/dev/null 2>&1
ok "her services are in t1" awaited listen_in t1 "8160 8162 "
ok "none of them elsewhere" listen_in t2 ""
ok "and none outside" quiet
rc-service user.alice stop >/dev/null 2>&1
ok "they stop with the session" awaited listen_in t1 ""
ok "and nothing runs" sh -c '! pgrep -x busybox'
