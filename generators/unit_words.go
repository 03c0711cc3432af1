package generators

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/s6"
	"rdgen/systemd"
)

// program reads ExecStart=, and the commands before and after it, which share the
// names by which variables are substituted.
func (r *unitReader) program() {
	all := r.unit.All("Service", "ExecStart")
	if len(all) == 0 {
		if r.err == nil {
			r.err = problem.New(r.p.Pos, "has no ExecStart=")
		}
		return
	}
	if len(all) > 1 {
		r.fail(all[1], "", "is given twice; a supervised service is one process")
	}
	main := r.command(all[0])
	r.p.Pos.Line = all[0].Line
	if main.root || main.asRoot {
		r.fail(all[0], "write its source directory by hand", "begins with %q: s6 has no counterpart for it", main.prefix)
		return
	}
	conditions := r.commands("ExecCondition")
	if len(conditions) > 0 {
		r.p.Notes = append(r.p.Notes, "ExecCondition=: where it fails, s6 has the service as failed, and does not try again")
	}
	before := slices.Concat(conditions, r.commands("ExecStartPre"))
	r.p.Imports = r.imports(append([]unitCommand{main}, before...))
	for i, c := range before {
		made := c.made(r.p.Imports)
		made.Decides = i < len(conditions)
		r.p.Before = append(r.p.Before, made)
	}
	r.p.Prog, r.p.Name = main.substituted(r.p.Imports), main.name
	after := r.commands("ExecStopPost")
	r.p.AfterImports = r.imports(after)
	for _, c := range after {
		r.p.After = append(r.p.After, c.made(r.p.AfterImports))
	}
	if len(after) > 0 { // each may take as long as the service to stop
		r.p.TimeoutFinish = cmp.Or(r.timeout("TimeoutStopSec"), -1)
	}
}

// unitCommand is a command line of a unit.
type unitCommand struct {
	set                    systemd.Setting
	prefix                 string
	words                  []systemd.Word
	name                   string // argv[0]
	root, asRoot, optional bool
}

// made is the command with variables as execline substitutes them.
func (c unitCommand) made(list []imported) command {
	return command{Words: c.substituted(list), Name: c.name, Root: c.root, AsRoot: c.asRoot, Optional: c.optional}
}

func (r *unitReader) commands(key string) (list []unitCommand) {
	asRoot, _, _ := r.unit.Bool("Service", "PermissionsStartOnly")
	r.carried = append(r.carried, "PermissionsStartOnly")
	for _, set := range r.unit.All("Service", key) {
		c := r.command(set)
		c.root = c.root || asRoot
		list = append(list, c)
	}
	r.carried = append(r.carried, key)
	return list
}

// imports chooses the names for the variables of commands, and refuses those that s6
// does not have as systemd does.
func (r *unitReader) imports(commands []unitCommand) []imported {
	var words []systemd.Word
	for _, c := range commands {
		words = append(words, c.words...)
		for _, w := range c.words {
			for _, part := range w {
				if name := r.foreignName(part.Text); name != "" {
					r.fail(c.set, "write the value out in a drop-in", "uses $%s, which only systemd sets", name)
				}
			}
		}
	}
	list := imports(words, r.p.User+r.p.Group+moreGroups)
	for _, c := range commands {
		r.known(c.set, imports(c.words, ""))
	}
	return list
}

// foreignName returns the first variable of systemd that text, a script perhaps, asks
// the environment for.
func (r *unitReader) foreignName(text string) string {
	for _, m := range asked.FindAllStringSubmatch(text, -1) {
		if slices.Contains(ofSystemd, m[1]) && m[1] != "TERM" && m[1] != "SHELL" && !r.sets(m[1]) {
			return m[1]
		}
	}
	return ""
}

var asked = regexp.MustCompile(`\$\{?([A-Z_]+)`)

func (r *unitReader) sets(name string) bool {
	return slices.ContainsFunc(r.p.Env, func(v variable) bool { return v.Name == name })
}

func (r *unitReader) command(set systemd.Setting) (c unitCommand) {
	var err error
	c.set = set
	if c.prefix, c.words, err = systemd.ParseCommand(r.unit.Name, set.Value); err != nil {
		r.fail(set, "", "%v", err)
		return c
	}
	if odd := extended.FindString(set.Value); odd != "" && !strings.Contains(c.prefix, ":") {
		r.fail(set, "write the value out in a drop-in, or have a shell read it", "has %s, which systemd 262 takes as it stands, and 257 for nothing", odd)
	}
	for _, p := range c.prefix {
		switch p {
		case '-':
			c.optional = true
		case '+':
			c.root = true
		case '!':
			c.asRoot = true
		case '|':
			r.fail(set, "write its source directory by hand", "begins with %q: s6 has no counterpart for it", c.prefix)
		case '@':
			if len(c.words) > 1 && len(c.words[1]) == 1 && c.words[1][0].Var == "" {
				c.name = c.words[1][0].Text
				c.words = slices.Delete(c.words, 1, 2)
			} else {
				r.fail(set, "write the name out in a drop-in", "begins with %q, and no plain word for argv[0] follows", c.prefix)
			}
		}
	}
	return c
}

