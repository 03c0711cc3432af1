# shellcheck shell=sh disable=SC2034,SC2154,SC2295,SC3013 # openrc.sh's and OpenRC's variables; sets in patterns; -ef
# A part of openrc.sh: text in conf.d that was meant to name a domain, and does not.
# For a shell it is a command that it does not find, an assignment that it does not
# reach, or one to another variable. rdgen's Go programs say the same of the same
# text (openrc/slip.go), and a test holds both together. And a conf.d that OpenRC does
# not read, because the script is a link.

# Sets for patterns. What is quoted between [ and ] comes with a backslash, which musl
# takes for one more of the set; a ] must be the first of one.
# shellcheck disable=SC2016
rdgen_ends=';&|()`' rdgen_blank=' 	' rdgen_braces='${}'

# What may stand before an assignment.
rdgen_before=' export readonly local declare typeset env set let eval command then else do if elif while until time exec builtin alias setenv define var '

# rdgen_unread ends the start where a conf.d names another domain than those that
# OpenRC has read instead of it: of a script that is linked from elsewhere that is, up
# to 0.63, the one beside the real script, and up to 0.56 the one of its name too. It
# sets rdgen_link to the folder of the conf.d that belongs to the link, and rdgen_as to
# the link's name. rdgen_words are those that OpenRC was called with.
rdgen_unread()
{
	rdgen_path=
	[ -z "$rdgen_words" ] || rdgen_path="$(tr '\0' '\n' <"/proc/$RC_OPENRC_PID/cmdline" | sed -n 2p)"
	case "$rdgen_path" in
	/*/*/*) rdgen_link="${rdgen_path%/*/*}" ;;
	*) rdgen_link=/etc ;;
	esac
	rdgen_as="$RC_SVCNAME"
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

# rdgen_slips_link searches the files that belong to the link, and are not read.
rdgen_slips_link()
{
	for rdgen_dir in "$rdgen_link" /etc; do
		rdgen_slips_of "$RC_SVCNAME"
		rdgen_slips_of "$rdgen_as"
	done
}

# rdgen_slips_user searches a user's own files, and has their folder searched.
rdgen_slips_user()
{
	rdgen_dir="${XDG_CONFIG_HOME:-$HOME/.config}/rc"
	rdgen_dirs="$rdgen_dirs$rdgen_dir:"
	rdgen_slips_in "$rdgen_dir/$RC_SVCNAME" "$rdgen_dir/$RC_SVCNAME.$RC_RUNLEVEL" # 0.60 reads these
}

# rdgen_line judges the parts of a line that may be commands.
rdgen_line()
{
	rdgen_parts="$rdgen_text"
	while [ -n "$rdgen_parts" ]; do
		rdgen_rest="${rdgen_parts%%[$rdgen_ends]*}"
		rdgen_closed=
		case "$rdgen_parts" in # a function, a pattern
		"$rdgen_rest("* | "$rdgen_rest)"* | "$rdgen_rest|"* | "$rdgen_rest\`"*) rdgen_closed=1 ;;
		esac
		case "$rdgen_parts" in
		"$rdgen_rest\`"*) # what comes is computed
			rdgen_parts="${rdgen_parts#*[$rdgen_ends]}" rdgen_rest="$rdgen_rest$"
			;;
		*[$rdgen_ends]*) rdgen_parts="${rdgen_parts#*[$rdgen_ends]}" ;;
		*) rdgen_parts= ;;
		esac
		rdgen_begin || return 0
		rdgen_judge
	done
}

# rdgen_visible reports that the text begins with a character of ASCII that is seen,
# or with nothing.
rdgen_visible()
{
	case "$1" in
	'' | [A-Za-z0-9_\ \	\!\"#\$%\&\'\(\)*+,./:\;\<=\>?@\[\\^\`\{\|\}~-]* | ']'*) ;;
	*) return 1 ;;
	esac
}

# rdgen_begin leaves out what may stand before the name of a variable. It fails at a
# comment. rdgen_odd is set if a shell would not read an assignment there.
rdgen_begin()
{
	rdgen_odd='' rdgen_lead=''
	while :; do
		case "$rdgen_rest" in
		'#'*) return 1 ;;
		' '* | '	'*) rdgen_rest="${rdgen_rest#?}" ;;
		'- '* | '{ '* | '! '* | '> '*) rdgen_rest="${rdgen_rest#??}" ;;
		[A-Za-z_]*) rdgen_skip || return 0 ;;
		-[vV][rR][fF]=* | -[nN][eE][tT][nN][sS]=*) rdgen_odd=1 rdgen_rest="${rdgen_rest#?}" ;;
		\"* | \'* | \\* | %* | @* | +* | .* | ,* | '*'* | '~'* | ^* | '{'*) rdgen_odd=1 rdgen_rest="${rdgen_rest#?}" ;;
		'$'[A-Za-z_]*=*)
			rdgen_name="${rdgen_rest#?}" rdgen_odd=1
			rdgen_rest="${rdgen_name#"${rdgen_name%%[!A-Za-z0-9_-]*}"}"
			case "$rdgen_rest" in
			=*) rdgen_rest="$rdgen_name" ;;
			*) rdgen_rest= ;;
			esac
			;;
		*)
			if rdgen_visible "$rdgen_rest"; then
				rdgen_rest=
				return
			fi
			rdgen_cut_odd
			;;
		esac
	done
}

