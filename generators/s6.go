package generators

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/systemd"
	"rdgen/templates"
)

// S6 is a service of s6: exactly one of Source, Script and Unit says what it runs.
type S6 struct {
	Service
	// Source is the source directory that a package or an administrator wrote, or nil.
	Source *s6.Directory
	// Before are the settings that the directory which rdgen made has already.
	Before []string
	// Script is the OpenRC script, or nil.
	Script *openrc.Script
	// Unit is the systemd unit, or nil.
	Unit *systemd.Unit
	// Sockets are the names of the sockets that systemd hands to the unit.
	Sockets []string
	// EnvFiles are the texts of the unit's EnvironmentFiles, as far as they are there.
	EnvFiles map[string][]byte
	// Flavor is how services are laid out, and FlavorFlag how to ask for it:
	// " --flavor artix", or "" for s6-rc's own.
	Flavor     s6.Flavor
	FlavorFlag string
	// Template asks for a template whose instances name their domain.
	Template bool
	// Essential are the services that a domain must come after.
	Essential []string
	// Enabled is the contents.d of the bundle that the service belongs into, or "".
	Enabled string
	// NotifySocket reports that s6 can listen to a service that speaks sd_notify.
	NotifySocket bool
}

// again is the command that makes the service's files again.
func (s S6) again() string {
	name := s.Name
	if s.Template {
		name += "@"
	}
	return s.regenerate("s6", name) + s.FlavorFlag
}

// Files makes what puts a service into its domain under s6: the line that enters
// it, in each script of a source directory that exists, and the dependency on the
// domain; or else the source directories of the service and of its logger, from its
// OpenRC script or unit. With them comes the domain, as a oneshot.
//
// What is made is execline, as s6 users write it, for these reasons: up and
// down of the domain must be, so there is one language and one way to quote;
// whoever has s6-rc has execline; and nothing in it is expanded unless it says
// so, so a value arrives as it is, and a systemd variable can be given exactly
// the meaning that it has there. rdexec enters the domain while still root, and
// then drops to the user: there is no moment at which the service's own code
// runs outside.
func (s S6) Files() (tree.Tree, []string, error) {
	var t tree.Tree
	var notes []string
	var err error
	if s.Name == "default" && !s.Flavor.ServiceDirs {
		return t, nil, problem.New(s.Place(), "default is the bundle of what is up after boot, and nothing else may be called so").
			WithHint("call the service otherwise")
	}
	if s.Source != nil {
		notes, err = wrap(&t, s)
	} else {
		notes, err = fromProcess(&t, s)
	}
	if err == nil && !s.Flavor.ServiceDirs {
		err = addDomain(&t, s, s.Domain)
	}
	if err == nil {
		return t, notes, nil
	}
	if _, ok := errors.AsType[*problem.Error](err); !ok {
		err = problem.New(problem.Pos{File: s.Name}, "%v", err)
	}
	return tree.Tree{}, nil, err
}

// wrap inserts one line into each script of the service's source directory. Only
// the files that change are made: the rest stays where it is.
func wrap(t *tree.Tree, s S6) ([]string, error) {
	d := s.Source
	dir := d.Folder + "/" + d.Name
	if d.Type == "bundle" {
		return nil, problem.New(problem.Pos{File: dir + "/type"}, "is a bundle, which runs nothing itself").
			WithHint("give its members by their own names, each with a conf.d file")
	}
	run := map[string]string{"longrun": "run", "oneshot": "up"}[d.Type]
	if d.Scripts[run].Empty {
		return nil, problem.New(problem.Pos{File: dir + "/" + run}, "runs nothing")
	}
	for name, script := range d.Scripts {
		if script.Empty {
			continue
		}
		line, err := enterLine(s, script, name == run)
		if err != nil {
			return nil, err
		}
		if err := t.Add(tree.File{Path: dir + "/" + name, Mode: d.Modes[name], Data: script.Wrapped(line)}); err != nil {
			return nil, err
		}
	}
	if s.Flavor.ServiceDirs {
		return nil, nil
	}
	return staleDomains(s), addDependency(t, d, s6.Rdomain(s.Domain.ID()))
}

// addDependency makes the file by which d depends on another service.
func addDependency(t *tree.Tree, d *s6.Directory, name string) error {
	dir := d.Folder + "/" + d.Name
	if text, ok := d.WithDependency(name); ok {
		return t.Add(tree.File{Path: dir + "/dependencies", Mode: 0o644, Data: text})
	}
	return t.Add(tree.File{Path: dir + "/dependencies.d/" + name, Mode: 0o644})
}

// staleDomains says on which other domains the service still depends: rdgen
// removes nothing.
func staleDomains(s S6) []string {
	var notes []string
	dir := s.Source.Folder + "/" + s.Source.Name
	for _, dep := range s.Source.Dependencies {
		if !strings.HasPrefix(dep, s6.Rdomain("")) || dep == s6.Rdomain(s.Domain.ID()) {
			continue
		}
		if s.Source.List != nil {
			notes = append(notes, fmt.Sprintf("%s/dependencies: depends on %s too; if that is no longer meant, remove the line", dir, dep))
		} else {
			notes = append(notes, fmt.Sprintf("%s/dependencies.d/%s: depends on it too; if that is no longer meant, remove the file", dir, dep))
		}
	}
	return notes
}

// enter is the data of templates/s6-enter-*.tmpl.
type enter struct {
	ID               string
	Up, Enter, Again []string
}

