package services

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// lifted returns what takes the hold away from a service's units, by which they do not
// start before rdgen's generator has come to its end.
func (sd *Systemd) lifted(s generators.Systemd) (errs []error) {
	units, err := sd.units()
	if err != nil || !sd.generates() {
		return nil // nothing has to be held where the files are somebody's own
	}
	for _, name := range s.Covered() {
		resets, instead := units.LiftsHold(name)
		for _, set := range resets {
			errs = append(errs, problem.New(placeOf(set), "%s= resets the assertion that holds %s: where rdgen's generator is killed, it starts outside of %s", set.Key, name, s.Domain).
				WithHint("rename the file, so that its name sorts before "+systemd.DropIn))
		}
		if instead != "" {
			errs = append(errs, problem.New(problem.Pos{File: instead}, "systemd reads this for %s in place of rdgen's %s, which holds it until rdgen's generator has come to its end", name, systemd.Held).
				WithHint("remove it, or give it a name that sorts before "+systemd.DropIn))
		}
	}
	return errs
}

// unread has a note of a line that systemd has not read: rdgen's generator came to its end
// before there was the line, or the unit, and a start until the next daemon-reload is in the
// domain of before. A machine that does not run has no such end.
func (sd *Systemd) unread(s generators.Systemd) (notes []string) {
	if _, err := fs.Stat(sd.fsys, path.Join(systemd.Generated, systemd.Ended)[1:]); err != nil || !sd.generates() {
		return nil
	}
	var names []string
	for _, unit := range s.Units {
		if !sd.isForeign(unit) && !sd.holds(unit.Name, s.Domain) && !sd.isRefused(unit.Name) {
			names = append(names, unit.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: systemd has not read this line yet, and starts %s outside of %s until then: systemctl daemon-reload", s.Place(), names[0], s.Domain)}
}

// isRefused reports whether what the generator made for a unit is that it does not start.
func (sd *Systemd) isRefused(unit string) bool {
	return slices.ContainsFunc([]string{systemd.DropIn, sd.RefusedName(unit)}, func(name string) bool {
		text, err := fs.ReadFile(sd.fsys, path.Join(systemd.Generated[1:], unit+".d", name))
		return err == nil && systemd.IsMade(text) && !bytes.Contains(text, []byte(" --look "))
	})
}
