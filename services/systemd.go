package services

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// Systemd is that init system.
type Systemd struct {
	// Version is that of the systemd on the target; 0 looks for it there.
	Version int
	// AtBoot is set by systemd's generator, see [generators.Systemd].
	AtBoot bool

	fsys  fs.FS
	confs *confs
	// units lists the units, once, when the first is asked for.
	units func() (*systemd.Units, error)
	// packaged reports that a package has put rdomain@.service in place.
	packaged func() bool
	// found is the version found below the root, or 0.
	found func() int
}

func newSystemd(fsys fs.FS, c *confs) *Systemd {
	units := sync.OnceValues(func() (*systemd.Units, error) { return systemd.ReadUnits(fsys) })
	return &Systemd{
		fsys: fsys, confs: c, units: units,
		packaged: sync.OnceValue(func() bool {
			u, err := units()
			return err == nil && u.Packaged(systemd.Rdomain)
		}),
		found: sync.OnceValue(func() int { return systemd.Version(fsys) }),
	}
}

// Name is "systemd".
func (sd *Systemd) Name() string { return "systemd" }

// Has reports whether there is a unit of the service.
func (sd *Systemd) Has(name string) bool {
	_, err := sd.unit(generators.Service{Name: name})
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// Follows reports whether conf.d names the domain, and systemd is not merely a
// dependency of a machine that runs OpenRC: packages bring units along, and some want
// systemd's own package.
func (sd *Systemd) Follows(s generators.Service) bool {
	if sd.confs.isConfigured(s) {
		return false
	}
	init, _ := fs.ReadLink(sd.fsys, "sbin/init")
	return !openrc.Installed(sd.fsys) || strings.Contains(init, "systemd")
}

// Declared returns the services whose conf.d file names a domain.
func (sd *Systemd) Declared() ([]string, error) { return sd.confs.declared() }

// Load reads a service.
func (sd *Systemd) Load(name string) (generators.Job, error) {
	_, declared, err := sd.confs.inDomain(name)
	if err != nil {
		return nil, err
	}
	s := generators.Systemd{Service: declared, Installed: sd.packaged(), AtBoot: sd.AtBoot}
	version := sd.Version
	if version == 0 {
		version = sd.found()
	}
	if version != 0 && version < systemd.Oldest {
		return nil, problem.New(s.Place(), "systemd %d cannot keep a service in its domain; %d is the oldest that can", version, systemd.Oldest)
	}
	units, err := sd.units()
	if err != nil {
		return nil, err
	}
	unit, err := sd.unit(declared)
	if err == nil {
		if s.Units, err = sd.covered(units, unit); err != nil {
			return nil, err
		}
		return s, tooEarly(units, s)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if base, ok := sd.baseUnit(name); ok {
		s.Instance, err = readInstance(sd.fsys, units, base, name)
		return s, err
	}
	if sd.AtBoot && len(units.Aliases(name+".service")) == 0 {
		// Another generator may be making that unit at this moment, and a drop-in
		// of a unit that does not exist does nothing.
		s.Units = []*systemd.Unit{sd.toBeMade(name)}
		return s, nil
	}
	return nil, err
}

// tooEarly refuses a service that must be up before a domain can be.
func tooEarly(units *systemd.Units, s generators.Systemd) error {
	for _, unit := range s.Units {
		if set, target, early := units.Early(unit); early {
			return problem.New(problem.Pos{File: set.File, Line: set.Line}, "%s runs before %s, and domains are made after it", unit.Name, target).
				WithHint("let it run where it is, and make an instance that runs later: /etc/conf.d/" + s.Name + ".NAME")
		}
	}
	return nil
}

// unit finds NAME.service. The error matches fs.ErrNotExist if there is none.
func (sd *Systemd) unit(s generators.Service) (*systemd.Unit, error) {
	units, err := sd.units()
	if err != nil {
		return nil, err
	}
	name := s.Name + ".service"
	unit, err := units.Unit(name)
	switch {
	case err == nil:
		return unit, nil
	case errors.Is(err, fs.ErrNotExist):
		hint := "install it, or correct the name of the conf.d file"
		if others := units.Aliases(name); len(others) > 0 {
			hint = "it is an alias of " + strings.Join(others, " and ") + ": put the line into /etc/conf.d/" +
				strings.TrimSuffix(others[0], path.Ext(others[0]))
		}
		return nil, &problem.Error{Pos: s.Place(), Hint: hint, Err: fs.ErrNotExist,
			Msg: "there is no " + name + " below " + strings.Join(systemd.Folders(), ", ")}
	case errors.Is(err, systemd.ErrMasked):
		return nil, problem.New(s.Place(), "%s is masked", name).WithHint("systemctl unmask " + name)
	}
	return nil, problem.New(s.Place(), "%v", err)
}

// UnitsToBlock returns the units that must not start as long as the conf.d file of
// the service cannot be followed: the same that would be put into its domain.
func (sd *Systemd) UnitsToBlock(name string) []string {
	units, err := sd.units()
	if err != nil {
		return []string{name + ".service"}
	}
	unit, err := units.Unit(name + ".service")
	switch {
	case err == nil:
		names, err := sd.coveredNames(units, unit)
		if err != nil {
			return []string{unit.Name}
		}
		return names
	case errors.Is(err, systemd.ErrMasked), errors.Is(err, systemd.ErrBadName):
		return nil
	}
	if others := units.Aliases(name + ".service"); len(others) > 0 {
		return others
	}
	return []string{name + ".service"}
}

// Mechanism is the directives that enter the domain.
func (sd *Systemd) Mechanism(d domain.Domain) string {
	var directives []string
	if !d.Netns.IsZero() {
		directives = append(directives, "NetworkNamespacePath")
	}
	if !d.VRF.IsZero() {
		directives = append(directives, "BPFProgram")
	}
	return strings.Join(directives, "+")
}

// Needed returns all files; or, where systemd's generator makes what is not there
// at the next daemon-reload, those that are there: they win over what it makes.
func (sd *Systemd) Needed(files tree.Tree) tree.Tree {
	if !sd.generates() {
		return files
	}
	var there tree.Tree
	for _, f := range files.Files() {
		if _, err := fs.Lstat(sd.fsys, f.Path[1:]); err == nil {
			there.Put(f)
		}
	}
	return there
}

// generates reports whether systemd runs rdgen before it reads units: whether its
// generator is installed and not masked (systemd.generator(7)).
func (sd *Systemd) generates() bool {
	for _, dir := range []string{"run", "etc", "usr/local/lib", "usr/lib"} {
		name := dir + "/systemd/system-generators/rdgen"
		if target, err := fs.ReadLink(sd.fsys, name); err == nil && target == "/dev/null" {
			return false
		}
		if _, err := fs.Stat(sd.fsys, name); err == nil {
			return true
		}
	}
	return false
}

// Escapes returns nothing: what runs in a unit's cgroup and namespace is inside.
func (sd *Systemd) Escapes(string) []error { return nil }
