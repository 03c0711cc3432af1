package services

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// baseUnit finds the unit that NAME.INSTANCE is an instance of: NAME.service.
func (sd *Systemd) baseUnit(name string) (*systemd.Unit, bool) {
	base, _, ok := strings.Cut(name, ".")
	if !ok || systemd.Suffix(name) != "" {
		return nil, false
	}
	unit, err := sd.unit(generators.Service{Name: base})
	return unit, err == nil
}

// fileSuffixes are what people call a file, and nobody an instance.
var fileSuffixes = strings.Fields("conf config cfg ini env d sh txt unit services")

// slipped returns the name that is meant by one that is called as a file: nginx.conf, where
// there is nginx.service. An instance of that name would be made, and nginx would run
// outside.
func (sd *Systemd) slipped(name string) (meant string, ok bool) {
	base, tag, _ := strings.Cut(name, ".")
	if _, isInstance := sd.baseUnit(name); !isInstance || !slices.Contains(fileSuffixes, tag) {
		return "", false
	}
	return base, true
}

// templateOf refuses an instance of NAME.service where the package has a template
// for that, which knows what an instance needs. A template that a socket starts for
// each connection is no such one.
func templateOf(units *systemd.Units, s generators.Service) error {
	base, tag, _ := strings.Cut(s.Name, ".")
	template, err := units.Unit(base + "@.service")
	if err != nil || template.Last("Service", "StandardInput") == "socket" {
		return nil
	}
	names, _ := units.Belonging(template)
	for _, name := range names[1:] {
		socket, err := units.Unit(name)
		if err != nil {
			continue
		}
		if accept, _, _ := socket.Bool("Socket", "Accept"); accept {
			return nil
		}
	}
	return problem.New(s.Place(), "%s would be made of %s.service, but there is %s, a template for instances", s.Name, base, template.Path).
		WithHint("put the line into /etc/conf.d/" + base + "@" + tag + ", which is for " + base + "@" + tag + ".service")
}

// madeFor returns the paths that tmpfiles.d makes for a service.
func madeFor(fsys fs.FS, name string) (made []generators.Made) {
	for _, folder := range []string{"etc/tmpfiles.d/", "run/tmpfiles.d/", "usr/local/lib/tmpfiles.d/", "usr/lib/tmpfiles.d/"} {
		text, err := fs.ReadFile(fsys, folder+name+".conf")
		if err != nil {
			continue
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if f := strings.Fields(line); len(f) > 1 && !strings.HasPrefix(f[0], "#") && path.IsAbs(f[1]) {
				made = append(made, generators.Made{Pos: problem.Pos{File: "/" + folder + name + ".conf", Line: n}, Path: f[1]})
			}
		}
		return made // the first folder's file replaces the others'
	}
	return nil
}

// readInstance reads what decides how name, which is NAME.INSTANCE, runs the unit
// of NAME.
func readInstance(fsys fs.FS, units *systemd.Units, base *systemd.Unit, name string) (*generators.Instance, error) {
	own, err := units.DropIns(name + ".service")
	if err != nil {
		return nil, problem.New(problem.Pos{File: "/etc/conf.d/" + name}, "%v", err)
	}
	copied := *base
	// What applies to every service is not to be there twice.
	copied.Settings = slices.DeleteFunc(slices.Clone(base.Settings), func(set systemd.Setting) bool {
		return slices.ContainsFunc(own, func(o systemd.Setting) bool { return o.File == set.File })
	})
	base = &copied
	i := &generators.Instance{Base: base, DropIns: own, Present: map[string]bool{}, EarlyUnits: map[string]bool{},
		Made: madeFor(fsys, bare(base.Name))}
	for _, file := range generators.InstanceFiles(base, name) {
		_, err := fs.Stat(fsys, file[1:])
		switch {
		case err == nil:
			i.Present[file] = true
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return nil, problem.Unreadable(file, err)
		}
	}
	i.Early = units.Early(base, "") != nil
	for _, set := range base.Settings {
		if set.Key != "Before" && set.Key != "Wants" {
			continue
		}
		for _, other := range strings.Fields(set.Value) {
			if unit, err := units.Unit(other); err == nil {
				i.EarlyUnits[other] = units.Early(unit, "") != nil
			}
		}
	}
	names, _ := units.Belonging(base) // what only may belong to it is among them
	companions, _ := units.Companions(base.Name)
	if d, ok := systemd.Dispatches(base); ok && !d.Sleeps && len(companions) > 0 {
		return nil, problem.New(placeOf(d.Setting), "%s would be made of %s, which %s: its daemons are %s, of which an instance has none",
			name, base.Name, d.What, strings.Join(companions, ", ")).
			WithHint("write units of your own for a second set of them; the line in the conf.d file of each is for that then")
	}
	i.Siblings = slices.Compact(slices.Sorted(slices.Values(append(names[1:], companions...))))
	return i, nil
}
