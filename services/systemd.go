package services

import (
	"cmp"
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
	"rdgen/systemd"
)

// Systemd is that init system.
type Systemd struct {
	// Version is that of the systemd on the target; 0 looks for it there.
	Version int
	// AtBoot is set by systemd's generator, see [generators.Systemd]; and Whole if no
	// other generator is writing any more.
	AtBoot, Whole bool

	fsys   fs.FS
	confs  *confs
	openrc *OpenRC
	// units lists the units, once, when the first is asked for.
	units func() (*systemd.Units, error)
	// packaged reports that a package has put rdomain@.service in place.
	packaged func() bool
	// found is the version found below the root, or 0.
	found func() int
	// links are folders that are other names of folders.
	links func() generators.Links
}

func newSystemd(fsys fs.FS, c *confs, o *OpenRC) *Systemd {
	sd := &Systemd{}
	units := sync.OnceValues(func() (*systemd.Units, error) {
		if sd.AtBoot && !sd.Whole {
			return systemd.ReadInstalled(fsys)
		}
		return systemd.ReadUnits(fsys)
	})
	*sd = Systemd{
		fsys: fsys, confs: c, openrc: o, units: units,
		packaged: sync.OnceValue(func() bool {
			u, err := units()
			return err == nil && u.Packaged(systemd.Rdomain)
		}),
		found: sync.OnceValue(func() int { return systemd.Version(fsys) }),
		links: sync.OnceValue(func() generators.Links { return links(fsys) }),
	}
	return sd
}

// version is that of the systemd on the target, or 0 where none is found.
func (sd *Systemd) version() int {
	if sd.Version != 0 {
		return sd.Version
	}
	return sd.found()
}

// Name is "systemd".
func (sd *Systemd) Name() string { return "systemd" }

// Has reports whether the name stands for a unit, good or bad, or for one that can be
// made: an instance.
func (sd *Systemd) Has(name string) bool {
	_, err := sd.find(generators.Service{Name: name})
	if errors.Is(err, fs.ErrNotExist) {
		_, ok := sd.baseUnit(name)
		return ok && !sd.openrc.Has(name)
	}
	return true
}

// Follows reports whether conf.d names the domain, and systemd is not merely a
// dependency of a machine that runs OpenRC or s6: packages bring units along, and some
// want systemd's own package.
func (sd *Systemd) Follows(s generators.Service) bool {
	if sd.confs.isConfigured(s) {
		return false
	}
	if init, _ := fs.ReadLink(sd.fsys, "sbin/init"); strings.Contains(init, "systemd") {
		return true
	}
	_, isS6 := findFlavor(sd.fsys)
	return !isS6 && !openrc.Installed(sd.fsys)
}

// Declared returns the services whose conf.d file names a domain.
func (sd *Systemd) Declared() ([]string, error) { return sd.confs.declared(sd.confs.isDefined) }

// Load reads a service.
func (sd *Systemd) Load(name string) (generators.Job, error) {
	_, declared, err := sd.confs.inDomain(name)
	if err != nil {
		return nil, err
	}
	if declared.Pos.File != confd(declared.Name).File {
		declared.Name = bare(declared.Name)
	}
	s := generators.Systemd{Service: declared, Installed: sd.packaged(), AtBoot: sd.AtBoot, Links: sd.links(), Resolves: sd.confs.resolves(declared.Domain)}
	if version := sd.version(); version != 0 && version < systemd.Oldest {
		return nil, problem.New(s.Place(), "systemd %d cannot keep a service in its domain; %d is the oldest that can", version, systemd.Oldest)
	}
	units, err := sd.units()
	if err != nil {
		return nil, err
	}
	unit, err := sd.find(declared)
	base, isInstance := sd.baseUnit(declared.Name)
	if err == nil && isInstance && sd.isMade(unit) {
		err = fs.ErrNotExist // it is made once more, of what its base is today
	}
	if err == nil {
		if s.Units, err = sd.covered(units, unit, declared.Domain); err != nil {
			return nil, err
		}
		if err := letStay(&s); err != nil {
			return nil, err
		}
		leaveOut(units, &s)
		return s, cmp.Or(tooEarly(units, s, s.Units), sd.away(s), sd.movedOut(s), sd.boundBeside(s))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if isInstance {
		if meant, ok := sd.slipped(declared.Name); ok {
			_, hint := sd.meant(units, declared.Name)
			return nil, problem.New(declared.Place(), "this file would be for an instance of %s that is called %s", meant, declared.Name).WithHint(hint)
		}
		if err := letStay(&s); err != nil {
			return nil, err
		}
		if err := templateOf(units, declared); err != nil {
			return nil, err
		}
		if s.Instance, err = readInstance(sd.fsys, units, base, declared.Name); err != nil {
			return s, err
		}
		made := &systemd.Unit{Name: declared.Name + ".service", Settings: s.Instance.DropIns}
		return s, cmp.Or(tooEarly(units, s, []*systemd.Unit{made}), sd.movedOut(s))
	}
	if sd.AtBoot && sd.isWritten(declared) {
		return s, nil // another generator makes the unit, and rdgen's drop-in is there
	}
	return nil, err
}

// letStay takes the socket units out of those that are put into the domain, where
// conf.d says so. A line that would say it of no socket is an error.
func letStay(s *generators.Systemd) error {
	if s.SocketsStay.File == "" {
		return nil
	}
	s.Units = slices.DeleteFunc(s.Units, func(u *systemd.Unit) bool {
		socket := path.Ext(u.Name) == ".socket"
		if socket {
			s.Outside = append(s.Outside, u.Name)
		}
		return socket
	})
	if len(s.Outside) == 0 {
		return problem.New(s.SocketsStay, "no socket unit starts %s, so none can stay in the default domain", s.Name).
			WithHint("take the line out; or add " + openrc.SocketKey + "= to the service's own file, if the line is in another")
	}
	return nil
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
	for _, dir := range []string{"run", "etc", "usr/local/lib", "usr/lib", "lib"} {
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
