package openrc

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Variable is a variable of the daemon's environment.
type Variable struct {
	Name string
	Value
}

// Exports returns the variables that the daemon inherits because conf.d or the script
// exports them, by name. start-stop-daemon and supervise-daemon take out what is
// OpenRC's own. The error is a *problem.Error for each one that only a shell knows.
func (s *Script) Exports() ([]Variable, error) {
	var all []Variable
	var errs []error
	exports := maps.Clone(s.run.exports)
	for _, name := range imported {
		if _, assigned := s.run.vars[name]; assigned && exports[name] == nil {
			exports[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exports)) {
		if cleaned(name) {
			continue
		}
		v, set, err := s.Lookup(name)
		if doubt := exports[name]; doubt != nil && err == nil {
			err = doubt
		}
		switch {
		case err != nil:
			errs = append(errs, err)
		case set:
			if name == "PATH" {
				v.Text = withoutOpenRC(v.Text)
			}
			all = append(all, Variable{name, v})
		}
	}
	return all, errors.Join(errs...)
}

// Exported returns the value of a variable that conf.d or the script certainly exports.
func (s *Script) Exported(name string) (Value, bool) {
	doubt, exported := s.run.exports[name]
	v, set, err := s.Lookup(name)
	return v, exported && doubt == nil && set && err == nil
}

// cleaned reports that a daemon of OpenRC never sees a variable (start-stop-daemon.c
// and supervise-daemon.c, "Clean the environment").
func cleaned(name string) bool {
	for _, prefix := range []string{"RC_", "SSD_", "EINFO_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "SVCNAME" || name == "PWD" || name == "OLDPWD"
}

// withoutOpenRC removes OpenRC's own programs from a PATH, as is done for the daemon.
func withoutOpenRC(path string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(path, ":"), func(dir string) bool {
		return slices.Contains([]string{"/lib/rc/bin", "/lib/rc/sbin", "/usr/lib/rc/bin", "/usr/lib/rc/sbin", "/usr/libexec/rc/bin", "/usr/libexec/rc/sbin"}, dir)
	}), ":")
}

// imported are the variables that OpenRC's shell has in its environment already
// (rc-misc.c, env_whitelist): whoever assigns one of them exports it.
var imported = []string{"PATH", "TERM", "LANG", "LC_MESSAGES"}

// export notes that name is exported from here on.
func (sh *shell) export(name string) {
	if sh.restDoubt == nil {
		sh.exports[name] = nil
	} else {
		sh.exports[name] = sh.restDoubt
	}
}

// mayExport notes that only a shell knows whether name is exported.
func (sh *shell) mayExport(name string, node syntax.Node) {
	if doubt, known := sh.exports[name]; known && doubt == nil {
		return
	}
	sh.exports[name] = sh.doubt(node, "may be reached or not, and changes the environment; only a shell knows")
}

// Start returns the script as far as its start is concerned: of its functions, only
// start_pre, its own start() and those that they call run before the daemon does, so only
// they may change what the daemon is started with. How it is stopped is a matter of
// variables too, but its stop() is none.
func (s *Script) Start() *Script {
	c := *s
	c.Funcs = maps.Clone(s.Funcs)
	for _, name := range []string{"stop", "default_stop", "ssd_stop", "supervise_stop"} {
		delete(c.Funcs, name)
	}
	c.run = s.sh.clone()
	for _, f := range c.run.funcs["start_pre"] {
		(&maybeRun{sh: c.run}).call(f)
	}
	c.before = c.run.clone()
	for _, f := range c.run.funcs["start"] { // what it exports, say
		(&maybeRun{sh: c.run}).call(f)
	}
	return &c
}

// started are the functions of OpenRC that have a part in the start of a daemon, and
// that the script, read after them, may replace.
var started = []string{"ssd_start", "supervise_start", "yesno", "ebegin", "eend", "ewarn", "service_set_value"}

// limiting are the commands that change a shell, and so the daemon that it starts.
var limiting = map[string]bool{"ulimit": true, "renice": true, "ionice": true, "chrt": true, "taskset": true, "prlimit": true, "choom": true}

// ulimit notes a ulimit that is certainly run.
func (sh *shell) ulimit(c *syntax.CallExpr, args []*syntax.Word) {
	var words []string
	for _, w := range args {
		text, doubt := sh.word(w, true)
		if doubt != nil {
			sh.unlimited = doubt
			return
		}
		words = append(words, text)
	}
	sh.limits = append(sh.limits, words)
	if sh.restDoubt != nil {
		sh.unlimited = sh.restDoubt
	}
}

// Limits returns the words of each ulimit that conf.d or the script certainly runs
// before its daemon starts. The error is a *problem.Error for a command that changes the
// shell, and with it the daemon, in a way or at a time that only a shell knows.
func (s *Script) Limits() ([][]string, error) {
	if s.run.unlimited != nil {
		return nil, s.run.unlimited
	}
	return s.run.limits, nil
}

// Moved returns the command that changes the working directory before the daemon
// starts, as an error, or nil. It matters where directory= is not set.
func (s *Script) Moved() error {
	if s.run.moved != nil {
		return s.run.moved
	}
	return nil
}
