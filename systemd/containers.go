package systemd

import (
	"slices"
	"strings"
)

// guests are programs that start containers or virtual machines in cgroups of their own, or others
// in a namespace of their own, which no VRF holds. In a namespace those are there, or in one that
// leads out by it.
var guests = map[string]string{
	"podman": "containers", "lxc-start": "containers", "lxc-execute": "containers",
	"lxc-autostart": "containers", "lxc-containers": "containers",
	"pasta": "programs", "rootlesskit": "programs",
	"dockerd": "containers", "containerd": "containers", "crio": "containers", "kubelet": "containers",
	"incusd": "containers", "lxd": "containers", "virtlxcd": "containers",
	"libvirtd": "virtual machines", "virtqemud": "virtual machines",
}

// Guests returns what a program starts in cgroups or a namespace of its own: "containers",
// "virtual machines", "programs", or "" if it does not.
func Guests(program string) string { return guests[program] }

// alone are those of them that start some, and end.
var alone = []string{"lxc-start", "lxc-execute", "lxc-autostart", "lxc-containers", "pasta", "rootlesskit"}

// Runtimes are the daemons that start the containers for another one.
var Runtimes = map[string][]string{"dockerd": {"containerd"}, "kubelet": {"containerd", "crio"}}

// containing reads what follows the name of a program that starts containers.
func containing(program string, args []string) []Entering {
	switch {
	case program == "podman":
		return podman(args)
	case guests[program] == "":
		return nil
	}
	asks := strings.Join(Runtimes[program], " or ")
	return []Entering{{By: program, Asks: asks, Contains: true, Serves: asks == "" && !slices.Contains(alone, program)}}
}

// startless are verbs of podman, behind which one that starts containers is something else.
var startless = strings.Fields("network volume secret image manifest build pull exec cp logs rm stop kill wait inspect")

// podman reads what follows podman(1) and starts containers. Which word is the image, only
// podman knows; so each word is taken for one that says where they are.
func podman(args []string) (list []Entering) {
	at := slices.IndexFunc(args, func(a string) bool {
		return slices.Contains([]string{"run", "create", "start", "restart", "pod", "kube", "play", "compose", "system"}, a)
	})
	if at < 0 || slices.ContainsFunc(args[:at], func(a string) bool { return slices.Contains(startless, a) }) {
		return nil
	}
	command, options := args[at], args[at+1:]
	switch {
	case command == "pod" || command == "kube" || command == "play" || command == "system":
		if len(options) == 0 || !slices.Contains([]string{"create", "start", "restart", "play", "kube", "service"}, options[0]) {
			return nil
		}
		command, options = command+" "+options[0], options[1:]
	case command == "compose":
		return []Entering{{By: "podman compose", Asks: "podman"}}
	}
	for _, a := range args[:at] {
		if name, _, _ := strings.Cut(a, "="); slices.Contains([]string{"-r", "--remote", "--url", "-c", "--connection"}, name) {
			return []Entering{{By: "podman " + a, Asks: "podman"}}
		}
	}
	e := Entering{By: "podman " + command, Contains: true, Serves: command == "system service"}
	e.Again = command == "run" || command == "create" || command == "pod create"
	for i, word := range options {
		name, value, joined := strings.Cut(word, "=")
		if !joined && i+1 < len(options) {
			value = options[i+1]
		}
		kind, file, special := strings.Cut(value, ":")
		switch {
		case name == "--pod" || name == "--pod-id-file" && command != "pod create" && command != "pod start":
			e.Pod, e.Again = true, false
		case name != "--network" && name != "--net":
		case special && (kind == "ns" || kind == "container"):
			in := e
			in.By, in.Netns, in.Again = e.By+" --network "+value, value, false
			if kind == "ns" {
				in.Netns = netnsOf(file)
			}
			list = append(list, in)
		}
	}
	if len(list) == 0 {
		list = []Entering{e}
	}
	return list
}
