package systemd

import (
	"iter"
	"path"
	"slices"
	"strings"
)

// Entering is a command of a unit that starts its program somewhere else by itself.
type Entering struct {
	Setting
	// By are the words that do so: "ip netns exec".
	By string
	// Netns and VRF are where to, as far as the words name it.
	Netns, VRF string
	// ID is the domain's name, if that is all that they say.
	ID string
	// Asks is who else starts the program: "dockerd"; "" if the command itself goes.
	Asks string
	// Contains: it starts containers or virtual machines, in cgroups of their own, which no
	// VRF holds. In a namespace they are where the words say, or in one of their own that
	// leads out by it.
	Contains bool
	// Serves: it does so for others, and is where the unit is.
	Serves bool
	// Again: by hand they can be started once more from somewhere else, and are there.
	Again bool
	// Pod: they are where their pod is.
	Pod bool
	// Moves: into a cgroup of another process, which no VRF of the unit's holds.
	Moves bool
	// Unsure: it may do so, by a word that is not known before the command runs.
	Unsure bool
	// All reports that it is all that the command does: nothing of it runs before.
	All bool
}

// Enters returns the commands of the unit that leave its network namespace or VRF, or
// have somebody else start a program. What a script does that the unit only
// names cannot be seen. Those that stop it may go anywhere.
func Enters(unit *Unit) (list []Entering) {
	for set, text := range commandLines(unit) {
		list = append(list, inCommand(set, text)...)
	}
	return list
}

// commandLines are the commands of a unit that have to be in the domain, each as it stands there
// and with what is known of its specifiers and variables.
func commandLines(unit *Unit) iter.Seq2[Setting, string] {
	section := "Service"
	if path.Ext(unit.Name) == ".socket" {
		section = "Socket"
	}
	known := environment(unit, section)
	return func(yield func(Setting, string) bool) {
		for _, key := range started {
			for _, set := range unit.All(section, key) {
				text := expanded(set.Value, known)
				if known, err := Specifiers(unit.Name, text); err == nil && !strings.Contains(unit.Name, "@.") {
					text = known // of an instance, or where there are none
				}
				if !yield(set, text) {
					return
				}
			}
		}
	}
}

// started are the commands that have to be in the domain.
var started = []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecReloadPost"}

// InCommand looks at each word of a command line, as there may be any program before the
// one that enters: a shell, env(1), runuser(1), chpst(8).
func InCommand(set Setting) []Entering { return inCommand(set, set.Value) }

func inCommand(set Setting, text string) (list []Entering) {
	words := commandWords(text)
	for i, word := range words {
		program := path.Base(word.text)
		var found []Entering
		switch {
		case isUnknownProgram(word):
			found = []Entering{{By: word.text, Unsure: true}}
		case !isCommon(program) || word.begins:
			found = byProgram(word, words[i+1:])
		}
		for _, e := range found {
			if slices.ContainsFunc(list, func(before Entering) bool { return repeats(e, before) }) {
				continue
			}
			e.Setting, e.All = set, word.first
			list = append(list, e)
		}
		if program == "podman" && word.first {
			break // the rest is for the container
		}
	}
	return list
}

// repeats reports whether what a command does was found by an earlier word of it already: "vrf" of
// "ip vrf exec" is a program's name too.
func repeats(e, before Entering) bool {
	return e.Unsure && before.Unsure || e.By == "vrf exec" && before.By == "ip vrf exec" && e.VRF == before.VRF
}

// byProgram reads the words behind one that is a program, if it can be one that goes away.
func byProgram(word commandWord, words []commandWord) []Entering {
	program := path.Base(word.text)
	if doubt := unsure(program, words); doubt != "" && isProgram(word) {
		e := Entering{By: program + " " + doubt, Unsure: true, Contains: program == "podman", Asks: askers[program].who}
		return []Entering{e}
	}
	found := containing(program, texts(words))
	e, ok := entering(program, words)
	if nsOptions[program] != nil {
		e, ok = nsenter(program, words)
	}
	if ok {
		found = append(found, e)
	}
	return found
}

// unsure returns the word behind a program that decides whether it goes somewhere else, if only
// the running command knows that word; or "".
func unsure(program string, words []commandWord) string {
	at := func(i int) commandWord {
		if i < len(words) {
			return words[i]
		}
		return commandWord{}
	}
	first := func(words []commandWord) string {
		if i := slices.IndexFunc(words, func(w commandWord) bool { return w.varies }); i >= 0 {
			return words[i].text
		}
		return ""
	}
	options, known := takes[program]
	switch a, asks := askers[program]; {
	case known:
		return doubtful(words, options)
	case program == "ip":
		args, _, doubt := objectOf(words)
		if doubt != "" || len(args) == 0 {
			return doubt
		}
		isExec := len(args[0].text) > 2 && strings.HasPrefix("netns", args[0].text) || strings.HasPrefix("vrf", args[0].text)
		if !args[0].varies && isExec {
			return first(args[1:min(2, len(args))])
		}
		return first(args[:1])
	case program == "rdexec":
		_, rest := rdexec(words)
		if len(rest) > 0 && rest[0].varies {
			return rest[0].text
		}
	case program == "rdomain", program == "vrf" && at(0).text != "task":
		return first(words[:min(1, len(words))])
	case program == "vrf":
		return first(words[1:min(2, len(words))])
	case program == "podman" && len(podman(texts(words))) > 0: // the verb is there
	case asks && a.by != nil, slices.Contains(onBus, program), program == "podman":
		return first(verbs(words))
	}
	return ""
}

