#!/bin/sh
# What a process was started with, one fact a line, and the same of many services. After
# await.sh. The program facts is of test/native/facts.
# shellcheck disable=SC2034 # await_pause is of await.sh
idle=/usr/sbin/gizmod folders="/run/g /var/lib/g /var/cache/g"
find_idle() { facts find "$idle"; }
await_pause=0.02
until_() { await eval "$1" 2>&1; }
# shellcheck disable=SC2086 # a list
state() { facts of "$1" $folders; }
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
