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
)

// ByHand returns the services that a unit of systemd or a source directory of s6 puts into a
// domain, although no file of rdgen's names one for them, with what does so. declared are the
// services that such a file names.
func (l *Loader) ByHand(declared []string) (list []generators.Service) {
	known := map[string]bool{}
	for _, name := range declared {
		known[name], known[l.S6.flavor().Service(name)] = true, true
		for _, t := range l.Traces(name) {
			for _, unit := range t.Units {
				known[unit] = true
			}
		}
	}
	runs := l.Running()
	if units, err := l.Systemd.units(); err == nil && (runs == "systemd" || runs == "") {
		for _, p := range units.Placed() {
			d, err := domain.Parse(p.Netns, "")
			template, _, _ := strings.Cut(p.Unit, "@")
			if err == nil && !known[p.Unit] && !known[template+"@.service"] {
				list = append(list, generators.Service{Name: bare(p.Unit), Domain: d, Pos: problem.Pos{File: p.File, Line: p.Line}})
			}
		}
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
