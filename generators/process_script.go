package generators

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/s6"
)

// scriptProcess reads a declarative OpenRC script, which says what to run rather
// than how (openrc-run(8)).
func scriptProcess(script *openrc.Script, canListen bool) (process, error) {
	// A stop() of its own is no obstacle: s6 stops a process by a signal.
	startOnly := *script
	startOnly.Funcs = maps.Clone(script.Funcs)
	delete(startOnly.Funcs, "stop")
	delete(startOnly.Funcs, "default_stop")
	if err := startOnly.Declarative(); err != nil {
		return process{}, err
	}
	r := scriptReader{script: script, p: process{Pos: problem.Pos{File: script.Path}}}
	r.program()
	r.p.User = r.text("command_user")
	r.p.Umask = r.text("umask")
	if r.p.Dir = r.text("directory"); r.p.Dir == "" {
		r.p.Dir = "/"
	}
	if v := r.lookup("chroot"); v.Text != "" {
		r.fail(v.Pos, "write its source directory by hand", "chroot=%q has no counterpart in s6", v.Text)
	}
	r.signals()
	r.notify(canListen)
	r.rest()
	return r.p, errors.Join(r.errs...)
}

// signals reads how the service is stopped: stopsig, or the first of retry's
// steps, and after which time by SIGKILL.
func (r *scriptReader) signals() {
	signal := r.text("stopsig")
	if s6.ValidSignal(signal) {
		r.carried = append(r.carried, "stopsig")
	} else {
		signal = ""
	}
	steps := strings.Split(r.text("retry"), "/")
	wait := steps[0]
	switch len(steps) {
	case 1: // SECONDS: the signal, then KILL
	case 3, 4: // SIGNAL/SECONDS/KILL[/SECONDS]
		if last := strings.TrimPrefix(strings.ToUpper(steps[2]), "SIG"); last != "KILL" && last != "9" || !s6.ValidSignal(steps[0]) {
			return
		}
		signal, wait = steps[0], steps[1]
	default:
		return
	}
	if seconds, err := strconv.ParseUint(wait, 10, 20); err == nil {
		r.p.TimeoutKill, r.carried = int(seconds)*1000, append(r.carried, "retry")
	}
	if name := strings.TrimPrefix(strings.ToUpper(signal), "SIG"); signal != "" && name != "TERM" && name != "15" {
		r.p.DownSignal = signal
	}
}

// notify reads how the service says that it is ready (supervise-daemon).
func (r *scriptReader) notify(canListen bool) {
	kind, value, _ := strings.Cut(r.text("notify"), ":")
	switch fd, err := strconv.ParseUint(value, 10, 16); {
	case kind == "fd" && err == nil && fd > 2:
		r.p.NotifyFD, r.carried = int(fd), append(r.carried, "notify")
	case kind == "socket" && value == "ready":
		r.p.listen("notify=socket:ready", canListen)
		r.carried = append(r.carried, "notify")
	}
}

// scriptReader collects a process and what is wrong with it.
type scriptReader struct {
	script *openrc.Script
	p      process
	errs   []error
	// carried are the settings that have a counterpart.
	carried []string
}

func (r *scriptReader) fail(pos problem.Pos, hint, format string, args ...any) {
	r.errs = append(r.errs, problem.New(pos, format, args...).WithHint(hint))
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
	r.p.Pos = problem.Pos{File: r.script.Path}
	foreground := r.args("command_args_foreground")
	supervised := r.text("supervisor") != "" && r.text("supervisor") != "start-stop-daemon"
	if len(foreground) == 0 && !supervised && !openrc.IsYes(r.text("command_background")) {
		r.fail(command.Pos, `set command_args_foreground in `+"/etc/conf.d/"+r.script.Service+
			` to the option that keeps it in the foreground (often "-D", "-F" or "-f"), or command_background="yes" if it needs none`,
			"%s goes to the background by itself", command.Text)
	}
	r.p.Prog = slices.Concat([]string{command.Text}, r.args("command_args"), foreground)
}

// rest notes what s6 does not know of: functions, dependencies and the settings
// of OpenRC that change what the process may do.
func (r *scriptReader) rest() {
	var lost []string
	for _, name := range []string{
		"required_dirs", "required_files", "start_stop_daemon_args", "supervise_daemon_args", "capabilities", "secbits",
		"no_new_privs", "output_log", "error_log", "output_logger", "error_logger", "stopsig", "retry", "notify", "rc_ulimit", "ssd_nicelevel",
	} {
		if _, set, _ := r.script.Lookup(name); set && !slices.Contains(r.carried, name) {
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
