package systemd

import (
	"path"
	"slices"
	"strings"
)

// Starting is a command of a unit that has systemd start other units, which run where those say.
type Starting struct {
	Setting
	// By are the words that do so: "systemctl start".
	By string
	// Units are the units' full names.
	Units []string
	// Again: it may be there for units that run already, as a restart is.
	Again bool
}

// Starts returns the commands of a unit that start other units. What a script does that the unit
// only names cannot be seen, nor a name that only the running command knows.
func Starts(unit *Unit) (list []Starting) {
	for set, text := range commandLines(unit) {
		words := commandWords(text)
		for i, word := range words {
			if s := starting(word, segment(words[i+1:])); len(s.Units) > 0 && isProgram(word) {
				s.Setting = set
				list = append(list, s)
			}
		}
	}
	return list
}

// segment returns the words up to those of the next command of a script.
func segment(words []commandWord) []commandWord {
	if i := slices.IndexFunc(words, func(w commandWord) bool { return w.command }); i >= 0 {
		return words[:i]
	}
	return words
}

// starting reads what follows a program that has systemd start units.
func starting(word commandWord, args []commandWord) (s Starting) {
	program := path.Base(word.text)
	plain := texts(args)
	var verb string
	var names []string
	switch {
	case program == "systemctl":
		verb, names = systemctl(plain)
	case slices.Contains(onBus, program):
		return byMethod(program, plain)
	case path.Dir(word.text) == "/etc/init.d" && len(plain) > 0:
		verb, names = plain[0], []string{program}
	case program == "service" || program == "invoke-rc.d":
		plain = slices.DeleteFunc(plain, func(a string) bool { return strings.HasPrefix(a, "-") })
		if len(plain) > 1 {
			verb, names = plain[1], plain[:1]
		}
	}
	if !slices.Contains(startVerbs, verb) {
		return Starting{}
	}
	s = Starting{By: program + " " + verb, Again: verb != "start" && verb != "enable"}
	for _, name := range names {
		if Suffix(name) == "" {
			name += ".service"
		}
		if ValidName(name) {
			s.Units = append(s.Units, name)
		}
	}
	return s
}

// startVerbs start what does not run. try-restart and reload do not.
var startVerbs = strings.Fields("start restart reload-or-restart force-reload isolate enable reenable")

// systemctl reads the words of systemctl(1); no verb is returned where it asks another manager,
// or starts nothing.
func systemctl(args []string) (verb string, names []string) {
	valued := strings.Fields("-t --type -p --property -s --signal -n --lines -o --output -P --job-mode --kill-whom --state --what --when --message --timestamp")
	var now bool
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch {
		case slices.Contains([]string{"--user", "-H", "--host", "-M", "--machine", "--root", "--image", "--global"}, name):
			return "", nil
		case name == "--now":
			now = true
		case slices.Contains(valued, name) && !joined:
			i++
		case strings.HasPrefix(name, "-"):
		case verb == "":
			verb = args[i]
		default:
			names = append(names, args[i])
		}
	}
	if (verb == "enable" || verb == "reenable") && !now || verb == "force-reload" {
		return "", nil
	}
	return verb, names
}

// byMethod reads a call of systemd's manager by the message bus: the first word behind the method
// that is a unit's name is the unit.
func byMethod(program string, args []string) Starting {
	at := slices.IndexFunc(args, func(a string) bool {
		return slices.Contains([]string{"StartUnit", "StartUnitWithFlags", "RestartUnit", "ReloadOrRestartUnit"}, a[strings.LastIndexByte(a, '.')+1:])
	})
	if at < 0 {
		return Starting{}
	}
	method := args[at][strings.LastIndexByte(args[at], '.')+1:]
	for _, a := range args[at+1:] {
		if a = strings.TrimPrefix(a, "string:"); Suffix(a) != "" && ValidName(a) {
			return Starting{By: program + " " + method, Units: []string{a}, Again: !strings.HasPrefix(method, "Start")}
		}
	}
	return Starting{}
}

// Dispatch is what a service has in place of a daemon.
type Dispatch struct {
	Setting
	// What says so of the unit: "runs nothing but true(1)".
	What string
	// Starts are the units that its commands start, if they do no more than that.
	Starts []string
	// Sleeps: it is there as long as it sleeps.
	Sleeps bool
}

// Dispatches returns the command of a service that runs no daemon: it does nothing, or has
// systemd start other units. What it stands for are those.
func Dispatches(unit *Unit) (d Dispatch, ok bool) {
	commands := unit.All("Service", "ExecStart")
	if stop := unit.All("Service", "ExecStop"); len(commands) == 0 && len(stop) > 0 {
		return Dispatch{Setting: stop[0], What: "has no ExecStart=, so it runs nothing"}, true
	}
	for _, set := range commands {
		if _, _, err := ParseCommand(unit.Name, set.Value); err != nil || !d.takes(unit, set) {
			return Dispatch{}, false
		}
	}
	if len(commands) == 0 {
		return Dispatch{}, false
	}
	d.Setting, d.What = commands[0], "runs nothing but "+commands[0].Value
	if fields := strings.Fields(d.Value); len(fields) == 1 && path.Base(fields[0]) == "true" {
		d.What = "runs nothing but true(1)"
	}
	return d, true
}

// takes adds a command of a unit, and reports whether it is none of a daemon.
func (d *Dispatch) takes(unit *Unit, set Setting) bool {
	var words []commandWord
	for of, text := range commandLines(unit) {
		if of == set {
			words = commandWords(text)
		}
	}
	for len(words) > 0 {
		program, args := words[0], segment(words[1:])
		words = words[1+len(args):]
		if slices.ContainsFunc(args, func(w commandWord) bool { return w.varies }) || program.varies {
			return false
		}
		base := path.Base(program.text)
		_, executes := wrappers[base]
		started := starting(program, args)
		switch {
		case slices.Contains([]string{"true", ":", "exit", "exec"}, base), executes && len(words) > 0:
		case slices.Contains(shells, base) && len(args) == 1 && strings.HasPrefix(args[0].text, "-") && strings.HasSuffix(args[0].text, "c"):
		case base == "sleep" && len(args) == 1 && args[0].text == "infinity":
			d.Sleeps = true
		case len(started.Units) > 0 && !started.Again:
			d.Starts = append(d.Starts, started.Units...)
		default:
			return false
		}
	}
	return true
}
