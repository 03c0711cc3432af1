# shellcheck shell=sh disable=SC3013 # dash and busybox have -ef
# rdgen: starts an OpenRC service in the routing domain that its conf.d names
# (vrf=NAME, netns=NAME, or both: the VRF inside the namespace).
#
# Sourced by /etc/rc.conf.d/50-rdgen.conf for every service, or by a line at the
# top of one init script; both together are harmless. In openrc-run.sh a service
# with a domain is executed once more through rdexec, after conf.d was read and
# before the script is: the daemon and every function of the script are inside. In
# gendepends.sh it needs the service that makes the domain, if there is one.
#
# What a service was started in is recorded by OpenRC until it is stopped, and
# every command in between uses that, whatever conf.d says by then.
#
# A service runs in its domain or not at all: each doubt below ends in exit 1.
#
#	enter, is_inside, which, up, command, leave, cgroup_of	where the service belongs
#	slipped, unread				what conf.d does not say as it was meant
#	script, supervise			what the script finds
#	on, off, word, dot, look		the guard
#	stop, ready, need, sourcex		what OpenRC calls
#	openrc-enter.sh				the way into a domain, and what is done there
#	openrc-supervise.sh			where s6 or runit runs the daemon
#	openrc-stop.sh				start-stop-daemon for all but a start
#	openrc-slips.sh				lines that were meant to name a domain

# The words of the guard must not get into what is read below.
[ "$rdgen_guard" != $$ ] || rdgen_off

rdgen_die()
{
	eerror "$RC_SVCNAME: $*"
	exit 1
}

# rdgen_part reads a part of this file that few services need.
rdgen_part()
{
	[ -r "/usr/libexec/rdgen/openrc-$1.sh" ] || rdgen_die "/usr/libexec/rdgen/openrc-$1.sh is missing; install rdgen again"
	rdgen_off
	# shellcheck disable=SC1090
	. "/usr/libexec/rdgen/openrc-$1.sh"
	rdgen_on
}

# rdgen_enter returns where the service belongs, or executes it again there. A
# service without a domain that is started in the default one costs no process.
rdgen_enter()
{
	[ -z "$rdgen_called" ] || unset -f netns vrf # the script may mean others
	! rdgen_is_inside || return 0
	rdgen_mark="$RDGEN_ENTERED"
	case "$rdgen_mark" in
	"$$:"*) rdgen_times="${rdgen_mark#*:}" rdgen_times="${rdgen_times%%:*}" ;;
	esac
	# What the service starts must not see the mark.
	unset RDGEN_ENTERED
	# conf.d was not read to its end when the service entered and was recorded.
	[ "$rdgen_noted" != $$ ] || rm -f "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain"
	rdgen_noted=
	rdgen_which
	! rdgen_is_inside || return 0
	case "$rdgen_mark" in
	"$$:"?":in:$vrf@$netns:$RC_SVCNAME")
		rdgen_part enter
		rdgen_arrive
		;;
	"$$:"?":nowhere:"*) ;;
	"$$:"?":in:"*)
		rdgen_die "conf.d names another routing domain each time it is read"
		;;
	*)
		rdgen_slipped
		rdgen_leave
		if [ -n "$vrf$netns" ]; then
			rdgen_part enter
			rdgen_exec
		fi
		;;
	esac
	rdgen_inside="$$:$vrf@$netns"
	rdgen_is_inside
	rdgen_supervise
}

# rdgen_is_inside reports that this shell is where the service belongs. Alpine's
# OpenRC would enter once more with each daemon, by what its patch has put into
# RC_VRF_EXEC: right after conf.d, which may be after the hook has entered.
rdgen_is_inside()
{
	[ "$rdgen_inside" = "$$:$vrf@$netns" ] || return 1
	# shellcheck disable=SC2034
	RC_VRF_EXEC=
}

# rdgen_inherited executes the service again without what another service's script
# exported that started this one: OpenRC passes that on. What its own conf.d exported,
# before it entered, stays.
rdgen_inherited()
{
	case "$RDGEN_ENTERED" in "$$:"*) return 0 ;; esac
	tr '\0' '\n' <"/proc/$$/environ" | grep -Eqs '^(vrf|netns)=.' || return 0
	rdgen_command
	unset vrf netns
	# shellcheck disable=SC2093 # a shell need not exit where exec fails
	exec "$0" "${RC_SERVICE#/etc/.host}" "$rdgen_cmd"
	rdgen_die "cannot execute $0 without the exported vrf and netns of who started this"
}

