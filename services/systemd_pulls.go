package services

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/systemd"
)

// pulls names the daemons that start with a service's units, and that its line is not for:
// they are no companions, and may be of another package.
func (sd *Systemd) pulls(s generators.Systemd) (notes []string) {
	units, err := sd.units()
	if err != nil {
		return nil
	}
	covered := s.Covered()
	var others []string
	for _, unit := range s.Units {
		for _, name := range units.Pulls(unit) {
			template, _, _ := systemd.Instance(name)
			if !slices.Contains(slices.Concat(covered, others), name) && !slices.Contains(covered, template) && !sd.hasOwnDomain(name) && isDaemon(units, name) {
				others = append(others, name)
			}
		}
	}
	if len(others) > 0 {
		notes = append(notes, fmt.Sprintf("%s: systemd starts %s with %s, and outside of %s; one that is to be there needs a line of its own: /etc/conf.d/%s",
			s.Place(), strings.Join(others, ", "), s.Name, s.Domain, bare(others[0])))
	}
	return notes
}

// Used returns those of a service's units that start with the machine or with the service: the
// service itself, and what is enabled or named by one of them. Another socket of its package
// may stand there unused, and would take the service's port if it was started.
func (sd *Systemd) Used(s generators.Systemd) []string {
	names := s.Covered()
	units, err := sd.units()
	if err != nil {
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.HasSuffix(name, ".socket") && !units.Enabled(name, s.Units)
	})
}

// isDaemon reports whether a unit is a service that stays, and is none of the machine's own.
func isDaemon(units *systemd.Units, name string) bool {
	unit, err := units.Unit(name)
	if err != nil || unit.Last("Service", "Type") == "oneshot" || name == "dbus.service" || strings.HasPrefix(name, "systemd-") || strings.HasPrefix(name, "rdomain") {
		return false
	}
	_, _, early := units.Early(unit)
	return !early
}
