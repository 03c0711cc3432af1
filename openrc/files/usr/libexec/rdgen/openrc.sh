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
#	part					what is read where it is needed, below
#	enter, is_inside, id_of, leave, cgroup_of	where the service belongs
#	cmdline, command			what OpenRC was told to do
#	awaited					that OpenRC waits for it
#	slipped, slips, slips_of, slips_in	what conf.d may not say as it was meant
#	script, supervise			what the script finds
#	on, off, word, dot, look		the guard
#	stop, ready, need, sourcex		what OpenRC calls
#	openrc-enter.sh				the way into a domain, and what is done there
#	openrc-slips.sh				lines that were meant to name a domain, and links
#	openrc-supervise.sh			where s6 or runit runs the daemon
#	openrc-stop.sh				start-stop-daemon for all but a start

# The words of the guard must not get into what is read below.
[ "$rdgen_guard" != $$ ] || rdgen_off
rdgen_parts=:

rdgen_die()
{
	eerror "$RC_SVCNAME: $*"
	rdgen_awaited
	exit 1
}

# rdgen_awaited waits until openrc-run, which made this shell, waits for it: while that runs, it
# may not have seen yet what fork(2) returned. From 0.47 on it does not hear of a shell that ends
# before, and waits for ever, as does the boot (OpenRC's issue 895; seen with 0.56).
rdgen_awaited()
{
	while read -r rdgen_parent <"/proc/$PPID/stat"; do
		case "$rdgen_parent" in *") R "*) ;; *) break ;; esac
	done 2>/dev/null
}

# rdgen_part NAME reads a part of this file that few services need, once. Its last line tells
# that it is all there: a shell that finds an empty file goes on.
rdgen_part()
{
	case "$rdgen_parts" in *":$1:"*) return 0 ;; esac
	[ -r "/usr/libexec/rdgen/openrc-$1.sh" ] || rdgen_die "/usr/libexec/rdgen/openrc-$1.sh is missing; install rdgen again"
	rdgen_parts="$rdgen_parts$1:"
	rdgen_off
	rdgen_end=
	# shellcheck disable=SC1090
	. "/usr/libexec/rdgen/openrc-$1.sh"
	[ "$rdgen_end" = "$1" ] || rdgen_die "/usr/libexec/rdgen/openrc-$1.sh is not whole; install rdgen again"
	rdgen_on
}

# rdgen_enter returns where the service belongs, or executes it again there. A
# service without a domain that is started in the default one costs no process, and
# reads no part.
rdgen_enter()
{
	[ -z "$rdgen_called" ] || unset -f netns vrf # the script may mean others
	! rdgen_is_inside || return 0
	rdgen_mark="$RDGEN_ENTERED" rdgen_conf="$vrf@$netns"
	# What the service starts must not see the mark.
	unset RDGEN_ENTERED
	# conf.d was not read to its end when the service entered and was recorded.
	[ "$rdgen_noted" != $$ ] || rm -f "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain"
	rdgen_noted=
	if [ "$rdgen_conf" != @ ] || [ -e "$RC_SVCDIR/options/$RC_SVCNAME/rdgen_domain" ]; then
		rdgen_part enter
		rdgen_which
		! rdgen_is_inside || return 0
	fi
	case "$rdgen_mark" in
	"$$:"?":in:$vrf@$netns:$RC_SVCNAME") rdgen_arrive ;;
	"$$:"?":nowhere:"*) ;;
	"$$:"?":in:"*) rdgen_die "conf.d names another routing domain each time it is read" ;;
	*)
		rdgen_slipped
		if [ -e "$RC_SVCDIR/rdgen/$RC_SVCNAME" ]; then
			rdgen_part enter
			rdgen_set_aside
		fi
		rdgen_leave
		[ -z "$vrf$netns" ] || rdgen_exec
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

# rdgen_id_of sets rdgen_id to the domain's ID, or to nothing.
rdgen_id_of()
{
	rdgen_id="$vrf@$netns"
	rdgen_id="${rdgen_id%@}"
	rdgen_id="${rdgen_id#@}"
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

# rdgen_leave leaves a domain that this shell has inherited from who started it:
# from another service's script, or from a shell in ip netns exec or ip vrf exec.
rdgen_leave()
{
	! yesno "$RC_USER_SERVICES" || return 0 # they stay in their session
	# In a chroot that has a namespace of its own, that is the default one. A VRF with
	# resolvers of its own has a private /etc, and the default namespace.
	if [ -e /proc/1/ns/net ] && [ / -ef /proc/1/root/. ] && { ! [ /proc/self/ns/net -ef /proc/1/ns/net ] || [ -L /etc/.host/.stamp ]; }; then
		rdgen_part enter
		rdgen_leave_netns
	fi
	{ rdgen_cgroup_of self; } 2>/dev/null
	case "$rdgen_at" in
	'' | / | "/$RC_SVCNAME" | "/openrc.$RC_SVCNAME") return 0 ;;
	*/vrf/*) ;;
	*) [ -e "$RC_SVCDIR/options/$rdgen_owner/rdgen_domain" ] || return 0 ;;
	esac
	rdgen_part enter
	rdgen_leave_vrf
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
	rdgen_link=
	# Is the script a link, of which OpenRC may read another conf.d? As rc-service and
	# openrc call it, it is not; with more words a name can end anywhere. Nor does it
	# matter where the files of all folders are read.
	rdgen_cmdline "$RC_OPENRC_PID"
	rdgen_path="${RC_SERVICE%/*}/$RC_SVCNAME"
	case ":$RC_PATH:$rdgen_words" in
	*:/etc:*"/$RC_SVCNAME$RC_CMD" | *:/etc:*"/$RC_SVCNAME--lockfd"[0-9]*) ;;
	*"openrc-run$RC_SERVICE$RC_CMD" | *"openrc-run$RC_SERVICE--lockfd"[0-9]*) ;;
	*"openrc-run$rdgen_path$RC_CMD" | *"openrc-run$rdgen_path--lockfd"[0-9]*) ;;
	*)
		rdgen_part slips
		yesno "$RC_USER_SERVICES" || rdgen_unread
		;;
	esac
	rdgen_slips
	case "$rdgen_called" in
	netns | vrf) rdgen_die "conf.d has the command $rdgen_called; a line that names a domain is $rdgen_called=NAME, without spaces" ;;
	esac
}

# rdgen_slips searches the files of a service: those that OpenRC reads, which are those
# beside the script, since 0.64 those of RC_PATH, and a user's own; then those of /etc,
# which it does not read for a script that is elsewhere.
rdgen_slips()
{
	rdgen_seen=: rdgen_elsewhere=''
	rdgen_dirs="${RC_SERVICE%/*/*}:${RC_PATH:+$RC_PATH:}"
	if yesno "$RC_USER_SERVICES"; then
		rdgen_part slips
		rdgen_slips_user
	fi
	while [ -n "$rdgen_dirs" ]; do
		rdgen_dir="${rdgen_dirs%%:*}" rdgen_dirs="${rdgen_dirs#*:}"
		rdgen_slips_of "$RC_SVCNAME"
	done
	! yesno "$RC_USER_SERVICES" || return 0
	rdgen_elsewhere=1
	[ -z "$rdgen_link" ] || rdgen_slips_link
	rdgen_dir=/etc
	rdgen_slips_of "$RC_SVCNAME"
}

