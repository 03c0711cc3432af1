package services

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/parallel"
	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/s6"
)

// confs are the files that name the domains of services: those of conf.d, and
// those in the folder of an s6 distribution's own configuration.
type confs struct {
	fsys fs.FS
	// given is the domain of the command line, which replaces that of all files.
	given domain.Domain
	// root is where fsys is on this machine, or "".
	root string
	// config returns the folder of s6's own configuration, or "".
	config func() string

	// domains are the files of all domains, once they are asked for.
	domains func() *conf.All

	// listed are the names that conf.d has files of, see [openrc.List].
	listed func() (map[string]bool, error)

	mu sync.Mutex
	// known remembers what was read of conf.d: --all asks twice.
	known map[string]declaration
	// defined remembers which domains have a file.
	defined map[string]error
}

// declaration is what a service's conf.d files say.
type declaration struct {
	conf    *openrc.Conf
	service generators.Service
	err     error
}

func newConfs(fsys fs.FS, given domain.Domain) *confs {
	return &confs{fsys: fsys, given: given, known: map[string]declaration{}, defined: map[string]error{},
		domains: sync.OnceValue(func() *conf.All { return conf.ReadAll(fsys) }),
		listed: sync.OnceValues(func() (map[string]bool, error) {
			names, err := openrc.List(fsys)
			listed := map[string]bool{}
			for _, name := range names {
				listed[name] = true
			}
			return listed, err
		})}
}

// elsewhere reports whether it is not this machine that is read.
func (c *confs) elsewhere() bool { return c.root != "" && c.root != "/" }

// onRoot is a command of rdgen, or of systemctl, for the machine that is read.
func (c *confs) onRoot(words ...string) string {
	switch {
	case !c.elsewhere():
	case words[0] == "systemctl":
		words = slices.Insert(slices.Clone(words), 1, "--root="+c.root)
	default:
		words = problem.WithOption(words, "--root", c.root)
	}
	return problem.Command(words...)
}

// confd is the name of a service's conf.d file, for messages.
func confd(name string) problem.Pos { return problem.Pos{File: "/etc/conf.d/" + name} }

// read reads a service's conf.d file and the domain in it, once.
func (c *confs) read(name string) (*openrc.Conf, generators.Service, error) {
	c.mu.Lock()
	d, known := c.known[name]
	c.mu.Unlock()
	if !known {
		d.service.Name = name
		if d.conf, d.err = openrc.ReadConf(c.fsys, name); d.err == nil {
			d.service.Domain, d.service.Pos, d.err = d.conf.Domain()
		}
		if d.err == nil && (!d.service.Domain.IsDefault() || !c.given.IsDefault()) {
			d.service.SocketsStay, d.err = d.conf.Sockets()
		}
		c.mu.Lock()
		c.known[name] = d
		c.mu.Unlock()
	}
	return d.conf, d.service, d.err
}

// resolves reports whether a domain is a VRF that has resolver files of its own.
func (c *confs) resolves(d domain.Domain) bool {
	return !d.VRF.IsZero() && slices.ContainsFunc(c.domains().Files, func(f *conf.File) bool { return f.Domain == d && f.HasResolver() })
}

// noSockets refuses a line about socket units where there are none.
func noSockets(s generators.Service, init string) error {
	if s.SocketsStay.File == "" {
		return nil
	}
	return problem.New(s.SocketsStay, "%s has no socket units: %s= is for systemd", init, openrc.SocketKey).
		WithHint("take the line out; the service opens its sockets itself, in its domain")
}

// declaredAndBroken sorts the services that have a conf.d file. What also finds wrong
// is broken.
func (c *confs) declaredAndBroken(also func(generators.Service) error) (declared []string, broken map[string]error, err error) {
	listed, err := c.listed()
	if err != nil {
		return nil, nil, err
	}
	names := slices.Sorted(maps.Keys(listed))
	parallel.Each(len(names), runtime.GOMAXPROCS(0), func(i int) { c.read(names[i]) })
	broken = map[string]error{}
	for _, name := range names {
		_, s, err := c.read(name)
		if err == nil {
			err = also(s)
		}
		switch {
		case err != nil:
			broken[name] = err
		case !s.Domain.IsDefault():
			declared = append(declared, name)
		}
	}
	return declared, broken, nil
}

// declared returns the services whose conf.d file names a domain.
func (c *confs) declared(also func(generators.Service) error) ([]string, error) {
	declared, broken, err := c.declaredAndBroken(also)
	errs := []error{err}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		errs = append(errs, broken[name])
	}
	return declared, errors.Join(errs...)
}

