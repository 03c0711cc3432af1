# shellcheck shell=sh disable=SC2034,SC2154,SC3013 # openrc.sh's and OpenRC's variables; -ef
# A part of openrc.sh: the way of a service into its domain, and what is done there.

# rdgen_which sets vrf and netns to those that the service was started in, or
# leaves those of conf.d if it was not.
rdgen_which()
{
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

rdgen_up()
{
	for rdgen_state in started inactive wasinactive stopping; do
		[ ! -L "$RC_SVCDIR/$rdgen_state/$RC_SVCNAME" ] || return 0
	done
	return 1
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

# rdgen_exec replaces this shell by rdexec, which executes it again.
rdgen_exec()
{
	rdgen_command
	[ "$rdgen_cmd" != start ] || [ -z "$socket_domain" ] ||
		rdgen_die "conf.d sets socket_domain=, which is for the socket units of systemd; OpenRC has none: take the line out"
	yesno "$RC_USER_SERVICES" && rdgen_user && return
	set -- --
	if [ -n "$vrf" ]; then
		rdgen_find_cgroup
		[ -z "$rdgen_cgroup" ] || set -- -c "$rdgen_cgroup" "$@"
		set -- -v "$vrf" "$@"
	fi
	[ -z "$netns" ] || set -- -n "$netns" "$@"
	rdgen_rdexec=/usr/sbin/rdexec
	# A domain that is gone must not keep a service from being stopped, and one
	# that is not there yet is no reason to know nothing of it.
	case "$rdgen_cmd" in
	status | describe)
		[ -w "$RC_SVCDIR" ] || return 0 # not root, who may ask
		if ! rdgen_up || ! rdgen_enters "$@" 2>/dev/null; then
			rdgen_nowhere
		fi
		;;
	stop)
		rdgen_note
		rdgen_enters "$@" || {
			ewarn "$RC_SVCNAME: its routing domain $rdgen_id cannot be entered; stopping it without a network"
			rdgen_nowhere
		}
		;;
	*)
		case "$RC_SVCNAME" in
		rdomain.*) rdgen_die "this makes a routing domain, and cannot start in one; take vrf= and netns= out of its conf.d" ;;
		esac
		{ [ -x "$rdgen_rdexec" ] && [ -s "$rdgen_rdexec" ]; } ||
			rdgen_die "cannot enter routing domain $rdgen_id: $rdgen_rdexec is not executable; install rdgen"
		[ "$rdgen_cmd" != start ] || rdgen_first
		;;
	esac
	rdgen_again in "enter routing domain $rdgen_id" "$rdgen_rdexec" "$@"
}

# rdgen_note notes that the service stops because its domain does, which starts it again.
# One whose conf.d names another domain by now is not the domain's any more.
rdgen_note()
{
	[ "$rdgen_recorded" = "$rdgen_conf" ] || return 0
	for rdgen_domain in "rdomain.$netns" "rdomain.$rdgen_id"; do
		[ -L "$RC_SVCDIR/stopping/$rdgen_domain" ] || continue
		mkdir -p "$RC_SVCDIR/rdgen-stopped/$rdgen_domain" && : >"$RC_SVCDIR/rdgen-stopped/$rdgen_domain/$RC_SVCNAME"
		return
	done
}

# rdgen_enters WORD... tries the way into the domain. A shell takes an empty file for a
# script that has done its work.
rdgen_enters()
{
	[ -s "$rdgen_rdexec" ] && "$rdgen_rdexec" "$@" /bin/true
}

# rdgen_first starts the service that makes the domain, where OpenRC has not: its
# cache of dependencies knows by whole seconds that conf.d was edited, and two first
# commands at once read half of it.
rdgen_first()
{
	for rdgen_domain in "rdomain.$netns" "rdomain.$rdgen_id"; do
		[ -e "/etc/init.d/$rdgen_domain" ] || continue
		! service_started "$rdgen_domain" || continue
		rc-service "$rdgen_domain" start ||
			while service_starting "$rdgen_domain"; do sleep 1; done # somebody else does
		service_started "$rdgen_domain" ||
			rdgen_die "$rdgen_domain, which makes its routing domain, did not start"
	done
}

# rdgen_nowhere executes the service in an empty network namespace, where a stop()
# cannot touch what is the default domain's.
rdgen_nowhere()
{
	rdgen_again nowhere "do without routing domain $rdgen_id" unshare -n
}