# rdgen_which sets vrf and netns to those that the service was started in, or
# leaves those of conf.d if it was not.
rdgen_which()
{
	rdgen_conf="$vrf@$netns"
	if rdgen_is_recorded; then
		rdgen_recorded=
		read -r rdgen_recorded <"$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain"
		case "$rdgen_recorded" in
		*?@* | *@?*) ;;
		*) rdgen_die "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain is not what was recorded at the start" ;;
		esac
		[ "$rdgen_recorded" = "$rdgen_conf" ] || # conf.d may have made it readonly
			vrf="${rdgen_recorded%%@*}" netns="${rdgen_recorded#*@}"
	elif [ "$rdgen_conf" != @ ] && rdgen_up; then
		# It was started before conf.d named a domain.
		rdgen_command
		case "$rdgen_cmd" in
		stop | status | describe) vrf='' netns='' ;;
		*) rdgen_die "conf.d names a routing domain since the service was started; restart it first" ;;
		esac
	fi
	rdgen_id_of
}

# rdgen_is_recorded reports that the service was started in a domain. A start that was
# killed has left its record behind, which is not for the next one.
rdgen_is_recorded()
{
	[ -e "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain" ] || return 1
	rdgen_command
	[ "$rdgen_cmd" = start ] && ! rdgen_up || return 0
	rm -f "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain"
	return 1
}

# rdgen_id_of sets rdgen_id to the domain's ID, or to nothing.
rdgen_id_of()
{
	rdgen_id="$vrf@$netns"
	rdgen_id="${rdgen_id%@}"
	rdgen_id="${rdgen_id#@}"
}

# rdgen_slipped ends a start where conf.d was meant to name a domain and does not:
# netns = private is a command, for a shell.
rdgen_slipped()
{
	rdgen_cmdline $$
	case "$rdgen_words" in
	*"$0${RC_SERVICE}start") ;;
	*"$0$RC_SERVICE"?*) return 0 ;; # a slip keeps nothing from being stopped
	esac
	rdgen_link='' rdgen_as=''
	yesno "$RC_USER_SERVICES" || rdgen_unread
	# shellcheck disable=SC2154
	[ -z "$vrf$netns" ] || [ -z "$socket_domain" ] ||
		rdgen_die "conf.d sets socket_domain=, which is for the socket units of systemd; OpenRC has none: take the line out"
	if [ -r /usr/libexec/rdgen/openrc-slips.sh ]; then
		rdgen_part slips
		rdgen_slips
	else
		ewarn "/usr/libexec/rdgen/openrc-slips.sh is missing, so conf.d is not searched for mistakes; install rdgen again"
	fi
	[ "${rdgen_called:-none}" = none ] ||
		rdgen_die "conf.d has the command $rdgen_called; a line that names a domain is $rdgen_called=NAME, without spaces"
}

# rdgen_unread ends the start where a conf.d names another domain than those that
# OpenRC has read instead of it: of a script that is linked from elsewhere that is, up
# to 0.63, the one beside the real script, and up to 0.56 the one of its name too. It
# sets rdgen_link to the folder of the conf.d that belongs to the link, and rdgen_as to
# the link's name; where there is no such link rdgen_link is empty.
rdgen_unread()
{
	rdgen_as="$RC_SVCNAME"
	rdgen_cmdline "$RC_OPENRC_PID"
	# As rc-service and openrc call it. With more words a name can end anywhere.
	case ":$RC_PATH:$rdgen_words" in
	# This OpenRC reads the files of all folders.
	*:/etc:*"/$RC_SVCNAME$RC_CMD" | *:/etc:*"/$RC_SVCNAME--lockfd"[0-9]*) return 0 ;;
	esac
	for rdgen_path in "$RC_SERVICE" "${RC_SERVICE%/*}/$RC_SVCNAME"; do
		case "$rdgen_words" in
		*"openrc-run$rdgen_path$RC_CMD" | *"openrc-run$rdgen_path--lockfd"[0-9]*) return 0 ;;
		esac
	done
	rdgen_path=
	[ -z "$rdgen_words" ] || rdgen_path="$(tr '\0' '\n' <"/proc/$RC_OPENRC_PID/cmdline" | sed -n 2p)"
	case "$rdgen_path" in
	/*/*/*) rdgen_link="${rdgen_path%/*/*}" ;;
	*) rdgen_link=/etc ;;
	esac
	[ -z "$rdgen_path" ] || rdgen_as="${rdgen_path##*/}"
	for rdgen_dir in "$rdgen_link" /etc; do
		[ "$rdgen_as" != "$RC_SVCNAME" ] || ! [ "$rdgen_dir/conf.d" -ef "${RC_SERVICE%/*/*}/conf.d" ] || continue
		rdgen_unread_in "$rdgen_dir/conf.d"
		[ "$rdgen_dir" != /etc ] || break
	done
}

