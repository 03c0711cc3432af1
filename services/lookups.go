package services

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/nsswitch"
)

// Lookups returns a note for each source of nsswitch.conf that answers services of these names
// from outside, although their domain has a resolver of its own.
func (l *Loader) Lookups(names []string) (notes []string) {
	type asked struct {
		file   string
		source nsswitch.Source
		etc    string
	}
	var order []asked
	services := map[asked][]string{}
	for _, name := range names {
		s, err := l.Declaration(name)
		if err != nil || s.Domain.IsDefault() {
			continue
		}
		file, etc := l.nsswitch(s.Domain)
		text, err := fs.ReadFile(l.confs.fsys, strings.TrimPrefix(file, "/"))
		if file == "" || err != nil {
			continue // without a file, glibc asks files and DNS
		}
		for _, source := range nsswitch.Hosts(string(text)) {
			if nsswitch.Outside(source.Name) == "" {
				continue
			}
			a := asked{file, source, etc}
			if services[a] == nil {
				order = append(order, a)
			}
			services[a] = append(services[a], fmt.Sprintf("%s (%s)", name, s.Domain))
		}
	}
	for _, a := range order {
		notes = append(notes, fmt.Sprintf("%s:%d: hosts: names %s, which asks %s, and not in the domain of %s; write hosts: files dns, and its other lines, into %s/nsswitch.conf",
			a.file, a.source.Line, a.source.Name, nsswitch.Outside(a.source.Name), strings.Join(services[a], ", "), a.etc))
	}
	return notes
}

// nsswitch returns the nsswitch.conf by which services of a domain look up names, "" where
// the domain has no resolver of its own or where rdomain makes that file, and the folder where
// it would be the domain's own.
func (l *Loader) nsswitch(d domain.Domain) (file, etc string) {
	there := func(name string) bool {
		_, err := fs.Stat(l.confs.fsys, name[1:])
		return err == nil
	}
	made := func(d domain.Domain) bool {
		return slices.ContainsFunc(l.confs.domains().Files, func(f *conf.File) bool { return f.Domain == d && f.HasResolver() })
	}
	if l.confs.resolves(d) || d.Netns.IsZero() {
		return "", "" // rdomain makes it of the host's, or the resolver is the host's
	}
	etc = d.Netns.Etc()
	own := etc + "/nsswitch.conf"
	switch {
	case there(own):
		return own, etc
	case made(domain.Domain{Netns: d.Netns}) || !there(etc+"/resolv.conf"):
		return "", ""
	}
	return nsswitch.File, etc
}
