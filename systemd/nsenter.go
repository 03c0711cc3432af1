package systemd

import (
	"path"
	"slices"
	"strings"
)

// HostNetns is the network namespace of pid 1, as nsenter(1) is told of it.
const HostNetns = "/proc/1/ns/net"

// nsenter reads the options of nsenter(1) and unshare(1) as far as they say where the program is
// then. All others say where it sees files, users or processes.
func nsenter(program string, words []commandWord) (e Entering, ok bool) {
	given, doubt := getopt(nsOptions[program], words)
	if doubt != "" {
		return Entering{By: program + " " + doubt, Unsure: true}, true
	}
	var by, file, target, socket string
	for _, o := range given {
		switch o.name {
		case "all", "net", "net-socket":
			if by == "" || o.name != "all" {
				by = o.text
			}
			if o.value != "" && o.name == "net" {
				file = strings.TrimPrefix(o.value, "=")
			}
			if o.name == "net-socket" {
				socket = o.value
			}
		case "target":
			target = o.value
		case "join-cgroup":
			e.Moves, e.By = true, program+" "+o.text
		}
	}
	switch {
	case by == "":
		return e, e.Moves
	case program == "unshare": // a namespace of its own, also where a file is to stand for it
	case socket != "":
		e.Netns = "/proc/" + target + "/fd/" + socket
	case file != "":
		e.Netns = netnsOf(path.Clean(file))
	case target != "":
		e.Netns = "/proc/" + target + "/ns/net"
	}
	if slices.Contains(itself, strings.NewReplacer("{", "", "}", "").Replace(e.Netns)) {
		e.Netns = ""
		return e, e.Moves
	}
	e.By = program + " " + by
	return e, true
}

// itself are the files of the namespace that a command of a unit is in.
var itself = []string{"/proc/self/ns/net", "/proc/thread-self/ns/net", "/proc/$MAINPID/ns/net"}

// nsOptions are those of util-linux 2.42, as sys-utils/nsenter.c and unshare.c have them.
var nsOptions = map[string][]option{
	"nsenter": optionsOf("a=all h=help V=version t:=target m::=mount u::=uts i::=ipc n::=net N:=net-socket p::=pid " +
		"U::=user C::=cgroup T::=time S:=setuid G:=setgid r::=root w::=wd W::=wdns e=env F=no-fork c=join-cgroup " +
		"=preserve-credentials =keep-caps =user-parent Z=follow-context"),
	"unshare": optionsOf("h=help V=version m=mount u=uts i=ipc n=net p=pid U=user C=cgroup T=time ::=mount ::=uts ::=ipc ::=net " +
		"::=pid ::=user ::=cgroup ::=time f=fork ::=kill-child =forward-signals ::=mount-proc ::=mount-binfmt :=map-user " +
		":=map-users :=map-group :=map-groups r=map-root-user c=map-current-user =map-auto =map-subids :=owner " +
		":=propagation :=setgroups =keep-caps S:=setuid G:=setgid R:=root w:=wd :=monotonic :=boottime l:=load-interp " +
		"=clear-env :=whitelist-env"),
}

// getopt reads the options before the first word that is none, as getopt_long(3) does where its
// letters begin with "+". doubt is the first word of which only the running command knows
// whether it is one, or how many words it is; what follows that is not read.
func getopt(options []option, words []commandWord) (given []givenOption, doubt string) {
	for i := 0; i < len(words); i++ {
		word := words[i].text
		switch {
		case word == "--":
			return given, ""
		case words[i].open || strings.ContainsAny(word, "`\\") || words[i].varies && strings.ContainsAny(word[:1], "$%"):
			return given, word
		case len(word) < 2 || word[0] != '-':
			return given, ""
		}
		found, needs := readOption(options, word)
		if len(found) == 0 {
			return given, word
		}
		if needs && i+1 < len(words) {
			i++
			value := words[i]
			if value.open || strings.ContainsAny(value.text, "`\\") || value.varies && strings.HasPrefix(value.text, "$") && value.text[1:] != "MAINPID" && !strings.HasPrefix(value.text, "${") {
				return given, value.text
			}
			found[len(found)-1].value = value.text
		}
		given = append(given, found...)
	}
	return given, ""
}
