package main

import (
	"bytes"
	"path"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/systemd"
)

// merged are the files of several services. Several conf.d files may speak for one
// unit: a name and its alias, or two of which it is a companion.
type merged struct {
	files tree.Tree
	// by has for each file the first service that wants it.
	by map[string]generators.Service
	// stay has the drop-ins of sockets, and the services that let them stay in the
	// default domain: they want that there is no such file.
	stay map[string]generators.Service
}

// add adds the files of one service. The error has the places of both, where another
// one says something else.
func (m *merged) add(r result) error {
	if m.by == nil {
		m.by, m.stay = map[string]generators.Service{}, map[string]generators.Service{}
	}
	for _, socket := range r.outside {
		file := path.Join(systemd.Etc, socket+".d", systemd.DropIn)
		if s, ok := m.by[file]; ok {
			return disagree(r.service.SocketsStay, "%s is to stay in the default domain by this line, and to be in %s by %s", socket, s.Domain, s.Place())
		}
		m.stay[file] = r.service
	}
	for _, f := range r.files.Files() {
		if s, ok := m.stay[f.Path]; ok {
			return disagree(r.service.Pos, "%s is to be in %s by this line, and to stay in the default domain by %s", unitOf(f.Path), r.service.Domain, s.SocketsStay)
		}
	}
	if err := generators.Merge(&m.files, r.files); err != nil {
		for _, f := range r.files.Files() {
			s, ok := m.by[f.Path]
			if old, _ := m.files.File(f.Path); ok && s.Domain != r.service.Domain && !bytes.Equal(generators.Settings(old.Data), generators.Settings(f.Data)) {
				return disagree(r.service.Pos, "%s is to be in %s by this line, and in %s by %s", unitOf(f.Path), r.service.Domain, s.Domain, s.Place())
			}
		}
		return &problem.Error{Pos: r.service.Pos, Msg: err.Error(), Err: err, Hint: oneOfTwo}
	}
	for _, f := range r.files.Files() {
		if _, ok := m.by[f.Path]; !ok {
			m.by[f.Path] = r.service
		}
	}
	return nil
}

const oneOfTwo = "two conf.d files stand for the same service; keep one"

func disagree(at problem.Pos, format string, args ...any) error {
	return problem.New(at, format, args...).WithHint(oneOfTwo + ", or let both say the same")
}

// unitOf returns the unit that a drop-in is for, or the path of another file.
func unitOf(file string) string {
	if folder := path.Dir(file); path.Ext(folder) == ".d" && path.Base(file) == systemd.DropIn {
		return path.Base(folder[:len(folder)-len(".d")])
	}
	return file
}

// together returns what is wrong with the services of one init system together, where
// each by itself is right.
func together(results []result) (errs []error) {
	var m merged
	for _, r := range results {
		if r.err == nil {
			if err := m.add(r); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}
