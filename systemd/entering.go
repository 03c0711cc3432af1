package systemd

import (
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
	// Asks is who else starts the program: "dockerd"; "" if the command itself goes.
	Asks string
}

// askers ask a process that runs already to start a program, which is where that
// process is.
var askers = map[string]string{"systemd-run": "systemd", "docker": "dockerd", "at": "atd", "batch": "atd", "machinectl": "systemd-machined"}

// Enters returns the commands of the unit that leave its network namespace or VRF, or
// have somebody else start a program. What a script does that the unit only
// names cannot be seen. Those that stop it may go anywhere.
func Enters(unit *Unit) (list []Entering) {
	section := "Service"
	if path.Ext(unit.Name) == ".socket" {
		section = "Socket"
	}
	for _, key := range []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload"} {
		for _, set := range unit.All(section, key) {
			words := strings.FieldsFunc(set.Value, func(r rune) bool { return strings.ContainsRune(" \t\"';&|()", r) })
			for i, word := range words {
				if e, ok := entering(path.Base(strings.TrimLeft(word, "-+!@:")), words[i+1:]); ok {
					e.Setting = set
					list = append(list, e)
				}
			}
		}
	}
	return list
}

// entering reads what follows the name of a program.
func entering(program string, args []string) (e Entering, ok bool) {
	at := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch program {
	case "ip":
		args = objectOf(args)
		switch {
		case at(1) == "" || !strings.HasPrefix("exec", at(1)): // ip takes the beginning of a word
		case at(0) == "netns" || at(0) == "netn":
			return Entering{By: "ip netns exec", Netns: at(2)}, true
		case at(0) == "vrf" || at(0) == "vr":
			return Entering{By: "ip vrf exec", VRF: at(2)}, true
		}
	case "nsenter", "unshare":
		for _, a := range args {
			if !strings.HasPrefix(a, "-") {
				continue
			}
			file, long := strings.CutPrefix(a, "--net")
			if long || !strings.HasPrefix(a, "--") && strings.Contains(a, "n") {
				if file = strings.TrimPrefix(file, "="); !long {
					_, file, _ = strings.Cut(a, "n")
				}
				return Entering{By: program + " " + a, Netns: strings.TrimPrefix(strings.TrimPrefix(file, "/var"), "/run/netns/")}, true
			}
		}
	case "rdexec":
		for i, a := range args[:min(len(args), 4)] {
			switch a {
			case "-n":
				e.By, e.Netns = program, at(i+1)
			case "-v":
				e.By, e.VRF = program, at(i+1)
			}
		}
		return e, e.By != ""
	default:
		who := askers[program]
		starts := program != "docker" && program != "machinectl" || slices.Contains([]string{"run", "start", "restart", "compose"}, at(0))
		return Entering{By: program, Asks: who}, who != "" && starts
	}
	return Entering{}, false
}

// objectOf returns the words of ip(8) after its options, some of which have a word of
// their own (ip/ip.c of iproute2).
func objectOf(args []string) []string {
	var words []string
	for i := 0; i < min(len(args), 12); i++ {
		switch name := strings.TrimLeft(args[i], "-"); {
		case name == args[i]:
			words = append(words, name)
		case slices.Contains(strings.Fields("n netns f family l loops rc rcvbuf b batch"), name) && len(words) == 0:
			i++
		}
	}
	return words
}