# rdgen_slips_of NAME searches the files of a folder for a service.
rdgen_slips_of()
{
	for rdgen_file in "$rdgen_dir/conf.d/${1%%.*}" "$rdgen_dir/conf.d/$1"; do
		case "$rdgen_seen" in *":$rdgen_file:"*) continue ;; esac
		rdgen_seen="$rdgen_seen$rdgen_file:"
		rdgen_slips_in "$rdgen_file" "$rdgen_file.$RC_RUNLEVEL"
	done
}

# rdgen_slips_in FILE... looks for lines that may have been meant so: few others have to
# be judged.
rdgen_slips_in()
{
	for rdgen_file; do
		if ! [ -f "$rdgen_file" ] || ! [ -r "$rdgen_file" ]; then
			[ -z "$rdgen_elsewhere" ] || continue
			! [ -d "$rdgen_file" ] || rdgen_die "$rdgen_file is a directory; a line that names a domain is in a file"
			! [ -L "$rdgen_file" ] || [ -e "$rdgen_file" ] ||
				rdgen_die "$rdgen_file is a link to nowhere, so what it names is not known; mend it, or remove it"
			continue
		fi
		rdgen_number=0
		while IFS= read -r rdgen_text || [ -n "$rdgen_text" ]; do
			rdgen_number=$((rdgen_number + 1))
			case "$rdgen_text" in '#'* | '') continue ;; esac
			# Of name=word and name="some words" only the name can be meant so.
			rdgen_name="${rdgen_text%%=*}" rdgen_rest="${rdgen_text#*=}"
			case "$rdgen_name" in *[!A-Za-z0-9_]*) rdgen_rest=' ' ;; esac
			case "$rdgen_rest" in
			*[\;\&\|\(\)\`]*) rdgen_name="$rdgen_text" ;;
			[\"\']*) ;;
			*[\ \	]*) rdgen_name="$rdgen_text" ;;
			esac
			case "$rdgen_name" in
			# Every name that is meant has one of these.
			*[vV][rR]* | *[rR][fF]* | *[vV][fF]* | *[rR][vV][fF]* | *[nN][sS]* | *[nN][eE][tT]* | *[nN][tT][sS]* | *[dD][oO][mM]*) ;;
			# So has this, with letters that only look like them.
			*[!]A-Za-z0-9_\ \	\!\"\#\$%\&\'\(\)*+,./:\;\<=\>?@\[\\^\`\{\|\}~-]*) ;;
			*) continue ;;
			esac
			rdgen_part slips
			rdgen_line
		done <"$rdgen_file"
	done
}

# rdgen_script comes right before the service's script is read.
rdgen_script()
{
	rdgen_coming=$$
	# conf.d was asked for, so all is in the order that was known: no doubt is left.
	rdgen_off
	[ "$rdgen_asked" != $$ ] || rdgen_guard=
	[ -n "$vrf$netns" ] || return 0
	rdgen_part enter
	rdgen_arrange
}

# rdgen_supervise comes after OpenRC's own files for supervisors, and takes their place.
rdgen_supervise()
{
	[ -n "$vrf$netns" ] || [ -d "$RC_SVCDIR/s6-services" ] || return 0
	rdgen_part enter
	rdgen_supervisors
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
		# shellcheck disable=SC2154 # openrc-enter.sh sets it
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
	# As OpenRC's own, except the first line without -e: that comes when
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
			rdgen_awaited
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
		if [ -n "$vrf$netns" ]; then
			rdgen_part enter
			rdgen_inherited
		fi
		rdgen_ready || :
	else # a script that has the line
		if [ -n "$vrf$netns" ] && ! rdgen_is_inside; then
			rdgen_part enter
			rdgen_inherited
		fi
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
# Who has read this file asks for it: 50-rdgen.conf, and the line in a script.
rdgen_end=hook
