package s6

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"rdgen/problem"
)

// Problem is what s6-rc-compile would say of a source directory.
type Problem struct {
	// File is the path of the file or folder that it is about.
	File string
	// Exit is with which code s6-rc-compile would end: 1 for a wrong definition,
	// 111 for what is missing or cannot be read; 0 where it goes on.
	Exit int
	// Msg is its message, without "s6-rc-compile: fatal: " or "warning: ". Where it
	// would say nothing, and drop a file, the message is ours.
	Msg string
	// Silent: s6-rc-compile says nothing.
	Silent bool
	// Undefined: the message is about a name that no folder defines.
	Undefined bool
}

// Check reads all source directories of folders, which are absolute paths below
// fsys, and returns what s6-rc-compile 0.7 would say of them, in its order. It
// goes on after what ends s6-rc-compile, so the first problem with an exit code is the one
// that a user would see.
func Check(fsys fs.FS, folders ...string) []Problem {
	c := &checker{fsys: fsys, defs: map[string]*definition{}}
	for _, folder := range folders {
		c.folder(folder)
	}
	c.pipelineBundles()
	c.resolveBundles()
	for _, d := range append(c.longruns(), c.oneshots()...) {
		c.resolve(d)
	}
	if !c.fatal() {
		c.cycles()
	}
	for _, d := range c.longruns() {
		c.copied(d)
	}
	for _, name := range c.order {
		c.dropped(c.defs[name])
	}
	return c.problems
}

// definition is a service that is defined.
type definition struct {
	name, folder, kind string
	deps               []string
	members            []string // of a bundle
	producerFor        string
	consumerFor        []string
	pipelineName       string
}

func (d *definition) dir() string { return d.folder + "/" + d.name }

type checker struct {
	fsys     fs.FS
	problems []Problem
	defs     map[string]*definition
	order    []string // of definition
}

func (c *checker) fatal() bool {
	return slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Exit != 0 })
}

func (c *checker) add(p Problem) { c.problems = append(c.problems, p) }

func (c *checker) fail(file, format string, args ...any) {
	c.add(Problem{File: file, Exit: 1, Msg: fmt.Sprintf(format, args...)})
}

// system adds what a system call said, in the words of the C library.
func (c *checker) system(file, doing string, err error) {
	c.add(Problem{File: file, Exit: 111, Msg: "unable to " + doing + ": " + errno(err)})
}

func (c *checker) warn(file, format string, args ...any) {
	c.add(Problem{File: file, Msg: fmt.Sprintf(format, args...)})
}

func (c *checker) silent(file, format string, args ...any) {
	c.add(Problem{File: file, Msg: fmt.Sprintf(format, args...), Silent: true})
}

