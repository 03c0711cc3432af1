package systemd

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// environment returns the variables of a unit's commands of which the value is known: those of
// Environment= that nothing else can set to another one.
func environment(unit *Unit, section string) map[string]string {
	known := map[string]string{}
	if len(unit.All(section, "EnvironmentFile")) > 0 || len(unit.All(section, "PAMName")) > 0 {
		return known // both win over Environment=
	}
	for _, set := range unit.All(section, "Environment") {
		fields, err := Fields(set.Value)
		if err != nil {
			return map[string]string{}
		}
		for _, f := range fields {
			name, value, _ := strings.Cut(f.text, "=")
			text, err := Specifiers(unit.Name, value)
			if known[name] = text; err != nil || text != value && strings.Contains(unit.Name, "@.") {
				delete(known, name)
			}
		}
	}
	for _, set := range unit.All(section, "UnsetEnvironment") {
		for _, name := range strings.Fields(set.Value) {
			name, _, _ = strings.Cut(name, "=")
			delete(known, name)
		}
	}
	return known
}

var named = regexp.MustCompile(`\$\$?(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)`)

// expanded returns a command line with the values of the variables that are known. Behind ":"
// systemd expands nothing, and a shell may.
func expanded(text string, known map[string]string) string {
	rest := strings.TrimLeft(text, prefixes)
	if strings.Contains(text[:len(text)-len(rest)], ":") {
		return text
	}
	script := slices.ContainsFunc(strings.Fields(text), func(word string) bool { return slices.Contains(shells, path.Base(word)) })
	return named.ReplaceAllStringFunc(text, func(variable string) string {
		value, ok := known[strings.Trim(variable, "${}")]
		if !ok || !script && strings.HasPrefix(variable, "$$") {
			return variable
		}
		return strings.NewReplacer(`"`, "", `'`, "", "\n", " ").Replace(value)
	})
}

// shells are the programs that take a script behind -c.
var shells = strings.Fields("sh bash dash ash ksh mksh zsh")

// varies reports whether only the running command knows what a word is: it has a variable, or
// what another command prints. In a script of a shell there are more ways to write that. What a
// script is given as arguments stands in the command line.
func varies(text string, script bool) bool {
	if strings.HasPrefix(text, "%") && !strings.HasPrefix(text, "%%") || script && strings.Contains(text, "`") {
		return true
	}
	for i := 0; i < len(text); i++ {
		rest, ok := strings.CutPrefix(text[i:], "$")
		switch {
		case !ok:
		case strings.HasPrefix(rest, "{"):
			return true
		case script && (rest == "" || isVariable(rest[:1])), !script && i == 0 && isVariable(rest):
			return true
		case !script && strings.HasPrefix(rest, "$"):
			i++
		}
	}
	return false
}

// splits reports whether a word that varies may become several: "${X}" is one for systemd.
func splits(word commandWord) bool { return word.varies && !strings.HasPrefix(word.text, "${") }

// isUnknownProgram reports whether a word is one that is executed, and nothing says which.
func isUnknownProgram(word commandWord) bool {
	before, _, set := strings.Cut(word.text, "=") // A=$B of a script, for what follows
	if set && !strings.Contains(before, "$") && !strings.HasPrefix(before, "-") {
		return false
	}
	return word.varies && word.command && strings.ContainsAny(path.Base(word.text), "$%`")
}

// isProgram reports whether a word can only be a program: by its place, or its folder.
func isProgram(word commandWord) bool {
	return word.begins || strings.HasSuffix(path.Dir(word.text), "bin")
}

// doubtful returns the first word before the program that another one executes of which only the
// running command knows whether it is an option; or "". takes says how many words follow an option.
func doubtful(words []commandWord, takes map[string]int) string {
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word.varies && !strings.HasPrefix(word.text, "--"):
			return word.text
		case word.text[0] != '-' || word.text == "--":
			return ""
		}
		for n := takes[words[i].text]; n > 0 && i+1 < len(words); n-- {
			for i++; words[i].open && i+1 < len(words); i++ {
			}
			if splits(words[i]) {
				return words[i].text
			}
		}
	}
	return ""
}

// takes are the options that have words of their own behind them, of bubblewrap 0.11,
// systemd-nspawn 262 and LXC 6; those of firejail have all in one word.
var takes = map[string]map[string]int{
	"firejail": nil,
	"bwrap": counted("args argv0 userns userns2 pidns uid gid hostname chdir unsetenv lock-file sync-fd remount-ro exec-label file-label "+
		"proc dev tmpfs mqueue dir seccomp add-seccomp-fd block-fd userns-block-fd info-fd json-status-fd cap-add cap-drop perms size "+
		"overlay-src tmp-overlay ro-overlay", "setenv bind bind-try dev-bind dev-bind-try ro-bind ro-bind-try bind-fd ro-bind-fd file "+
		"bind-data ro-bind-data symlink chmod", "overlay"),
	"systemd-nspawn": counted("D i M u p S L Z E H directory template image image-policy mstack oci-bundle root-hash root-hash-sig verity-data " +
		"pivot-root machine hostname uuid slice property user uid chdir setenv kill-signal notify-ready private-users private-users-ownership " +
		"network-interface network-macvlan network-ipvlan network-veth-extra network-bridge network-zone network-namespace-path port " +
		"capability drop-capability ambient-capability no-new-privileges system-call-filter rlimit oom-score-adjust cpu-affinity personality " +
		"resolv-conf timezone link-journal bind bind-ro inaccessible tmpfs overlay overlay-ro bind-user bind-user-shell bind-user-group console " +
		"load-credential set-credential selinux-context selinux-apifs-context background settings"),
	"lxc-unshare": counted("s u H i namespaces user hostname ifname"),
}

// counted returns options by the number of words that follow them, of which the first list has one.
func counted(lists ...string) map[string]int {
	options := map[string]int{}
	for n, list := range lists {
		for _, name := range strings.Fields(list) {
			dashes := "--"
			if len(name) == 1 {
				dashes = "-"
			}
			options[dashes+name] = n + 1
		}
	}
	return options
}
