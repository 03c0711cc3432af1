#!/bin/sh
# What rdgen status says of services that are where they should be, and of each way in which
# one is not; under systemd, OpenRC and s6.
# shellcheck disable=SC2034 # until_ evaluates
ip link set lo up
mkdir -p /etc/conf.d /etc/rdomain /etc/netns/blue /srv /srv/scan
rm -f /etc/resolv.conf
echo nameserver 198.51.100.53 >/etc/resolv.conf
for id in blue red; do printf '[Domain]\nKind=netns\n[Link veth0]\nKind=veth\nPeer=v-%s\nAddress=192.0.2.2/30\n' "$id" >"/etc/rdomain/$id.conf"; done
echo netns=blue >/etc/conf.d/web
httpd='/bin/busybox httpd -f -p 8081 -h /srv'
if [ "${kind:=own}" = s6 ]; then
	mkdir -p /etc/s6-rc/source/web
	echo longrun >/etc/s6-rc/source/web/type
	printf '#!/bin/execlineb -P\n%s\n' "$httpd" >/etc/s6-rc/source/web/run
	chmod +x /etc/s6-rc/source/web/run
	ln -sf rdomain /etc/init.d/rdomain.blue
	rdgen s6 web -o /
	setsid s6-svscan /srv/scan >/srv/scan.log 2>&1 &
	await s6-svscanctl -z /srv/scan
	put() { cp -R /etc/s6-rc/source/web /srv/scan/ && s6-svscanctl -a /srv/scan && await s6-svok /srv/scan/web; }
	start() { if [ -e /srv/scan/web/run ]; then s6-svc -u /srv/scan/web; else put; fi; }
	stop() { s6-svc -d /srv/scan/web && await sh -c "! s6-svstat -o up /srv/scan/web | grep -q true"; }
	init=s6
elif [ -d /run/systemd/system ]; then
	printf '[Service]\nExecStart=%s\n' "$httpd" >/etc/systemd/system/web.service
	systemctl daemon-reload
	start() { systemctl start web; }
	stop() { systemctl stop web; }
	init=systemd
else
	: >/etc/insserv.conf # which OpenRC looks for on Debian, and which is not there
	printf '#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args="httpd -f -p 8081 -h /srv"\ncommand_background=yes\npidfile=/run/web.pid\n' >/etc/init.d/web
	chmod +x /etc/init.d/web
	rc-update -u >/dev/null 2>&1
	start() { rc-service web start; }
	stop() { rc-service web stop; }
	init=openrc
fi
rdomain up blue red
server() { pgrep -f '^/bin/busybox httpd -f -p 8081'; }
runs() { start && await server; }
# says PATTERN: that the status has such a line, sooner or later.
says() { await sh -c "rdgen status | grep -q -- '$1'" || { rdgen status; return 1; }; }
fine() { await rdgen status >/dev/null; }
drifts() { ! rdgen status >/dev/null && says "!! web: process [0-9]* (.*$1"; }
kind_is() { rdgen status --json | grep -q "\"kind\": \"$1\""; }

ok "a service that does not run is no drift" rdgen status
ok "it is said" says 'service *web *- *stopped'
ok "start" runs
ok "inside, and nothing is wrong" fine
ok "the domain with its state" says '^blue: up, netns'
ok "its link with its address" says 'link *veth0 *up *192.0.2.2/30'
ok "the service with its process and where it listens" says "service *web *$(server) *in blue, tcp .*:8081"
ok "as JSON" sh -c "rdgen status --json | grep -q '\"main\": $(server)'"
ok "with the init system" sh -c "rdgen status --json | grep -A1 '\"inits\"' | grep -q '$init'"

# Numbers for Prometheus, each minute, and a line for each change.
numbers=/var/lib/prometheus/node-exporter/rdgen.prom
if [ "$init" = systemd ]; then
	cp /srv/rdgen-status.service /srv/rdgen-status.timer /etc/systemd/system/
	systemctl daemon-reload
	ok "the timer" systemctl enable --now rdgen-status.timer
	said='journalctl -q -o cat -t rdgen'
else
	# What cron does with the line, and its own folder for logger.
	mkdir -p /srv/bin
	printf '#!/bin/sh\ncat >>/srv/journal\n' >/srv/bin/logger
	chmod +x /srv/bin/logger
	ok "the line of cron" env "PATH=/srv/bin:$PATH" sh -c "$(sed -n 's/^[*] [*] [*] [*] [*] root //p' /srv/rdgen-status.cron)"
	said='cat /srv/journal'
fi
ok "writes numbers" await grep -q '^rdgen_service_running{domain="blue",service="web"} 1$' $numbers
ok "the journal has the domain" await sh -c "$said | grep -qx 'blue: up, netns'"

