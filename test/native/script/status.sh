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
	for id in blue red; do ln -s rdomain "/etc/init.d/rdomain.$id"; done
	rc-update -u >/dev/null 2>&1
	start() { rc-service web start; }
	stop() { rc-service web stop; }
	init=openrc
fi
rdomain up blue red
server() { pgrep -o -f '^/bin/busybox httpd -f -p 8081'; }
runs() { start && await server; }
# says PATTERN: that the status has such a line, sooner or later.
says() { await sh -c "rdgen status | grep -q -- '$1'" || { rdgen status; return 1; }; }
fine() { await rdgen status >/dev/null; }
drifts() { ! rdgen status >/dev/null && says "!! web: process [0-9]* (.*$1"; }
# checked PATTERN: that rdgen check has a note of web, which is no failure; unchecked: that it has none.
checked()
{
	rdgen check 2>/tmp/checked && grep "^rdgen: note: web: process [0-9]* (.*$1" /tmp/checked && return
	cat /tmp/checked
	return 1
}
unchecked() { rdgen check >/tmp/checked 2>&1 && ! grep ': process ' /tmp/checked; }
kind_is() { rdgen status --json | grep -q "\"kind\": \"$1\""; }

ok "a service that does not run is no drift" rdgen status
ok "it is said" says 'service *web *- *stopped'
ok "start" runs
ok "inside, and nothing is wrong" fine
ok "nor for rdgen check" unchecked
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
noted='is in blue and not in netns red: it was started before /etc/conf.d/web:1 said so; '
if [ "$init" = s6 ]; then # whose files are not up to date
	ok "rdgen check notes it" sh -c "rdgen check 2>&1 | grep 'note: web: .*${noted}when the errors are mended, rdgen s6 web -o /, compile'"
else
	ok "rdgen check notes it" checked "$noted"
fi
sed -i 's/red/blue/' /etc/conf.d/web
touch -d '2020-01-01' /etc/conf.d/web

# The domain is made once more: the service is in what it was.
ok "down" rdomain down blue
ok "left in a domain that is down" drifts 'is in what blue was before it was taken down'
ok "up" rdomain up blue
ok "left in what had the name" drifts 'is in what blue was before it was taken down'
ok "its kind" kind_is gone
ok "rdgen check notes it" checked 'is in what blue was before it was taken down; '
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
ok "seen from another domain, too" sh -c "rdexec -n red -- rdgen status | grep '!! web: .* is in the default domain and not in netns blue$'"
ok "rdgen check notes it" checked 'is in the default domain and not in netns blue; '
echo 'netns=a b' >/etc/conf.d/slip
fails "with an error elsewhere" rdgen check
ok "that is to be mended first" sh -c "rdgen check 2>&1 | grep 'note: web: process .* not in netns blue; when the errors are mended, '"
rm /etc/conf.d/slip
tidy
ok "and no more" fine
ok "nor for rdgen check" unchecked

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

# It ran before it had a line; a unit, an init script and no source directory is such.
if [ "$init" != s6 ]; then
	stop
	mv /etc/conf.d/web /srv/line
	[ "$init" = openrc ] || systemctl daemon-reload
	ok "start without a line" runs
	ok "of which nothing is said" unchecked
	cp /srv/line /etc/conf.d/web
	ok "rdgen check notes that it runs outside" checked 'is in the default domain and not in netns blue: it was started before /etc/conf.d/web:1 said so; '
	ok "and if it is asked for this one" sh -c "rdgen check web 2>&1 | grep 'note: web: process .*said so; '"
	is "in another root nothing runs" "" sh -c 'mkdir -p /srv/root/etc && cp -R /etc/conf.d /srv/root/etc && rdgen check --root /srv/root 2>&1 | grep process'
	cat >/srv/away <<-'E'
		mount -t tmpfs away /mnt
		for d in usr etc proc sys run; do mkdir "/mnt/$d" && mount --rbind "/$d" "/mnt/$d"; done
		for d in bin sbin lib lib64; do [ ! -L "/$d" ] || cp -P "/$d" /mnt/; done
		rdgen check 2>&1 | grep -c process
		chroot /mnt rdgen check 2>&1 | grep -c process
	E
	is "in a chroot too" "1
