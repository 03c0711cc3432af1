package openrc

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// asker is a program that asks a process which runs already to start another: that
// one has the domain of whom was asked, not of the script.
type asker struct {
	daemon string // who is asked
	// harmless are the first words with which it has nothing started: verbs, and
	// options that only print or test. One that may end a process is not among them
	// where the daemon would start it again.
	harmless []string
	// valued are options that may stand before the verb, with a value of their own.
	valued []string
}

var askers = map[string]asker{
	"s6-svc":        {daemon: "s6-supervise", harmless: []string{"-d", "-D"}},
	"s6-rc":         {daemon: "s6-supervise", harmless: []string{"help", "list", "listall", "diff"}},
	"sv":            {daemon: "runsv", harmless: []string{"status", "s", "down", "d", "stop"}},
	"supervisorctl": {"supervisord", []string{"status", "pid", "version", "help", "avail", "reread", "tail", "maintail", "stop", "clear"}, []string{"-c", "--configuration"}},
	"monit":         {"monit", []string{"-t", "-V", "-h", "--test", "--version", "--help", "status", "summary", "report", "unmonitor", "stop", "quit"}, []string{"-c"}},
	"docker":        {daemon: "dockerd", harmless: []string{"ps", "version", "info", "inspect", "logs", "images", "port", "top", "stop", "rm", "rmi"}},
	"systemctl":     {daemon: "systemd", harmless: []string{"status", "show", "cat", "is-active", "is-enabled", "is-failed", "list-units", "list-unit-files", "--version"}},
	"initctl":       {daemon: "init", harmless: []string{"list", "status", "version", "stop"}},
	"at":            {daemon: "atd", harmless: []string{"-l", "-d", "-r", "-V"}},
	"batch":         {daemon: "atd"},
	"dbus-send":     {daemon: aBusService},
	"busctl":        {daemon: aBusService, harmless: []string{"list", "monitor", "--version", "--help"}},
	"gdbus":         {daemon: aBusService, harmless: []string{"help", "monitor"}},
}

const aBusService = "a service of the bus"

// ofTheBus are the methods of the bus itself that start nothing (the D-Bus
// specification, "Message Bus Messages"); StartServiceByName does.
var ofTheBus = []string{"ReloadConfig", "ListNames", "ListActivatableNames", "NameHasOwner", "GetNameOwner", "GetId"}

// asks returns whom a command asks to run something, or "". own is the base name of
// the script's own daemon, "" if it is not known: that one is in the domain.
func asks(c *syntax.CallExpr, own string) string {
	words := make([]string, len(c.Args))
	for i, w := range c.Args {
		words[i] = w.Lit() // "" of what only a shell knows, which is harmless nowhere
	}
	program := path.Base(words[0])
	a, ok := askers[program]
	if !ok || a.daemon == own {
		return ""
	}
	words = words[1:]
	if program == "dbus-send" && reloadsBus(words) {
		return ""
	}
	for len(words) > 2 && slices.Contains(a.valued, words[0]) && words[1] != "" {
		words = words[2:]
	}
	if len(words) > 0 && slices.Contains(a.harmless, words[0]) {
		return ""
	}
	return a.daemon
}

// reloadsBus reports whether the arguments of dbus-send call a method of the bus
// itself that starts nothing.
func reloadsBus(args []string) bool {
	method := slices.ContainsFunc(args, func(arg string) bool {
		name, ok := strings.CutPrefix(arg, "org.freedesktop.DBus.")
		return ok && slices.Contains(ofTheBus, name)
	})
	return method && slices.Contains(args, "--dest=org.freedesktop.DBus") && !slices.Contains(args, "")
}
