#!/bin/sh
# Which signals a daemon gets when its service is stopped, and whether it then still runs.
# After await.sh.
got=/run/got
# stopped NAME: "ends" is by itself; else it was killed, or is alive. The daemon is the
# only one of its program.
stopped() {
	printf 'signals: %s\n' "$(sed 1d $got | tr '\n' ' ')"
	if grep -qx ends $got; then echo "itself"; elif pgrep -x hears >/dev/null; then echo "alive"; else echo "killed"; fi
	pkill -KILL -x hears || :
	await eval '! pgrep -x hears' >/dev/null
}
# A service is stopped when it listens to signals, and not before.
listens() { await grep -qsx listens $got; }
openrc_stop() {
	for s in "$@"; do
		echo "=== $s"
		rm -f $got
		if rc-service "$s" start </dev/null >/tmp/started 2>&1 && listens; then rc-service "$s" stop >/tmp/stopped 2>&1 || :; stopped; else echo "failed: $(cat /tmp/started)"; fi
		pkill -KILL supervise-daemo || :
		rc-service "$s" zap >/dev/null 2>&1 || :
	done
}
systemd_stop() {
	for s in "$@"; do
		echo "=== $s"
		rm -f $got
		if systemctl start "$s" && listens; then systemctl stop "$s" || :; stopped; else echo "failed: $(systemctl status "$s")"; fi
		systemctl reset-failed "$s" 2>/dev/null || :
	done
}
# s6_stop stops as s6-rc does, which waits for as long as timeout-down says.
s6_stop() {
	for s in "$@"; do
		echo "=== $s"
		rm -rf $got "/srv/src/$s"
		if ! out=$(rdgen s6 "$s" --netns same --source /srv/src -o / 2>&1); then echo "refused: $out"; continue; fi
		echo "$out" | sed -n 's/^rdgen: warning: /lost: /p'
		d=/srv/run/$s
		mkdir -p /srv/run
		rm -rf "$d"; cp -R "/srv/src/$s" "$d"
		env -i PATH=/usr/bin:/usr/sbin:/bin:/sbin s6-supervise "$d" >"$d.log" 2>&1 </dev/null &
		if listens; then
			s6-svc -wD -T "$(cat "$d/timeout-down" 2>/dev/null || echo 0)" -d "$d" 2>/dev/null || :
			stopped
		else echo "failed: $(tail -n 3 "$d.log")"; fi
		s6-svc -xd "$d"; s6-svc -k "$d" 2>/dev/null || :; wait
	done
}
