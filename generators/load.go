package generators

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"rdgen/openrc"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/s6"
	"rdgen/systemd"
)

// initDir is where OpenRC's init scripts are.
const initDir = "/etc/init.d/"

// Loader reads services from below a root. It may be asked for several at once.
type Loader struct {
	// SystemdVersion is that of the systemd on the target; 0 looks for it there.
	SystemdVersion int
	// AtBoot is set by the systemd generator, see [Service].
	AtBoot bool

	fsys fs.FS
	// given is the domain of the command line, which replaces that of conf.d.
	given domain.Domain
	// units lists the units, once, when the first is asked for.
	units func() (*systemd.Units, error)
	// flavor is how s6 services are laid out, and sourceFlag where, if that was
	// asked for.
	flavor     func() s6.Flavor
	sourceFlag string
	// installed reports that a package has put rdomain@.service in place.
	installed func() bool
	// version is the systemd found below the root, or 0.
	version func() int

	mu sync.Mutex
	// confs remembers what was read of conf.d: --all asks twice.
	confs map[string]declaration
	// defined remembers which domains have a file.
	defined map[string]error
}

// declaration is what a service's conf.d file says.
type declaration struct {
	conf    *openrc.Conf
	service Service
	err     error
}

// NewLoader returns a Loader that reads from fsys. If given is not the default
// domain, every service is in it, whatever its conf.d file says.
func NewLoader(fsys fs.FS, given domain.Domain) *Loader {
	units := sync.OnceValues(func() (*systemd.Units, error) { return systemd.ReadUnits(fsys) })
	l := &Loader{
		fsys: fsys, given: given, units: units,
		installed: sync.OnceValue(func() bool {
			u, err := units()
			return err == nil && u.Packaged(systemd.Rdomain)
		}),
		version: sync.OnceValue(func() int { return systemd.Version(fsys) }),
		confs:   map[string]declaration{}, defined: map[string]error{},
	}
	l.flavor = sync.OnceValue(l.findFlavor)
	return l
}

// Declared returns the services whose conf.d file names a domain, sorted. A
// file that cannot be read with certainty is an error beside the others' names:
// its service may name one.
func (l *Loader) Declared() ([]string, error) {
	declared, bad, err := l.Sorted()
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		errs = append(errs, bad[name])
	}
	return declared, errors.Join(errs...)
}

// Sorted is Declared with the files that cannot be followed by the names of
// their services.
func (l *Loader) Sorted() (declared []string, bad map[string]error, err error) {
	names, err := openrc.List(l.fsys)
	if err != nil {
		return nil, nil, err
	}
	parallel.Each(len(names), runtime.GOMAXPROCS(0), func(i int) { l.conf(names[i]) })
	bad = map[string]error{}
	for _, name := range names {
		conf, s, err := l.conf(name)
		if err == nil {
			err = l.judge(conf, s)
		}
		switch {
		case err != nil:
			bad[name] = err
		case !s.Domain.IsDefault():
			declared = append(declared, name)
		}
	}
	return declared, bad, nil
}

// OpenRC reads a service for the generator of that name. It may be in no domain.
func (l *Loader) OpenRC(name string) (Service, error) {
	if !l.given.IsDefault() {
		return Service{}, problem.New(problem.Pos{File: "/etc/conf.d/" + name}, "OpenRC reads the domain here at every start; --netns and --vrf cannot replace it").
			WithHint("write " + assignments(l.given) + " there")
	}
	conf, s, err := l.conf(name)
	if err == nil {
		err = l.judge(conf, s)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Service{}, err
	}
	base := name
	if target, ok := l.instance(name); ok {
		base, s.Link = target, target
	}
	s.Script, err = openrc.ReadScript(l.fsys, base, conf)
	return s, err
}

// instance returns the script that an init script is a link to, beside it: that
// of a multi-instance service.
func (l *Loader) instance(name string) (target string, ok bool) {
	target, err := fs.ReadLink(l.fsys, initDir[1:]+name)
	if err != nil {
		return "", false
	}
	target = strings.TrimPrefix(target, initDir)
	return target, target != name && !strings.Contains(target, "/")
}