// all returns the services that conf.d or s6's own configuration puts into a domain.
func (c *confs) all() ([]string, error) {
	names, err := c.declared(c.isDefined)
	errs := []error{err}
	if folder := c.config(); folder != "" {
		entries, err := fs.ReadDir(c.fsys, folder[1:])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, problem.New(problem.Pos{File: folder}, "%w", problem.Cause(err)))
		}
		for _, e := range entries {
			name, ok := strings.CutSuffix(e.Name(), ".conf")
			if !ok || e.IsDir() || name == "" || name[0] == '.' {
				continue
			}
			d, _, err := c.configured(name)
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

// ErrNoDomain is the cause where a service must be in a domain, and is in none. A verb
// that takes the domain from the command line can say so.
var ErrNoDomain = errors.New("names no domain")

// inDomain reads, from conf.d, a service that must be in a domain.
func (c *confs) inDomain(name string) (*openrc.Conf, generators.Service, error) {
	conf, s, err := c.read(name)
	missing := errors.Is(err, fs.ErrNotExist)
	if !c.given.IsDefault() && (err == nil || missing) {
		s.Domain, s.Pos = c.given, problem.Pos{}
		return conf, s, nil
	}
	if err == nil {
		err = c.isDefined(s)
	}
	if err != nil {
		return nil, generators.Service{}, err
	}
	if s.Domain.IsDefault() {
		return nil, generators.Service{}, problem.New(confd(name), "%w", ErrNoDomain).
			WithHint("write vrf=NAME or netns=NAME into it")
	}
	return conf, s, nil
}

// everywhere is inDomain with s6's own configuration, which has to agree.
func (c *confs) everywhere(name string) (*openrc.Conf, generators.Service, error) {
	from, pos, err := c.configured(name)
	if err != nil {
		return nil, generators.Service{}, err
	}
	if from.IsDefault() || !c.given.IsDefault() {
		return c.inDomain(name)
	}
	conf, s, err := c.read(name)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, generators.Service{}, err
	case err == nil && !s.Domain.IsDefault() && s.Domain != from:
		return nil, generators.Service{}, problem.New(pos, "names %s, but %s names %s", from, s.Pos, s.Domain).
			WithHint("let both say the same, or remove it from one of them")
	}
	s.Name, s.Domain, s.Pos = name, from, pos
	return conf, s, c.isDefined(s)
}

// configured reads vrf and netns from s6's own configuration of a service.
func (c *confs) configured(name string) (domain.Domain, problem.Pos, error) {
	folder := c.config()
	if folder == "" {
		return domain.Domain{}, problem.Pos{}, nil
	}
	pos := problem.Pos{File: path.Join(folder, name+".conf")}
	data, err := fs.ReadFile(c.fsys, pos.File[1:])
	if errors.Is(err, fs.ErrNotExist) {
		return domain.Domain{}, problem.Pos{}, nil
	}
	if err != nil {
		return domain.Domain{}, pos, problem.New(pos, "%w", problem.Cause(err))
	}
	values, err := s6.Config(pos.File, data, "netns", "vrf", openrc.SocketKey)
	if err == nil && values[openrc.SocketKey].Text != "" {
		err = noSockets(generators.Service{SocketsStay: values[openrc.SocketKey].Pos}, "s6")
	}
	if err != nil {
		return domain.Domain{}, pos, err
	}
	isSet := func(key string) bool { _, set := values[key]; return set }
	if err := openrc.ConfigSlip(pos.File, data, isSet); err != nil {
		return domain.Domain{}, pos, err
	}
	for _, key := range []string{"netns", "vrf"} {
		if v, set := values[key]; set {
			pos = v.Pos
		}
	}
	d, err := domain.Parse(values["netns"].Text, values["vrf"].Text)
	if err != nil {
		return domain.Domain{}, pos, problem.New(pos, "%w", err).WithHint(openrc.NameHint)
	}
	return d, pos, nil
}

// isConfigured reports whether it is s6's own configuration that puts a service
// into its domain, which the other init systems do not read.
func (c *confs) isConfigured(s generators.Service) bool {
	folder := c.config()
	return folder != "" && path.Dir(s.Pos.File) == folder
}

// isDefined refuses a VRF that conf.d names and no file defines: rdomain up
// would take the name for a network namespace's. A namespace needs no file.
func (c *confs) isDefined(s generators.Service) error {
	if s.Domain.VRF.IsZero() {
		return nil
	}
	file := "etc/rdomain/" + s.Domain.ID() + ".conf"
	c.mu.Lock()
	err, known := c.defined[file]
	if !known {
		_, err = fs.Stat(c.fsys, file)
		c.defined[file] = err
	}
	c.mu.Unlock()
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) && c.domains().Of(s.Domain) != nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(s.Pos, "%s is not defined: there is no /%s", s.Domain, file).
			WithHint("correct the name, or write that file (" + c.onRoot("rdgen", "init", "--kind", "vrf") + "): [Domain], Kind=vrf and Table=, or Managed=no if another tool makes the VRF")
	}
	return problem.New(s.Pos, "/%s: %v", file, problem.Cause(err))
}
