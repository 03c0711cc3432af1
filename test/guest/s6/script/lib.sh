#!/bin/sh
# What the scripts of the s6 tests share; services are in /srv/scan, because /run
# may be mounted noexec. After await.sh, before netns.sh or vrf.sh.
until_() { await eval "$1" || { tail -n 9 /srv/scan.log /var/log/*/current >&2; return 1; }; }
pid() { s6-svstat -o pid "$1"; }
# where NAME: the domain of a service that is in mgmt, perhaps after a moment.
where() {
	until_ "rdomain identify \$(pid /srv/scan/$1) | grep -q mgmt"
	rdomain identify "$(pid "/srv/scan/$1")"
}
# scan DIR: an s6-svscan on DIR, as an init system starts it.
scan() { setsid s6-svscan "$1" >"$1.log" 2>&1 & until_ "s6-svscanctl -z $1"; }
# stop: the end of that s6-svscan and all that it runs.
stop() { until_ 's6-svscanctl -t /srv/scan'; until_ '! s6-svscanctl -z /srv/scan'; until_ '! pidof s6-supervise'; }
# place: the longruns of source directories as service directories, the
# pipe to the logger made by s6-svscan: what s6-rc makes of them otherwise.
place() {
	for d in /etc/s6-rc/source/*; do
		name=${d##*/}
		[ -e "$d/run" ] || continue
		[ ! -e "$d/consumer-for" ] || continue
		rm -rf "/srv/scan/$name"
		cp -R "$d" "/srv/scan/$name"
		[ ! -e "$d/producer-for" ] || cp -R "/etc/s6-rc/source/$(cat "$d/producer-for")" "/srv/scan/$name/log"
	done
}
# oneshot NAME up|down: as s6-rc does it.
oneshot() { execlineb -P "/etc/s6-rc/source/$1/$2"; }
