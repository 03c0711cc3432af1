package generators

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/systemd"
)

// UseFlavor makes the loader read s6 services as the flavour of that name has
// them, from folder if it is not "". Without it, the flavour is the one whose folders
// are there.
func (l *Loader) UseFlavor(name, folder string) error {
	f := l.flavor()
	if name != "" {
		var err error
		if f, err = s6.FlavorNamed(name); err != nil {
			return err
		}
	}
	if folder != "" {
		if !path.IsAbs(folder) || path.Clean(folder) != folder {
			return problem.New(problem.Pos{File: "--source"}, "%q is not an absolute, clean path", folder).
				WithHint("give it as it is on the target")
		}
		f.Folders = append([]string{folder}, slices.DeleteFunc(slices.Clone(f.Folders), func(o string) bool { return o == folder })...)
		f.Whole = false
		l.sourceFlag = " --source " + folder
	}
	l.flavor = func() s6.Flavor { return f }
	return nil
}

// findFlavor returns the flavour whose folders are below the root: a
// distribution's first, and that of s6 without s6-rc last.
func (l *Loader) findFlavor() s6.Flavor {
	for _, f := range append(s6.Flavors[1:len(s6.Flavors)-1:len(s6.Flavors)-1], s6.Flavors[0], s6.Flavors[len(s6.Flavors)-1]) {
		for _, folder := range f.Folders {
			if info, err := fs.Stat(l.fsys, folder[1:]); err == nil && info.IsDir() {
				return f
			}
		}
	}
	return s6.Flavors[0]
}

// S6 reads a service for the generator of that name: its source directory; or
// its OpenRC script, or its unit, where there is none.
func (l *Loader) S6(name string) (Service, error) {
	f := l.flavor()
	base, template := strings.CutSuffix(name, "@")
	conf, s, err := l.s6Domain(base, template)
	if err != nil {
		return Service{}, err
	}
	s.Flavor, s.FlavorFlag, s.Template = f, l.sourceFlag, template
	if f.Name != s6.Flavors[0].Name {
		// The same, whether it was asked for or found: check makes the files again.
		s.FlavorFlag = " --flavor " + f.Name + s.FlavorFlag
	}
	if template && !f.ServiceDirs {
		return Service{}, problem.New(problem.Pos{File: name}, "is a template for s6-instance-maker, which only --flavor svscan has").
			WithHint("name the instance and its domain in conf.d: cp -p /etc/conf.d/" + base + " /etc/conf.d/" + base + ".blue")
	}
	if s.Source, err = l.source(f, base); err != nil {
		return Service{}, err
	}
	if s.Source != nil && template {
		return Service{}, problem.New(problem.Pos{File: s.Source.Folder + "/" + s.Source.Name}, "is there already; a template is made from an OpenRC script or a unit")
	}
	for _, e := range f.Essential {
		if _, found := f.Find(l.fsys, e); found != "" || !f.Whole {
			s.Essential = append(s.Essential, e)
		}
	}
	s.NotifySocket = l.hasProgram("s6-notify-fd-from-socket")
	for i, folder := range f.Enabled {
		if _, err := fs.Stat(l.fsys, folder[1:]); err == nil || i == 0 {
			s.Enabled = folder
		}
	}
	if s.Source != nil {
		return s, nil
	}
	if l.InOpenRC(base) {
		s.Script, err = openrc.ReadScript(l.fsys, base, conf)
		return s, err
	}
	s, err = l.addUnit(s)
	if errors.Is(err, fs.ErrNotExist) {
		hint := ""
		if e, ok := errors.AsType[*problem.Error](err); ok {
			hint = e.Hint
		}
		return Service{}, problem.New(s.place(), "there is no source directory %s below %s, no OpenRC script %s%s, and no %s.service below %s",
			f.Service(base), strings.Join(f.Folders, ", "), initDir, base, base, strings.Join(systemd.Folders(), ", ")).
			WithHint(hint)
	}
	return s, err
}

// source reads the source directory of a service, which is called as the
// flavour has it or as the service itself. One that rdgen made counts for none.
func (l *Loader) source(f s6.Flavor, name string) (*s6.Directory, error) {
	folder, found := f.Find(l.fsys, f.Service(name), name)
	if found == "" {
		return nil, nil
	}
	d, err := s6.ReadDirectory(l.fsys, folder, found, f.ServiceDirs)
	if err == nil && d.Generated {
		return nil, nil
	}
	return d, err
}

// hasProgram reports whether a program of s6 is below the root.
func (l *Loader) hasProgram(name string) bool {
	for _, dir := range []string{"usr/bin", "bin", "usr/local/bin", "command"} {
		if _, err := fs.Stat(l.fsys, dir+"/"+name); err == nil {
			return true
		}
	}
	return false
}

