# shellcheck shell=sh disable=SC2034,SC2154 # openrc.sh's and OpenRC's variables
# A part of openrc.sh: the way of a service into its domain, and what is done there.

# rdgen_exec replaces this shell by rdexec, which executes it again.
rdgen_exec()
{
	rdgen_command
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
		if ! rdgen_up || ! "$rdgen_rdexec" "$@" /bin/true 2>/dev/null; then
			rdgen_nowhere
		fi
		;;
	stop)
		"$rdgen_rdexec" "$@" /bin/true || {
			ewarn "$RC_SVCNAME: its routing domain $rdgen_id cannot be entered; stopping it without a network"
			rdgen_nowhere
		}
		;;
	*)
		[ -x "$rdgen_rdexec" ] ||
			rdgen_die "cannot enter routing domain $rdgen_id: $rdgen_rdexec is not executable; install rdgen"
		[ "$rdgen_cmd" != start ] || rdgen_first
		;;
	esac
	rdgen_again in "enter routing domain $rdgen_id" "$rdgen_rdexec" "$@"
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
	rdgen_times=$((rdgen_times + 1))
	[ "$rdgen_times" -lt 5 ] || rdgen_die "conf.d names another routing domain each time it is read"
	export RDGEN_ENTERED="$$:$rdgen_times:$1:$vrf@$netns:$RC_SVCNAME"
	rdgen_to="$2"
	shift 2
	command -v "$1" >/dev/null || rdgen_die "cannot $rdgen_to: there is no $1"
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
	{ echo 0 >"$rdgen_root$rdgen_cgroup/cgroup.procs"; } 2>/dev/null ||
		rdgen_die "cannot join $rdgen_root$rdgen_cgroup, which is bound to vrf $vrf"
	trap rdgen_tidy EXIT
}

# rdgen_tidy removes the cgroup where a command has left nothing in it.
rdgen_tidy()
{
	{
		echo 0 >"$rdgen_root/cgroup.procs"
		read -r rdgen_line <"$rdgen_root$rdgen_cgroup/cgroup.procs" ||
			[ ! -d "$rdgen_root$rdgen_cgroup" ] || rmdir "$rdgen_root$rdgen_cgroup"
	} 2>/dev/null
}
