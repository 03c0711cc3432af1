#!/bin/sh
# Starts units of many kinds at once, and prints what systemd says of each: a line
# of its name, a fact and its value.
# shellcheck disable=SC1091,SC2046 # files that the test writes; a list of units is words
prepare()
{
	mkdir -p /run/kinds /etc/conf.d /srv/k-root/usr /srv/k-root/proc /srv/k-root/dev /srv/k-root/sys /srv/k-root/run /srv/k-root/tmp /srv/k-root/lib /srv/k-root/lib64
	mkdir -p /srv/k.mstack /srv/k-layer/usr/sbin /srv/k-layer/usr/lib/extension-release.d
	cp -a /srv/k-root /srv/k.mstack/root
	cp /bin/false /srv/k-layer/usr/sbin/rdexec
	echo ID=_any >/srv/k-layer/usr/lib/extension-release.d/extension-release.k-layer
	printf 'account required pam_deny.so\nauth required pam_deny.so\nsession required pam_deny.so\n' >/etc/pam.d/k-deny
	printf '<busconfig><policy user="root"><allow own="org.example.Kind"/></policy></busconfig>\n' >/etc/dbus-1/system.d/kind.conf
	systemctl start dbus; systemctl reload dbus
	rdomain up same
}
# awaited COMMAND...: as await, which would fail the test; some kinds come to another end
# in a domain, which is told.
awaited()
{
	for _ in $(seq 40); do
		"$@" && return
		sleep 0.2
	done
	"$@"
}
# job_of: of what systemctl start said, the units and why their jobs failed.
job_of() { sed -n -e 's/^Job for \(k-[^ ]*\) \(failed.*\)/\1 start=\2/p' -e 's/^\(A dependency job\|Assertion failed on job\) for \(k-[^ ]*[a-z]\)\.\{0,1\} *\(.*\)/\2 start=\1 \3/p'; }
# states UNIT...: a line of each unit and its state. One call for all: systemctl show
# asks for each by itself, for all that is known of it. Who is not listed is forgotten.
states()
{
	systemctl list-units --all --full --plain --no-legend >/run/kinds/listed
	printf '%s\n' "$@" | awk 'NR == FNR {state[$1] = $3; next} {print $1, (($1 in state) ? state[$1] : "inactive")}' /run/kinds/listed - | sort
}
are_at_their_ends() { [ "$(states $(cut -d' ' -f1 /run/kinds/ends))" = "$(sort /run/kinds/ends)" ]; }
is_quiet() { ! systemctl list-jobs --no-legend | grep -q "\.service\|\.socket"; }
# facts PREFIX UNIT...: what systemctl show and status say.
facts()
{
	prefix=$1
	shift
	systemctl show -p Id -p ActiveState -p SubState -p Result -p NRestarts -p MainPID "$@" >/run/kinds/shown
	awk -F= -v p="$prefix" '
		function print_it() { if (id != "") printf "%s %sstate=%s/%s\n%s %sresult=%s\n%s %srestarts=%s\n", id, p, f["ActiveState"], f["SubState"], id, p, f["Result"], id, p, f["NRestarts"] }
		$1 == "Id" {id = $2} {f[$1] = $2} $0 == "" {print_it(); id = ""; split("", f)} END {print_it()}' /run/kinds/shown
	systemctl status --lines=0 --no-pager "$@" | awk -v p="$prefix" '
		/^[^ ]/ && $1 !~ /:$/ {id = $2}
		{while (match($0, /(status|signal)=[0-9A-Za-z_\/-]+/)) {
			s = substr($0, RSTART + 7, RLENGTH - 7)
			$0 = substr($0, RSTART + RLENGTH)
			if (s != "0/SUCCESS" && !seen[id, s]++) said[id] = said[id] s " "
		}}
		END {for (id in said) print id, p "status=" said[id]}'
}
# named: the names of units become those of kinds, and of another unit than the
# service its suffix a part of the fact.
named() { sed -e 's/^k-\([^ ]*\)\.service /\1 /' -e 's/^k-\([^ ]*\)\.\([a-z]*\) /\1 \2-/'; }
# The parts of a run, in their order.
begin()
{
	rm -f /run/kinds/of.*
	# Files where systemd wants a directory; what cannot be set up is cleaned up.
	: >/run/k-file; : >/var/lib/k-file; : >/var/cache/k-file; : >/var/log/k-file; : >/etc/k-file
	. /run/kinds/confs
	systemctl daemon-reload
	systemctl start keep
	systemctl start $(cat /run/kinds/starts) 2>/run/kinds/said || : # some are to fail
	sed 's/ See .*//' /run/kinds/said | job_of | named
	. /run/kinds/pokes
}
settle()
{
	awaited are_at_their_ends || states $(cut -d' ' -f1 /run/kinds/ends) | sort /run/kinds/ends - | uniq -u | sort -u -k1,1 | sed -n 's/^k-\(.*\)\.service .*/\1 never=ends/p'
	awaited is_quiet
}
look()
{
	facts '' $(cat /run/kinds/units) | named
	awk -F= '$1 == "Id" {i = $2} $1 == "MainPID" {p = $2} $0 == "" {print i, p; p = 0} END {print i, p}' /run/kinds/shown |
		while read -r u pid; do [ "${pid:-0}" = 0 ] || echo "$u where=$(net_of "$pid")"; done | named
	tell failed succeeded
}
dependents()
{
	systemctl start --no-block $(tr ' ' '\n' </run/kinds/around | grep -e ^requires -e ^wants -e ^binds)
	awaited is_quiet
}
after()
{
	# They have started once more, and what is bound to one that fails ends with it; it may
	# have begun by then.
	awaited are_at_their_ends || :
	awaited is_quiet
	tell requires wants binds | sed 's/ binds=failed$/ binds=inactive/'
	for f in /run/kinds/of.*; do [ ! -e "$f" ] || echo "${f#*/of.} wrote=$(tr '\n' ' ' <"$f")"; done
}
end()
{
	systemctl stop $(tr ' ' '\n' </run/kinds/units | grep -v '\.service$') # they would start services again
	systemctl stop $(cat /run/kinds/units /run/kinds/around) 2>/dev/null || :
	awaited is_quiet
	facts 'stopped-' $(cat /run/kinds/units) | named | grep -v 'stopped-restarts=' # of all starts so far
	# What a stop has triggered; without the last, all is forgotten.
	systemctl stop $(cat /run/kinds/around) keep
	systemctl reset-failed
}
# net_of PID: the domain that it is in.
net_of()
{
	case $(readlink "/proc/$1/ns/net") in
	"$(readlink /proc/1/ns/net)") echo default ;;
	"net:[$(stat -Lc %i /run/netns/same)]") echo same ;;
	*) echo elsewhere ;;
	esac
}
# tell HOW...: the state of what has to do with each kind.
tell()
{
	for how in "$@"; do
		states $(tr ' ' '\n' </run/kinds/around | grep "^$how@") | sed 's/^\([a-z]*\)@k-\(.*\)\.service \(.*\)/\2 \1=\3/'
	done
}
