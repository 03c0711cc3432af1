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

// isDaemon reports whether a unit is a service that stays, and is none of the machine's own.
func isDaemon(units *systemd.Units, name string) bool {
	unit, err := units.Unit(name)
	if err != nil || unit.Last("Service", "Type") == "oneshot" || name == "dbus.service" || strings.HasPrefix(name, "systemd-") || strings.HasPrefix(name, "rdomain") {
		return false
	}
	_, _, early := units.Early(unit)
	return !early
}