// Systemd reads a service for the generator of that name.
func (l *Loader) Systemd(name string) (Service, error) {
	_, s, err := l.inDomain(name)
	if err != nil {
		return Service{}, err
	}
	s.Installed, s.AtBoot = l.installed(), l.AtBoot
	version := l.SystemdVersion
	if version == 0 {
		version = l.version()
	}
	if version != 0 && version < systemd.Oldest {
		return Service{}, problem.New(s.place(), "systemd %d cannot keep a service in its domain; %d is the oldest that can", version, systemd.Oldest)
	}
	units, err := l.units()
	if err != nil {
		return Service{}, err
	}
	if s, err = l.addUnit(s); err == nil {
		if s.Units, err = l.covered(units, s.Unit); err == nil {
			err = tooEarly(units, s)
		}
		return s, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Service{}, err
	}
	if base, ok := l.baseUnit(name); ok {
		if s.Instance, err = l.newInstance(s, base); err != nil {
			return Service{}, err
		}
		s.Unit, s.Units = s.Instance.unit, []*systemd.Unit{s.Instance.unit}
		return s, nil
	}
	if l.AtBoot && len(units.Aliases(name+".service")) == 0 {
		// Another generator may be making that unit at this moment, and a drop-in
		// of a unit that does not exist does nothing.
		s.Units = []*systemd.Unit{l.toBeMade(name)}
		return s, nil
	}
	return Service{}, err
}

// tooEarly refuses a service that must be up before a domain can be.
func tooEarly(units *systemd.Units, s Service) error {
	for _, unit := range s.Units {
		if set, target, early := units.Early(unit); early {
			return problem.New(problem.Pos{File: set.File, Line: set.Line}, "%s runs before %s, and domains are made after it", unit.Name, target).
				WithHint("let it run where it is, and make an instance that runs later: /etc/conf.d/" + s.Name + ".NAME")
		}
	}
	return nil
}

// baseUnit finds the unit that NAME.INSTANCE is an instance of: NAME.service.
func (l *Loader) baseUnit(name string) (*systemd.Unit, bool) {
	base, _, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	s, err := l.addUnit(Service{Name: base})
	return s.Unit, err == nil
}

// Victims returns the units that must not start as long as the conf.d file of
// the service cannot be followed: the same that would be put into its domain.
func (l *Loader) Victims(name string) []string {
	units, err := l.units()
	if err != nil {
		return []string{name + ".service"}
	}
	unit, err := units.Unit(name + ".service")
	switch {
	case err == nil:
		names, err := units.Belonging(unit)
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

// inDomain reads a service that must be in a domain.
func (l *Loader) inDomain(name string) (*openrc.Conf, Service, error) {
	conf, s, err := l.conf(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if !l.given.IsDefault() && (err == nil || missing) {
		s.Domain, s.Pos = l.given, problem.Pos{}
		return conf, s, nil
	}
	if err == nil {
		err = l.judge(conf, s)
	}
	if err != nil {
		return nil, Service{}, err
	}
	if s.Domain.IsDefault() {
		return nil, Service{}, problem.New(problem.Pos{File: "/etc/conf.d/" + name}, "names no domain").
			WithHint("write vrf=NAME or netns=NAME into it, or give --vrf or --netns")
	}
	return conf, s, nil
}

// conf reads a service's conf.d file and the domain in it, once.
func (l *Loader) conf(name string) (*openrc.Conf, Service, error) {
	l.mu.Lock()
	d, known := l.confs[name]
	l.mu.Unlock()
	if !known {
		d.conf, d.service, d.err = l.readConf(name)
		l.mu.Lock()
		l.confs[name] = d
		l.mu.Unlock()
	}
	return d.conf, d.service, d.err
}

func (l *Loader) readConf(name string) (*openrc.Conf, Service, error) {
	s := Service{Name: name}
	conf, err := openrc.ReadConf(l.fsys, name)
	if err != nil {
		return nil, s, err
	}
	if s.Domain, s.Pos, err = conf.Domain(); err != nil {
		return nil, Service{}, err
	}
	return conf, s, nil
}

// judge refuses a domain that conf.d may mean but does not say, and one that it
// says but nobody has defined.
func (l *Loader) judge(conf *openrc.Conf, s Service) error {
	if hints := conf.Hints(); s.Domain.IsDefault() && len(hints) > 0 {
		return problem.New(problem.Pos{File: "/etc/conf.d/" + s.Name}, "names no domain").
			WithHint(strings.Join(hints, "\n"))
	}
	return l.isDefined(s)
}

// isDefined refuses a VRF that conf.d names and no file defines: rdomain up
// would take the name for a network namespace's. A namespace needs no file.
func (l *Loader) isDefined(s Service) error {
	if s.Domain.VRF.IsZero() {
		return nil
	}
	file := "etc/rdomain/" + s.Domain.ID() + ".conf"
	l.mu.Lock()
	err, known := l.defined[file]
	if !known {
		_, err = fs.Stat(l.fsys, file)
		l.defined[file] = err
	}
	l.mu.Unlock()
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(s.Pos, "%s is not defined: there is no /%s", s.Domain, file).
			WithHint("correct the name, or write that file: [Domain], Kind=vrf and Table=, or Managed=no if another tool makes the VRF")
	}
	return problem.New(s.Pos, "/%s: %v", file, problem.Cause(err))
}

// addUnit finds NAME.service, or NAME@.service where only sockets start it.
func (l *Loader) addUnit(s Service) (Service, error) {
	units, err := l.units()
	if err != nil {
		return s, err
	}
	name := s.Name + ".service"
	s.Unit, err = units.Unit(name)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, fs.ErrNotExist):
		hint := "install it, or correct the name of the conf.d file"
		if others := units.Aliases(name); len(others) > 0 {
			hint = "it is an alias of " + strings.Join(others, " and ") + ": put the line into /etc/conf.d/" +
				strings.TrimSuffix(others[0], path.Ext(others[0]))
		}
		err := problem.New(s.place(), "there is no %s below %s", name, strings.Join(systemd.Folders(), ", ")).
			WithHint(hint)
		err.Err = fs.ErrNotExist
		return s, err
	case errors.Is(err, systemd.ErrMasked):
		return s, problem.New(s.place(), "%s is masked", name).WithHint("systemctl unmask " + name)
	}
	return s, problem.New(s.place(), "%v", err)
}

