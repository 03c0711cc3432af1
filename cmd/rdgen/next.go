package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/services"
)

// after is what makes an edited line count.
type after struct {
	// commands are done one after the other, each as its words.
	commands [][]string
	// cannot says what only the administrator can do instead, or "".
	cannot string
}

// add adds a command.
func (a *after) add(words ...string) { a.commands = append(a.commands, words) }

// String is a line for a shell.
func (a after) String() string {
	var list []string
	for _, words := range a.commands {
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = quote(w)
		}
		list = append(list, strings.Join(quoted, " "))
	}
	return strings.Join(list, " && ")
}

// quote is a word for a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("0123456789_./:@=-+", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

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
		return execute(a.String())
	}
	next := a.String()
	if a.cannot != "" {
		next = a.cannot
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
// before reads the machine as it was.
func (s *steering) next(edit *services.Edit, before *services.Loader, inits []judged) (a after) {
	if len(inits) > 1 {
		if runs := edit.After.Running(); slices.ContainsFunc(inits, func(j judged) bool { return j.init.Name() == runs }) {
			inits = slices.DeleteFunc(inits, func(j judged) bool { return j.init.Name() != runs })
		}
	}
	for _, j := range inits {
		name, in := edit.Service.Name, !edit.Service.Domain.IsDefault()
		if diff, err := difference(j.init.Needed(j.made.files), s.root, versions(j.init)); in && (err != nil || diff != "") {
			a.add(strings.Fields(again(j.init.Name(), name, s.root))...)
		}
		switch j.init {
		case services.Init(edit.After.OpenRC):
			if script, missing := edit.After.OpenRC.Unmade(edit.Service.Domain); in && missing {
				a.add("ln", "-s", "rdomain", script)
			}
			a.add("rc-service", "--ifstarted", name, "restart")
		case services.Init(edit.After.Systemd):
			if stale, err := edit.After.Systemd.Stale(); err == nil && len(stale) > 0 && !in {
				a.add("rdgen", "systemd", "--prune")
			}
			a.add("systemctl", "daemon-reload")
			a.add(append([]string{"systemctl", "try-restart"}, unitsOf(edit, before, j)...)...)
		case services.Init(edit.After.S6):
			if !in {
				a.cannot = "take rdgen's lines out of the source directory (docs/s6.md, To take it back), compile, and restart " + name
				return a
			}
			commands, cannot := edit.After.S6.Restart(name)
			a.commands, a.cannot = append(a.commands, commands...), cannot
		}
	}
	return a
}

// unitsOf are the units that are to be restarted: those that the line speaks for, or spoke
// for. A template runs as its instances.
func unitsOf(edit *services.Edit, before *services.Loader, j judged) (units []string) {
	job, ok := j.made.job.(generators.Systemd)
	if !ok {
		was := one(before.Systemd, edit.Service.Name)
		job, ok = was.job.(generators.Systemd)
	}
	for _, u := range job.Covered() {
		if at := strings.Index(u, "@."); at >= 0 {
			u = u[:at+1] + "*" + u[at+1:]
		}
		units = append(units, u)
	}
	if len(units) == 0 {
		units = []string{strings.TrimSuffix(edit.Service.Name, ".service") + ".service"}
	}
	return units
}