# rdgen_cut_odd removes a byte that no name has from the beginning; or puts the letter in
# place of a character that looks like one, or that another keyboard has in its place.
rdgen_cut_odd()
{
	rdgen_odd=1
	for rdgen_alike in \
		v ｖ Ｖ ⅴ Ⅴ ѵ Ѵ ν ᴠ \
		r ｒ Ｒ г ŕ Ŗ ŗ Ř ř Ŕ ʀ \
		f ｆ Ｆ ƒ ϝ ḟ ſ \
		n ｎ Ｎ п ո η Ν ñ Ñ ń Ń ņ Ņ ň Ň ŋ ⁿ \
		e ｅ Ｅ е Е Ε ε é É è È ê Ê ë Ë ē Ē ė Ė ę Ę ě Ě ё Ё є Є ℮ \
		t ｔ Ｔ т Т τ Τ ť Ť ţ Ţ ț Ț ŧ Ŧ \
		s ｓ Ｓ ѕ Ѕ ß ś Ś ŝ Ŝ ş Ş š Š ș Ș; do
		case "$rdgen_alike" in
		[a-z]) rdgen_letter="$rdgen_alike" ;;
		*)
			case "$rdgen_rest" in
			"$rdgen_alike"*)
				rdgen_rest="$rdgen_letter${rdgen_rest#"$rdgen_alike"}"
				return
				;;
			esac
			;;
		esac
	done
	rdgen_rest="${rdgen_rest#?}"
}

# rdgen_skip leaves out a word that may stand before an assignment.
rdgen_skip()
{
	rdgen_name="${rdgen_rest%%[!A-Za-z0-9_-]*}"
	rdgen_after="${rdgen_rest#"$rdgen_name"}"
	case "$rdgen_after" in
	[$rdgen_blank]*) rdgen_word="$rdgen_name" ;;
	*) rdgen_word= ;;
	esac
	case "$rdgen_before" in
	*" $rdgen_word "*) ;;
	*)
		case "$rdgen_after" in
		=*[$rdgen_blank]*) ;;
		*) return 1 ;;
		esac
		rdgen_meant "$rdgen_name"
		rdgen_value="${rdgen_after%%[ 	]*}"
		case "$rdgen_key$rdgen_value" in
		vrf* | netns* | *[\"\'\\]*) return 1 ;;
		esac
		rdgen_after="${rdgen_after#"$rdgen_value"}"
		;;
	esac
	rdgen_rest="$rdgen_after" rdgen_lead="$rdgen_name"
}

# rdgen_judge ends the start if the text, which begins with a name, is such.
rdgen_judge()
{
	rdgen_name='' rdgen_key='' rdgen_value=''
	while :; do
		rdgen_after="${rdgen_rest%%[!A-Za-z0-9_-]*}"
		rdgen_name="$rdgen_name$rdgen_after" rdgen_rest="${rdgen_rest#"$rdgen_after"}"
		case "$rdgen_name" in
		[vV][rR][fF] | [nN][eE][tT][nN][sS]) break ;;
		esac
		! rdgen_visible "$rdgen_rest" || break
		rdgen_cut_odd # in the middle of a name
	done
	case "$rdgen_name" in
	[vV][rR][fF]-?*) rdgen_joined vrf "${rdgen_name#????}" ;;
	[nN][eE][tT][nN][sS]-?*) rdgen_joined netns "${rdgen_name#??????}" ;;
	esac
	rdgen_meant "$rdgen_name"
	[ -n "$rdgen_key" ] || return 0
	rdgen_exact=
	case "$rdgen_name" in
	[vV][rR][fF] | [nN][eE][tT][nN][sS]) rdgen_exact=1 ;;
	esac
	case "$rdgen_key" in
	vrf) rdgen_set="${vrf+set}" ;;
	*) rdgen_set="${netns+set}" ;;
	esac
	case "$rdgen_rest" in
	==* | '=>'*) rdgen_judge_command ;;
	=*) rdgen_judge_assignment ;;
	*) rdgen_judge_command ;;
	esac
}

