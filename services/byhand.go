package services

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/systemd"
)

// ByHand returns the services that a unit of systemd or a source directory of s6 puts into a
// domain, although no file of rdgen's names one for them, with what does so. declared are the
// services that such a file names.
func (l *Loader) ByHand(declared []string) (list []generators.Service) {
	known := l.known(declared)
	if units := l.systemdUnits(); units != nil {
		list = placed(units.Placed(), known, func(netns string) (domain.Domain, error) { return domain.Parse(netns, "") })
	}
	for _, e := range l.S6.flavor().List(l.confs.fsys) {
		if known[e[1]] || slices.ContainsFunc(list, func(s generators.Service) bool { return s.Name == e[1] }) {
			continue
		}
		if d, pos := l.entered(e[0] + "/" + e[1]); !d.IsDefault() {
			list = append(list, generators.Service{Name: e[1], Domain: d, Pos: pos})
		}
	}
	return list
}

// Bound returns the services whose sockets BindNetworkInterface= of a unit binds to a link, as if
// that were a VRF of its name. They are in no domain by that: their other packets are not.
func (l *Loader) Bound(declared []string) []generators.Service {
	units := l.systemdUnits()
	if units == nil {
		return nil
	}
	return placed(units.Bound(), l.known(declared), func(vrf string) (domain.Domain, error) { return domain.Parse("", vrf) })
}

// known are the services that files name, and the units that run those.
func (l *Loader) known(declared []string) map[string]bool {
	known := map[string]bool{}
	for _, name := range declared {
		known[name], known[l.S6.flavor().Service(name)] = true, true
		for _, t := range l.Traces(name) {
			for _, unit := range t.Units {
				known[unit] = true
			}
		}
	}
	return known
}

// systemdUnits are those of a machine that does not run another init, nil if there are none.
func (l *Loader) systemdUnits() *systemd.Units {
	runs := l.Running()
	units, err := l.Systemd.units()
	if err != nil || runs != "systemd" && runs != "" {
		return nil
	}
	return units
}

// placed are the services of units that are not known.
func placed(units []systemd.Placed, known map[string]bool, parse func(string) (domain.Domain, error)) (list []generators.Service) {
	for _, p := range units {
		d, err := parse(p.Name)
		template, _, _ := strings.Cut(p.Unit, "@")
		if err == nil && !known[p.Unit] && !known[template+"@.service"] {
			list = append(list, generators.Service{Name: bare(p.Unit), Domain: d, Pos: problem.Pos{File: p.File, Line: p.Line}})
		}
	}
	return list
}

// entered returns the domain that the run script of a source directory enters by a line of
// rdexec, and that line.
func (l *Loader) entered(dir string) (d domain.Domain, pos problem.Pos) {
	file := path.Join(dir, "run")
	text, _ := fs.ReadFile(l.confs.fsys, s6.Below(file)) // it has none
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		if len(words) > 0 && words[0] == "exec" {
			words = words[1:]
		}
		if len(words) == 0 || path.Base(words[0]) != "rdexec" {
			continue
		}
		// The program may stand in the next line.
		if c, err := domain.ParseArgs(append(words[1:], "prog")); err == nil && !c.Domain.IsDefault() {
			return c.Domain, problem.Pos{File: file, Line: n}
		}
	}
	return d, pos
}
