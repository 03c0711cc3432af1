package services

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/systemd"
)

// covered returns the units that share the domain of unit.
func (sd *Systemd) covered(units *systemd.Units, unit *systemd.Unit) ([]*systemd.Unit, error) {
	names, err := units.Belonging(unit)
	if err != nil {
		return nil, err
	}
	var list []*systemd.Unit
	for _, name := range append(names, sd.instances(units, names)...) {
		u, err := units.Unit(name)
		if errors.Is(err, systemd.ErrMasked) {
			continue // it cannot start
		}
		if err != nil {
			return nil, problem.New(problem.Pos{File: unit.Path}, "%v", err)
		}
		list = append(list, u)
	}
	return list, nil
}

// instances returns those instances of the templates among names that have files
// of their own. Their commands are not the template's, and what follows the look
// has to be theirs. One that has a domain of its own has its own drop-in.
func (sd *Systemd) instances(units *systemd.Units, names []string) []string {
	var list []string
	for _, name := range names {
		for _, instance := range units.Instances(name) {
			_, s, err := sd.confs.read(strings.TrimSuffix(instance, path.Ext(instance)))
			if !slices.Contains(names, instance) && (err != nil || s.Domain.IsDefault()) {
				list = append(list, instance)
			}
		}
	}
	return list
}

// toBeMade stands for a unit that is not there: another generator may be making
// it. Of those, systemd-sysv-generator's are known: they have no command but the script.
func (sd *Systemd) toBeMade(name string) *systemd.Unit {
	unit := &systemd.Unit{Name: name + ".service"}
	if _, err := fs.Stat(sd.fsys, openrc.InitDir[1:]+name); err == nil {
		unit.Path = openrc.InitDir + name
	}
	return unit
}
