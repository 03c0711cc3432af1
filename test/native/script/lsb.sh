#!/bin/sh
# LSB scripts under OpenRC: Debian's own of nginx, and two written for this. However one is
# called, its service is in the domain that conf.d names.
# shellcheck disable=SC2086 # a call is words
ip link set lo up
mkdir -p /etc/conf.d /etc/rc2.d
# Debian's OpenRC depends on insserv, which is not there, and reads its files.
mkdir -p /etc/insserv.conf.d
: >/etc/insserv.conf
ln -s rdomain /etc/init.d/rdomain.t1

# script NAME PORT: an LSB script; what it is asked to do is in /run/NAME.asked.
script()
{
	cat >"/etc/init.d/$1" <<X
#!/bin/sh
### BEGIN INIT INFO
# Provides: $1
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
set -e
DAEMON=/usr/local/bin/probe
test -x \$DAEMON || exit 0
. /lib/lsb/init-functions
echo "\$1" >>/run/$1.asked
case "\$1" in
start) start-stop-daemon --start --quiet --background --oknodo --make-pidfile --pidfile /run/$1.pid --exec \$DAEMON -- serve 0.0.0.0:$2 ;;
stop) start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile /run/$1.pid --remove-pidfile ;;
restart | force-reload) "\$0" stop; "\$0" start ;;
reload) ;;
status) status_of_proc -p /run/$1.pid \$DAEMON $1 ;;
*) echo "Usage: \$0 {start|stop|restart}" >&2; exit 3 ;;
esac
X
	chmod +x "/etc/init.d/$1"
}
another() { [ -n "$(pid_in "$1")" ] && [ "$(pid_in "$1")" != "$2" ]; }
script plain 8110
script named 8120
script dotted.a 8130
cat >/etc/init.d/library <<'X'
#!/usr/bin/env /lib/init/init-d-script
### BEGIN INIT INFO
# Provides: library
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
DESC=library
DAEMON=/usr/local/bin/probe2
PIDFILE=/run/library.pid
START_ARGS="--background --make-pidfile"
DAEMON_ARGS="serve 0.0.0.0:8140"
X
chmod +x /etc/init.d/library
cp /usr/local/bin/probe /usr/local/bin/probe2 # its stop ends all of one program
echo netns=t1 | tee /etc/conf.d/named /etc/conf.d/dotted /etc/conf.d/library /etc/conf.d/nginx >/dev/null
ln -s ../init.d/named /etc/rc2.d/S01named

rc-update -u >/dev/null 2>&1

ok "one without conf.d starts" rc-service plain start
ok "outside" await outside "8110 "
# One with a conf.d that names no domain is as it was: a start of what runs does nothing.
script other 8160
echo rc_want=nothing >/etc/conf.d/other
sed -i '/^status)/d' /etc/init.d/other
port() { listening /proc/self/ns/net | sed -n "s/^$1 //p"; }
for call in "rc-service other" "/etc/init.d/other" "service other"; do
	ok "$call start" $call start
	ok "$call: outside" await outside "8110 8160 "
	was=$(port 8160)
	ok "$call start again" $call start
	is "$call: the same process" "$was" port 8160
	ok "$call restart" $call restart
	ok "$call stop" $call stop
	ok "$call: gone" await outside "8110 "
done
rm /etc/conf.d/other
for call in "rc-service named" "/etc/init.d/named" "service named" "/etc/rc2.d/S01named" "sh /etc/init.d/named" "bash /etc/init.d/named" "invoke-rc.d --force named"; do
	ok "$call start" $call start
	ok "$call: inside" await inside_t1 "8120 "
	ok "$call status" $call status
	was=$(pid_in 8120)
	ok "$call restart" $call restart
	ok "$call restart: inside" await another 8120 "$was"
	was=$(pid_in 8120)
	ok "$call force-reload" $call force-reload
	ok "$call force-reload: inside" await another 8120 "$was"
	ok "$call: none is outside" outside "8110 "
	ok "$call stop" $call stop
	ok "$call stop: gone" await inside_t1 ""
	fails "$call status after stop" $call status
