package generators

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"rdgen/openrc"
)

// scriptProcess reads a declarative OpenRC script, which says what to run rather
// than how (openrc-run(8)).
func scriptProcess(script *openrc.Script) (process, error) {
	// A stop() of its own is no obstacle: s6 stops a process by a signal.
	startOnly := *script
	startOnly.Funcs = maps.Clone(script.Funcs)
	delete(startOnly.Funcs, "stop")
	delete(startOnly.Funcs, "default_stop")
	if err := startOnly.Declarative(); err != nil {
		return process{}, err
	}
	r := scriptReader{script: script, p: process{Pos: openrc.Pos{File: script.Path}}}
	r.program()
	r.p.User = r.text("command_user")
	r.p.Umask = r.text("umask")
	if r.p.Dir = r.text("directory"); r.p.Dir == "" {
		r.p.Dir = "/"
	}
	if v := r.lookup("chroot"); v.Text != "" {
		r.fail(v.Pos, "write its source directory by hand", "chroot=%q has no counterpart in s6", v.Text)
	}
	r.rest()
	return r.p, errors.Join(r.errs...)
}

// scriptReader collects a process and what is wrong with it.
type scriptReader struct {
	script *openrc.Script
	p      process
	errs   []error
}

func (r *scriptReader) fail(pos openrc.Pos, hint, format string, args ...any) {
	r.errs = append(r.errs, problem(pos, hint, format, args...))
}

func (r *scriptReader) lookup(name string) openrc.Value {
	v, _, err := r.script.Lookup(name)
	if err != nil {
		r.errs = append(r.errs, err)
	}
	return v
}

func (r *scriptReader) text(name string) string { return r.lookup(name).Text }

func (r *scriptReader) args(name string) []string {
	words, err := r.script.Args(name)
	if err != nil {
		r.errs = append(r.errs, err)
	}
	return words
}

// program finds the command line that stays in the foreground. OpenRC runs the
// daemon so when it supervises it, or when it puts it into the background itself
// (command_background); command_args_foreground says what that takes.
func (r *scriptReader) program() {
	command := r.lookup("command")
	if command.Text == "" {
		return // Declarative has said so
	}
	r.p.Pos = openrc.Pos{File: r.script.Path}
	foreground := r.args("command_args_foreground")
	supervised := r.text("supervisor") != "" && r.text("supervisor") != "start-stop-daemon"
	if len(foreground) == 0 && !supervised && !isYes(r.text("command_background")) {
		r.fail(command.Pos, `set command_args_foreground in `+"/etc/conf.d/"+r.script.Service+
			` to the option that keeps it in the foreground (often "-D", "-F" or "-f"), or command_background="yes" if it needs none`,
			"%s goes to the background by itself", command.Text)
	}
	r.p.Prog = slices.Concat([]string{command.Text}, r.args("command_args"), foreground)
}

// isYes reads a boolean as OpenRC does (yesno, sh/functions.sh).
func isYes(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "on", "1":
		return true
	}
	return false
}

// rest notes what s6 does not know of: functions, dependencies and the settings
// of OpenRC that change what the process may do.
func (r *scriptReader) rest() {
	var lost []string
	for _, name := range []string{
		"required_dirs", "required_files", "start_stop_daemon_args", "supervise_daemon_args", "capabilities", "secbits",
		"no_new_privs", "output_log", "error_log", "output_logger", "error_logger", "stopsig", "notify", "rc_ulimit", "ssd_nicelevel",
	} {
		if _, set, _ := r.script.Lookup(name); set {
			lost = append(lost, name+"=")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.script.Funcs)) {
		lost = append(lost, name+"()")
	}
	if len(lost) > 0 {
		r.p.Notes = append(r.p.Notes, "not carried over: "+strings.Join(lost, " "))
	}
}