# rdgen_unread_in asks a shell of its own what the files of a folder say of rdgen_as.
rdgen_unread_in()
{
	rdgen_scanned="$1/$rdgen_as"
	set --
	[ "${rdgen_as%%.*}" = "$rdgen_as" ] || set -- "${rdgen_scanned%/*}/${rdgen_as%%.*}"
	set -- "$@" "$rdgen_scanned"
	for rdgen_path; do
		shift
		if [ -r "$rdgen_path.$RC_RUNLEVEL" ]; then
			set -- "$@" "$rdgen_path.$RC_RUNLEVEL"
		elif [ -r "$rdgen_path" ]; then
			set -- "$@" "$rdgen_path"
		fi
	done
	[ $# != 0 ] || return 0
	# shellcheck disable=SC2016 # it is for that shell
	rdgen_other="$(RC_SVCNAME="$rdgen_as" sh -c 'unset vrf netns; for rdgen_file; do . "$rdgen_file"; done >/dev/null 2>&1; echo "$vrf@$netns"' sh "$@")"
	case "$rdgen_other" in
	"$vrf@$netns" | @) return 0 ;;
	*?@?*) rdgen_words="vrf=${rdgen_other%%@*} and netns=${rdgen_other#*@}" ;;
	?*@) rdgen_words="vrf=${rdgen_other%@}" ;;
	@?*) rdgen_words="netns=${rdgen_other#@}" ;;
	*) rdgen_words="what it names" ;;
	esac
	rdgen_die "OpenRC does not read $rdgen_scanned for $RC_SERVICE, to which $rdgen_as is a link; write $rdgen_words into ${RC_SERVICE%/*/*}/conf.d/$RC_SVCNAME"
}

rdgen_up()
{
	for rdgen_state in started inactive wasinactive stopping; do
		[ ! -L "$RC_SVCDIR/$rdgen_state/$RC_SVCNAME" ] || return 0
	done
	return 1
}

# rdgen_cmdline PID sets rdgen_words to the words that a process was called with, one
# right after the other: the shell's read skips the zero bytes between them. That of
# zsh and yash does not.
rdgen_cmdline()
{
	rdgen_words=
	{ IFS= read -r rdgen_words <"/proc/$1/cmdline"; } 2>/dev/null
}

# rdgen_command sets rdgen_cmd. The command is in the command line alone: "$@" is
# sourcex's here, and RC_CMD is "restart" for both halves of one.
rdgen_command()
{
	rdgen_cmdline $$
	case "$rdgen_words" in
	*"$0$RC_SERVICE"?*) rdgen_cmd="${rdgen_words##*"$0$RC_SERVICE"}" ;;
	'') rdgen_die "no command of $RC_SERVICE in /proc/$$/cmdline; is /proc mounted?" ;;
	*) rdgen_die "a service that names a routing domain needs dash, busybox or bash as /bin/sh; this shell is another" ;;
	esac
}

