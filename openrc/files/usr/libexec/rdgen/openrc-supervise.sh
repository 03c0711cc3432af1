# shellcheck shell=sh disable=SC2034,SC2154 # openrc.sh's and OpenRC's variables
# A part of openrc.sh: what is done where s6 or runit, and not the script, runs the
# daemon of a service.

# rdgen_outside SUPERVISOR RUN is for a program that a supervisor runs from where
# that was started: its run file must enter by itself.
rdgen_outside()
{
	[ -n "$vrf$netns" ] || return 0
	rdgen_words="rdexec${netns:+ -n $netns}${vrf:+ -v $vrf} --"
	if [ -r "$2" ]; then
		while read -r rdgen_line; do
			case "$rdgen_line" in
			'#'*) ;;
			*"$rdgen_words"*) return 0 ;;
			esac
		done <"$2"
	fi
	rdgen_die "supervisor=$1 runs $2 outside of routing domain $rdgen_id; put \"$rdgen_words\" before its program"
}

# rdgen_s6 makes the directory by which s6-svscan runs the service, with the way
# into the domain in front of everything: of s6-setuidgid too. OpenRC keeps such
# directories, and does not see when conf.d was changed.
rdgen_s6()
{
	if ! command -v _s6_servicedir_create >/dev/null; then # up to 0.62
		rdgen_outside s6 "${s6_service_path:-/var/svc.d/$RC_SVCNAME}/run"
		return
	fi
	_s6_set_variables
	# shellcheck disable=SC2154 # set there
	rdgen_dir="$_servicedirs/$name" rdgen_service="$_service"
	if _s6_have_legacy_servicedir; then
		rdgen_outside s6 "/var/svc.d/$name/run"
		return
	elif [ -z "$vrf$netns" ]; then
		[ ! -e "$rdgen_dir/rdgen" ] || rm -rf -- "$rdgen_dir"
		return
	fi
	_s6_sanity_checks || return 1
	! s6-svok "$rdgen_service" 2>/dev/null ||
		rdgen_die "s6 supervises a service called $name already; give each instance a name= of its own"
	case "$RC_SVCNAME" in
	*[!A-Za-z0-9_.+@:-]*) rdgen_die "a service of this name cannot be written into an execline script" ;;
	esac
	rm -rf -- "$rdgen_dir"
	_s6_servicedir_create
	[ -z "$vrf" ] || rdgen_find_cgroup
	# shellcheck disable=SC2015 # any of them
	{
		read -r rdgen_line && printf '%s\n' "$rdgen_line" "# rdgen: routing domain $rdgen_id" \
			"/usr/sbin/rdexec${netns:+ -n $netns}${vrf:+ -v $vrf}${rdgen_cgroup:+ -c $rdgen_cgroup} --"
		[ -z "$rdgen_cgroup" ] || printf '%s\n' 'getpid -E rdgen_pid' \
			"if { redirfd -w 1 $rdgen_root$rdgen_cgroup/cgroup.procs /bin/echo \$rdgen_pid }"
		cat
	} <"$rdgen_dir/run" >"$rdgen_dir/run.rdgen" && chmod 0755 "$rdgen_dir/run.rdgen" &&
		: >"$rdgen_dir/rdgen" && mv "$rdgen_dir/run.rdgen" "$rdgen_dir/run" || {
		rm -rf -- "$rdgen_dir"
		rdgen_die "cannot write $rdgen_dir/run"
	}
	trap - EXIT # s6-svscan is about to use the cgroup
}

rdgen_end=supervise