0" unshare -m sh /srv/away
	ok "who is not root" sh -c "setpriv --reuid=65534 --regid=65534 --clear-groups rdgen check >/tmp/other 2>&1"
	is "is told once what he cannot see" 1 grep -c '^rdgen: note: whether services run in their domains was not seen of all: web: process .*: only root may look at it' /tmp/other
	ok "the command that mends it" sh -c "$(sed -n 's/^rdgen: note: web: .* said so; //p' /tmp/checked)"
	ok "and nothing is said" await unchecked
	ok "inside" fine
fi

# A service gets a socket that waited in the default domain before its line was there.
if [ "$init" = systemd ]; then
	printf '[Socket]\nListenStream=127.0.0.1:8083\n' >/etc/systemd/system/late.socket
	printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/late.service
	systemctl daemon-reload
	systemctl start late.socket
	echo netns=blue >/etc/conf.d/late
	systemctl daemon-reload
	waits='late: late.socket listens at tcp 127.0.0.1:8083 of the default domain'
	ok "a socket that waits outside" says "!! $waits"
	ok "rdgen check notes it" sh -c "rdgen check 2>&1 | grep 'note: $waits; systemctl daemon-reload && systemctl restart late.socket$'"
	echo socket_domain=default >>/etc/conf.d/late
	ok "not where that is meant" fine
	ip netns attach host 1
	ok "nor by a name that somebody gave the host's namespace" fine
	ip netns delete host
	echo netns=blue >/etc/conf.d/late
	ok "the command that mends it" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
	ok "it waits in the domain" fine
	systemctl stop late.socket
	rm /etc/conf.d/late
	systemctl daemon-reload
	systemctl start late.socket
	echo netns=blue >/etc/conf.d/late
	systemctl daemon-reload
	ok "start with a socket of before" systemctl restart late.service
	ok "seen from the other domain, too" sh -c "rdexec -n red -- rdgen status | grep '!! late: .* listens at tcp 127.0.0.1:8083 of the default domain'"
	ok "a socket of the default domain" says '!! late: process [0-9]* (.*listens at tcp 127.0.0.1:8083 of the default domain'
	ok "its kind" kind_is socket
	ok "rdgen check notes it" sh -c "rdgen check 2>&1 | grep 'note: late: process .* listens at tcp 127.0.0.1:8083 of the default domain; systemctl daemon-reload && systemctl stop'"
	ok "the command that mends it" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
	ok "with a socket of the domain" fine
	# Both go on to another domain, and back again by halves.
	hears() { rdexec -n "$1" -- cat /proc/net/tcp | grep -q ':1F93 .* 0A '; }
	echo netns=red >/etc/conf.d/late
	ok "the one command for a line of another domain" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
	ok "moves the service" fine
	ok "and its socket" hears red
	echo netns=blue >/etc/conf.d/late
	systemctl daemon-reload
	ok "a restart moves the service alone" systemctl restart late.service
	waits='late: late.socket listens at tcp 127.0.0.1:8083 of netns red'
	ok "its socket is in the other" says "!! $waits"
	ok "rdgen check notes it" sh -c "rdgen check 2>&1 | grep 'note: $waits; systemctl daemon-reload && systemctl stop'"
	ok "the command that mends it" sh -c "$(rdgen status | sed -n 's/^ *next: //p')"
	ok "it hears in the domain" hears blue
	ok "and all is right" fine
	systemctl stop late.service late.socket
	rm /etc/conf.d/late /etc/systemd/system/late.*
	systemctl daemon-reload
fi