# rdgen_again HOW TO PROG... executes the service again by PROG. exec keeps the pid,
# so the mark PID:TIMES:HOW:VRF@NETNS:SERVICE is for this process only.
rdgen_again()
{
	rdgen_command
	rdgen_times=0
	case "$rdgen_mark" in
	"$$:"*) rdgen_times="${rdgen_mark#*:}" rdgen_times="${rdgen_times%%:*}" ;;
	esac
	rdgen_times=$((rdgen_times + 1))
	[ "$rdgen_times" -lt 5 ] || rdgen_die "conf.d names another routing domain each time it is read"
	export RDGEN_ENTERED="$$:$rdgen_times:$1:$vrf@$netns:$RC_SVCNAME"
	rdgen_to="$2"
	shift 2
	command -v "$1" >/dev/null || rdgen_die "cannot $rdgen_to: there is no $1"
	rdgen_awaited # what comes may fail at once
	# OpenRC resolves links, and /etc of a namespace may be a directory of links.
	# shellcheck disable=SC2093 # a shell need not exit where exec fails
	exec "$@" "$0" "${RC_SERVICE#/etc/.host}" "$rdgen_cmd"
	rdgen_die "cannot $rdgen_to: $1 cannot be executed"
}

# rdgen_user looks whether a user's session, which may not enter a domain, was
# started in that of the service.
rdgen_user()
{
	set --
	[ -z "$netns" ] || set -- -n "$netns"
	[ -z "$vrf" ] || set -- "$@" -v "$vrf"
	/usr/sbin/rdomain check --self "$@" ||
		rdgen_die "a user's service cannot enter routing domain $rdgen_id; set it in /etc/conf.d/user.NAME, for the whole session"
}

# rdgen_arrive is where rdexec has brought this shell.
rdgen_arrive()
{
	rdgen_command
	[ -z "$vrf" ] || rdgen_join
	case "$rdgen_cmd" in
	start)
		service_set_value rdgen_domain "$vrf@$netns" ||
			rdgen_die "cannot record routing domain $rdgen_id in $RC_SVCDIR"
		rdgen_noted=$$
		;;
	stop | status | describe) ;;
	*)
		[ "$rdgen_conf" = "$vrf@$netns" ] ||
			ewarn "$RC_SVCNAME: still in $rdgen_id; conf.d names another routing domain since the start"
		;;
	esac
}

# rdgen_find_cgroup sets rdgen_cgroup to the cgroup into which OpenRC moves the shell
# (openrc.NAME since 0.53, NAME before), and rdgen_root to where cgroup v2 is
# mounted. Without a mount OpenRC moves nothing, and rdexec joins one of its own.
rdgen_find_cgroup()
{
	rdgen_cgroup=
	for rdgen_root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[ -e "$rdgen_root/cgroup.controllers" ] || continue
		rdgen_cgroup="/$RC_SVCNAME"
		[ -r "$RC_LIBEXECDIR/sh/rc-cgroup.sh" ] || return 0
		while read -r rdgen_line; do
			# shellcheck disable=SC2016 # the text of OpenRC's file
			case "$rdgen_line" in
			*'/openrc.${RC_SVCNAME}'*) rdgen_cgroup="/openrc.$RC_SVCNAME" ;;
			esac
		done <"$RC_LIBEXECDIR/sh/rc-cgroup.sh"
		return 0
	done
}

# rdgen_join moves the shell into the cgroup that rdexec has bound to the VRF.
# OpenRC does so too, but not for every command and not in every configuration.
rdgen_join()
{
	rdgen_find_cgroup
	[ -n "$rdgen_cgroup" ] || return 0
	# rdgen_set_aside asks this.
	[ -d "$RC_SVCDIR/rdgen" ] || mkdir "$RC_SVCDIR/rdgen"
	echo "$vrf@$netns" >"$RC_SVCDIR/rdgen/$RC_SVCNAME" || rdgen_die "cannot write $RC_SVCDIR/rdgen/$RC_SVCNAME"
	{ echo 0 >"$rdgen_root$rdgen_cgroup/cgroup.procs"; } 2>/dev/null ||
		rdgen_die "cannot join $rdgen_root$rdgen_cgroup, which is bound to vrf $vrf"
	trap rdgen_tidy EXIT
}

# rdgen_tidy removes the cgroup where a command has left nothing in it.
rdgen_tidy()
{
	{ echo 0 >"$rdgen_root/cgroup.procs"; } 2>/dev/null
	! rdgen_unused || rm -f "$RC_SVCDIR/rdgen/$RC_SVCNAME"
}

# rdgen_unused reports that the service has no cgroup, and removes one that is empty.
rdgen_unused()
{
	[ -z "$rdgen_cgroup" ] || [ ! -d "$rdgen_root$rdgen_cgroup" ] || rmdir "$rdgen_root$rdgen_cgroup"
} 2>/dev/null

