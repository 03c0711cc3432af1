package services

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/s6/compile"
	"rdgen/systemd"
)

// S6 is s6, with s6-rc or without.
type S6 struct {
	fsys    fs.FS
	confs   *confs
	openrc  *OpenRC
	systemd *Systemd
	// flavor is how services are laid out, and sourceFlag where, if that was asked for.
	flavor     func() s6.Flavor
	sourceFlag string
}

func newS6(fsys fs.FS, c *confs, o *OpenRC, sd *Systemd) *S6 {
	return &S6{fsys: fsys, confs: c, openrc: o, systemd: sd, flavor: sync.OnceValue(func() s6.Flavor {
		f, _ := findFlavor(fsys)
		return f
	})}
}

// findFlavor returns the flavour whose folders are below the root: a
// distribution's first, and that of s6 without s6-rc last. Without any, there is no s6.
func findFlavor(fsys fs.FS) (f s6.Flavor, there bool) {
	for _, f := range append(s6.Flavors[1:len(s6.Flavors)-1:len(s6.Flavors)-1], s6.Flavors[0], s6.Flavors[len(s6.Flavors)-1]) {
		for _, folder := range f.Folders {
			if info, err := fs.Stat(fsys, folder[1:]); err == nil && info.IsDir() {
				return f, true
			}
		}
	}
	return s6.Flavors[0], false
}

// There reports whether the machine has folders of s6.
func (s *S6) There() bool {
	_, there := findFlavor(s.fsys)
	return there
}

// UseFlavor reads services as the flavour of that name has them, from folder if it
// is not "". Without it, the flavour is the one whose folders are there.
func (s *S6) UseFlavor(name, folder string) error {
	f := s.flavor()
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
		s.sourceFlag = " --source " + folder
	}
	s.flavor = func() s6.Flavor { return f }
	return nil
}

// Name is "s6".
func (s *S6) Name() string { return "s6" }

// Has reports whether there is a source directory of the service.
func (s *S6) Has(name string) bool {
	f := s.flavor()
	_, found := f.Find(s.fsys, f.Service(name), name)
	return found != ""
}

// Follows reports true: s6 is told of every domain.
func (s *S6) Follows(generators.Service) bool { return true }

// Declared returns the services that conf.d or the flavour's own configuration
// puts into a domain.
func (s *S6) Declared() ([]string, error) { return s.confs.all() }

// Mechanism is "rdexec".
func (s *S6) Mechanism(domain.Domain) string { return "rdexec" }

// Needed returns all files.
func (s *S6) Needed(files tree.Tree) tree.Tree { return files }

// Escapes returns what a service's script or unit starts outside of its domain. Every
// script of a source directory is entered; what it asks of others is not looked for.
func (s *S6) Escapes(job generators.Job) (errs []error) {
	switch j := job.(generators.S6); {
	case j.Domain.IsDefault() || j.Source != nil:
	case j.Script != nil:
		errs = append(j.Script.AsksOthers(j.Domain), containsOutside(j.Script, j.Domain)...)
		errs = append(errs, pam{s.fsys}.ofScript(j.Script, j.Domain)...)
	case j.Unit != nil:
		errs, _ = s.systemd.commands(j.Unit, j.Domain)
		for _, o := range systemd.Sessions(j.Unit) {
			errs = append(errs, pam{s.fsys}.elogind(o.Stack, o.By, placeOf(o.Setting), j.Domain)...)
		}
	}
	return errs
}

// Load reads a service: its source directory; or its OpenRC script, or its unit,
// where there is none. NAME@ is a template, whose instances name their domain.
func (s *S6) Load(name string) (generators.Job, error) {
	f := s.flavor()
	base, template := strings.CutSuffix(name, "@")
	conf, declared, err := s.declaration(base, template)
	if err != nil {
		return nil, err
	}
	if err := noSockets(declared, "s6"); err != nil {
		return nil, err
	}
	job := generators.S6{Service: declared, Flavor: f, FlavorFlag: s.flavorFlag(), Template: template}
	if template && !f.ServiceDirs {
		return nil, problem.New(problem.Pos{File: name}, "is a template for s6-instance-maker, which only --flavor svscan has").
			WithHint("name the instance and its domain in conf.d: cp -p /etc/conf.d/" + base + " /etc/conf.d/" + base + ".blue")
	}
	if job.Source, err = s.source(base); err != nil {
		return nil, err
	}
	if job.Source != nil && template {
		return nil, problem.New(problem.Pos{File: job.Source.Folder + "/" + job.Source.Name},
			"is there already; a template is made from an OpenRC script or a unit")
	}
	s.probe(&job)
	if job.Source == nil {
		made := base
		if template {
			made += "@"
		}
		job.Before = f.Settings(s.fsys, made)
		err = s.addProgram(&job, conf)
	}
	return job, err
}