# rdgen_leave leaves a domain that this shell has inherited from who started it:
# from another service's script, or from a shell in ip netns exec or ip vrf exec.
rdgen_leave()
{
	! yesno "$RC_USER_SERVICES" || return 0 # they stay in their session
	# In a chroot that has a namespace of its own, that is the default one.
	if [ -e /proc/1/ns/net ] && ! [ /proc/self/ns/net -ef /proc/1/ns/net ] && [ / -ef /proc/1/root/. ]; then
		case "$rdgen_mark" in
		"$$:"?":left:"*) rdgen_die "nsenter did not leave the network namespace of who started this" ;;
		esac
		rdgen_part enter
		rdgen_again left "leave the network namespace of who started this" nsenter -t 1 -m -n
	fi
	{ rdgen_cgroup_of self; } 2>/dev/null
	case "$rdgen_at" in
	'' | / | "/$RC_SVCNAME" | "/openrc.$RC_SVCNAME") return 0 ;;
	*/vrf/*) ;;
	*) [ -e "$RC_SVCDIR/options/$rdgen_owner/rdgen_domain" ] || return 0 ;;
	esac
	rdgen_command
	case "$rdgen_cmd" in
	status | describe) [ -w "$RC_SVCDIR" ] || return 0 ;; # not root, who may ask
	esac
	rdgen_part enter
	rdgen_find_cgroup
	# Where cgroup2 is not mounted it is, for a moment, for a child alone.
	# shellcheck disable=SC2016,SC2154
	{ echo 0 >"$rdgen_root/cgroup.procs"; } 2>/dev/null ||
		unshare -m sh -c 'mount -t cgroup2 rdgen /sys/fs/cgroup && echo "$1" >/sys/fs/cgroup/cgroup.procs' sh $$ ||
		rdgen_die "cannot leave the cgroup $rdgen_at of who started this, which is bound to a vrf"
}

# rdgen_cgroup_of sets rdgen_at to the cgroup of a process, and rdgen_owner to the
# service that it would belong to.
rdgen_cgroup_of()
{
	rdgen_at=
	while read -r rdgen_line; do
		case "$rdgen_line" in
		0::*) rdgen_at="${rdgen_line#0::}" ;;
		esac
	done <"/proc/$1/cgroup"
	rdgen_owner="${rdgen_at#/}"
	rdgen_owner="${rdgen_owner%%/*}"
	rdgen_owner="${rdgen_owner#openrc.}"
}

# rdgen_script comes right before the service's script is read.
rdgen_script()
{
	rdgen_coming=$$
	# conf.d was asked for, so all is in the order that was known: no doubt is left.
	rdgen_off
	[ "$rdgen_asked" != $$ ] || rdgen_guard=
	[ -n "$vrf$netns" ] || return 0
	# Nor is what the script starts to see an exported domain: another service's shell, or
	# gendepends.sh. (They may be readonly.)
	if (unset vrf netns) 2>/dev/null; then
		rdgen_conf="$vrf@$netns"
		unset vrf netns
		vrf="${rdgen_conf%%@*}" netns="${rdgen_conf#*@}"
	fi
	# The scripts of iptables ask this, OpenRC's old name for it, which of the two
	# they are, and take an instance of ip6tables for iptables.
	# shellcheck disable=SC2034
	case "$RC_SVCNAME" in
	ip6tables.*) SVCNAME=ip6tables ;;
	esac
}

# rdgen_supervise takes the place of what OpenRC's own files for supervisors say.
rdgen_supervise()
{
	[ -n "$vrf$netns" ] || [ -d "$RC_SVCDIR/s6-services" ] || return 0
	s6_start()
	{
		rdgen_part supervise
		rdgen_s6 || return 1
		rdgen_supervised=$$
		# shellcheck disable=SC1091
		. "$RC_LIBEXECDIR/sh/s6.sh" # OpenRC's own again
		s6_start
	}
	runit_start()
	{
		rdgen_part supervise
		rdgen_outside runit "${runit_service:-/etc/sv/$RC_SVCNAME}/run"
		rdgen_supervised=$$
		# shellcheck disable=SC1091
		. "$RC_LIBEXECDIR/sh/runit.sh"
		runit_start
	}
}

# The guard. sourcex, below, enters where OpenRC has read conf.d and goes on to what
# follows. An OpenRC of another order, or with another reader of files, is not known
# yet. So the words below look too, in all text that sourcex has not read: no shell
# program decides anything or starts a daemon without one of them. To enter is right
# wherever a domain is named and this shell is not in it.
rdgen_on()
{
	[ "$rdgen_guard" = $$ ] || return 0
	for rdgen_name in [ test yesno supervise-daemon s6-svc s6-svlink sv; do
		# shellcheck disable=SC2139
		alias "$rdgen_name=rdgen_word $rdgen_name"
	done
	# shellcheck disable=SC2139
	alias start-stop-daemon="rdgen_word ${rdgen_filter:-start-stop-daemon}"
	alias .=rdgen_dot eval="eval rdgen_look eval ';'"
}

rdgen_off()
{
	[ "$rdgen_guard" = $$ ] || return 0
	unalias [ test yesno supervise-daemon s6-svc s6-svlink sv start-stop-daemon . eval
	[ -z "$rdgen_filter" ] || alias start-stop-daemon=rdgen_stop
} 2>/dev/null

rdgen_word()
{
	rdgen_look "$1"
	"$@"
}

rdgen_dot()
{
	rdgen_look .
	# shellcheck disable=SC1090
	. "$@"
}

# rdgen_look WORD enters where that was not done.
rdgen_look()
{
	# shellcheck disable=SC2034 # rdomain.ID asks it
	rdgen_looked=$$
	case "$1:$vrf@$netns" in
	s6-*:@ | sv:@) ;;
	s6-*:* | sv:*)
		rdgen_command
		[ "$rdgen_cmd" != start ] || [ "$rdgen_supervised" = $$ ] ||
			rdgen_die "$1 would have the service run outside of its routing domain"
		;;
	esac
	! rdgen_is_inside || return 0
	IFS=' ' read -r rdgen_shell rdgen_line </proc/self/stat || rdgen_die "cannot read /proc/self/stat; is /proc mounted?"
	case "$1" in
	rdgen_stop | *-daemon | s6-* | sv)
		[ "$rdgen_shell" = $$ ] || [ -z "$vrf$netns" ] ||
			rdgen_die "$1 would start in a part of this shell, before its routing domain was entered"
		rdgen_enter
		return
		;;
	esac
	# In a part of the shell nothing can be entered; the rest of it looks again. A
	# user's session cannot enter, and may read more of conf.d.
	if [ "$rdgen_shell" != $$ ] || [ -z "$vrf$netns" ] || yesno "$RC_USER_SERVICES"; then
		return 0
	fi
	case "$RDGEN_ENTERED" in
	"$$:"?":"*":$vrf@$netns:$RC_SVCNAME") rdgen_enter ;;
	"$$:"*) ;; # the last reading of conf.d named another in the end
	*) rdgen_enter ;;
	esac
}

# rdgen_stop is start-stop-daemon for all but a start.
rdgen_stop()
{
	rdgen_part stop # which has the real one
	rdgen_stop "$@"
}

# rdgen_ready puts rdgen_stop in the place of start-stop-daemon, in what is read
# from now on, if any service of this host is in a domain and this one is not
# being started.
rdgen_ready()
{
	for rdgen_state in "$RC_SVCDIR"/options/*/rdgen_domain; do
		[ -e "$rdgen_state" ] || break
		[ -r "/proc/$$/cmdline" ] || break
		rdgen_command
		[ "$rdgen_cmd" != start ] || break
		rdgen_filter=rdgen_stop
		alias start-stop-daemon=rdgen_stop
		return 0
	done
	return 1
}

