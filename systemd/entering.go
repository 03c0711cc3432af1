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
	// All reports that it is all that the command does: nothing of it runs before.
	All bool
}

// askers ask a process that runs already to start a program, which is where that
// process is.
var askers = map[string]string{"systemd-run": "systemd", "docker": "dockerd", "nerdctl": "containerd", "at": "atd", "batch": "atd", "machinectl": "systemd-machined",
	"virsh": "libvirtd", "incus": "incusd", "lxc": "lxd"}

// starting are the words of these by which they do so; none for those that do nothing else.
var starting = map[string][]string{"docker": {"run", "start", "restart", "compose"}, "nerdctl": {"run", "start", "restart", "compose"},
	"machinectl": {"run", "start", "restart", "compose"}, "virsh": {"start", "create", "net-start", "net-create"}, "incus": {"start", "restart", "launch"}, "lxc": {"start", "restart", "launch"}}

// Enters returns the commands of the unit that leave its network namespace or VRF, or
// have somebody else start a program. What a script does that the unit only
// names cannot be seen. Those that stop it may go anywhere.
func Enters(unit *Unit) (list []Entering) {
	section := "Service"
	if path.Ext(unit.Name) == ".socket" {
		section = "Socket"
	}
	for _, key := range started {
		for _, set := range unit.All(section, key) {
			list = append(list, InCommand(set)...)
		}
	}
	return list
}

// started are the commands that have to be in the domain.
var started = []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecReloadPost"}

// InCommand looks at each word of a command line, as there may be any program before the
// one that enters: a shell, env(1), runuser(1), chpst(8).
func InCommand(set Setting) (list []Entering) {
	words := commandWords(set.Value)
	for i, word := range words {
		program := path.Base(word.text)
		if isCommon(program) && !word.begins {
			continue
		}
		args := texts(words[i+1:])
		found := containing(program, args)
		if e, ok := entering(program, args); ok {
			found = append(found, e)
		}
		for _, e := range found {
			e.Setting, e.All = set, word.first
			list = append(list, e)
		}
		if program == "podman" && word.first {
			break // the rest is for the container
		}
	}
	return list
}

// isCommon reports whether the name of a program is a word that people write, or a part of
// a path.
func isCommon(program string) bool {
	return slices.Contains([]string{"at", "batch", "vrf", "lxc", "incus"}, program) || guests[program] != "" && program != "podman" && program != "lxc-start"
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
		var inside string
		args, inside = objectOf(args)
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
	case "nsenter", "unshare":
		return nsenter(program, args)
	case "lxc-attach":
		return Entering{By: program}, true
	case "lxc-unshare":
		return Entering{By: program}, slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "NETWORK") })
	case "rdexec":
		return rdexec(args)
	case "rdomain":
		return Entering{By: "rdomain exec", ID: at(1)}, at(0) == "exec" && at(1) != ""
	default:
		who := askers[program]
		return Entering{By: program, Asks: who}, who != "" && (starting[program] == nil || slices.Contains(starting[program], at(0)))
	}
	return Entering{}, false
}

// nsenter reads the options of nsenter(1) and unshare(1).
func nsenter(program string, args []string) (e Entering, ok bool) {
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			continue
		}
		file, long := strings.CutPrefix(a, "--net")
		letters, _, _ := strings.Cut(a, "/")
		if strings.HasPrefix(a, "--") {
			letters = ""
		}
		if program == "nsenter" && (a == "--all" || strings.Contains(letters, "a")) {
			return Entering{By: program + " " + a}, true
		}
		if long || strings.Contains(letters, "n") {
			if file = strings.TrimPrefix(file, "="); !long {
				_, file, _ = strings.Cut(a, "n")
			}
			return Entering{By: program + " " + a, Netns: netnsOf(file)}, true
		}
	}
	return Entering{}, false
}

// rdexec reads its options, up to the program.
func rdexec(args []string) (e Entering, ok bool) {
	for len(args) > 1 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		name, value, joined := strings.Cut(args[0], "=")
		if !strings.HasPrefix(name, "--") && len(args[0]) > 2 {
			name, value, joined = args[0][:2], args[0][2:], true
		}
		if args = args[1:]; !joined {
			value, args = args[0], args[1:]
		}
		switch name {
		case "-n", "--netns":
			e.By, e.Netns = "rdexec", value
		case "-v", "--vrf":
			e.By, e.VRF = "rdexec", value
		}
	}
	return e, e.By != ""
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
// their own (ip/ip.c of iproute2), and the namespace that ip itself is to go to.
func objectOf(args []string) (words []string, inside string) {
	for i := 0; i < min(len(args), 12); i++ {
		switch name := strings.TrimLeft(args[i], "-"); {
		case name == args[i]:
			words = append(words, name)
		case (name == "n" || strings.HasPrefix("netns", name) && len(name) > 1) && len(words) == 0 && i+1 < len(args):
			i++
			inside = args[i]
		case slices.Contains(strings.Fields("f family l loops rc rcvbuf b batch"), name) && len(words) == 0:
			i++
		}
	}
	return words, inside
}