// flavorFlag is how to ask for the flavour again. It is the same whether the
// flavour was asked for or found: check makes the files again.
func (s *S6) flavorFlag() string {
	if f := s.flavor(); f.Name != s6.Flavors[0].Name {
		return " --flavor " + f.Name + s.sourceFlag
	}
	return s.sourceFlag
}

// declaration reads the domain of a service. A template's is not known before there
// are instances.
func (s *S6) declaration(name string, template bool) (*openrc.Conf, generators.Service, error) {
	if !template {
		return s.confs.everywhere(name)
	}
	conf, declared, err := s.confs.read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, generators.Service{}, err
	}
	if !declared.Domain.IsDefault() || !s.confs.given.IsDefault() {
		return nil, generators.Service{}, problem.New(declared.Place(),
			"names %s, but the instances of a template each have their own domain", declared.Domain).
			WithHint("remove it there; an instance is called as its domain")
	}
	return conf, declared, nil
}

// source reads the source directory of a service, which is called as the
// flavour has it or as the service itself. One that rdgen made counts for none.
func (s *S6) source(name string) (*s6.Directory, error) {
	f := s.flavor()
	folder, found := f.Find(s.fsys, f.Service(name), name)
	if found == "" {
		return nil, nil
	}
	if of := f.Of(found); of != found && name == found {
		return nil, problem.New(problem.Pos{File: folder + "/" + found}, "is the source directory of the service %s", of).
			WithHint("name " + of + ": the line belongs into " + f.Config + "/" + of + ".conf")
	}
	d, err := s6.ReadDirectory(s.fsys, folder, found, f.ServiceDirs)
	if err == nil && d.Generated {
		return nil, nil
	}
	return d, err
}

// probe looks for what a domain comes after, for where a service that is to be up
// is listed, and for what s6 can do.
func (s *S6) probe(job *generators.S6) {
	for _, e := range job.Flavor.Essential {
		if _, found := job.Flavor.Find(s.fsys, e); found != "" || !job.Flavor.Whole {
			job.Essential = append(job.Essential, e)
		}
	}
	for i, folder := range job.Flavor.Enabled {
		if _, err := fs.Stat(s.fsys, folder[1:]); err == nil || i == 0 {
			job.Enabled = folder
		}
	}
	for _, dir := range []string{"usr/bin", "bin", "usr/local/bin", "command"} {
		if _, err := fs.Stat(s.fsys, dir+"/s6-notify-fd-from-socket"); err == nil {
			job.NotifySocket = true
		}
	}
}