# rdgen_judge_assignment judges NAME=VALUE.
rdgen_judge_assignment()
{
	rdgen_after="${rdgen_rest#=}" rdgen_rest="${rdgen_rest#=}"
	rdgen_trim ' 	'
	case "$rdgen_rest" in
	'') return 0 ;;
	'#'*) [ "$rdgen_rest" = "$rdgen_after" ] || return 0 ;;
	esac
	if [ "$rdgen_name:$rdgen_odd" = "$rdgen_key:" ]; then
		rdgen_name="$rdgen_rest"
		rdgen_rest="${rdgen_rest%%[ 	]*}"
		rdgen_trim \"\'
		rdgen_domain_name || :
		[ "$rdgen_name" = "$rdgen_after" ] || rdgen_slip "this does not set $rdgen_key"
		[ -n "$rdgen_set" ] || rdgen_slip "$rdgen_key= stands here, but the file does not set it"
		return 0
	fi
	rdgen_trim \"\'
	rdgen_domain_name || return 0
	case "$rdgen_lead" in
	local | "declare" | typeset) return 0 ;;
	esac
	[ "$rdgen_odd$rdgen_exact" != 11 ] || rdgen_slip "this does not set $rdgen_key"
	[ -n "$rdgen_set" ] || rdgen_slip "$rdgen_name= is not read; is $rdgen_key= meant? If not, add $rdgen_key= to the file"
}

# rdgen_joined KEY TEXT judges a key and a domain's name, which TEXT and what is left begin
# with, with a sign between them that a command's name may have: a script is called
# netns.sh, a function netns-up.
rdgen_joined()
{
	[ -z "$rdgen_lead$rdgen_closed" ] || return 0
	rdgen_after="$rdgen_rest" rdgen_rest="$2$rdgen_rest"
	if rdgen_domain_name; then
		case "$rdgen_value" in
		sh | *.sh) ;;
		*)
			rdgen_key="$1"
			rdgen_slip "this does not set $rdgen_key"
			;;
		esac
	fi
	rdgen_rest="$rdgen_after"
}