// s6Domain reads the domain of a service from conf.d and from the flavour's own
// configuration. A template's is not known before there are instances.
func (l *Loader) s6Domain(name string, template bool) (*openrc.Conf, Service, error) {
	if template {
		conf, s, err := l.conf(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, Service{}, err
		}
		if !s.Domain.IsDefault() || !l.given.IsDefault() {
			return nil, Service{}, problem.New(s.place(), "names %s, but the instances of a template each have their own domain", s.Domain).
				WithHint("remove it there; an instance is called as its domain")
		}
		s.Name = name
		return conf, s, nil
	}
	from, pos, err := l.config(name)
	if err != nil {
		return nil, Service{}, err
	}
	if from.IsDefault() || !l.given.IsDefault() {
		return l.inDomain(name)
	}
	conf, s, err := l.conf(name)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, Service{}, err
	case err == nil && !s.Domain.IsDefault() && s.Domain != from:
		return nil, Service{}, problem.New(pos, "names %s, but %s names %s", from, s.Pos, s.Domain).
			WithHint("let both say the same, or remove it from one of them")
	}
	s.Name, s.Domain, s.Pos = name, from, pos
	return conf, s, l.isDefined(s)
}

// config reads vrf and netns from the flavour's configuration of a service.
func (l *Loader) config(name string) (domain.Domain, problem.Pos, error) {
	f := l.flavor()
	if f.Config == "" {
		return domain.Domain{}, problem.Pos{}, nil
	}
	file := path.Join(f.Config, name+".conf")
	data, err := fs.ReadFile(l.fsys, file[1:])
	if errors.Is(err, fs.ErrNotExist) {
		return domain.Domain{}, problem.Pos{}, nil
	}
	if err != nil {
		return domain.Domain{}, problem.Pos{}, problem.New(problem.Pos{File: file}, "%w", problem.Cause(err))
	}
	values, err := s6.Config(file, data, "netns", "vrf")
	if err != nil {
		return domain.Domain{}, problem.Pos{}, err
	}
	d, err := domain.Parse(values["netns"].Text, values["vrf"].Text)
	pos := problem.Pos{File: file, Line: values["vrf"].Pos.Line}
	if _, set := values["vrf"]; !set {
		pos.Line = values["netns"].Pos.Line
	}
	if err != nil {
		return domain.Domain{}, pos, problem.New(pos, "%w", err).WithHint(openrc.NameHint)
	}
	return d, pos, nil
}

// S6Declared returns the services that conf.d or the flavour's own configuration
// puts into a domain, as [Loader.Declared] does.
func (l *Loader) S6Declared() ([]string, error) {
	names, err := l.Declared()
	errs := []error{err}
	if folder := l.flavor().Config; folder != "" {
		entries, err := fs.ReadDir(l.fsys, folder[1:])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, problem.New(problem.Pos{File: folder}, "%v", problem.Cause(err)))
		}
		for _, e := range entries {
			name, ok := strings.CutSuffix(e.Name(), ".conf")
			if !ok || e.IsDir() || name == "" || name[0] == '.' {
				continue
			}
			d, _, err := l.config(name)
			if err != nil {
				errs = append(errs, err)
			} else if !d.IsDefault() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), errors.Join(errs...)
}

// S6Declaration reads what puts an s6 service into a domain.
func (l *Loader) S6Declaration(name string) (Service, error) {
	_, s, err := l.s6Domain(name, false)
	return s, err
}

// InS6Config reports whether it is the flavour's own configuration that puts a
// service into its domain, which the other init systems do not read.
func (l *Loader) InS6Config(s Service) bool {
	folder := l.flavor().Config
	return folder != "" && path.Dir(s.Pos.File) == folder
}

// InS6 reports whether there is a source directory of the service.
func (l *Loader) InS6(name string) bool {
	f := l.flavor()
	_, found := f.Find(l.fsys, f.Service(name), name)
	return found != ""
}

// S6Strays returns the source directories that are still wrapped, although
// no file names a domain for their service: that was taken away, or given on the
// command line alone.
func (l *Loader) S6Strays(declared []string) []string {
	f := l.flavor()
	var notes []string
	for _, e := range f.List(l.fsys) {
		d, err := s6.ReadDirectory(l.fsys, e[0], e[1], f.ServiceDirs)
		if err != nil || d.Wrapped == "" || slices.ContainsFunc(declared, func(name string) bool { return e[1] == name || e[1] == f.Service(name) }) {
			continue
		}
		notes = append(notes, e[0]+"/"+e[1]+"/"+d.Wrapped+": enters a domain, but no file names one for "+e[1]+
			`; if that was taken away, remove the line that ends in "`+s6.Mark+`", and the dependency`)
	}
	return notes
}

// S6Problems returns what s6-rc-compile would find wrong in the flavour's
// folders: nothing of them is compiled before it is mended.
func (l *Loader) S6Problems() []error {
	f := l.flavor()
	if f.ServiceDirs {
		return nil
	}
	var folders []string
	for _, folder := range f.Folders {
		if _, err := fs.Stat(l.fsys, folder[1:]); err == nil {
			folders = append(folders, folder)
		}
	}
	var errs []error
	for _, p := range s6.Check(l.fsys, folders...) {
		if p.Exit == 0 || p.Undefined && !f.Whole {
			continue // other folders may be compiled with these
		}
		errs = append(errs, problem.New(problem.Pos{File: p.File}, "%s", p.Msg).
			WithHint("s6-rc-compile ends here; until it is mended, nothing that rdgen made is used"))
	}
	return errs
}
