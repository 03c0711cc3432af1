package services

import (
	"fmt"
	"path"
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
		names := units.Pulls(unit)
		for _, start := range systemd.Starts(unit) {
			names = append(names, start.Units...)
			notes = append(notes, sd.elsewhere(units, start, s)...)
		}
		for _, name := range sd.outside(units, names, covered) {
			if !slices.Contains(others, name) {
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

// outside returns the daemons among units that are started, less those that are covered or have a
// domain of their own.
func (sd *Systemd) outside(units *systemd.Units, names, covered []string) (others []string) {
	for _, name := range names {
		if name = daemonOf(units, name); name == "" {
			continue
		}
		template, _, _ := systemd.Instance(name)
		if !slices.Contains(slices.Concat(covered, others), name) && !slices.Contains(covered, template) && !sd.hasOwnDomain(name) {
			others = append(others, name)
		}
	}
	return others
}

// daemonOf returns the daemon that starts with a unit: itself, or what a socket, timer or path
// starts; or "".
func daemonOf(units *systemd.Units, name string) string {
	if path.Ext(name) != ".service" {
		name = units.Started(name)
	}
	if !isDaemon(units, name) {
		return ""
	}
	unit, _ := units.Unit(name)
	return unit.Name
}

// elsewhere names the units that a command starts in another domain: their own lines say where.
func (sd *Systemd) elsewhere(units *systemd.Units, start systemd.Starting, s generators.Systemd) (notes []string) {
	for _, name := range start.Units {
		if name = daemonOf(units, name); name == "" {
			continue
		}
		_, other, err := sd.confs.read(bare(name))
		if err == nil && !other.Domain.IsDefault() && other.Domain != s.Domain {
			notes = append(notes, fmt.Sprintf("%s: systemd starts %s by %s, and in %s: its own line says so", placeOf(start.Setting), name, start.By, other.Domain))
		}
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
	return units.Early(unit, "") == nil
}
