// Package services reads services from below a root: which domain conf.d names
// for each, and what OpenRC, systemd and s6 have of it, as far as package generators
// needs it to make the files. It reads, and it writes nothing.
package services

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// Loader reads the services below one root. It may be asked for several at once.
type Loader struct {
	OpenRC  *OpenRC
	S6      *S6
	Systemd *Systemd

	confs *confs
}

// NewLoader returns a Loader that reads from fsys. If given is not the default
// domain, every service is in it, whatever its conf.d file says.
func NewLoader(fsys fs.FS, given domain.Domain) *Loader {
	c := newConfs(fsys, given)
	o := &OpenRC{fsys: fsys, confs: c}
	l := &Loader{confs: c, OpenRC: o, Systemd: newSystemd(fsys, c, o)}
	l.S6 = newS6(fsys, c, l.OpenRC, l.Systemd)
	c.config = func() string { return l.S6.flavor().Config }
	return l
}

// Below says where the machine is that is read, for the commands in hints; without it, it is
// this one.
func (l *Loader) Below(root string) *Loader {
	l.confs.root = path.Clean(root)
	return l
}

// Init is an init system.
type Init interface {
	// Name is that of the verb of rdgen that generates for it.
	Name() string
	// Has reports whether it has a service of that name, good or bad.
	Has(name string) bool
	// Follows reports whether it is the one that has to put the service into its
	// domain: it is not, where only another one reads the file that names the domain, or
	// where it is not the init system of the machine.
	Follows(s generators.Service) bool
	// Declared returns the services that it is told to put into a domain, sorted. A
	// file that cannot be read with certainty is an error beside the others' names: its
	// service may name a domain.
	Declared() ([]string, error)
	// Load reads one service.
	Load(name string) (generators.Job, error)
	// Mechanism says what enters a domain.
	Mechanism(d domain.Domain) string
	// Needed returns those of the generated files that must be in place for the
	// service to run in its domain.
	Needed(files tree.Tree) tree.Tree
	// Escapes returns what of a service that it has loaded runs outside of its domain,
	// although the generated files are in place.
	Escapes(job generators.Job) []error
}

// Inits returns the init systems, in alphabetical order.
func (l *Loader) Inits() []Init { return []Init{l.OpenRC, l.S6, l.Systemd} }

// DeclaredAndBroken returns the services whose conf.d file names a domain, sorted,
// and by service the error of each conf.d file that cannot be followed.
func (l *Loader) DeclaredAndBroken() (declared []string, broken map[string]error, err error) {
	return l.confs.declaredAndBroken(l.confs.isDefined)
}

// AllDeclared returns the services that conf.d or an init system's own
// configuration puts into a domain, sorted, as [Init.Declared] does.
func (l *Loader) AllDeclared() ([]string, error) { return l.confs.all() }

// Domains returns what is wrong with the files of domains, and with what they refer to,
// each by itself and together.
func (l *Loader) Domains() []error {
	all := l.confs.domains()
	errs := slices.Clone(all.Errs)
	for _, f := range all.Files {
		errs = append(errs, f.Inputs(l.confs.fsys)...)
	}
	return append(errs, all.Together()...)
}

// Awaited returns a note for each domain that a file requires and no file defines.
func (l *Loader) Awaited() []string { return l.confs.domains().Awaited() }

// DomainOf returns what is wrong with the file of a service's domain.
func (l *Loader) DomainOf(name string) (errs []error) {
	_, s, err := l.confs.everywhere(name)
	if err != nil || s.Domain.IsDefault() {
		return nil
	}
	all, file := l.confs.domains(), conf.Dir+"/"+s.Domain.ID()+".conf"
	if f := all.Of(s.Domain); f != nil {
		file = f.Path
		errs = f.Inputs(l.confs.fsys)
	}
	for _, err := range all.Errs {
		if e, ok := errors.AsType[*problem.Error](err); ok && e.File == file {
			errs = append(errs, err)
		}
	}
	return append(errs, all.With(file)...)
}

// Nearby returns a note where a service's namespace has no file, and a domain has one
// whose name is nearly the same; or "".
func (l *Loader) Nearby(s generators.Service) string {
	all := l.confs.domains()
	if s.Domain.IsDefault() || all.Of(s.Domain) != nil {
		return ""
	}
	var names []string
	for _, f := range all.Files {
		names = append(names, f.Domain.ID())
	}
	near := problem.Nearest(s.Domain.ID(), names...)
	if near == "" {
		return ""
	}
	return s.Pos.String() + ": " + s.Domain.String() + " has no file in " + conf.Dir + ", so it is empty; is " + near + " meant?"
}

// Near says, in a few words, which init script provides the name, or asks whether one of the
// machine's services is meant whose name is nearly the same; or it is "".
func (l *Loader) Near(name string) string {
	if script := provider(l.confs.fsys, bare(name)); script != "" {
		return provided(script, bare(name))
	}
	return nearest(bare(name), l.Names())
}

// Names returns the names of the services that any init system has, sorted. What cannot be
// read has none.
func (l *Loader) Names() (names []string) {
	list := func(dir, suffix string) {
		entries, _ := fs.ReadDir(l.confs.fsys, dir[1:])
		for _, e := range entries {
			if n, ok := strings.CutSuffix(e.Name(), suffix); ok {
				names = append(names, n)
			}
		}
	}
	list(path.Clean(openrc.InitDir), "")
	for _, dir := range systemd.Folders() {
		list(dir, ".service")
	}
	for _, e := range l.S6.flavor().List(l.confs.fsys) {
		names = append(names, l.S6.flavor().Of(e[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Undescribed reports whether no file says what a domain is.
func (l *Loader) Undescribed(d domain.Domain) bool {
	_, err := fs.Stat(l.confs.fsys, conf.Dir[1:]+"/"+d.ID()+".conf")
	return errors.Is(err, fs.ErrNotExist) && l.confs.domains().Of(d) == nil
}

// Defined returns the domains that a file defines, in the order of the files.
func (l *Loader) Defined() (list []domain.Domain) {
	for _, f := range l.confs.domains().Files {
		list = append(list, f.Domain)
	}
	return list
}

// nearest asks whether one of the names is meant that is nearly the same; or it is "".
func nearest(name string, names []string) string {
	near := problem.Nearest(name, names...)
	if near == "" || near == name {
		return ""
	}
	return "; is " + near + " meant?"
}

// Contradicts returns the error for a service whose domain is, by its own file, not
// what the service's file says; or nil.
func (l *Loader) Contradicts(s generators.Service) error {
	f := l.confs.domains().Of(s.Domain)
	if f == nil || f.Domain == s.Domain {
		return nil
	}
	hint := "let both say the same"
	switch {
	case f.Kind == conf.VRF && s.Domain.VRF.IsZero():
		hint = "write vrf= instead of netns=, or another name"
	case f.Kind == conf.Netns && !s.Domain.VRF.IsZero():
		hint = "write Kind=vrf and Table= in that file, or netns= here"
	case f.Kind == conf.VRF && s.Domain.Netns != f.Domain.Netns:
		hint = "write netns= as well, of the namespace that the VRF is in"
	}
	return problem.New(s.Pos, "names %s, but %s defines %s", s.Domain, f.At(f.KindLine), f.Domain).WithHint(hint)
}

// Declaration reads what puts a service into its domain, for whichever init system.
func (l *Loader) Declaration(name string) (generators.Service, error) {
	_, s, err := l.confs.everywhere(name)
	return s, err
}
