# shellcheck shell=sh disable=SC2034,SC2154,SC3013 # openrc.sh's and OpenRC's variables; -ef
# A part of openrc.sh: start-stop-daemon, asked to stop or signal what runs.

# rdgen_stop is start-stop-daemon where another service may run the same program
# in another domain: without a pid file it would stop, or signal, those too.
rdgen_stop()
{
	rdgen_plain='' rdgen_words='' rdgen_start=1
	for rdgen_arg; do
		case "$rdgen_arg" in
		--) break ;;
		--start | -S | --pidfile | --pidfile=* | -p | -p* | --test | -t | --help | -h) rdgen_plain=1 ;;
		--stop | -K) rdgen_start=0 ;;
		esac
	done
	if [ -n "$rdgen_plain" ]; then
		command start-stop-daemon "$@"
		return
	fi
	rdgen_own='' rdgen_others=''
	for rdgen_pid in $(rdgen_matches "$@"); do
		if rdgen_foreign "$rdgen_pid"; then
			rdgen_others="$rdgen_others $rdgen_pid"
		else
			rdgen_own="$rdgen_own $rdgen_pid"
		fi
	done
	if [ -z "$rdgen_others" ]; then
		command start-stop-daemon "$@"
		return
	fi
	[ -n "$rdgen_own" ] || return "$rdgen_start"
	rdgen_code=0
	for rdgen_pid in $rdgen_own; do
		echo "$rdgen_pid" >"$RC_SVCDIR/options/rdgen.$$" &&
			command start-stop-daemon --pidfile "$RC_SVCDIR/options/rdgen.$$" "$@" || rdgen_code=1
	done
	rm -f "$RC_SVCDIR/options/rdgen.$$"
	return "$rdgen_code"
}

# rdgen_matches prints the pids that start-stop-daemon would signal. With --retry
# it would wait for them to go.
rdgen_matches()
{
	rdgen_words=$#
	while [ "$rdgen_words" -gt 0 ]; do
		rdgen_words=$((rdgen_words - 1))
		case "$1" in
		--retry | -R)
			shift
			rdgen_words=$((rdgen_words - 1))
			;;
		--retry=* | -R*) ;;
		*) set -- "$@" "$1" ;;
		esac
		shift
	done
	EINFO_QUIET=no EINFO_COLOR=no command start-stop-daemon --test "$@" 2>/dev/null |
		sed -n 's/.*Would send signal [0-9]* to [PID ]*\([0-9][0-9]*\).*/\1/p' # Debian's has no "PID"
}

# rdgen_foreign reports that a process is in another domain than the service, or
# belongs to another service.
rdgen_foreign()
{
	rdgen_ns="/proc/$1/ns/net"
	case "$rdgen_mark:$netns" in
	"$$:"?":nowhere:"*:) [ "$rdgen_ns" -ef /proc/1/ns/net ] || return 0 ;;
	"$$:"?":nowhere:"*) # it is in a namespace that has no name any more
		for rdgen_named in /proc/1/ns/net /run/netns/*; do
			! [ "$rdgen_ns" -ef "$rdgen_named" ] || return 0
		done
		;;
	*) [ "$rdgen_ns" -ef /proc/self/ns/net ] || return 0 ;;
	esac
	{ rdgen_cgroup_of "$1"; } 2>/dev/null || return 1
	case "$rdgen_owner:$rdgen_at" in
	"$RC_SVCNAME":* | *:) return 1 ;;
	esac
	if [ -n "$vrf" ]; then # whose cgroup makes the difference
		case "$rdgen_at" in
		*/vrf/"$vrf") return 1 ;;
		*) return 0 ;;
		esac
	elif [ -n "$netns" ]; then
		[ -L "$RC_SVCDIR/started/$rdgen_owner" ]
	else
		case "$rdgen_at" in
		*/vrf/*) return 0 ;; # of rdexec, or of ip vrf exec
		esac
		[ -e "$RC_SVCDIR/options/$rdgen_owner/rdgen_domain" ]
	fi
}

rdgen_end=stop
