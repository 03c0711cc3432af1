package openrc

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

const confDir = "etc/conf.d"

// Conf is what the conf.d files of one service say.
type Conf struct {
	// Service is the service's name: "sshd", or "nginx.private" for an instance.
	Service string
	// Files are the files that were read, in the order of reading, absolute
	// below the root; those of single runlevels come last.
	Files []string

	sources []*source
	// chains are the files of each runlevel, the first for none.
	chains [][]*source
	sh     *shell
}

// ReadConf reads the conf.d files of service as openrc-run.sh does (OpenRC 0.45
// to 0.63): those of the base name up to the first dot, then its own. In a
// runlevel, NAME.RUNLEVEL replaces NAME; a variable that is not the same in every
// runlevel is in doubt. /etc/rc.conf and /etc/rc.conf.d are not read: a domain
// is a service's, not the machine's.
//
// fsys is rooted at the machine's root. The error is a *problem.Error, and matches
// fs.ErrNotExist if the service has no conf.d file at all.
func ReadConf(fsys fs.FS, service string) (*Conf, error) {
	if err := checkService(service); err != nil {
		return nil, err
	}
	c := &Conf{Service: service}
	set := fileSet{fsys: fsys, read: map[string]*source{}}
	chain, err := set.chain(service, "")
	if err != nil {
		return nil, err
	}
	c.chains = [][]*source{chain}
	levels, err := runlevels(fsys)
	if err != nil {
		return nil, err
	}
	for _, level := range levels {
		variant, err := set.chain(service, level)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(variant, chain) {
			c.chains = append(c.chains, variant)
		}
	}
	if len(set.order) == 0 {
		pos := problem.Pos{File: "/" + path.Join(confDir, service)}
		return nil, &problem.Error{Pos: pos, Msg: "no such file", Err: fs.ErrNotExist,
			Hint: "name the domain in it: vrf=NAME or netns=NAME"}
	}
	for _, src := range set.order {
		c.Files = append(c.Files, src.path)
	}
	c.sources = set.order
	c.sh = c.evaluate(confFallback(service), nil)
	return c, nil
}

func checkService(service string) error {
	if service == "" || service == "." || service == ".." || strings.ContainsAny(service, "/\x00\n") {
		return &problem.Error{Pos: problem.Pos{File: "/" + confDir}, Msg: fmt.Sprintf("%q is not the name of a service", service)}
	}
	return nil
}

