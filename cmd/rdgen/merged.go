package main

import (
	"bytes"
	"path"
	"runtime"
	"slices"
	"sync"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/services"
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

// othersOf returns what an init system makes of the services that it is told to put into a
// domain, but of those named.
func othersOf(init services.Init, but ...string) []result {
	names, _ := init.Declared() // what cannot be followed is said elsewhere
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(but, name) })
	return allOf(init, names)
}

// allOf returns what an init system makes of several services.
func allOf(init services.Init, names []string) []result {
	results := make([]result, len(names))
	parallel.Each(len(names), runtime.GOMAXPROCS(0), func(i int) { results[i] = one(init, names[i]) })
	return results
}

// against returns what is wrong with a service beside another one, where each by itself is
// right: another file of conf.d may stand for the same unit.
func (r result) against(other result) error {
	var m merged
	if r.err != nil || other.err != nil || m.add(other) != nil {
		return nil
	}
	return m.add(r)
}

// unit returns the name of the service's own unit, where it is systemd's.
func (r result) unit() string {
	if job, ok := r.job.(generators.Systemd); ok && len(job.Covered()) > 0 {
		return job.Covered()[0]
	}
	return ""
}

// besides returns what is wrong with some services of an init system beside all others that
// it has: what --all would find.
func besides(init services.Init, results ...result) (errs []error) {
	var names []string
	for _, r := range results {
		names = append(names, r.service.Name)
	}
	rest := othersOf(init, names...)
	for _, r := range results {
		errs = append(errs, blockedBy(init, r)...)
		for _, o := range rest {
			if err := r.against(o); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

// blockedBy returns the errors of other files of conf.d that keep a service from starting:
// they stand for its unit, too, and cannot be followed.
func blockedBy(init services.Init, r result) []error {
	sd, ok := init.(*services.Systemd)
	if !ok || r.err != nil {
		return nil
	}
	return sd.BlockedBy(r.service.Name)
}

// versions returns, once it is called, each file as every declared service of an init
// system would make it, by path. Those of one path may differ in the comment that says
// of which conf.d file they are. What cannot be made is in none: it is said elsewhere.
func versions(init services.Init) func() map[string][]tree.File {
	return sync.OnceValue(func() map[string][]tree.File {
		all := map[string][]tree.File{}
		for _, r := range othersOf(init) {
			if r.err != nil {
				continue
			}
			for _, f := range r.files.Files() {
				all[f.Path] = append(all[f.Path], f)
			}
		}
		return all
	})
}

// difference returns what would change below dir. A file is right that is as another
// service makes it which wants the same of the unit, as a name and its alias do:
// whichever was asked for last has written it.
func difference(files tree.Tree, dir string, versions func() map[string][]tree.File) (string, error) {
	diff, err := files.Diff(dir)
	if err != nil || diff == "" {
		return diff, err
	}
	var settled tree.Tree
	for _, f := range files.Files() {
		for _, g := range versions()[f.Path] {
			var same, other tree.Tree
			same.Put(f)
			other.Put(g)
			if generators.Merge(&same, other) != nil {
				continue // it wants something else
			}
			if d, err := other.Diff(dir); err == nil && d == "" {
				f = g
				break
			}
		}
		settled.Put(f)
	}
	return settled.Diff(dir)
}
