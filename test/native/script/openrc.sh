#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# OpenRC's services in a namespace and in none, each in three ways to write one:
# started, killed, restarted, reloaded, stopped, and refused.
ip link set lo up
mkdir -p /etc/rdomain /etc/conf.d /etc/netns/t1 /srv
echo nameserver 192.0.2.53 >/etc/netns/t1/resolv.conf
rm -f /etc/resolv.conf
echo nameserver 198.51.100.53 >/etc/resolv.conf
: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
ln -s rdomain /etc/init.d/rdomain.t1

# script NAME: the init script of standard input, with an instance in t1.
script()
{
	{
		echo '#!/sbin/openrc-run'
		cat
	} >"/etc/init.d/$1"
	chmod +x "/etc/init.d/$1"
	ln -s "$1" "/etc/init.d/$1.t1"
	echo port=81 >"/etc/conf.d/$1"
	printf 'netns=t1\n' >"/etc/conf.d/$1.t1"
}
script decl <<'X'
port=8110
command=/usr/local/bin/probe
command_args="serve 0.0.0.0:$port"
command_background=yes
pidfile="/run/$RC_SVCNAME.pid"
extra_started_commands=where
start_pre() { cat /etc/resolv.conf >"/run/resolv.$RC_SVCNAME"; }
where() { readlink /proc/self/ns/net >"/run/where.$RC_SVCNAME"; }
X
script super <<'X'
port=8120
supervisor=supervise-daemon
command=/usr/local/bin/probe
command_args="serve 0.0.0.0:$port"
pidfile="/run/$RC_SVCNAME.pid"
respawn_delay=1
healthcheck_delay=1
healthcheck_timer=600
healthcheck() { readlink /proc/self/ns/net >"/run/health.$RC_SVCNAME"; }
X
script own <<'X'
port=8130
start() { start-stop-daemon --start --background --make-pidfile --pidfile "/run/$RC_SVCNAME.pid" --exec /usr/local/bin/probe -- serve "0.0.0.0:$port"; }
stop() { start-stop-daemon --stop --pidfile "/run/$RC_SVCNAME.pid" --retry 5; }
X
rc-update -u >/dev/null 2>&1
started() { rc-service "$1" status 2>&1 | grep -q started; }
in_t1() { grep -qxF "net:[$(stat -Lc %i /run/netns/t1)]" "$1"; }
another() { [ -n "$(pid_in "$1")" ] && [ "$(pid_in "$1")" != "$2" ]; }

for s in decl super own; do
	ok "$s starts" rc-service "$s" start
	ok "$s.t1 starts" rc-service "$s.t1" start
	ok "$s.t1 says so" await started "$s.t1"
done
ok "which started the domain" started rdomain.t1
ok "those of t1 listen inside" await inside_t1 "8110 8120 8130 "
ok "the others outside" await outside "8110 8120 8130 "
ok "the namespace is needed by them" sh -c '"$(ls /lib/rc/bin/rc-depend /usr/libexec/rc/bin/rc-depend 2>/dev/null)" -t ineed decl.t1 | grep rdomain.t1'
ok "a function runs inside, with the domain's resolver" grep -qx 'nameserver 192.0.2.53' /run/resolv.decl.t1
ok "and outside with the host's" cmp /etc/resolv.conf /run/resolv.decl
rc-service decl.t1 where >/dev/null
ok "so does one that is asked for later" in_t1 /run/where.decl.t1
ok "and one that supervise-daemon asks for" await in_t1 /run/health.super.t1
old=$(pid_in 8120)
kill -9 "$old"
ok "supervise-daemon runs it again, inside" await another 8120 "$old"
old=$(pid_in 8110)
ok "restart" rc-service decl.t1 restart
ok "is inside" await another 8110 "$old"
ok "stop" rc-service own.t1 stop
ok "stops its own" await inside_t1 "8110 8120 "
ok "and no other" outside "8110 8120 8130 "