// enterLine is the line that enters the domain. Without s6-rc, the script that
// starts the service brings the domain up as well.
func enterLine(s S6, script s6.Script, starts bool) (string, error) {
	e := enter{ID: s.Domain.ID(), Again: script.Again, Enter: append([]string{rdexec}, domain.Command{Domain: s.Domain}.Options()...)}
	if s.Flavor.ServiceDirs && starts {
		e.Up = []string{rdomain, "up", s.Domain.ID()}
	}
	name := "s6-enter-execline"
	if script.Language == s6.Shell {
		name = "s6-enter-sh"
	}
	text, err := templates.Render(name, e)
	return strings.TrimSuffix(string(text), "\n"), err
}

// fromProcess makes the directories of the service and of its logger.
func fromProcess(t *tree.Tree, s S6) ([]string, error) {
	p, err := processOf(s)
	if err == nil {
		err = Elsewhere(p.Prog, p.Pos, s.Domain)
	}
	if err != nil {
		return nil, err
	}
	data, err := newRun(s, p)
	if err != nil {
		return nil, err
	}
	text, err := templates.Render("s6-run", data)
	if err != nil {
		return nil, problem.New(p.Pos, "%v", err)
	}
	finish, err := templates.Render("s6-finish", data)
	if err != nil {
		return nil, err
	}
	service := s6.Longrun{
		Name: s.Flavor.Service(s.Name), Run: text, Finish: finish, NotificationFD: p.NotifyFD,
		TimeoutUp: p.TimeoutUp, TimeoutKill: p.TimeoutKill, TimeoutDown: p.TimeoutDown, TimeoutFinish: p.TimeoutFinish,
		DownSignal: p.DownSignal, ReloadSignal: p.ReloadSignal,
	}
	log, err := newLogger(s)
	if err != nil {
		return nil, err
	}
	folder := s.Flavor.Folders[0]
	switch {
	case s.Template:
		service.Name += "@"
		err = addFiles(t, folder)(service.ServiceDir(nil))
	case s.Flavor.ServiceDirs:
		err = addFiles(t, folder)(service.ServiceDir(&log))
	default:
		service.ProducerFor = log.Name
		service.Dependencies = []string{s6.Rdomain(s.Domain.ID())}
		log.ConsumerFor, log.PipelineName = []string{service.Name}, s.Flavor.Pipeline(s.Name)
		err = errors.Join(addFiles(t, folder)(service.Files()), addFiles(t, folder)(log.Files()))
		if s.Enabled != "" && err == nil {
			err = t.Add(tree.File{Path: path.Join(s.Enabled, log.PipelineName), Mode: 0o644})
		}
	}
	return slices.Concat(p.notes(), s.left(*t)), err
}

// left says which settings are there from before, and would count: rdgen removes nothing.
func (s S6) left(t tree.Tree) (notes []string) {
	for _, file := range s.Before {
		if _, made := t.File(file); !made {
			notes = append(notes, file+": is there from before, and s6 reads it; if that is no longer meant, remove the file")
		}
	}
	return notes
}

// logger is the data of templates/s6-log.tmpl.
type logger struct {
	Execline, Service, Dir string
	Command                []string
	// Nobody: the command writes as nobody, to a folder that must exist.
	Nobody bool
}

func newLogger(s S6) (s6.Longrun, error) {
	text, err := templates.Render("s6-log", logger{
		Execline: s.Flavor.Execline, Service: s.Name, Dir: "/var/log/" + s.Name, Command: s.Flavor.LogCommand, Nobody: !s.Flavor.LogReady(),
	})
	l := s6.Longrun{Name: s.Flavor.Logger(s.Name), Run: text}
	if s.Flavor.LogReady() {
		l.NotificationFD = 3
	}
	return l, err
}

// upTimeout is how long a domain may take to come up, in milliseconds. s6-rc
// waits for ever if nobody says how long.
const upTimeout = 60_000

// addDomain adds the oneshot of a domain, and of the namespace that it is in.
func addDomain(t *tree.Tree, s S6, d domain.Domain) error {
	o := s6.Oneshot{Name: s6.Rdomain(d.ID()), TimeoutUp: upTimeout, Dependencies: slices.Clone(s.Essential)}
	if outer, nested := namespace(d); nested {
		if err := addDomain(t, s, outer); err != nil {
			return err
		}
		o.Dependencies = append(o.Dependencies, s6.Rdomain(outer.ID()))
	}
	var err error
	for verb, text := range map[string]*[]byte{"up": &o.Up, "down": &o.Down, "reload": &o.Reload} {
		*text, err = templates.Render("s6-"+verb, oneshot{d, []string{rdomain, verb, d.ID()}})
		if err != nil {
			return err
		}
	}
	return addFiles(t, s.Flavor.Folders[0])(o.Files())
}

// oneshot is the data of templates/s6-up.tmpl, s6-down.tmpl and s6-reload.tmpl.
type oneshot struct {
	Domain  domain.Domain
	Command []string
}

// addFiles returns what adds the files of a service below folder.
func addFiles(t *tree.Tree, folder string) func([]s6.File, error) error {
	return func(files []s6.File, err error) error {
		for _, f := range files {
			out := tree.File{Path: path.Join(folder, f.Name), Mode: 0o644, Data: f.Data}
			if f.Executable {
				out.Mode = 0o755
			}
			err = errors.Join(err, t.Add(out))
		}
		return err
	}
}
