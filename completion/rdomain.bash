# What bash completes behind rdomain and rdexec. Names come from files, and are plain words.

# _rdgen_names DIR SUFFIX: the plain names in a folder, less a suffix.
_rdgen_names()
{
	local file
	for file in "$1"/*"$2"; do
		file=${file##*/}
		file=${file%"$2"}
		[[ -n $file && $file != *[!A-Za-z0-9_.@-]* ]] && printf '%s\n' "$file"
	done
}

# _rdgen_domains: what has a file, and the namespaces that are there.
_rdgen_domains()
{
	_rdgen_names /etc/rdomain .conf
	_rdgen_names /run/netns ''
}

# _rdgen_namespaces and _rdgen_vrfs: those of the domains, and those that are there.
_rdgen_namespaces()
{
	local name
	_rdgen_domains | while read -r name; do printf '%s\n' "${name#*@}"; done
}
_rdgen_vrfs()
{
	local name file line
	_rdgen_names /etc/rdomain .conf | while read -r name; do printf '%s\n' "${name%@*}"; done
	for file in /sys/class/net/*/uevent; do
		while read -r line; do
			[[ $line == DEVTYPE=vrf ]] && name=${file%/uevent} && printf '%s\n' "${name##*/}"
		done <"$file"
	done 2>/dev/null
}

# _rdgen_reply WORD...: those that begin as the word that is typed. For bash a word begins
# again behind an @ and a =, so what stands before is left out.
_rdgen_reply()
{
	local typed=${COMP_LINE:0:COMP_POINT} word
	typed=${typed##*[[:blank:]]}
	COMPREPLY=()
	for word; do
		[[ $word == "$typed"* && " ${COMPREPLY[*]} " != *" $word "* ]] && COMPREPLY+=("$word")
	done
	local before=${typed%"${typed##*[@=]}"}
	[[ $COMP_WORDBREAKS == *@* ]] || before=
	COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

# _rdgen_program N: a program and its arguments, from the Nth word on.
_rdgen_program()
{
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}

_rdomain()
{
	local i verb=${COMP_WORDS[1]} typed=${COMP_WORDS[COMP_CWORD]}
	local -a words
	if ((COMP_CWORD == 1)); then
		_rdgen_reply up down reload confirm check list dump ps identify exec session watch --help --version
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- && ($verb == exec || $verb == watch) ]] && _rdgen_program $((i + 1)) && return
	done
	case $verb in
	up | reload) words=(-n --try --all) ;;
	down) words=(-n --all) ;;
	confirm) words=(--all) ;;
	check) words=(--json --all --self --hold) ;;
	list | ps | identify) words=(--json) ;;
	esac
	if [[ $typed != -* ]]; then
		case $verb in
		up | down | reload | confirm | check | dump | ps | exec | session) mapfile -t words < <(_rdgen_domains) ;;
		*) words=() ;;
		esac
	fi
	if [[ $verb == exec ]]; then
		# What stands behind the name is the program; an @ is a word of its own.
		read -ra words <<<"${COMP_LINE:0:COMP_POINT}x"
		((${#words[@]} > 3)) && _rdgen_program $((COMP_CWORD - ${#words[@]} + 4)) && return
		mapfile -t words < <(_rdgen_domains)
	fi
	_rdgen_reply "${words[@]}"
}

_rdexec()
{
	local i=1
	local -a words
	while ((i < COMP_CWORD)); do
		case ${COMP_WORDS[i]} in
		--) _rdgen_program $((i + 1)) && return ;;
		-[nvcu] | --netns | --vrf | --cgroup | --user) i=$((i + 2)) ;;
		-*) i=$((i + 1)) ;;
		*) _rdgen_program "$i" && return ;;
		esac
	done
	# All options before have their values, so this is another one, or the program.
	((i == COMP_CWORD)) && [[ ${COMP_WORDS[COMP_CWORD]} != -* && -n ${COMP_WORDS[COMP_CWORD]} ]] && _rdgen_program "$i" && return
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-n | --netns) mapfile -t words < <(_rdgen_namespaces) ;;
	-v | --vrf) mapfile -t words < <(_rdgen_vrfs) ;;
	-u | --user) mapfile -t words < <(compgen -u) ;;
	-c | --cgroup) ;;
	*) words=(-n -v -c -u -- --netns --vrf --cgroup --user --look --help) ;;
	esac
	_rdgen_reply "${words[@]}"
}

complete -F _rdomain rdomain
complete -F _rdexec rdexec