# rdgen_set_aside moves what an earlier start in a VRF has left, such as the sessions of
# sshd, into a cgroup of its own in that VRF. The service's cgroup is bound to it for as
# long as it is there, and would bind what is started now.
rdgen_set_aside()
{
	read -r rdgen_earlier <"$RC_SVCDIR/rdgen/$RC_SVCNAME"
	[ "$rdgen_earlier" != "$vrf@$netns" ] || return 0
	rdgen_command
	case "$rdgen_cmd" in
	status | describe | stop) return 0 ;; # it starts nothing
	esac
	rdgen_find_cgroup
	if ! rdgen_unused; then
		{ echo 0 >"$rdgen_root/cgroup.procs"; } 2>/dev/null # this shell may be one of them
		set -- -v "${rdgen_earlier%%@*}"
		[ -z "${rdgen_earlier#*@}" ] || set -- -n "${rdgen_earlier#*@}" "$@"
		# shellcheck disable=SC2016 # it is for that shell
		/usr/sbin/rdexec "$@" -- sh -c '
			while IFS= read -r line; do
				case "$line" in 0::*) to="$1${line#0::}/cgroup.procs" ;; esac
			done </proc/self/cgroup
			while read -r pid <"$2/cgroup.procs" && echo "$pid" >"$to"; do :; done' sh "$rdgen_root" "$rdgen_root$rdgen_cgroup"
		rdgen_unused ||
			rdgen_die "what an earlier start has left in vrf ${rdgen_earlier%%@*} is still in $rdgen_root$rdgen_cgroup, which is bound to it; end those processes"
	fi
	rm -f "$RC_SVCDIR/rdgen/$RC_SVCNAME"
}

# rdgen_leave_netns executes the service again in the default network namespace, with the
# host's /etc.
rdgen_leave_netns()
{
	case "$rdgen_mark" in
	"$$:"?":left:"*) rdgen_die "nsenter did not leave the network namespace, or the private /etc, of who started this" ;;
	esac
	rdgen_again left "leave the network namespace of who started this" nsenter -t 1 -m -n
}

# rdgen_leave_vrf leaves the cgroup that this shell has inherited.
rdgen_leave_vrf()
{
	rdgen_command
	case "$rdgen_cmd" in
	status | describe) [ -w "$RC_SVCDIR" ] || return 0 ;; # not root, who may ask
	esac
	rdgen_find_cgroup
	# Where cgroup2 is not mounted it is, for a moment, for a child alone.
	# shellcheck disable=SC2016
	{ echo 0 >"$rdgen_root/cgroup.procs"; } 2>/dev/null ||
		unshare -m sh -c 'mount -t cgroup2 rdgen /sys/fs/cgroup && echo "$1" >/sys/fs/cgroup/cgroup.procs' sh $$ ||
		rdgen_die "cannot leave the cgroup $rdgen_at of who started this, which is bound to a vrf"
}

# rdgen_arrange comes right before the script of a service in a domain is read.
rdgen_arrange()
{
	# What the script starts is not to see an exported domain: another service's shell, or
	# gendepends.sh. (They may be readonly.)
	if (unset vrf netns) 2>/dev/null; then
		rdgen_conf="$vrf@$netns"
		unset vrf netns
		vrf="${rdgen_conf%%@*}" netns="${rdgen_conf#*@}"
	fi
	# The scripts of iptables ask this, OpenRC's old name for it, which of the two
	# they are, and take an instance of ip6tables for iptables.
	case "$RC_SVCNAME" in
	ip6tables.*) SVCNAME=ip6tables ;;
	esac
	if [ -n "$vrf" ] && [ -d /run/systemd/seats ]; then # elogind's
		for rdgen_name in su runuser sudo; do
			# shellcheck disable=SC2139
			alias "$rdgen_name=rdgen_session $rdgen_name"
		done
	fi
}

# rdgen_session is su, and its like, in a VRF. Where PAM has elogind open a session for it,
# elogind moves that into a cgroup of its own, which is not bound to the VRF.
rdgen_session()
{
	rdgen_command
	rdgen_login=
	for rdgen_arg; do
		case "$rdgen_arg" in
		-c* | --command* | --) break ;;
		- | -l* | --login) rdgen_login=1 ;; # PAM may have another file for these
		esac
	done
	case "$rdgen_cmd:$1" in
	stop:* | status:* | describe:*) rdgen_at= ;; # a stop() may do so
	*:sudo) rdgen_at="$(sudo -n grep ^0:: /proc/self/cgroup)" ;;
	*) rdgen_at="$("$1" ${rdgen_login:+-} root -c 'grep ^0:: /proc/self/cgroup')" ;;
	esac
	if [ -n "$rdgen_at" ] && [ "$rdgen_at" != "$(grep ^0:: /proc/self/cgroup)" ]; then
		set -- "$1 opens a session of elogind, which is outside of vrf $vrf; let start-stop-daemon --user, or setpriv, start the program"
		# What su says may go to /dev/null; this goes to who started the service.
		[ /proc/self/fd/2 -ef "/proc/$RC_OPENRC_PID/fd/2" ] || eerror "$RC_SVCNAME: $1" 2>>"/proc/$RC_OPENRC_PID/fd/2"
		rdgen_die "$1"
	fi
	"$@"
}

# rdgen_supervisors takes the place of what OpenRC's own files for supervisors say.
# shellcheck disable=SC2317 # which it calls
rdgen_supervisors()
{
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

rdgen_end=enter