# rdgen_need makes the service need the one that makes its domain.
rdgen_need()
{
	! yesno "$RC_USER_SERVICES" || return 0 # theirs makes none
	rdgen_id_of
	case "$RC_SVCNAME:$rdgen_id" in
	*: | rdomain.* | *:*[!A-Za-z0-9_.@-]*) return 0 ;;
	esac
	[ ! -e "/etc/init.d/rdomain.$rdgen_id" ] || need "rdomain.$rdgen_id"
}

case "${0##*/}" in
openrc-run.sh)
	# bash that is not called sh expands no aliases else.
	# shellcheck disable=SC3044
	! command -v shopt >/dev/null || command shopt -s expand_aliases
	# As OpenRC's own, but for the first line without -e: that comes when
	# all of conf.d was read, for a supervisor's file or for the script.
	sourcex()
	{
		case "$1" in
		-e)
			case "$2" in
			*/conf.d/"$RC_SVCNAME" | */conf.d/"$RC_SVCNAME.$RC_RUNLEVEL") rdgen_asked=$$ ;;
			esac
			[ -e "$2" ] || return 1
			shift
			rdgen_before="$vrf@$netns"
			;;
		*)
			if [ "$rdgen_asked" != $$ ]; then
				rdgen_look . # conf.d may still come
			elif [ "$rdgen_coming:$rdgen_guard" != "$$:" ]; then
				rdgen_enter
			fi
			[ "$1" != "$RC_SERVICE" ] || rdgen_script
			;;
		esac
		rdgen_off
		# shellcheck disable=SC1090
		if ! . "$1"; then
			case "$1" in */conf.d/*) rdgen_slipped ;; esac # its last line, perhaps
			eerror "$RC_SVCNAME: error loading $1"
			exit 1
		fi
		if [ "$rdgen_coming" != $$ ]; then
			rdgen_supervise
		elif [ "${rdgen_before:-$vrf@$netns}" != "$vrf@$netns" ]; then
			rdgen_look . # conf.d came after the script
		fi
		rdgen_before=
		rdgen_on
	}
	if command -v rdgen_hook >/dev/null; then # from rc.conf.d
		unset -f rdgen_hook
		rdgen_hooked=$$ rdgen_guard=$$
		# Nobody means these commands in conf.d; see rdgen_slipped.
		rdgen_called=none
		netns()
		{
			rdgen_called=netns
		}
		vrf()
		{
			rdgen_called=vrf
		}
		[ -z "$vrf$netns" ] || rdgen_inherited
		rdgen_ready || :
	else # a script that has the line
		[ -z "$vrf$netns" ] || rdgen_is_inside || rdgen_inherited
		rdgen_enter
		rdgen_script
		if [ "$rdgen_hooked" != $$ ] && rdgen_ready; then
			# shellcheck disable=SC1091
			. "$RC_LIBEXECDIR/sh/start-stop-daemon.sh"
		fi
	fi
	rdgen_on
	;;
gendepends.sh)
	rdgen_need
	;;
esac