# conf.d is edited below a running service: it stays where it is until a restart.
: >/etc/conf.d/decl.t1
rc-service decl stop >/dev/null 2>&1
rc-service decl.t1 where >/dev/null 2>&1
ok "an edit does not move what runs" in_t1 /run/where.decl.t1
ok "a restart does" rc-service decl.t1 restart
ok "to the outside" await outside "8110 8120 8130 "
ok "and a stop stops it" rc-service decl.t1 stop
# start-stop-daemon takes a process for gone that is about to end.
ok "and it is gone" await outside "8120 8130 "
echo netns=t1 >/etc/conf.d/decl.t1

# What cannot be entered does not start, and nothing of it runs.
for d in missing "'t1 -v x'"; do
	ln -s decl /etc/init.d/decl.bad
	echo "netns=$d" >/etc/conf.d/decl.bad
	fails "netns=$d" rc-service decl.bad start
	ok "leaves nothing" outside "8120 8130 "
	rm /etc/init.d/decl.bad
done
# What was meant to name a domain starts nothing, and says the line.
for line in 'netns = t1' 'netns: t1' 'vrf t1' 'NETNS=t1' '(netns=t1)' '\357\273\277netns=t1' '\357\275\216\357\275\205\357\275\224\357\275\216\357\275\223=t1'; do
	ln -s decl /etc/init.d/decl.slip
	# shellcheck disable=SC2059 # the line has escapes
	printf "port=81\n$line\n:\n" >/etc/conf.d/decl.slip
	fails "$line" rc-service decl.slip start
	ok "$line is named" sh -c 'rc-service decl.slip start 2>&1 | grep -q /etc/conf.d/decl.slip:2:'
	ok "$line leaves nothing" outside "8120 8130 "
	rm /etc/init.d/decl.slip /etc/conf.d/decl.slip
done
# A link to a script of another folder and another name: OpenRC up to 0.56 knows it by that
# one, up to 0.63 it reads the conf.d there. None starts it outside.
mkdir -p /opt/x/init.d
sed s/8110/8140/ /etc/init.d/decl >/opt/x/init.d/real
chmod +x /opt/x/init.d/real
inside_or_told() { grep -q "does not read /etc/conf.d/web" /tmp/web || [ -n "$(pid_in 8110)$(pid_in 8140)" ]; }
for link in /opt/x/init.d/real ./decl; do
	ln -sf "$link" /etc/init.d/web
	printf 'port=8140\nnetns=t1\n' >/etc/conf.d/web
	rc-service web start >/tmp/web 2>&1
	ok "a link to $link is nowhere outside" outside "8120 8130 "
	ok "but inside, or not at all, with the reason" await inside_or_told
	# Up to 0.56 OpenRC takes one of another folder that did not start for one that is starting.
	grep -q "does not read" /tmp/web || rc-service web stop >/dev/null 2>&1
	rm /etc/init.d/web
done
chmod -x /usr/sbin/rdexec
fails "without rdexec" rc-service decl.t1 start
chmod +x /usr/sbin/rdexec
# busybox's setpriv takes no privilege away.
! setpriv --help 2>&1 | grep -q bounding-set ||
	fails "without the privilege" setpriv --bounding-set=-sys_admin rc-service decl.t1 start
ok "then it starts" rc-service decl.t1 start
ok "inside" await inside_t1 "8110 8120 "
ok "the domain goes with the services in it" rc-service rdomain.t1 stop
ok "and no others" outside "8120 8130 "
fails "and the namespace" test -e /run/netns/t1
for s in super own; do rc-service $s stop >/dev/null 2>&1; done
ok "nothing is left" await sh -c '! pgrep -x probe && ! find /sys/fs/cgroup -name "openrc.*.t1" | grep .'
mkdir -p /etc/runlevels/default
rc-update add decl.t1 default >/dev/null

# A name for the default domain, which a service would enter and be where it was.
: >/run/netns/same; mount --bind /proc/1/ns/net /run/netns/same
ln -s rdomain /etc/init.d/rdomain.same; ln -s own /etc/init.d/own.same
printf 'netns=same\n' >/etc/conf.d/own.same
fails "a name for the namespace of pid 1 is no domain" rc-service own.same start
ok "which rdomain says" has "rdomain up same 2>&1" 'the network namespace of pid 1'
ok "and rdexec" has "rdexec -n same true 2>&1" 'the network namespace of pid 1'
umount /run/netns/same; rm /run/netns/same