# rdgen_judge_command judges a name with anything else after it.
rdgen_judge_command()
{
	rdgen_after="$rdgen_rest"
	case "$rdgen_exact$rdgen_rest" in
	'1+='*) ;;
	1.* | 1+*)
		rdgen_rest="${rdgen_rest#?}"
		rdgen_joined "$rdgen_key" ''
		return 0
		;;
	esac
	rdgen_trim_odd
	case "$rdgen_rest" in
	==* | '=>'* | :=* | ::* | +=* | -=* | '?='* | '->'*) rdgen_rest="${rdgen_rest#??}" ;;
	=* | :*) rdgen_rest="${rdgen_rest#?}" ;;
	\\* | /* | ,* | @* | %* | ^* | '!'* | '~'* | '*'*) # another sign, and a name alone
		[ -n "$rdgen_exact" ] || return 0
		rdgen_trim '\/,@%^!~*'
		rdgen_trim_odd
		rdgen_trim '=:'
		rdgen_trim_odd
		rdgen_domain_name || return 0
		rdgen_slip "this does not set $rdgen_key"
		;;
	"$rdgen_after") return 0 ;;
	*) # one word
		[ -n "$rdgen_exact" ] || return 0
		if ! rdgen_domain_name; then
			case "$rdgen_word" in
			'$'*) rdgen_value='' ;; # vrf $(command)
			*) return 0 ;;
			esac
		fi
		rdgen_exact="$rdgen_key"
		rdgen_meant "$rdgen_value"
		[ -z "$rdgen_key" ] || return 0
		rdgen_key="$rdgen_exact"
		case "$rdgen_lead:$rdgen_set" in
		local:* | declare:* | typeset:* | export:set | readonly:set) return 0 ;;
		esac
		rdgen_slip "this does not set $rdgen_key"
		;;
	esac
	rdgen_trim_odd
	rdgen_domain_name || [ -n "$rdgen_exact" ] || return 0
	[ -z "$rdgen_set" ] || [ -n "$rdgen_exact" ] || return 0
	rdgen_slip "this does not set $rdgen_key"
}

# rdgen_trim CHARACTERS removes them from the beginning.
rdgen_trim()
{
	while :; do
		case "$rdgen_rest" in
		["$1"]*) rdgen_rest="${rdgen_rest#?}" ;;
		*) return 0 ;;
		esac
	done
}

# rdgen_trim_odd removes blanks, quotes and what nobody sees from the beginning.
rdgen_trim_odd()
{
	while :; do
		case "$rdgen_rest" in
		' '* | '	'* | \"* | \'*) ;;
		*) ! rdgen_visible "$rdgen_rest" || return 0 ;;
		esac
		rdgen_rest="${rdgen_rest#?}"
	done
}

# rdgen_domain_name reports that the text can be the name of a domain, or a variable
# that holds one, with nothing but a comment after it; it sets rdgen_value to that.
rdgen_domain_name()
{
	rdgen_rest="${rdgen_rest#/run/netns/}"
	rdgen_rest="${rdgen_rest#/var/run/netns/}"
	rdgen_word="${rdgen_rest%%[!A-Za-z0-9_.$rdgen_braces-]*}" rdgen_value=
	rdgen_rest="${rdgen_rest#"$rdgen_word"}"
	rdgen_trim \"\',
	rdgen_tail="$rdgen_rest"
	rdgen_trim ' 	'
	case "$rdgen_rest" in
	'') ;;
	'#'*) [ "$rdgen_rest" != "$rdgen_tail" ] || return 1 ;;
	*) ! rdgen_visible "$rdgen_rest" || return 1 ;;
	esac
	case "$rdgen_word" in
	[yY][eE][sS] | [nN][oO] | [tT][rR][uU][eE] | [fF][aA][lL][sS][eE] | [oO][nN] | [oO][fF][fF] | [nN][oO][nN][eE] | 0 | 1) return 1 ;;
	*[A-Za-z0-9_]*) rdgen_value="$rdgen_word" ;;
	*) return 1 ;;
	esac
}

# rdgen_meant NAME sets rdgen_key to the key that a name is, or is a likely
# misspelling of.
rdgen_meant()
{
	rdgen_key='' rdgen_low='' rdgen_left="$1"
	case "$1" in
	[vVnNrReEsSoObBmM_-]*[fFtTnNsSdDeEmMrRhHkK123456789]*) ;;
	*) return 0 ;;
	esac
	while [ -n "$rdgen_left" ]; do
		rdgen_letter="${rdgen_left%"${rdgen_left#?}"}" rdgen_left="${rdgen_left#?}"
		case "$rdgen_letter" in
		_ | -) continue ;;
		A) rdgen_letter=a ;; B) rdgen_letter=b ;; C) rdgen_letter=c ;; D) rdgen_letter=d ;; E) rdgen_letter=e ;; F) rdgen_letter=f ;;
		G) rdgen_letter=g ;; H) rdgen_letter=h ;; I) rdgen_letter=i ;; K) rdgen_letter=k ;; M) rdgen_letter=m ;;
		N) rdgen_letter=n ;; O) rdgen_letter=o ;; P) rdgen_letter=p ;; R) rdgen_letter=r ;; S) rdgen_letter=s ;;
		T) rdgen_letter=t ;; V) rdgen_letter=v ;; W) rdgen_letter=w ;;
		esac
		rdgen_low="$rdgen_low$rdgen_letter"
	done
	case "$rdgen_low" in
	rc*) rdgen_low="${rdgen_low#rc}" ;;
	rdgen*) rdgen_low="${rdgen_low#rdgen}" ;;
	svc*) rdgen_low="${rdgen_low#svc}" ;;
	service*) rdgen_low="${rdgen_low#service}" ;;
	openrc*) rdgen_low="${rdgen_low#openrc}" ;;
	esac
	case "$rdgen_low" in
	netfs) ;; # netmount's
	vrf | v?rf | vr?f | vrf? | vfr | rvf | vrfname | vrfdevice | vrfdev | vrfmaster | vrfid | svrf | vrd | vrg | vff) rdgen_key=vrf ;;
	netns | ntns | nens | nets | netn | n?etns | ne?tns | net?ns | netn?s | netns? | n?tns | ne?ns | net?s | netn? | \
		ntens | nents | netsn | entns | netnsname | netnspath | netnsid | netnamespace | networknamespace | \
		networknamespacepath | networkns | nsname | snetns | rdomain | betns | metns) rdgen_key=netns ;;
	esac
}

# rdgen_slip FACT ends the start.
rdgen_slip()
{
	case "$rdgen_value" in
	'' | *[!A-Za-z0-9_.-]*) rdgen_value=NAME ;;
	esac
	eerror "$rdgen_file:$rdgen_number: $1"
	[ -z "$rdgen_elsewhere" ] ||
		rdgen_die "OpenRC does not read $rdgen_file for $RC_SERVICE; write $rdgen_key=$rdgen_value into ${RC_SERVICE%/*/*}/conf.d/$RC_SVCNAME"
	rdgen_die "a line that names a domain is $rdgen_key=$rdgen_value, without spaces and on its own"
}

rdgen_end=slips