// extended is what a shell reads as a default, and each systemd as it likes.
var extended = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*:[^}]*\}`)

func (c unitCommand) substituted(list []imported) (words []string) {
	for _, w := range c.words {
		words = append(words, substituted(w, list))
	}
	return words
}

// ofSystemd are the variables that systemd itself sets (systemd.exec(5)).
var ofSystemd = []string{"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY",
	"CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "MANAGERPID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "SYSTEMD_EXEC_PID", "TERM", "SHELL", "FDSTORE", "MEMORY_PRESSURE_WATCH",
	"SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS"}

// known refuses the variables that only systemd sets, and values that it would
// split otherwise: in the value of $NAME it reads quotes and backslashes.
func (r *unitReader) known(at systemd.Setting, list []imported) {
	for _, i := range list {
		if slices.Contains(ofSystemd, i.Var) && !r.sets(i.Var) {
			r.fail(at, "write the value out in a drop-in", "uses $%s, which only systemd sets", i.Var)
		}
		if slices.Contains(r.p.Unset, i.Var) {
			r.fail(at, "write the value out in a drop-in, or leave the variable to the command", "uses $%s, which UnsetEnvironment= takes away: systemd before 262 then has nothing in its place, 262 its value", i.Var)
		}
		if !i.Split {
			continue
		}
		for _, v := range r.p.Env {
			if v.Name == i.Var && r.splitOtherwise(v.Value) {
				r.fail(at, "write the words out in a drop-in", "splits $%s, and its value %q has quotes or begins with a space", i.Var, v.Value)
			}
		}
		for _, f := range r.p.EnvFiles {
			values, _ := s6.EnvironmentFile(f.Path, r.files[f.Path])
			for _, v := range values {
				if v.Name == i.Var && r.splitOtherwise(v.Text) && r.err == nil {
					r.err = problem.New(v.Pos, "%s=%q has quotes or begins with a space, and systemd splits it otherwise", i.Var, v.Text).
						WithHint("write the words out in a drop-in")
				}
			}
		}
	}
}

func (r *unitReader) splitOtherwise(value string) bool {
	return strings.ContainsAny(value, "\"'\\") || strings.TrimLeft(value, " \t\r\n") != value
}

// killed returns the signal that a command line sends to the service's main
// process, or "" if it does anything else.
func killed(unit, command string) string {
	_, words, err := systemd.ParseCommand(unit, command)
	if err != nil || len(words) < 3 || len(words) > 4 || len(words[len(words)-1]) != 1 || words[len(words)-1][0].Var != "MAINPID" {
		return ""
	}
	var literal []string
	for _, w := range words[:len(words)-1] {
		if len(w) != 1 || w[0].Var != "" {
			return ""
		}
		literal = append(literal, w[0].Text)
	}
	signal, ok := strings.CutPrefix(literal[1], "-")
	if len(literal) == 3 && (literal[1] == "-s" || literal[1] == "--signal") {
		signal = literal[2]
	} else if len(literal) != 2 {
		return ""
	}
	if path.Base(literal[0]) != "kill" || !ok || !s6.ValidSignal(signal) {
		return ""
	}
	if _, err := strconv.Atoi(signal); err != nil && !strings.HasPrefix(signal, "SIG") {
		signal = "SIG" + signal
	}
	return signal
}

// imports chooses for each variable in words the name by which execline
// substitutes it: its own, made longer until no literal text contains it after a
// "$", so that execline replaces exactly what systemd would.
func imports(words []systemd.Word, user string) []imported {
	literal := user
	for _, w := range words {
		for _, part := range w {
			literal += "\x00" + part.Text
		}
	}
	var list []imported
	for _, w := range words {
		for _, part := range w {
			i := imported{Var: part.Var, Name: part.Var, Split: part.Split}
			if part.Var == "" || slices.ContainsFunc(list, func(o imported) bool { return o.Var == i.Var && o.Split == i.Split }) {
				continue
			}
			for strings.Contains(literal, "$"+i.Name) || strings.Contains(literal, "${"+i.Name) ||
				slices.ContainsFunc(list, func(o imported) bool { return o.Name == i.Name }) {
				i.Name += "_"
			}
			list = append(list, i)
		}
	}
	return list
}

// substituted spells a word for execline's substitution, where a backslash before
// "${NAME}" protects it: those that stand there for themselves are doubled.
func substituted(w systemd.Word, list []imported) string {
	var b strings.Builder
	for i, part := range w {
		if part.Var == "" {
			text := part.Text
			if i+1 < len(w) {
				head := strings.TrimRight(text, `\`)
				text = head + strings.Repeat(`\`, 2*(len(text)-len(head)))
			}
			b.WriteString(text)
			continue
		}
		k := slices.IndexFunc(list, func(o imported) bool { return o.Var == part.Var && o.Split == part.Split })
		if part.Split { // a word of its own
			return "$" + list[k].Name
		}
		fmt.Fprintf(&b, "${%s}", list[k].Name)
	}
	return b.String()
}