# What is outside although its line is older: a line that came while it started, and a transient unit.
if [ "$init" = systemd ]; then
	mkfifo /srv/go
	printf '[Service]\nPrivateTmp=yes\nExecStartPre=/bin/cat /srv/go\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/slow.service
	systemctl daemon-reload
	systemctl start rdomain@blue.service
	systemctl start --no-block slow.service
	await sh -c '[ "$(systemctl show -P SubState slow.service)" = start-pre ]'
	echo netns=blue >/etc/conf.d/slow
	systemctl daemon-reload
	: >/srv/go
	ok "a service whose line came while it started" await systemctl is-active slow.service
	rm /srv/go
	: >/srv/go # which nobody waits for
	echo netns=blue >/etc/conf.d/fleeting
	ok "a transient unit" systemd-run --unit=fleeting sleep infinity
	for s in slow fleeting; do
		ok "$s: rdgen check notes it" sh -c "rdgen check 2>&1 | grep 'note: $s: process .* is in the default domain and not in netns blue'"
	done
	eval "$(rdgen check 2>&1 | sed -n 's/^rdgen: note: [a-z]*: process .*; //p')"
	is "each command mends it" "" sh -c 'rdgen check 2>&1 | grep ": process "'
	systemctl stop slow.service fleeting.service
	rm /etc/conf.d/slow /etc/conf.d/fleeting /etc/systemd/system/slow.service
	systemctl daemon-reload
fi

# Instances of a template, of which one has a line of its own; and a name that looks like an option.
if [ "$init" = systemd ]; then
	for s in app@ -dash; do printf '[Service]\nExecStart=/bin/sleep infinity\n' >"/etc/systemd/system/$s.service"; done
	for s in app@ -dash; do echo netns=blue >"/etc/conf.d/$s"; done
	echo netns=red >/etc/conf.d/app@x
	systemctl daemon-reload
	ok "start instances" systemctl start -- app@1.service app@2.service app@x.service -dash.service
	ok "each is where its own line says" fine
	sed -i s/blue/red/ /etc/conf.d/app@ /etc/conf.d/-dash
	ok "the template's line has changed" says '!! app@: process [0-9]* (.*is in blue and not in netns red'
	was=$(systemctl show -P InvocationID app@x.service)
	ok "the commands that mend it" sh -ec "$(rdgen status | sed -n 's/^ *next: //p' | sort -u)"
	ok "each is there" fine
	is "and what was right still runs" "$was" systemctl show -P InvocationID app@x.service
	systemctl stop -- 'app@*.service' -dash.service
	rm /etc/conf.d/app@* /etc/conf.d/-dash /etc/systemd/system/app@.service /etc/systemd/system/-dash.service
	systemctl daemon-reload
fi

# systemd keeps a process of its own beside a service with PAMName=, which closes the session.
if [ "$init" = systemd ]; then
	mkdir /etc/systemd/system/web.service.d
	printf '[Service]\nUser=root\nPAMName=runuser\n' >/etc/systemd/system/web.service.d/pam.conf
	systemctl daemon-reload
	stop
	ok "with a PAM session" runs
	ok "systemd's own process is said" says "(sd-pam) *[0-9]* *in the default domain, as systemd.s own process"
	ok "and is no drift" fine
	fails "for monitoring neither" sh -c 'rdgen status --prometheus - | grep "^rdgen_service_drift.* [1-9]"'
	cp /bin/sleep '/usr/local/bin/(sd-pam)'
	printf '#!/bin/sh\nnsenter --net=/proc/1/ns/net "/usr/local/bin/(sd-pam)" infinity &\nexec %s\n' "$httpd" >/usr/local/bin/serves
	chmod +x /usr/local/bin/serves
	printf 'ExecStart=\nExecStart=/usr/local/bin/serves\n' >>/etc/systemd/system/web.service.d/pam.conf
	systemctl daemon-reload
	stop
	ok "with one that is called so" runs
	ok "that is drift" drifts '(sd-pam)) is in the default domain and not in netns blue$'
	is "and it alone" 1 sh -c 'rdgen status | grep -c "^ *!!"'
	rm -r /etc/systemd/system/web.service.d
	systemctl daemon-reload
	stop
	ok "without" runs
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
