package systemd

import (
	"slices"
	"strings"
)

// containing reads what follows the name of a program that starts containers.
func containing(program string, args []string) []Entering {
	switch program {
	case "dockerd":
		return []Entering{{By: program, Asks: "containerd", Contains: true}}
	case "containerd":
		return []Entering{{By: program, Contains: true, Serves: true}}
	case "podman":
		return podman(args)
	}
	return nil
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