# The line now names another domain: what runs was started before.
sed -i 's/blue/red/' /etc/conf.d/web
ok "started before the line" drifts 'is in blue and not in netns red: it was started before /etc/conf.d/web:1 said so'
ok "its kind" kind_is before
sed -i 's/red/blue/' /etc/conf.d/web
touch -d '2020-01-01' /etc/conf.d/web

# The domain is made once more: the service is in what it was.
ok "down" rdomain down blue
ok "left in a domain that is down" drifts 'is in what blue was before it was taken down'
ok "up" rdomain up blue
ok "left in what had the name" drifts 'is in what blue was before it was taken down'
ok "its kind" kind_is gone
stop
ok "start again" runs
ok "nothing is wrong" fine
ip netns del blue
ip netns add blue
ok "left by somebody else's ip netns del" drifts 'is in a network namespace without a name, and not in netns blue'
stop
ip netns del blue
rdomain down blue
rdomain up blue
ok "start again" runs
ok "nothing is wrong" fine

# A process of the service that is elsewhere, in another domain and in none.
if [ "$init" = s6 ]; then
	stray()
	{
		stop
		printf '#!/bin/sh\nexec %s\n' "$*" >/srv/scan/web/run
		start
		await pgrep -f '^([^ ]*/)?sleep infinity'
	}
	tidy()
	{
		stop
		pkill -f '^([^ ]*/)?sleep infinity'
		cp /etc/s6-rc/source/web/run /srv/scan/web/run
		runs
	}
else
	stray()
	{
		cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(server)/cgroup")
		sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroup" "$@" >/dev/null 2>&1 &
		await grep -q "$!" "$cgroup/cgroup.procs"
	}
	tidy() { pkill -f '^([^ ]*/)?sleep infinity'; }
fi
stray ip netns exec red /bin/sleep infinity
ok "in another domain" drifts 'is in red and not in netns blue$'
ok "its kind" kind_is elsewhere
tidy
ok "and no more" fine
stray /bin/sleep infinity
ok "in the default domain" drifts 'is in the default domain and not in netns blue$'
tidy
ok "and no more" fine

# One that isolates itself is nowhere it could do harm.
printf '#!/bin/sh\nunshare -n sleep infinity\n:\n' >/usr/local/bin/isolates
chmod +x /usr/local/bin/isolates
stray ip netns exec blue /usr/local/bin/isolates
ok "in a namespace of its own making" says 'sleep *[0-9]* *in a network namespace without a name'
ok "is no drift" fine
tidy

# The domain gets resolvers of its own while the service runs.
echo nameserver 192.0.2.1 >/etc/netns/blue/resolv.conf
ok "the resolver of the host" drifts "looks up names by the host.s /etc/resolv.conf, and not by /etc/netns/blue/resolv.conf"
ok "its kind" kind_is resolver
ok "the command that mends it" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
ok "with the domain's" fine
ok "and it listens again" says 'service *web *[0-9]* *in blue, tcp .*:8081'

# A service gets a socket that waited in the default domain before its line was there.
if [ "$init" = systemd ]; then
	printf '[Socket]\nListenStream=127.0.0.1:8083\n' >/etc/systemd/system/late.socket
	printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/late.service
	systemctl daemon-reload
	systemctl start late.socket
	echo netns=blue >/etc/conf.d/late
	systemctl daemon-reload
	ok "start with a socket of before" systemctl restart late.service
	ok "a socket of the default domain" says '!! late: process [0-9]* (.*listens at tcp 127.0.0.1:8083 of the default domain'
	ok "its kind" kind_is socket
	ok "the command that mends it" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
	ok "with a socket of the domain" fine
	systemctl stop late.service late.socket
	rm /etc/conf.d/late /etc/systemd/system/late.*
	systemctl daemon-reload
fi

ok "as a picture" sh -c "rdgen graph | grep -q '>web: tcp .*:8081<'"
ok "for dot" sh -c "rdgen graph --format dot | grep -q 'box1 -- box0 .label=\"veth0 192.0.2.2/30\"'"

# Who is not root sees less, and says what.
ok "another user" sh -c "! setpriv --reuid=65534 --regid=65534 --clear-groups rdgen status >/tmp/other"
ok "is told what he cannot see" grep -q '^?? web: process .*: only root may look at it' /tmp/other
fails "a terminal is needed to watch" rdgen status --watch
script -qfc 'rdgen status --watch' /tmp/watched >/dev/null </dev/null &
ok "which shows it again and again" await sh -c "[ \$(grep -c 'blue: up, netns' /tmp/watched) -ge 3 ]"
ok "until it is interrupted" pkill -INT -f '^rdgen status --watch'
ok "which ends it" await sh -c "! pgrep -f '^rdgen status --watch'"