// isCommon reports whether the name of a program is a word that people write, or a part of
// a path.
func isCommon(program string) bool {
	return slices.Contains([]string{"at", "batch", "vrf", "lxc", "incus"}, program) || guests[program] != "" && program != "podman" && program != "lxc-start"
}

// entering reads what follows the name of a program.
func entering(program string, words []commandWord) (e Entering, ok bool) {
	args := texts(words)
	at := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch program {
	case "ip":
		var inside string
		words, inside, _ = objectOf(words)
		args = texts(words)
		switch {
		case at(1) == "" || !strings.HasPrefix("exec", at(1)): // ip takes the beginning of a word
			return Entering{By: "ip -n " + inside, Netns: inside}, inside != ""
		case len(at(0)) > 2 && strings.HasPrefix("netns", at(0)):
			return Entering{By: "ip netns exec", Netns: at(2)}, true
		case at(0) != "" && strings.HasPrefix("vrf", at(0)):
			return Entering{By: "ip vrf exec", VRF: at(2)}, true
		}
	case "vrf": // of ifupdown2
		if at(0) == "task" {
			args = args[1:]
		}
		return Entering{By: "vrf exec", VRF: at(1)}, at(0) == "exec"
	case "firejail", "bwrap", "systemd-nspawn":
		e.By, e.Contains = program, program == "systemd-nspawn" && !slices.Contains(args, "--keep-unit")
		for _, a := range args {
			name, value, _ := strings.Cut(a, "=")
			if slices.Contains(others[program], name) {
				e = Entering{By: program + " " + a}
				if name == "--netns" || name == "--network-namespace-path" {
					e.Netns = netnsOf(value)
				}
				return e, true
			}
		}
		return e, e.Contains
	case "lxc-attach":
		return Entering{By: program}, true
	case "lxc-unshare":
		return Entering{By: program}, slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "NETWORK") })
	case "rdexec":
		e, _ = rdexec(words)
		return e, e.By != ""
	case "rdomain":
		return Entering{By: "rdomain exec", ID: at(1)}, at(0) == "exec" && at(1) != ""
	default:
		who := asking(program, words)
		return Entering{By: program, Asks: who}, who != ""
	}
	return Entering{}, false
}

// rdexec reads its options, up to the program, with which rest begins.
func rdexec(words []commandWord) (e Entering, rest []commandWord) {
	for len(words) > 1 && len(words[0].text) > 1 && words[0].text[0] == '-' && words[0].text != "--" {
		name, value, joined := strings.Cut(words[0].text, "=")
		if !strings.HasPrefix(name, "--") && len(words[0].text) > 2 {
			name, value, joined = words[0].text[:2], words[0].text[2:], true
		}
		if words = words[1:]; !joined {
			value, words = words[0].text, words[1:]
		}
		switch name {
		case "-n", "--netns":
			e.By, e.Netns = "rdexec", value
		case "-v", "--vrf":
			e.By, e.VRF = "rdexec", value
		}
	}
	if len(words) > 0 && words[0].text == "--" {
		words = words[1:]
	}
	return e, words
}

// others are the options by which other programs leave their network namespace.
var others = map[string][]string{
	"firejail":       {"--net", "--netns", "--join", "--join-network"},
	"bwrap":          {"--unshare-net", "--unshare-all"},
	"systemd-nspawn": {"--network-namespace-path", "--private-network", "--network-veth", "-n", "--network-bridge", "--network-zone", "--network-macvlan", "--network-interface"},
}

// netnsOf returns the name of a namespace that a file stands for.
func netnsOf(file string) string {
	return strings.TrimPrefix(strings.TrimPrefix(file, "/var"), "/run/netns/")
}

// objectOf returns the words of ip(8) after its options, some of which have a word of
// their own (ip/ip.c of iproute2), and the namespace that ip itself is to go to. doubt is an
// option that only the running command knows.
func objectOf(args []commandWord) (words []commandWord, inside, doubt string) {
	for i := 0; i < min(len(args), 12); i++ {
		switch name := strings.TrimLeft(args[i].text, "-"); {
		case name == args[i].text:
			words = append(words, args[i])
		case strings.Contains(name, "$") && len(words) == 0:
			return nil, "", args[i].text
		case (name == "n" || strings.HasPrefix("netns", name) && len(name) > 1) && len(words) == 0 && i+1 < len(args):
			i++
			inside = args[i].text
		case slices.Contains(strings.Fields("f family l loops rc rcvbuf b batch"), name) && len(words) == 0:
			i++
		}
	}
	return words, inside, ""
}