// place is where a message about the service points to.
func (s Service) place() problem.Pos {
	if s.Pos.File != "" {
		return s.Pos
	}
	return problem.Pos{File: s.Name}
}

// assignments spells a domain as conf.d has it.
func assignments(d domain.Domain) string {
	var lines []string
	if !d.Netns.IsZero() {
		lines = append(lines, `netns="`+d.Netns.String()+`"`)
	}
	if !d.VRF.IsZero() {
		lines = append(lines, `vrf="`+d.VRF.String()+`"`)
	}
	return strings.Join(lines, " and ")
}

// InOpenRC reports whether there is an OpenRC script of the service, good or bad.
// A machine that had another init system may have an LSB script of that name.
func (l *Loader) InOpenRC(name string) bool {
	f, err := l.fsys.Open(initDir[1:] + name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid)
	}
	defer f.Close()
	head := make([]byte, 256) // the kernel's own limit, BINPRM_BUF_SIZE
	n, _ := io.ReadFull(f, head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.HasPrefix(line, []byte("#!")) && (bytes.Contains(line, []byte("openrc-run")) || bytes.Contains(line, []byte("runscript")))
}

// InSystemd reports whether there is a unit of the service.
func (l *Loader) InSystemd(name string) bool {
	_, err := l.addUnit(Service{Name: name})
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// Generates reports whether systemd runs rdgen before it reads units: whether its
// generator is installed and not masked (systemd.generator(7)).
func (l *Loader) Generates() bool {
	for _, dir := range []string{"run", "etc", "usr/local/lib", "usr/lib"} {
		name := dir + "/systemd/system-generators/rdgen"
		if target, err := fs.ReadLink(l.fsys, name); err == nil && target == "/dev/null" {
			return false
		}
		if _, err := fs.Stat(l.fsys, name); err == nil {
			return true
		}
	}
	return false
}

// WithoutSystemd reports whether this is a machine of OpenRC whose /sbin/init is not
// systemd: packages bring units along, and some want systemd's own package.
func (l *Loader) WithoutSystemd() bool {
	target, _ := fs.ReadLink(l.fsys, "sbin/init")
	return openrc.Installed(l.fsys) && !strings.Contains(target, "systemd")
}

// Hooked reports whether the file is installed that covers every OpenRC service.
func (l *Loader) Hooked() bool {
	_, err := fs.Stat(l.fsys, openrc.ConfPath[1:])
	return err == nil
}

// Uncovered returns what an OpenRC service that can be read, and names a domain,
// does outside of it, and that nothing makes its domain before it starts.
func (l *Loader) Uncovered(name string) []error {
	s, err := l.OpenRC(name)
	if err != nil || s.Domain.IsDefault() {
		return nil
	}
	errs := s.Script.Uncovered(l.fsys, s.Domain)
	script := initDir + openrc.RdomainService(s.Domain.ID())
	if _, err := fs.Stat(l.fsys, script[1:]); err != nil && l.Hooked() {
		errs = append(errs, problem.New(s.Pos, "nothing makes %s before %s starts: there is no %s", s.Domain, name, script).
			WithHint("ln -s rdomain "+script+"; with Managed=no in /etc/rdomain/"+s.Domain.ID()+".conf if another tool makes it"))
	}
	return errs
}
