package generators

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/openrc"
	"rdgen/systemd"
)

// process is a service as one process in the foreground, which is what a
// supervisor runs: read from an OpenRC script or from a systemd unit.
type process struct {
	// Pos is the program's place, for messages.
	Pos  openrc.Pos
	User string // USER or USER:GROUP, or "" for root
	Dir  string
	// Umask is octal, or "" to leave it.
	Umask    string
	Env      []variable
	EnvFiles []envFile
	Imports  []imported
	// Prog is the program and its arguments. A word may hold ${NAME} or $NAME
	// of Imports.
	Prog []string
	// Notes say what is not carried over.
	Notes []string
}

type variable struct{ Name, Value string }

type envFile struct {
	Path     string
	Optional bool
}

// imported is an environment variable whose value replaces $Name in Prog.
type imported struct {
	Var, Name string
	Split     bool
}

// notes returns the notes for the user, each with its place.
func (p process) notes() []string {
	var notes []string
	for _, n := range p.Notes {
		notes = append(notes, p.Pos.File+": "+n)
	}
	return notes
}

func processOf(s Service) (process, error) {
	if s.Script != nil {
		return scriptProcess(s.Script)
	}
	return unitProcess(s.Unit)
}

// unitProcess reads the settings of a unit that have a meaning for any
// supervisor, and lists the rest.
func unitProcess(u *systemd.Unit) (process, error) {
	r := unitReader{unit: u, p: process{Pos: openrc.Pos{File: u.Path}, Dir: "/"}}
	r.foreground()
	r.user()
	r.environment()
	r.program()
	r.rest()
	return r.p, r.err
}

// unitReader collects a process and the first error.
type unitReader struct {
	unit *systemd.Unit
	p    process
	err  error
}

func (r *unitReader) fail(s systemd.Setting, hint, format string, args ...any) {
	if r.err == nil {
		r.err = problem(openrc.Pos{File: s.File, Line: s.Line}, hint, "%s= "+format, append([]any{s.Key}, args...)...)
	}
}

// value returns the last assignment of a setting with specifiers replaced.
func (r *unitReader) value(key string) (text string, set systemd.Setting, ok bool) {
	all := r.unit.All("Service", key)
	if len(all) == 0 {
		return "", systemd.Setting{}, false
	}
	set = all[len(all)-1]
	text, err := systemd.Specifiers(r.unit.Name, set.Value)
	if err != nil {
		r.fail(set, "", "%v", err)
	}
	return text, set, true
}

// foreground refuses what does not stay in the foreground, and what would run
// with more rights than the unit gives it.
func (r *unitReader) foreground() {
	switch t, set, _ := r.value("Type"); t {
	case "forking":
		r.fail(set, "s6 needs a process that stays in the foreground: make a drop-in with Type=simple and an ExecStart= that does",
			"forking goes to the background by itself")
	case "oneshot":
		r.fail(set, "write a oneshot by hand that runs it through rdexec", "oneshot is no process to supervise")
	case "notify", "notify-reload", "dbus":
		r.p.Notes = append(r.p.Notes, "readiness (Type="+t+") is not carried over")
	}
	for _, key := range []string{"DynamicUser", "RootDirectory", "RootImage"} {
		if v, set, ok := r.value(key); ok && v != "no" && v != "false" && v != "0" && v != "off" {
			r.fail(set, "the service would have more rights under s6 than the unit gives it; write its source directory by hand",
				"has no counterpart in s6")
		}
	}
}

func (r *unitReader) user() {
	r.p.User, _, _ = r.value("User")
	group, set, ok := r.value("Group")
	switch {
	case !ok:
	case r.p.User == "" && group != "root" && group != "0":
		r.p.User = "root:" + group
	case r.p.User != "":
		r.p.User += ":" + group
	}
	if strings.ContainsAny(r.p.User, " \t") {
		r.fail(set, "", "%q is no user and group", r.p.User)
	}
	r.p.Umask, _, _ = r.value("UMask")
	if dir, set, ok := r.value("WorkingDirectory"); ok {
		if r.p.Dir = strings.TrimPrefix(dir, "-"); !strings.HasPrefix(r.p.Dir, "/") {
			r.fail(set, "write an absolute path into a drop-in", "%q is not a path that s6 could know", dir)
		}
	}
}

func (r *unitReader) environment() {
	for _, set := range r.unit.All("Service", "Environment") {
		fields, err := systemd.Fields(set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		for _, f := range fields {
			text, err := systemd.Specifiers(r.unit.Name, f.String())
			if err != nil {
				r.fail(set, "", "%v", err)
			}
			name, value, ok := strings.Cut(text, "=")
			if !ok || name == "" {
				r.fail(set, "", "%q is not NAME=VALUE", text)
			}
			r.p.Env = append(r.p.Env, variable{name, value})
		}
	}
	for _, set := range r.unit.All("Service", "EnvironmentFile") {
		text, err := systemd.Specifiers(r.unit.Name, set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		file, optional := strings.CutPrefix(text, "-")
		if !strings.HasPrefix(file, "/") || strings.ContainsAny(file, "*?[") {
			r.fail(set, "name each file by itself in a drop-in", "%q is not one absolute path", file)
		}
		r.p.EnvFiles = append(r.p.EnvFiles, envFile{file, optional})
	}
}

func (r *unitReader) program() {
	all := r.unit.All("Service", "ExecStart")
	if len(all) == 0 {
		if r.err == nil {
			r.err = problem(r.p.Pos, "", "has no ExecStart=")
		}
		return
	}
	set := all[0]
	if len(all) > 1 {
		r.fail(all[1], "", "is given twice; a supervised service is one process")
	}
	prefix, words, err := systemd.ParseCommand(r.unit.Name, set.Value)
	if err != nil {
		r.fail(set, "", "%v", err)
		return
	}
	r.p.Pos.Line = set.Line
	for _, c := range prefix {
		switch c {
		case '+', '!', '|':
			r.fail(set, "write its source directory by hand", "begins with %q: s6 has no counterpart for it", prefix)
		case '@':
			r.p.Notes = append(r.p.Notes, "argv[0] (ExecStart=@) is not carried over")
			if len(words) > 1 {
				words = slices.Delete(words, 1, 2)
			}
		}
	}
	r.p.Imports = imports(words, r.p.User)
	for _, w := range words {
		r.p.Prog = append(r.p.Prog, substituted(w, r.p.Imports))
	}
}

// rest notes every other setting by its name.
func (r *unitReader) rest() {
	carried := []string{"Type", "ExecStart", "User", "Group", "UMask", "WorkingDirectory", "Environment", "EnvironmentFile",
		"Description", "Documentation"}
	var keys []string
	for _, s := range r.unit.Settings {
		if s.Section == "Install" || slices.Contains(carried, s.Key) || slices.Contains(keys, s.Key+"=") || s.Value == "" {
			continue
		}
		keys = append(keys, s.Key+"=")
	}
	if len(keys) > 0 {
		r.p.Notes = append(r.p.Notes, "not carried over: "+strings.Join(keys, " "))
	}
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
