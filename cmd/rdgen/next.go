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
	"rdgen/runtime/systemctl"
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
// by no command of an init system: those are for this one. The edit may be of another service
// than the one that was named: see [steering.remains].
func (s *steering) next(edit *services.Edit, name string, before *services.Loader, inits []judged) (a after, err error) {
	if len(inits) > 1 {
		if runs := edit.After.Running(); slices.ContainsFunc(inits, func(j judged) bool { return j.init.Name() == runs }) {
			inits = slices.DeleteFunc(inits, func(j judged) bool { return j.init.Name() != runs })
		}
	}
	for _, j := range inits {
		service, in := edit.Service.Name, !edit.Service.Domain.IsDefault()
		if diff, err := difference(j.init.Needed(j.made.files), s.root, versions(j.init)); in && (err != nil || diff != "") {
			a.first = append(a.first, again(j.init.Name(), service, s.root))
		}
		switch j.init {
		case services.Init(edit.After.OpenRC):
			if script, missing := edit.After.OpenRC.Unmade(edit.Service.Domain); in && missing {
				a.add("ln", "-s", "rdomain", filepath.Join(s.root, script))
			}
			if s.here() {
				words := problem.Operands([]string{service, "restart"})
				a.last, a.now = problem.Command(append([]string{"rc-service"}, words...)...), problem.Command(append([]string{"rc-service", "--ifstarted"}, words...)...)
			}
		case services.Init(edit.After.Systemd):
			if stale, err := edit.After.Systemd.Stale(); err == nil && len(stale) > 0 && !in {
				a.first = append(a.first, onRoot(s.root, "rdgen", "systemd", "--prune"))
			}
			if s.here() {
				if err := a.systemd(edit, name, before, j); err != nil {
					return a, err
				}
			}
		case services.Init(edit.After.S6):
			a.s6(edit, s.root)
		}
		if a.cannot != "" {
			return a, nil
		}
	}
	return a, nil
}

// here reports whether it is this machine whose file is edited.
func (s *steering) here() bool { return filepath.Clean(s.root) == "/" }

// systemd adds what has systemd follow the line that was edited by some name.
func (a *after) systemd(edit *services.Edit, name string, before *services.Loader, j judged) error {
	units, own := unitsOf(edit, name, before, j)
	takes := func(members []services.Member) services.Again {
		again := services.Take(members)
		if cannot := again.Cannot(); cannot != "" {
			a.cannot = strings.Join(append(slices.Clip(a.first), cannot), ", then: ")
		}
		return again
	}
	var names []string
	for _, u := range units {
		names = append(names, u.Name)
	}
	instances := slices.ContainsFunc(names, services.IsTemplate)
	if edit.After.Running() == "systemd" && !inChroot() {
		members, err := askSystemd(systemctl.Ask, edit.After, edit.Service.Name, names)
		if err != nil {
			return err
		}
		for i, m := range members {
			if slices.ContainsFunc(units, func(u services.Member) bool { return u.Name == m.Name && u.Gone }) {
				members[i] = m.AsGone()
			}
		}
		if now := takes(members); a.cannot == "" {
			a.now, a.last = now.Strict(), services.Take(withOwn(members, own)).String()
		}
		return nil
	}
	units = slices.DeleteFunc(units, func(m services.Member) bool { return services.IsTemplate(m.Name) })
	if a.last = takes(units).String(); a.cannot == "" && instances {
		which := "its other instances"
		if len(units) == 0 {
			which = "the instances of " + problem.Command(edit.Service.Name)
		}
		a.cannot = a.String() + ", and restart " + which
	}
	return nil
}

// withOwn has the service's own unit started also where it does not run, unless a socket waits that
// starts it.
func withOwn(members []services.Member, own string) []services.Member {
	members = slices.Clone(members)
	if slices.ContainsFunc(members, func(m services.Member) bool { return m.Active && !m.Along && strings.HasSuffix(m.Name, ".socket") }) {
		return members
	}
	for i := range members {
		if members[i].Name == own && !members[i].Connection {
			members[i].Start = true
		}
	}
	return members
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

// unitsOf are the units that are taken into another domain, as their files have them: those that
// the line speaks for, and those that it spoke for before. own is the service's own. Where the line
// of another name speaks for the unit then, it is what the line spoke for alone. An instance that
// is there by the line goes with it.
func unitsOf(edit *services.Edit, name string, before *services.Loader, j judged) (units []services.Member, own string) {
	add := func(job generators.Job, loader *services.Loader) {
		made, ok := job.(generators.Systemd)
		if !ok {
			return
		}
		used := loader.Systemd.Used(made)
		for _, m := range loader.Systemd.Members(made) {
			if own == "" {
				own = m.Name
			}
			if m.Idle = !slices.Contains(used, m.Name); made.Instance != nil && m.Name == made.Name+".service" && edit.Service.Domain.IsDefault() {
				m = m.AsGone()
			}
			if i := slices.IndexFunc(units, func(u services.Member) bool { return u.Name == m.Name }); i < 0 {
				units = append(units, m)
			} else {
				units[i].Idle = units[i].Idle && m.Idle
			}
		}
	}
	if name == edit.Service.Name {
		add(j.made.job, edit.After)
	}
	add(one(before.Systemd, name).job, before)
	if len(units) == 0 {
		own = strings.TrimSuffix(edit.Service.Name, ".service") + ".service"
		units = []services.Member{{Name: own, Active: true}}
	}
	return units, own
}