// addProgram reads what says which program the service is: its OpenRC script, or
// its unit.
func (s *S6) addProgram(job *generators.S6, conf *openrc.Conf) (err error) {
	if s.openrc.Has(job.Name) {
		if job.Script, err = openrc.ReadStarted(s.fsys, job.Name, conf); err == nil {
			err = job.Script.Unread()
		}
		return err
	}
	if job.Unit, err = s.systemd.unit(job.Service); err == nil {
		if job.EnvFiles, err = s.environmentFiles(job.Unit); err == nil {
			job.Sockets, err = s.systemd.sockets(job.Unit)
		}
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	hint := s.oldKind(job.Name)
	if e, ok := errors.AsType[*problem.Error](err); ok && hint == "" {
		hint = e.Hint
	}
	return problem.New(job.Place(), "there is no source directory %s below %s, no OpenRC script %s%s, and no %s.service below %s",
		job.Flavor.Service(job.Name), strings.Join(job.Flavor.Folders, ", "), openrc.InitDir, job.Name, job.Name,
		strings.Join(systemd.Folders(), ", ")).WithHint(hint)
}

// oldKind is the hint for one of s6-overlay's services of the old kind, or "".
func (s *S6) oldKind(name string) string {
	const folder = "/etc/services.d"
	if _, err := fs.Stat(s.fsys, path.Join(folder[1:], name, "run")); err != nil {
		return ""
	}
	return "there is " + folder + "/" + name + ", a service directory: " + s.confs.onRoot(append([]string{"rdgen", "s6"}, problem.Operands([]string{name}, "--flavor", "svscan", "--source", folder)...)...)
}

// environmentFiles reads the files that a unit takes variables from. One that is not
// there may come later.
func (s *S6) environmentFiles(unit *systemd.Unit) (map[string][]byte, error) {
	texts := map[string][]byte{}
	for _, file := range generators.EnvironmentFiles(unit) {
		text, err := fs.ReadFile(s.fsys, file[1:])
		switch {
		case err == nil:
			texts[file] = text
		case !errors.Is(err, fs.ErrNotExist):
			return nil, problem.Unreadable(file, err)
		}
	}
	return texts, nil
}

// Strays returns a note for each source directory that is still wrapped, although
// no file names a domain for its service: that was taken away, or given on the
// command line alone. declared are the services that a file puts into a domain.
func (s *S6) Strays(declared []string) []string {
	f := s.flavor()
	var notes []string
	for _, e := range f.List(s.fsys) {
		d, err := s6.ReadDirectory(s.fsys, e[0], e[1], f.ServiceDirs)
		if err != nil || d.Wrapped == "" || slices.ContainsFunc(declared, func(name string) bool { return e[1] == name || e[1] == f.Service(name) }) {
			continue
		}
		notes = append(notes, e[0]+"/"+e[1]+"/"+d.Wrapped+": enters a domain, but no file names one for "+e[1]+
			`; if that was taken away, remove the line that ends in "`+s6.Mark+`", and the dependency`)
	}
	return notes
}

// Problems returns what s6-rc-compile would find wrong in the flavour's folders:
// nothing of them is compiled before it is mended.
func (s *S6) Problems() []error {
	f := s.flavor()
	if f.ServiceDirs {
		return nil
	}
	var folders []string
	for _, folder := range f.Folders {
		if _, err := fs.Stat(s.fsys, folder[1:]); err == nil {
			folders = append(folders, folder)
		}
	}
	var errs []error
	for _, p := range compile.Check(s.fsys, folders...) {
		if p.Exit == 0 || p.Undefined && !f.Whole {
			continue // other folders may be compiled with these
		}
		errs = append(errs, problem.New(problem.Pos{File: p.File}, "%s", p.Msg).
			WithHint("s6-rc-compile ends here; until it is mended, nothing that rdgen made is used"))
	}
	return errs
}

// Makes reports whether a source directory can be made of what the other init systems have
// of a service.
func (s *S6) Makes(name string) bool { return s.openrc.Has(name) || s.systemd.Has(name) }

// longrun returns what a supervisor calls a service: as its source directory is called, or will be.
func (s *S6) longrun(name string) string {
	f := s.flavor()
	if _, found := f.Find(s.fsys, f.Service(name), name); found != "" {
		return found
	}
	return f.Service(name)
}

// Restart returns the commands after which the written files of a service count, each as
// its words; or, where they depend on what the administrator has set up, what is to be done.
// s6-rc-update leaves a service alone that is up, if its domain is up: so it is told to
// restart.
func (s *S6) Restart(name string) (commands [][]string, cannot string) {
	f := s.flavor()
	restart := []string{"s6-svc", "-r", "/run/s6-rc/servicedirs/" + s.longrun(name)}
	switch f.Name {
	case "artix":
		return [][]string{{"s6-db-reload"}, {"s6-rc", "-u", "change", name}, restart}, ""
	case "store":
		return [][]string{{"s6-rc-repo-sync"}, {"s6-rc-set-change", "-p", "current", "active", name}, {"s6-rc-set-commit", "current"},
			{"s6-rc-set-install", "current"}, restart}, ""
	case "svscan":
		return [][]string{{"s6-svc", "-r", "/run/service/" + name}}, ""
	case "overlay":
		return nil, problem.Command(append([]string{"rdgen", "s6"}, problem.Operands([]string{name}, "-o", "/")...)...) + " where the container's image is built, and start it again"
	}
	return nil, problem.Command(append([]string{"rdgen", "s6"}, problem.Operands([]string{name}, "-o", "/")...)...) + ", compile (s6-rc-compile), switch to that database (s6-rc-update), and " + problem.Command(restart...)
}
