#!/bin/sh
# What a process was started with, one fact a line, and the same of many services. After
# await.sh.
# shellcheck disable=SC2012,SC2034 # await_pause is of await.sh; find does not print where a link leads in one go
idle=/usr/sbin/gizmod folders="/run/g /var/lib/g /var/cache/g"
find_idle() { ls -l /proc/[0-9]*/exe 2>/dev/null | sed -n "s|.* /proc/\([0-9]*\)/exe -> $idle\$|\1|p"; }
await_pause=0.02
until_() { await eval "$1" 2>&1; }
state() {
	until_ '[ "$(tr -d "\0" <"/proc/$(find_idle)/cmdline")" ]' # it is executed just now
	printf 'argv: %s\n' "$(tr '\0' '|' <"/proc/$1/cmdline")"
	grep -E '^(Uid|Gid|Umask|Cap...|NoNewPrivs):' "/proc/$1/status"
	# All that count: the group, and the supplementary ones.
	printf 'groups: %s\n' "$(sed -n 's/^Gid:.*\t//p; s/^Groups:.//p' "/proc/$1/status" | tr ' ' '\n' | sort -nu | tr '\n' ' ')"
	printf 'cwd: %s\n' "$(readlink "/proc/$1/cwd")"
	tr '\0' '\n' <"/proc/$1/environ" | sed 's/^/env: /' | sort
	grep '^Max ' "/proc/$1/limits"
	printf 'nice: %s\n' "$(cut -d' ' -f19 "/proc/$1/stat")"
	printf 'io: %s\n' "$(ionice -p "$1")"
	chrt -p "$1" | sed 's/^pid [0-9]*.s //'
	taskset -p "$1" | sed 's/^pid [0-9]*.s //'
	printf 'oom: %s\n' "$(cat "/proc/$1/oom_score_adj")"
	for fd in 0 1 2; do case $(readlink "/proc/$1/fd/$fd") in /var/*|/etc/*) printf 'fd %s: %s\n' $fd "$(readlink "/proc/$1/fd/$fd")";; esac; done
	[ ! -e /run/g/said ] || sed 's/^/said: /' /run/g/said
	for d in /var/log/g.log /var/log/g2.log; do [ ! -e $d ] || stat -c 'file: %n %a %U:%G' $d; done
	for d in $folders; do [ ! -e "$d" ] || stat -c 'folder: %n %a %U:%G' "$d" "$d"/*; done 2>/dev/null || :
}
# shellcheck disable=SC2086 # a list
clean() { rm -rf /var/log/g.log /var/log/g2.log $folders; }
# ended says what a command afterwards has said.
ended() { [ ! -e /var/lib/g/said ] || sed 's/^/afterwards: /' /var/lib/g/said; }
openrc_all() {
	for s in "$@"; do
		echo "=== $s"
		clean
		# Into a file: a logger of the daemon would keep a pipe. OpenRC 0.64 passes on what the test has exported.
		if env -u LC_ALL rc-service "$s" start </dev/null >/tmp/started 2>&1 && until_ '[ "$(find_idle)" ]'; then state "$(find_idle)"; else echo "failed: $(cat /tmp/started)"; fi
		pkill -KILL supervise-daemo || :
		p=$(find_idle); [ -z "$p" ] || kill -9 "$p"
		# Gone, and waited for: start-stop-daemon takes what is dead but still listed,
		# whose pid is in the file, for a daemon that runs.
		until_ '[ -z "$(find_idle)" ] && [ ! -e "/proc/${p:-none}" ]'
		rc-service "$s" zap >/dev/null 2>&1 || :
	done
}
systemd_all() {
	for s in "$@"; do
		echo "=== $s"
		clean
		if out=$(systemctl start "$s" 2>&1) && until_ '[ "$(find_idle)" ]'; then state "$(find_idle)"; else echo "failed: $out"; fi
		systemctl stop "$s" || :
		ended
	done
}
# s6_all: what rdgen s6 says, or the process below an s6-supervise of its own.
s6_all() {
	for s in "$@"; do
		echo "=== $s"
		clean
		if ! out=$(rdgen s6 "$s" --netns same --source /srv/src -o / 2>&1); then echo "refused: $out"; continue; fi
		echo "$out" | sed -n 's/^rdgen: warning: /lost: /p'
		mkdir -p /srv/run
		rm -rf "/srv/run/$s"; cp -R "/srv/src/$s" "/srv/run/$s"
		# A shell has what it puts into the background ignore SIGINT.
		env -i --default-signal=INT,QUIT PATH=/usr/bin:/usr/sbin:/bin:/sbin s6-supervise "/srv/run/$s" >"/srv/run/$s.log" 2>&1 </dev/null &
		# It is executed before s6-supervise has written who it is.
		if until_ '[ "$(find_idle)" ] && [ "$(s6-svstat -o pid "/srv/run/$s")" = "$(find_idle)" ]'; then
			state "$(find_idle)"
			[ "$(rdomain identify "$(find_idle)")" = same ] || echo "failed: it is in $(rdomain identify "$(find_idle)")"
			if [ -z "${how-}" ]; then # a package's may end by what an idle one does not end by
				s6-svc -wD -d "/srv/run/$s"
				ended
			fi
		else echo "failed: $(tail -n 3 "/srv/run/$s.log")"; fi
		s6-svc -xd "/srv/run/$s"; s6-svc -k "/srv/run/$s" 2>/dev/null || :; wait
	done
}
# packaged HOW NAME PROGRAM FOLDER...: the same of a unit of a package, whose program is
# a stand-in that never says that it is ready.
packaged() {
	how=$1 name=$2 idle=$(realpath "$3")
	shift 3
	folders=$*
	case $how in
	s6) s6_all "$name" ;;
	systemd)
		echo "=== $name"
		clean
		if out=$(systemctl start --no-block --job-mode=ignore-dependencies "$name" 2>&1) && until_ '[ "$(find_idle)" ]'; then state "$(find_idle)"; else echo "failed: $out"; fi
		systemctl kill -s KILL "$name" || :
		systemctl stop --job-mode=ignore-dependencies "$name" || :
		until_ '[ -z "$(find_idle)" ]'
		;;
	esac
}
