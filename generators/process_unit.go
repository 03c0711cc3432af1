package generators

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/s6"
	"rdgen/systemd"
)

// unitProcess reads the settings of a unit that have a meaning for any
// supervisor, and lists the rest.
func unitProcess(u *systemd.Unit, canListen bool) (process, error) {
	r := unitReader{unit: u, p: process{Pos: problem.Pos{File: u.Path}, Dir: "/", Umask: "0022"}}
	r.foreground(canListen)
	r.signals()
	r.timeouts()
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
	// carried are the settings that have a counterpart.
	carried []string
}

func (r *unitReader) fail(s systemd.Setting, hint, format string, args ...any) {
	if r.err == nil {
		r.err = problem.New(problem.Pos{File: s.File, Line: s.Line}, "%s= "+format, append([]any{s.Key}, args...)...).
			WithHint(hint)
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
func (r *unitReader) foreground(canListen bool) {
	switch t, set, _ := r.value("Type"); t {
	case "forking":
		r.fail(set, "s6 needs a process that stays in the foreground: make a drop-in with Type=simple and an ExecStart= that does",
			"forking goes to the background by itself")
	case "oneshot":
		r.fail(set, "write a oneshot by hand that runs it through rdexec", "oneshot is no process to supervise")
	case "notify", "notify-reload":
		r.p.listen("Type="+t, canListen)
	case "dbus":
		r.p.Notes = append(r.p.Notes, "readiness (Type=dbus) is not carried over")
	}
	confined := func(set systemd.Setting) {
		r.fail(set, "the service would have more rights under s6 than the unit gives it; write its source directory by hand",
			"has no counterpart in s6")
	}
	if yes, set, _ := r.unit.Bool("Service", "DynamicUser"); yes {
		confined(set)
	}
	for _, key := range []string{"RootDirectory", "RootImage"} {
		if _, set, ok := r.value(key); ok {
			confined(set)
		}
	}
}

func (r *unitReader) user() {
	for key, name := range map[string]*string{"User": &r.p.User, "Group": &r.p.Group} {
		text, set, _ := r.value(key)
		if *name = text; strings.ContainsAny(text, " \t:") {
			r.fail(set, "", "%q is no user and group", text)
		}
	}
	if r.p.User == "" && (r.p.Group == "root" || r.p.Group == "0") {
		r.p.Group = ""
	}
	r.p.Home = r.p.User != ""
	if mask, set, ok := r.value("UMask"); ok {
		if r.p.Umask = mask; !octal.MatchString(mask) {
			r.fail(set, "", "%q is not octal", mask)
		}
	}
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
			r.err = problem.New(r.p.Pos, "has no ExecStart=")
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

// signals reads by which signals the service is stopped and reads its
// configuration again.
func (r *unitReader) signals() {
	for key, signal := range map[string]*string{"KillSignal": &r.p.DownSignal, "ReloadSignal": &r.p.ReloadSignal} {
		if text, _, ok := r.value(key); ok && s6.ValidSignal(text) {
			*signal, r.carried = text, append(r.carried, key)
		}
	}
	if all := r.unit.All("Service", "ExecReload"); len(all) == 1 {
		if signal := killed(r.unit.Name, all[0].Value); signal != "" {
			r.p.ReloadSignal, r.carried = signal, append(r.carried, "ExecReload")
		}
	}
	if r.p.DownSignal == "SIGTERM" || r.p.DownSignal == "15" {
		r.p.DownSignal = ""
	}
	if r.p.ReloadSignal == "SIGHUP" || r.p.ReloadSignal == "1" {
		r.p.ReloadSignal = ""
	}
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

// timeouts reads how long the service may take to be ready, and to stop.
func (r *unitReader) timeouts() {
	carry := func(key string, ms *int) {
		text, _, ok := r.value(key)
		if !ok {
			return
		}
		if n, ok := systemd.Milliseconds(text); ok {
			*ms, r.carried = n, append(r.carried, key)
		}
	}
	ready := r.p.NotifyFD != 0
	var both int
	carry("TimeoutSec", &both)
	r.p.TimeoutKill = both
	carry("TimeoutStopSec", &r.p.TimeoutKill)
	if ready { // else s6-rc takes it for up as soon as it is started
		r.p.TimeoutUp = both
		carry("TimeoutStartSec", &r.p.TimeoutUp)
	}
	if kill, _, ok := r.unit.Bool("Service", "SendSIGKILL"); ok && !kill {
		r.p.TimeoutKill, r.carried = 0, append(r.carried, "SendSIGKILL")
	}
}

// rest notes every other setting by its name.
func (r *unitReader) rest() {
	carried := append(r.carried, "Type", "ExecStart", "User", "Group", "UMask", "WorkingDirectory", "Environment", "EnvironmentFile",
		"Description", "Documentation")
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
