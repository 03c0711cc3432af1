# shellcheck shell=sh
# rdgen: starts an OpenRC service in the routing domain that its conf.d names
# (vrf=NAME, netns=NAME, or both: the VRF inside the namespace).
#
# Sourced by /etc/rc.conf.d/50-rdgen.conf for every service, or by a line at the
# top of one init script; both together are harmless. In openrc-run.sh a service
# with a domain is executed once more through rdexec, after conf.d was read and
# before the script is: the daemon and every function of the script are inside. In
# gendepends.sh it needs the service that makes the domain, if there is one.
#
# A service runs in its domain or not at all: each doubt below ends in exit 1.

rdgen_die()
{
	eerror "$RC_SVCNAME: $*"
	exit 1
}

# rdgen_enter executes the service in its domain, or returns because it is there,
# or because there is none: then without a fork.
rdgen_enter()
{
	case "$RDGEN_ENTERED" in
	"$$:$vrf@$netns:$RC_SVCNAME")
		# Here after rdexec. What the service starts must not see the mark.
		unset RDGEN_ENTERED
		rdgen_inside="$$:$vrf@$netns"
		# Alpine's OpenRC would enter a second time.
		# shellcheck disable=SC2034
		RC_VRF_EXEC=
		[ -z "$vrf" ] || rdgen_join
		return 0
		;;
	"$$:"*)
		rdgen_die "conf.d names another routing domain each time it is read"
		;;
	esac
	unset RDGEN_ENTERED
	case "$rdgen_inside" in
	"$$:$vrf@$netns") return 0 ;;
	"$$:"*) rdgen_die "vrf and netns were changed after the service was entered" ;;
	esac
	[ -z "$vrf$netns" ] || rdgen_exec
}

# rdgen_exec replaces this shell by rdexec, which executes it again.
rdgen_exec()
{
	rdgen_rdexec="${RDGEN_RDEXEC:-/usr/sbin/rdexec}"
	[ -x "$rdgen_rdexec" ] ||
		rdgen_die "cannot enter the routing domain: $rdgen_rdexec is not executable"

	# The command is in the command line alone: "$@" is sourcex's here, and
	# RC_CMD is "restart" for both halves of one.
	rdgen_words="$(tr '\0' '\n' <"/proc/$$/cmdline")" ||
		rdgen_die "cannot enter the routing domain: /proc/$$/cmdline is not readable"
	IFS='
'
	set -f
	# shellcheck disable=SC2086 # one word a line
	set -- $rdgen_words
	while [ $# -gt 0 ] && [ "$1" != "$0" ]; do
		shift
	done
	[ $# -ge 3 ] || rdgen_die "cannot enter the routing domain: no command in /proc/$$/cmdline"

	set -- -- "$@"
	if [ -n "$vrf" ]; then
		rdgen_find_cgroup
		[ -z "$rdgen_cgroup" ] || set -- -c "$rdgen_cgroup" "$@"
		set -- -v "$vrf" "$@"
	fi
	[ -z "$netns" ] || set -- -n "$netns" "$@"

	# exec keeps the pid, so the mark is for this process only.
	RDGEN_ENTERED="$$:$vrf@$netns:$RC_SVCNAME"
	export RDGEN_ENTERED
	# shellcheck disable=SC2093 # a shell need not exit where exec fails
	exec "$rdgen_rdexec" "$@"
	rdgen_die "cannot enter the routing domain: $rdgen_rdexec cannot be executed"
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
}

# rdgen_need makes the service need the one that makes its domain.
rdgen_need()
{
	case "$vrf@$netns" in
	@) return 0 ;;
	*@) rdgen_id="$vrf" ;;
	@*) rdgen_id="$netns" ;;
	*) rdgen_id="$vrf@$netns" ;;
	esac
	case "$RC_SVCNAME:$rdgen_id" in
	rdomain.* | *:*[!A-Za-z0-9_.@-]*) return 0 ;;
	esac
	[ ! -e "/etc/init.d/rdomain.$rdgen_id" ] || need "rdomain.$rdgen_id"
}

case "${0##*/}" in
openrc-run.sh)
	# As OpenRC's own, but for the first line without -e: that comes when
	# all of conf.d was read, for a supervisor's file or for the script.
	sourcex()
	{
		case "$1" in
		-e)
			[ -e "$2" ] || return 1
			shift
			;;
		*) rdgen_enter ;;
		esac
		# shellcheck disable=SC1090
		if ! . "$1"; then
			eerror "$RC_SVCNAME: error loading $1"
			exit 1
		fi
	}
	# "$1" is the file that sourcex is reading.
	case "$1" in
	*/rc.conf | */rc.conf.d/*) ;;
	*) rdgen_enter ;;
	esac
	;;
gendepends.sh)
	rdgen_need
	;;
esac