done
ok "by its name in its folder" sh -c 'cd /etc/init.d && sh named start'
ok "inside" await inside_t1 "8120 "
ok "stops" sh -c 'cd /etc/init.d && ./named stop'
ok "a name with a dot has the conf.d of what is before it" rc-service dotted.a start
ok "inside" await inside_t1 "8130 "
ok "stops" rc-service dotted.a stop
ok "one whose shell is init-d-script" rc-service library start
ok "inside" await inside_t1 "8140 "
ok "restarts" /etc/init.d/library restart
ok "inside" await inside_t1 "8140 "
ok "none is outside" outside "8110 "
ok "stops" rc-service library stop
ok "Debian's nginx" rc-service nginx start
is "inside" t1 sh -c 'rdomain identify $(cat /run/nginx.pid)'
ok "reloads" rc-service nginx reload
ok "restarts" service nginx restart
is "inside" t1 sh -c 'rdomain identify $(cat /run/nginx.pid)'
ok "stops" /etc/init.d/nginx stop
ok "gone" await test ! -e /run/nginx.pid

# What was started before conf.d named a domain, or by somebody else, is not taken for one
# that is inside.
for command in start restart; do
	rm -f /etc/conf.d/named
	ok "$command: started without conf.d" /etc/init.d/named start
	ok "$command: outside" await outside "8110 8120 "
	echo netns=t1 >/etc/conf.d/named
	rc-update -u >/dev/null 2>&1
	ok "$command: its status" rc-service named status
	ok "$command" rc-service named "$command"
	ok "$command: inside" await inside_t1 "8120 "
	ok "$command: none is outside" outside "8110 "
	ok "$command: stops" rc-service named stop
	ok "$command: gone" await inside_t1 ""
done
rm -f /etc/conf.d/named
ok "started without conf.d" /etc/init.d/named start
ok "outside" await outside "8110 8120 "
echo netns=t1 >/etc/conf.d/named
ok "is stopped" /etc/init.d/named stop
ok "gone" await outside "8110 "
# A daemon's environment is that of openrc-run, and it calls scripts.
rm -f /etc/conf.d/named
ok "OpenRC starts it outside" openrc-run /etc/init.d/named start
ok "outside" await outside "8110 8120 "
echo netns=t1 >/etc/conf.d/named
rc-update -u >/dev/null 2>&1
ok "called with that environment" env RC_SERVICE=/etc/init.d/named RC_SVCNAME=named RC_OPENRC_PID="$(cat /run/plain.pid)" /etc/init.d/named restart
ok "none is outside" await outside "8110 "
ok "inside" await inside_t1 "8120 "
ok "stops" rc-service named stop
# A script that cannot be stopped.
sed -i 's/^stop) .*/stop) exit 1 ;;/' /etc/init.d/named
rm -f /etc/conf.d/named
ok "started without conf.d" /etc/init.d/named start
ok "outside" await outside "8110 8120 "
echo netns=t1 >/etc/conf.d/named
fails "one that cannot be stopped does not start inside" rc-service named start
ok "and says so" sh -c 'rc-service named start 2>&1 | grep -q "named: it runs in the default domain, and does not stop"'
start-stop-daemon --stop --quiet --retry 5 --pidfile /run/named.pid --remove-pidfile
# One that cannot be asked.
sed -i '/^status)/d; s/^stop) .*/stop) ;;/' /etc/init.d/named
fails "one without status is not started by itself" /etc/init.d/named start
ok "and says so" sh -c '/etc/init.d/named start 2>&1 | grep -q "named: its script has no status"'
ok "but by openrc-run, as at boot" openrc-run /etc/init.d/named start
ok "inside" await inside_t1 "8120 "
ok "stops" openrc-run /etc/init.d/named stop
start-stop-daemon --stop --quiet --retry 5 --pidfile /run/named.pid --remove-pidfile

script named 8120
echo netns=nowhere >/etc/conf.d/named
printf 'netns=x y\n' >/etc/conf.d/dotted
rc-update -u >/dev/null 2>&1
fails "a domain that is not there" rc-service named start
fails "a line that is wrong" /etc/init.d/dotted.a start
ln -sf /nowhere /etc/conf.d/library
fails "a conf.d that is a link to nowhere" service library start
mv /usr/sbin/rdexec /root/
echo netns=t1 >/etc/conf.d/named
fails "no rdexec" rc-service named start
mv /root/rdexec /usr/sbin/
mv /usr/libexec/rdgen/openrc.sh /root/
fails "no hook" rc-service named start
mv /root/openrc.sh /usr/libexec/rdgen/
ok "nothing is outside" outside "8110 "
ok "nothing is inside" inside_t1 ""
