package systemd

import (
	"slices"
	"strings"
)

// asker is a program that asks a process which runs already to start another, which is where
// that process is.
type asker struct {
	// who is asked.
	who string
	// by are the words by which it does so; none for one that does nothing else.
	by []string
}

// askers are looked up behind every word of a command that can be one, see [InCommand].
var askers = map[string]asker{
	"systemd-run":    {who: "systemd"},
	"run0":           {who: "systemd"},
	"at":             {who: "atd"},
	"batch":          {who: "atd"},
	"docker":         {"dockerd", strings.Fields("run start restart compose exec")},
	"docker-compose": {"dockerd", strings.Fields("run start restart up exec")},
	"nerdctl":        {"containerd", strings.Fields("run start restart compose exec")},
	"machinectl":     {"systemd-machined", strings.Fields("start enable login shell")},
	"loginctl":       {"systemd-logind", []string{"enable-linger"}},
	"virsh":          {"libvirtd", strings.Fields("start create net-start net-create")},
	"incus":          {"incusd", strings.Fields("start restart launch exec")},
	"lxc":            {"lxd", strings.Fields("start restart launch exec")},
}

// nouns are words that may stand before such a verb.
var nouns = []string{"container"}

// onBus are the programs that call a method by the message bus, and the methods that start a
// program: of systemd and of systemd-machined.
var (
	onBus   = []string{"busctl", "dbus-send", "gdbus", "qdbus"}
	methods = strings.Fields("StartTransientUnit OpenMachineLogin OpenMachineShell OpenLogin OpenShell")
)

// asking returns whom a program asks to start another one, or "".
func asking(program string, words []commandWord) (who string) {
	if slices.Contains(onBus, program) {
		calls := slices.ContainsFunc(texts(words), func(a string) bool { return slices.Contains(methods, a[strings.LastIndexByte(a, '.')+1:]) })
		if calls {
			return "systemd"
		}
		return ""
	}
	a := askers[program]
	if a.by == nil || slices.ContainsFunc(verbs(words), func(v commandWord) bool { return slices.Contains(a.by, v.text) }) {
		return a.who
	}
	return ""
}

// verbs returns the words that may be the first one after the options: behind an option that may
// have a value there are two.
func verbs(words []commandWord) (list []commandWord) {
	value := false
	for _, w := range words {
		switch {
		case strings.HasPrefix(w.text, "-"):
			value = !strings.Contains(w.text, "=")
			continue
		case slices.Contains(nouns, w.text):
			continue
		}
		if list = append(list, w); !value {
			return list
		}
		value = false
	}
	return list
}
