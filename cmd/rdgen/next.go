package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/services"
)

// after is what makes an edited line count.
type after struct {
	// first are commands for a shell, done one after the other. What restarts the service
	// is last; now restarts it only if it runs, and is "" where nothing does that.
	first     []string
	last, now string
	// cannot says what only the administrator can do instead, or "".
	cannot string
}

// add adds a command, as its words.
func (a *after) add(words ...string) { a.first = append(a.first, problem.Command(words...)) }

// String is what is printed, a line for a shell.
func (a after) String() string {
	commands := slices.Clip(a.first)
	if a.last != "" {
		commands = append(commands, a.last)
	}
	return strings.Join(commands, " && ")
}

// script is what --now executes.
func (a after) script() string { return strings.Join(append(slices.Clip(a.first), a.now), " && ") }

// print says where the service is now, and what comes next; or has that done, when all is
// said.
func (a after) print(w io.Writer, edit *services.Edit, same, now bool) error {
	where := edit.Service.Pos.String()
	if where == "" {
		where = edit.File
	}
	was := ""
	if same {
		was = ", as it was"
	}
	if _, err := fmt.Fprintf(w, "%s: %s (%s)%s\n", edit.Service.Name, edit.Service.Domain, where, was); err != nil {
		return err
	}
	if now {
		return execute(a.script())
	}
	next := a.cannot
	if next == "" {
		next = a.String()
	}
	if next == "" {
		return nil
	}
	_, err := fmt.Fprintln(w, "next: "+next)
	return err
}

// execute is what run has a shell do in this process's place, when all is written.
type execute string

// Error is nothing that anybody reads.
func (e execute) Error() string { return string(e) }

// do executes it. It returns only if that cannot be.
func (e execute) do(environ []string) error {
	err := syscall.Exec("/bin/sh", []string{"sh", "-c", string(e)}, environ)
	return fmt.Errorf("/bin/sh: %w", err)
}

// next returns what makes the edited line count for the init systems that have the service;
// before reads the machine as it was. What is below another root than this machine's is told
// by no command of an init system: those are for this one.
func (s *steering) next(edit *services.Edit, before *services.Loader, inits []judged) (a after) {
	if len(inits) > 1 {
		if runs := edit.After.Running(); slices.ContainsFunc(inits, func(j judged) bool { return j.init.Name() == runs }) {
			inits = slices.DeleteFunc(inits, func(j judged) bool { return j.init.Name() != runs })
		}
	}
	for _, j := range inits {
		name, in := edit.Service.Name, !edit.Service.Domain.IsDefault()
		if diff, err := difference(j.init.Needed(j.made.files), s.root, versions(j.init)); in && (err != nil || diff != "") {
			a.first = append(a.first, again(j.init.Name(), name, s.root))
		}
		switch j.init {
		case services.Init(edit.After.OpenRC):
			if script, missing := edit.After.OpenRC.Unmade(edit.Service.Domain); in && missing {
				a.add("ln", "-s", "rdomain", filepath.Join(s.root, script))
			}
			if s.here() {
				words := problem.Operands([]string{name, "restart"})
				a.last, a.now = problem.Command(append([]string{"rc-service"}, words...)...), problem.Command(append([]string{"rc-service", "--ifstarted"}, words...)...)
			}
		case services.Init(edit.After.Systemd):
			if stale, err := edit.After.Systemd.Stale(); err == nil && len(stale) > 0 && !in {
				a.first = append(a.first, onRoot(s.root, "rdgen", "systemd", "--prune"))
			}
			if s.here() {
				a.systemd(edit, before, j)
			}
		case services.Init(edit.After.S6):
			a.s6(edit, s.root)
		}
		if a.cannot != "" {
			return a
		}
	}
	return a
}

// here reports whether it is this machine whose file is edited.
func (s *steering) here() bool { return filepath.Clean(s.root) == "/" }

// systemd adds what has systemd follow the line.
func (a *after) systemd(edit *services.Edit, before *services.Loader, j judged) {
	units, used, again := unitsOf(edit, before, j)
	if len(used) == 0 {
		a.cannot = strings.Join(append(slices.Clip(a.first), "systemctl daemon-reload"), " && ") + ", and restart the instances of " + problem.Command(edit.Service.Name)
		return
	}
	idle := slices.DeleteFunc(slices.Clone(units), func(u string) bool { return slices.Contains(used, u) })
	a.last = services.Reload + again.With(idle).Of(used, problem.Command(problem.Operands(used)...))
	a.now = "{ " + restartActive(again, units) + problem.Command(append([]string{"active"}, units...)...) + "; }"
}

// s6 adds what has s6 follow the line.
func (a *after) s6(edit *services.Edit, root string) {
	name, here := problem.Command(edit.Service.Name), filepath.Clean(root) == "/"
	commands, cannot := edit.After.S6.Restart(edit.Service.Name)
	switch {
	case edit.Service.Domain.IsDefault() && here:
		a.cannot = "take rdgen's lines out of the source directory (docs/s6.md, To take it back), compile, and restart " + name
	case edit.Service.Domain.IsDefault():
		a.cannot = "take rdgen's lines out of the source directory below " + root + " (docs/s6.md, To take it back)"
	case !here:
	default:
		for _, words := range commands {
			a.add(words...)
		}
		if len(commands) > 0 {
			a.first, a.last = a.first[:len(a.first)-1], a.first[len(a.first)-1]
		}
		if a.cannot = cannot; len(commands) == 1 { // s6-svc alone starts nothing
			a.now = a.last
		}
	}
}

// restartActive restarts those of some units that run. At a daemon-reload a drop-in of an earlier
// version stops what is bound to a domain that is not up yet, so it is looked before.
func restartActive(again services.Again, units []string) string {
	behind := ""
	if len(problem.Operands(units)) > len(units) {
		behind = "-- "
	}
	return `active() { for u; do shift; systemctl is-active --quiet ` + behind + `"$u" && set -- "$@" "$u"; done; ` +
		`systemctl daemon-reload && { [ $# = 0 ] || { ` + again.Of(units, behind+`"$@"`) + `; }; }; }; `
}

// unitsOf are the units that are to be restarted if they run, and those of them that do, as far
// as files say: those that the line speaks for, or spoke for. A template runs as its instances.
func unitsOf(edit *services.Edit, before *services.Loader, j judged) (units, used []string, again services.Again) {
	job, ok := j.made.job.(generators.Systemd)
	loader := edit.After
	if !ok {
		was := one(before.Systemd, edit.Service.Name)
		job, ok = was.job.(generators.Systemd)
		loader = before
	}
	if !ok {
		units = []string{strings.TrimSuffix(edit.Service.Name, ".service") + ".service"}
		return units, units, again
	}
	again = services.AgainOf(job.Units)
	units, used = slices.DeleteFunc(job.Covered(), services.IsTemplate), slices.DeleteFunc(loader.Systemd.Used(job), services.IsTemplate)
	return services.SocketsFirst(units), services.SocketsFirst(used), again
}
