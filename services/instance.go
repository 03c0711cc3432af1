package services

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// baseUnit finds the unit that NAME.INSTANCE is an instance of: NAME.service.
func (sd *Systemd) baseUnit(name string) (*systemd.Unit, bool) {
	base, _, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	unit, err := sd.unit(generators.Service{Name: base})
	return unit, err == nil
}

// readInstance reads what decides how name, which is NAME.INSTANCE, runs the unit
// of NAME.
func readInstance(fsys fs.FS, units *systemd.Units, base *systemd.Unit, name string) (*generators.Instance, error) {
	i := &generators.Instance{Base: base, Present: map[string]bool{}, EarlyUnits: map[string]bool{}}
	for _, file := range generators.InstanceFiles(base, name) {
		_, err := fs.Stat(fsys, file[1:])
		switch {
		case err == nil:
			i.Present[file] = true
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return nil, problem.Unreadable(file, err)
		}
	}
	_, _, i.Early = units.Early(base)
	for _, set := range base.Settings {
		if set.Key != "Before" && set.Key != "Wants" {
			continue
		}
		for _, other := range strings.Fields(set.Value) {
			if unit, err := units.Unit(other); err == nil {
				_, _, i.EarlyUnits[other] = units.Early(unit)
			}
		}
	}
	if names, err := units.Belonging(base); err == nil {
		i.Siblings = names[1:]
	}
	return i, nil
}