// errno spells an error as strerror(3) does.
func errno(err error) string {
	var number syscall.Errno
	text := ""
	switch {
	case errors.As(err, &number):
		text = number.Error()
	case errors.Is(err, fs.ErrNotExist):
		text = syscall.ENOENT.Error()
	case errors.Is(err, fs.ErrPermission):
		text = syscall.EACCES.Error()
	case errors.Is(err, errInvalid), errors.Is(err, fs.ErrInvalid):
		text = syscall.EINVAL.Error()
	default:
		text = err.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

var errInvalid = errors.New("invalid argument")

// below is the name of an absolute path in fsys.
func below(p string) string { return strings.TrimPrefix(path.Clean(p), "/") }

func (c *checker) stat(p string) (fs.FileInfo, error)   { return fs.Stat(c.fsys, below(p)) }
func (c *checker) list(p string) ([]fs.DirEntry, error) { return fs.ReadDir(c.fsys, below(p)) }
func (c *checker) exists(p string) bool                 { _, err := c.stat(p); return err == nil }
func (c *checker) isMissing(err error) bool             { return errors.Is(err, fs.ErrNotExist) }
func reserved(name string) bool {
	return strings.HasPrefix(name, "s6rc-") || strings.HasPrefix(name, "s6-rc-")
}
func (c *checker) read(p string) (data []byte, err error) {
	if info, err := c.stat(p); err == nil && info.IsDir() {
		return nil, syscall.EISDIR
	}
	return fs.ReadFile(c.fsys, below(p))
}

// identifier refuses the names that are s6-rc's own.
func (c *checker) identifier(where, file, name string) bool {
	if reserved(name) {
		c.fail(file, "in %s: identifier %s starts with reserved prefix", where, name)
		return false
	}
	return true
}

func (c *checker) folder(folder string) {
	entries, err := c.list(folder)
	if err != nil {
		c.system(folder, "opendir "+folder, err)
		return
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		file := folder + "/" + name
		if name[0] == '.' {
			continue
		}
		if strings.Contains(name, "\n") {
			c.fail(file, "subdirectory of %s contains a newline character", folder)
			continue
		}
		if !c.identifier(folder, file, name) {
			continue
		}
		info, err := c.stat(file)
		switch {
		case err != nil:
			c.system(file, "stat "+file, err)
		case info.IsDir():
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		c.warn(folder, "source %s is empty", folder)
	}
	slices.Sort(names)
	for _, name := range names {
		c.service(&definition{name: name, folder: folder})
	}
}

// service reads one source directory.
func (c *checker) service(d *definition) {
	file := d.dir() + "/type"
	data, err := c.read(file)
	if err != nil {
		c.system(file, "read "+file, err)
		return
	}
	kind := string(bytes.TrimSuffix(data[:min(len(data), 8)], []byte("\n")))
	if kind != "oneshot" && kind != "longrun" && kind != "bundle" {
		c.fail(file, "invalid %s: must be oneshot, longrun, or bundle", file)
		return
	}
	d.kind = kind
	if old := c.defs[d.name]; old != nil {
		c.fail(d.dir(), "duplicate service definition: %s defined in %s is already defined and has type %s", d.name, d.folder, old.kind)
		return
	}
	c.defs[d.name] = d
	c.order = append(c.order, d.name)
	if d.kind == "bundle" {
		c.bundle(d)
	} else {
		c.atomic(d)
	}
}

// atomic reads what a oneshot and a longrun have.
func (c *checker) atomic(d *definition) {
	deps, found := c.nameFolder(d, "dependencies.d")
	if !found {
		deps, _ = c.nameList(d, "dependencies")
	} else if file := d.dir() + "/dependencies"; c.exists(file) {
		c.silent(file, "is ignored, because there is dependencies.d")
	}
	d.deps = deps
	c.timeout(d, "timeout-down")
	c.timeout(d, "timeout-up")
	if d.kind == "oneshot" {
		c.script(d, "reload", false)
		c.script(d, "up", true)
		c.script(d, "down", false)
		return
	}
	c.runScript(d)
	c.pipes(d)
}

// nameFolder reads the names of the files in a folder of a source directory.
func (c *checker) nameFolder(d *definition, list string) (names []string, found bool) {
	folder := d.dir() + "/" + list
	entries, err := c.list(folder)
	if c.isMissing(err) {
		return nil, false
	}
	if err != nil {
		c.system(folder, "opendir "+folder, err)
		return nil, true
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && c.identifier(d.name, folder+"/"+e.Name(), e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, true
}

// nameList reads the names in a file, one a line. What follows a name is part of it.
func (c *checker) nameList(d *definition, list string) (names []string, found bool) {
	file := d.dir() + "/" + list
	data, err := c.read(file)
	if c.isMissing(err) {
		return nil, false
	}
	if err != nil {
		c.system(file, "read "+file, err)
		return nil, true
	}
	for line := range strings.Lines(string(data)) {
		name := strings.TrimLeft(strings.TrimSuffix(line, "\n"), " \t")
		if name == "" || name[0] == '#' || slices.Contains(names, name) {
			continue
		}
		if c.identifier(d.name, file, name) {
			names = append(names, name)
		}
	}
	return names, true
}

// timeout reads a number of milliseconds.
func (c *checker) timeout(d *definition, name string) {
	file := d.dir() + "/" + name
	data, err := c.read(file)
	switch {
	case c.isMissing(err):
	case err != nil:
		c.system(file, "read "+file, err)
	default:
		if _, err := strconv.ParseUint(strings.TrimRight(string(data[:min(len(data), 63)]), "\n"), 10, 32); err != nil {
			c.fail(file, "invalid %s", file)
		}
	}
}

// script reads one command line of a oneshot.
func (c *checker) script(d *definition, name string, mandatory bool) {
	file := d.dir() + "/" + name
	data, err := c.read(file)
	switch {
	case errors.Is(err, syscall.EISDIR):
		c.system(file, "parse "+file, err)
		return
	case c.isMissing(err) && !mandatory:
		return
	case err != nil:
		c.system(file, "open "+file, err)
		return
	}
	_, err = Words(file, data)
	if syntax, ok := errors.AsType[*problem.Error](err); ok {
		what := ""
		if errors.Is(err, ErrUnmatched) {
			what = ": " + syntax.Msg
		}
		c.fail(syntax.Pos.String(), "syntax error in %s%s", file, what)
	}
}

func (c *checker) runScript(d *definition) {
	file := d.dir() + "/run"
	info, err := c.stat(file)
	switch {
	case c.isMissing(err):
		c.fail(file, "unable to find a run script in %s", file)
	case err != nil:
		c.system(file, "open "+file, err)
	case !info.Mode().IsRegular():
		c.fail(file, "%s is not a regular file", file)
	}
}

// pipes reads what joins a longrun to others.
func (c *checker) pipes(d *definition) {
	one := func(list, what string) string {
		names, found := c.nameList(d, list)
		if found && len(names) != 1 {
			c.fail(d.dir()+"/"+list, "%s/%s should only contain one %s", d.dir(), list, what)
		}
		if len(names) == 0 {
			return ""
		}
		return names[0]
	}
	d.producerFor = one("producer-for", "service name")
	d.consumerFor, _ = c.nameList(d, "consumer-for")
	if len(d.consumerFor) > 0 && d.producerFor == "" {
		d.pipelineName = one("pipeline-name", "name")
	} else if file := d.dir() + "/pipeline-name"; c.exists(file) {
		c.warn(file, "%s contains a pipeline-name file despite not being a last consumer; this file will be ignored", d.dir())
	}
	d.deps = append(d.deps, d.consumerFor...)
}

func (c *checker) bundle(d *definition) {
	members, found := c.nameFolder(d, "contents.d")
	if !found {
		if members, found = c.nameList(d, "contents"); !found {
			c.system(d.dir(), "open "+d.dir()+"/contents", fs.ErrNotExist)
		}
	}
	d.members = members
}

func (c *checker) of(kind string) []*definition {
	var list []*definition
	for _, name := range c.order {
		if d := c.defs[name]; d.kind == kind {
			list = append(list, d)
		}
	}
	return list
}

func (c *checker) longruns() []*definition { return c.of("longrun") }
func (c *checker) oneshots() []*definition { return c.of("oneshot") }

// kind returns the type of a service, as s6-rc-compile names it.
func (c *checker) kind(name string) string {
	if d := c.defs[name]; d != nil {
		return d.kind
	}
	return "unknown"
}

// pipelineBundles adds the bundle of each pipeline that has a name.
func (c *checker) pipelineBundles() {
	for _, d := range slices.Backward(c.longruns()) {
		if d.pipelineName == "" {
			continue
		}
		if old := c.defs[d.pipelineName]; old != nil {
			c.fail(d.dir()+"/pipeline-name", "duplicate service definition: %s defined in s6-rc-compile internals is already defined and has type %s", d.pipelineName, old.kind)
			continue
		}
		b := &definition{name: d.pipelineName, folder: d.folder, kind: "bundle"}
		c.defs[b.name] = b
		c.pipeline(b, d)
	}
}

func (c *checker) pipeline(b, d *definition) bool {
	if len(b.members) > len(c.order) {
		c.fail(d.dir(), "pipeline %s is too long: possible loop involving %s", b.name, d.name)
		return false
	}
	b.members = append(b.members, d.name)
	for _, name := range d.consumerFor {
		p := c.defs[name]
		if p == nil || p.kind != "longrun" {
			c.fail(d.dir()+"/consumer-for", "longrun %s declares a producer %s of type %s", d.name, name, c.kind(name))
			return false
		}
		if !c.pipeline(b, p) {
			return false
		}
	}
	return true
}

// resolveBundles looks for members that nothing defines, and for bundles that
// contain themselves.
func (c *checker) resolveBundles() {
	const begun, done = 1, 2
	mark := map[*definition]int{}
	var visit func(source, b *definition) bool
	visit = func(source, b *definition) bool {
		switch mark[b] {
		case done:
			return true
		case begun:
			c.fail(b.dir(), "cyclic bundle definition: resolution of %s encountered a cycle involving %s", source.name, b.name)
			return false
		}
		mark[b] = begun
		for _, name := range b.members {
			switch m := c.defs[name]; {
			case m == nil:
				c.add(Problem{File: b.dir(), Exit: 1, Undefined: true,
					Msg: fmt.Sprintf("during resolution of bundle %s: undefined service name %s", b.name, name)})
			case m.kind == "bundle" && !visit(source, m):
				return false
			}
		}
		mark[b] = done
		return true
	}
	for _, b := range c.of("bundle") {
		if !visit(b, b) {
			return
		}
	}
}

// resolve looks whether the other ends of pipes agree and dependencies exist.
func (c *checker) resolve(d *definition) {
	if d.producerFor != "" {
		file := d.dir() + "/producer-for"
		switch q := c.defs[d.producerFor]; {
		case q == nil || q.kind != "longrun":
			c.fail(file, "longrun service %s declares being a producer for a service named %s of type %s", d.name, d.producerFor, c.kind(d.producerFor))
		case !slices.Contains(q.consumerFor, d.name):
			c.fail(file, "longrun service %s declares being a producer for a service named %s that does not declare it back", d.name, d.producerFor)
		}
	}
	for _, name := range d.consumerFor {
		file := d.dir() + "/consumer-for"
		switch p := c.defs[name]; {
		case p == nil || p.kind != "longrun":
			c.fail(file, "longrun service %s declares being the consumer for a service named %s of type %s", d.name, name, c.kind(name))
		case p.producerFor != d.name:
			c.fail(file, "longrun service %s declares being the consumer for a service named %s that does not declare it back", d.name, name)
		}
	}
	for _, name := range d.deps {
		if c.defs[name] == nil && !slices.Contains(d.consumerFor, name) {
			c.add(Problem{File: d.dir(), Exit: 1, Undefined: true,
				Msg: fmt.Sprintf("during dependency resolution for service %s: undefined service name %s", d.name, name)})
		}
	}
}

// cycles looks for a service that depends on itself, and for pipes that end
// where they began. s6-rc-compile looks from its last service backwards.
func (c *checker) cycles() {
	all := append(c.longruns(), c.oneshots()...)
	index := map[string]int{}
	for i, d := range all {
		index[d.name] = i
	}
	depends := make([][]int, len(all))
	for i, d := range all {
		for _, name := range d.deps {
			for _, atom := range c.atoms(name) {
				depends[i] = append(depends[i], index[atom])
			}
		}
		slices.Sort(depends[i])
		depends[i] = slices.Compact(depends[i])
	}
	const begun, done = 1, 2
	mark := make([]int, len(all))
	var visit func(i int) int
	visit = func(i int) int {
		switch mark[i] {
		case done:
			return -1
		case begun:
			return i
		}
		mark[i] = begun
		for _, j := range slices.Backward(depends[i]) {
			if at := visit(j); at >= 0 {
				return at
			}
		}
		mark[i] = done
		return -1
	}
	for i := range slices.Backward(all) {
		if at := visit(i); at >= 0 {
			c.fail(all[i].dir(), "cyclic service dependency reached from %s and involving %s", all[i].name, all[at].name)
			return
		}
	}
}

// atoms returns the oneshots and longruns that a name stands for.
func (c *checker) atoms(name string) []string {
	d := c.defs[name]
	if d.kind != "bundle" {
		return []string{name}
	}
	var atoms []string
	for _, m := range d.members {
		atoms = append(atoms, c.atoms(m)...)
	}
	return atoms
}

// copied reads what becomes part of a longrun's service directory.
func (c *checker) copied(d *definition) {
	number := func(name string) (n int, found bool) {
		file := d.dir() + "/" + name
		data, err := c.read(file)
		if c.isMissing(err) {
			return 0, false
		}
		if err == nil {
			text, _, _ := strings.Cut(string(data[:min(len(data), 11)]), "\n")
			var u uint64
			u, err = strconv.ParseUint(text, 10, 32)
			if err == nil {
				return int(u), true
			}
			err = errInvalid
		}
		c.system(file, "read "+file, err)
		return 0, false
	}
	ready, hasReady := number("notification-fd")
	if hasReady && ready < 3 {
		c.warn(d.dir()+"/notification-fd", "longrun %s has a notification-fd of %d", d.name, ready)
	}
	if lock, found := number("lock-fd"); found {
		switch {
		case lock < 3:
			c.warn(d.dir()+"/lock-fd", "longrun %s has a lock-fd of %d", d.name, lock)
		case hasReady && lock == ready:
			c.fail(d.dir()+"/lock-fd", "longrun %s has the same value for notification-fd and lock-fd", d.name)
		}
	}
	for _, name := range []string{"timeout-kill", "timeout-finish", "max-death-tally"} {
		number(name)
	}
	for _, name := range []string{"template", "data", "env"} {
		folder := d.dir() + "/" + name
		info, err := c.stat(folder)
		switch {
		case c.isMissing(err):
			if _, err := fs.Lstat(c.fsys, below(folder)); err == nil {
				c.silent(folder, "is a symbolic link to nothing, and left out")
			}
		case err != nil:
			c.system(folder, "stat "+folder, err)
		case !info.IsDir():
			c.fail(folder, "%s is not a directory", folder)
		}
	}
	for _, name := range []string{"down-signal", "reload-signal"} {
		file := d.dir() + "/" + name
		if data, err := c.read(file); err == nil && !ValidSignal(string(data)) {
			c.silent(file, "is not a signal, and s6-supervise will not use it")
		}
	}
}

// ValidSignal reports whether s6-supervise would know text as a signal.
func ValidSignal(text string) bool {
	text, _, _ = strings.Cut(text, "\n")
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		return n > 0 && n < 65
	}
	_, ok := signals[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	return ok
}

// signals are the names that sig0_scan knows.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "BUS": syscall.SIGBUS, "CHLD": syscall.SIGCHLD, "CONT": syscall.SIGCONT,
	"FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL,
	"PIPE": syscall.SIGPIPE, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "STOP": syscall.SIGSTOP, "TERM": syscall.SIGTERM,
	"TSTP": syscall.SIGTSTP, "TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	"POLL": syscall.SIGPOLL, "PROF": syscall.SIGPROF, "SYS": syscall.SIGSYS, "TRAP": syscall.SIGTRAP, "URG": syscall.SIGURG,
	"VTALRM": syscall.SIGVTALRM, "XCPU": syscall.SIGXCPU, "XFSZ": syscall.SIGXFSZ, "WINCH": syscall.SIGWINCH,
}

// known are the files that mean something, by type.
var known = map[string][]string{
	"bundle":  {"type", "contents", "contents.d", "flag-essential", "flag-recommended"},
	"oneshot": {"type", "up", "down", "reload", "dependencies", "dependencies.d", "timeout-up", "timeout-down", "flag-essential", "flag-recommended"},
	"longrun": {"type", "run", "finish", "dependencies", "dependencies.d", "timeout-up", "timeout-down", "flag-essential", "flag-recommended",
		"notification-fd", "lock-fd", "timeout-kill", "timeout-finish", "max-death-tally", "down-signal", "reload-signal",
		"flag-timeout-killpg", "flag-newpidns", "template", "data", "env", "producer-for", "consumer-for", "pipeline-name"},
}

// dropped names the files that s6-rc-compile leaves out without a word.
func (c *checker) dropped(d *definition) {
	entries, err := c.list(d.dir())
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && !slices.Contains(known[d.kind], e.Name()) {
			c.silent(d.dir()+"/"+e.Name(), "is not a file of a %s; s6-rc-compile ignores it", d.kind)
		}
	}
}