// runlevels returns the names below /etc/runlevels.
func runlevels(fsys fs.FS) ([]string, error) {
	const dir = "etc/runlevels"
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Unreadable("/"+dir, err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// fileSet reads each conf.d file once.
type fileSet struct {
	fsys  fs.FS
	read  map[string]*source // nil for a file that does not exist
	order []*source
}

func (set *fileSet) get(name string) (*source, error) {
	if src, ok := set.read[name]; ok {
		return src, nil
	}
	src, err := readSource(set.fsys, path.Join(confDir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if src != nil {
		set.order = append(set.order, src)
	}
	set.read[name] = src
	return src, nil
}

// chain returns the files that are sourced for service in a runlevel.
func (set *fileSet) chain(service, level string) ([]*source, error) {
	names := []string{service}
	if base, _, dotted := strings.Cut(service, "."); dotted && base != "" {
		names = []string{base, service}
	}
	var chain []*source
	for _, name := range names {
		var src *source
		var err error
		if level != "" {
			src, err = set.get(name + "." + level)
		}
		if src == nil && err == nil {
			src, err = set.get(name)
		}
		if err != nil {
			return nil, err
		}
		if src != nil {
			chain = append(chain, src)
		}
	}
	return chain, nil
}

// evaluate runs the files of every runlevel, each time after those of before, and puts
// in doubt what is not the same.
func (c *Conf) evaluate(fallback func(string) variable, before []*source) *shell {
	sh := runChain(fallback, slices.Concat(before, c.chains[0]))
	for _, variant := range c.chains[1:] {
		sh.merge(runChain(fallback, slices.Concat(before, variant)), c.chains[0], variant)
	}
	return sh
}

// runChain runs files one after the other in a new shell.
func runChain(fallback func(string) variable, chain []*source) *shell {
	sh := newShell(fallback)
	for _, src := range chain {
		sh.source(src)
	}
	return sh
}

// confFallback knows what is set before conf.d is read. OpenRC filters the
// environment and has its own variables and those of rc.conf, so only a few
// names are certain.
func confFallback(service string) func(string) variable {
	return func(name string) variable {
		switch name {
		case "RC_SVCNAME", "SVCNAME":
			return variable{set: true, text: service}
		case "vrf", "netns", SocketKey, "RC_PREFIX":
			return variable{}
		}
		return variable{doubt: &problem.Error{Msg: name + " is not set in conf.d"}}
	}
}

// merge puts every variable in doubt that other, the shell of some runlevel,
// has another value for.
func (sh *shell) merge(other *shell, chain, variant []*source) {
	names := map[string]bool{"vrf": true, "netns": true}
	for name := range sh.vars {
		names[name] = true
	}
	for name := range other.vars {
		names[name] = true
	}
	for name := range names {
		a, b := sh.final(name), other.final(name)
		switch {
		case a.doubt != nil || b.doubt == nil && a.set == b.set && a.text == b.text:
		case b.doubt != nil:
			sh.vars[name] = variable{pos: b.doubt.Pos, doubt: b.doubt}
		default:
			pos := describe(&b, name, variant)
			from := describe(&a, name, chain)
			sh.vars[name] = variable{pos: b.pos, doubt: &problem.Error{Pos: b.pos,
				Msg:  fmt.Sprintf("%s here, but %s (%s)", pos, from, a.pos),
				Hint: "a service has one domain in every runlevel; make both files say the same"}}
		}
	}
	if sh.allDoubt == nil {
		sh.allDoubt = other.allDoubt
	}
}

// final is what name has when all files were read: nothing if none of them sets it.
func (sh *shell) final(name string) variable {
	if _, assigned := sh.vars[name]; !assigned && sh.allDoubt == nil {
		return variable{}
	}
	return sh.get(name)
}

// describe says what v is, and gives it a place if nothing assigned it.
func describe(v *variable, name string, files []*source) string {
	if v.pos == (problem.Pos{}) && len(files) > 0 {
		v.pos.File = files[len(files)-1].path
	}
	if !v.set || v.text == "" {
		return name + " is not set"
	}
	return fmt.Sprintf("%s is %q", name, v.text)
}

// Lookup returns the value that the files leave in a variable and the line that
// assigned it; ok is false if no file sets it. The error is a *problem.Error: the
// variable is assigned, or may be, but only a shell can know the value.
func (c *Conf) Lookup(name string) (v Value, ok bool, err error) { return c.sh.lookup(name) }

// NameHint says how the name of a domain is spelled.
const NameHint = `a name has 1 to 15 (netns: 239) of A-Z, a-z, 0-9, "_", "." and "-", and does not start with "-"`

// Domain returns the domain that vrf= and netns= name, and the line that does:
// that of vrf= where both are set. Without either (or with empty ones, which
// is the same) it returns the zero Domain. The error is a *problem.Error: a value that needs
// a shell, one that is not a valid name, or a line that was meant to be such a one.
func (c *Conf) Domain() (domain.Domain, problem.Pos, error) {
	var d domain.Domain
	var at problem.Pos
	for _, key := range keys {
		v, ok, err := c.Lookup(key)
		if err != nil {
			return domain.Domain{}, problem.Pos{}, err
		}
		if !ok || v.Text == "" {
			continue
		}
		at = v.Pos
		if key == "vrf" {
			d.VRF, err = domain.ParseVRF(v.Text)
		} else {
			d.Netns, err = domain.ParseNetns(v.Text)
		}
		if err != nil {
			return domain.Domain{}, problem.Pos{}, problem.New(v.Pos, "%w", err).WithHint(NameHint)
		}
	}
	if err := c.slip(); err != nil {
		return domain.Domain{}, problem.Pos{}, err
	}
	if _, err := domain.Parse(d.Netns.String(), d.VRF.String()); err != nil { // both together are too long
		return domain.Domain{}, problem.Pos{}, problem.New(at, "%w", err).WithHint(NameHint)
	}
	return d, at, nil
}

// List returns the names of the services that have a conf.d file, sorted.
// What editors and package managers leave beside a file is no service, nor is a folder
// that no script has the name of, and NAME.RUNLEVEL is NAME.
func List(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, confDir)
	if err != nil {
		if target, linkErr := fs.ReadLink(fsys, confDir); linkErr == nil {
			return nil, problem.New(problem.Pos{File: "/" + confDir}, "is a link to %s, which cannot be read: %w", target, problem.Cause(err)).
				WithHint("make the folder, or remove the link if no service is to be in a domain")
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, problem.Unreadable("/"+confDir, err)
	}
	levels, err := runlevels(fsys)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if isLeftover(name) {
			continue
		}
		if i := strings.LastIndexByte(name, '.'); i > 0 && slices.Contains(levels, name[i+1:]) && !hasScript(fsys, name) {
			name = name[:i]
		}
		if e.IsDir() && !hasScript(fsys, name) {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// isLeftover reports whether name is a file that an editor, apk, dpkg, rpm or
// etc-update left, or one that a shell glob would skip.
func isLeftover(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") ||
		strings.Contains(name, ".dpkg-") {
		return true
	}
	switch path.Ext(name) {
	case ".apk-new", ".apk-old", ".bak", ".orig", ".old", ".rej", ".swp", ".rpmnew", ".rpmsave", ".rpmorig", ".ucf-old", ".ucf-dist":
		return true
	}
	return false
}

func hasScript(fsys fs.FS, service string) bool {
	_, err := fs.Stat(fsys, path.Join("etc/init.d", service))
	return err == nil
}
