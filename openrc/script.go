package openrc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// scriptDirs are where OpenRC looks for init scripts, first match wins
// (rc_service_resolve, librc).
var scriptDirs = []string{"etc/init.d", "usr/local/etc/init.d"}

// Script is an OpenRC init script, evaluated after its service's conf.d files.
type Script struct {
	Service string
	// Path is the script as OpenRC names it, absolute below the root; for an
	// instance it is the symbolic link.
	Path string
	// Source is the script's text.
	Source []byte
	// Funcs are the functions that it defines, or may define, by name.
	Funcs map[string]problem.Pos

	// Broken says what no shell would take, as far as that is known; or it is nil.
	Broken error

	// unread is why the script cannot be evaluated, or nil.
	unread error
	// sh is the shell when the script has been sourced; run has also seen every
	// function, so it doubts what one of them changes. before is the one that calls
	// start(), or nil.
	sh, run, before *shell
}

// ReadScript reads the init script of service and evaluates it after the values
// of conf, which may be nil, as openrc-run.sh does. A service that is a symbolic
// link, such as the instance nginx.private, has the script that it leads to.
//
// The error is a *problem.Error. It matches fs.ErrNotExist if there is no script, and
// says what a file is that is none: an LSB script, a runscript one. A script that is
// not POSIX shell is none: see [Script.Unread].
func ReadScript(fsys fs.FS, service string, conf *Conf) (*Script, error) {
	return readAfter(fsys, service, conf, nil)
}

// ReadStarted is ReadScript after /etc/rc.conf and /etc/rc.conf.d, which OpenRC reads
// before: they may limit every service, or export variables to all daemons.
func ReadStarted(fsys fs.FS, service string, conf *Conf) (*Script, error) {
	files := []string{"etc/rc.conf"}
	more, _ := fs.Glob(fsys, "etc/rc.conf.d/*.conf") // sorted
	var global []*source
	for _, name := range append(files, more...) {
		if "/"+name == ConfPath {
			continue // rdgen's own
		}
		src, err := readSource(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		global = append(global, src)
	}
	return readAfter(fsys, service, conf, global)
}

func readAfter(fsys fs.FS, service string, conf *Conf, global []*source) (*Script, error) {
	if err := checkService(service); err != nil {
		return nil, err
	}
	file, text, err := findScript(fsys, service)
	if err != nil {
		return nil, err
	}
	s := &Script{Service: service, Path: file, Source: text, Funcs: map[string]problem.Pos{}}
	text = withoutLine(text)
	src, err := parse(file, text)
	if err != nil {
		s.unread = err
		var bash bool
		if s.sh, bash = bashFunctions(file, text); !bash {
			s.Broken = err
		}
		s.run = s.sh
		return s, nil
	}
	fallback := scriptFallback(fsys, s)
	if conf != nil {
		s.sh = conf.evaluate(fallback, global)
	} else {
		s.sh = runChain(fallback, global)
	}
	s.sh.source(src)
	s.run = s.sh.clone()
	s.run.callAll()
	for name, defs := range s.run.funcs {
		s.Funcs[name] = defs[len(defs)-1].pos()
	}
	return s, nil
}

// callAll runs every function as one that may be called, and those that they define in
// turn.
func (sh *shell) callAll() {
	called := map[*syntax.FuncDecl]bool{}
	for more := true; more; {
		more = false
		for _, name := range slices.Sorted(maps.Keys(sh.funcs)) {
			for _, f := range sh.funcs[name] {
				if !called[f.decl] {
					called[f.decl], more = true, true
					(&maybeRun{sh: sh}).call(f)
				}
			}
		}
	}
}

func (f function) pos() problem.Pos { return f.src.pos(f.decl.Pos()) }

// findScript returns the path and the text of a service's script.
func findScript(fsys fs.FS, service string) (file string, text []byte, err error) {
	for _, dir := range scriptDirs {
		name := path.Join(dir, service)
		text, err := readFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		return "/" + name, text, checkInterpreter(problem.Pos{File: "/" + name, Line: 1}, text)
	}
	return "", nil, &problem.Error{Pos: problem.Pos{File: "/" + path.Join(scriptDirs[0], service)}, Msg: "no such init script", Err: fs.ErrNotExist}
}

// checkInterpreter accepts what gendepends.sh accepts: a first line whose
// interpreter is openrc-run.
func checkInterpreter(pos problem.Pos, text []byte) error {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return carriageReturn(pos)
	}
	words := strings.Fields(strings.TrimPrefix(string(line), "#!"))
	if !bytes.HasPrefix(line, []byte("#!")) || len(words) == 0 {
		return &problem.Error{Pos: pos, Msg: "is not an OpenRC init script: there is no #! line"}
	}
	program := words[0]
	if path.Base(program) == "env" && len(words) > 1 {
		program = words[1]
	}
	switch path.Base(program) {
	case "openrc-run":
		return nil
	case "runscript":
		return &problem.Error{Pos: pos, Msg: "is written for runscript, which OpenRC 0.45 and newer no longer have",
			Hint: "change the first line to #!/sbin/openrc-run"}
	case "sh", "bash", "dash":
		msg := "is a plain " + path.Base(program) + " script, not an OpenRC one"
		if bytes.Contains(text, []byte("### BEGIN INIT INFO")) {
			msg = "is an LSB init script (" + string(line) + "), not an OpenRC one"
		}
		return &problem.Error{Pos: pos, Msg: msg, Hint: "an OpenRC script starts with #!/sbin/openrc-run"}
	}
	return &problem.Error{Pos: pos, Msg: fmt.Sprintf("is a script for %s, not an OpenRC one", program)}
}

// scriptFallback knows what is set when the script is sourced: OpenRC filters
// the environment, so a name that nobody sets is not set, except those of
// OpenRC itself, of rc.conf and of the shells.
func scriptFallback(fsys fs.FS, s *Script) func(string) variable {
	doubt := func(name string) variable {
		return variable{doubt: &problem.Error{Pos: problem.Pos{File: s.Path}, Msg: name + " is set by OpenRC or the shell"}}
	}
	return func(name string) variable {
		switch name {
		case "RC_SVCNAME", "SVCNAME":
			return variable{set: true, text: s.Service}
		case "RC_PREFIX":
			return variable{}
		case "RC_SERVICE":
			// OpenRC 0.60 and newer resolve links, older ones do not.
			info, err := fs.Lstat(fsys, s.Path[1:])
			if err != nil || info.Mode()&fs.ModeSymlink != 0 {
				return doubt(name)
			}
			return variable{set: true, text: s.Path}
		case "PATH", "HOME", "PWD", "OLDPWD", "IFS", "PPID", "OPTIND", "OPTARG", "PS1", "PS2", "PS4", "TERM", "LANG", "SHELL",
			"USER", "LOGNAME", "SHLVL", "HOSTNAME", "LINENO", "RANDOM", "UID", "EUID", "FUNCNAME", "GOOD", "WARN", "BAD",
			"HILITE", "BRACKET", "NORMAL", "IN_BACKGROUND", "IN_HOTPLUG", "IN_DRYRUN", "CONSOLETYPE":
			return doubt(name)
		case "extra_commands", "extra_stopped_commands", "description_cgroup_cleanup":
			return doubt(name) // OpenRC has its own before the script's
		}
		for _, prefix := range []string{"RC_", "rc_", "EINFO_", "EERROR_", "LC_", "XDG_", "cgroup", "_"} {
			if strings.HasPrefix(name, prefix) {
				return doubt(name)
			}
		}
		return variable{}
	}
}

// Unread returns nil, or a *problem.Error that says why the script cannot be evaluated:
// it is not POSIX shell, in which dash and busybox ash would agree. Its text is known
// all the same, and its functions where they can be found. All else is an error then.
func (s *Script) Unread() error { return s.unread }

// Lookup returns the value of a variable once the script was sourced, and the
// line that assigned it, in the script or in conf.d; ok is false if it is not
// set. The error is a *problem.Error: only a shell knows the value, or one of the
// script's functions may change it before it is used.
func (s *Script) Lookup(name string) (v Value, ok bool, err error) {
	if s.unread != nil {
		return Value{}, false, s.unread
	}
	return s.run.lookup(name)
}

// drivers are the variables that start-stop-daemon.sh and supervise-daemon.sh
// start and stop a daemon by.
var drivers = []string{"command", "command_args", "command_args_foreground", "command_args_background", "command_background",
	"command_user", "pidfile", "procname", "directory", "chroot", "umask", "supervisor", "output_log", "error_log",
	"start_stop_daemon_args", "supervise_daemon_args", "retry", "stopsig"}

// Declarative returns nil if the daemon is started and stopped by variables
// alone, each of them certain. Otherwise it returns a *problem.Error at the script's own
// start() or stop(), at the value that is in doubt, or at the missing command.
func (s *Script) Declarative() error {
	if s.unread != nil {
		return s.unread
	}
	own, err := s.OwnStart()
	if err != nil {
		return err
	}
	for _, name := range []string{"stop", "default_start", "default_stop"} {
		if pos, ok := s.Funcs[name]; ok {
			return &problem.Error{Pos: pos, Msg: "the script has its own " + name + "(), so its variables do not say what it runs",
				Hint: "such a service can be run by OpenRC only"}
		}
	}
	for _, name := range started {
		if pos, ok := s.Funcs[name]; ok {
			return &problem.Error{Pos: pos, Msg: "the script has its own " + name + "(), which OpenRC calls when it starts the daemon",
				Hint: "such a service can be run by OpenRC only"}
		}
	}
	if s.sh.foreignFuncs {
		return s.sh.foreign(s.Path)
	}
	if own != nil {
		return nil // which does not ask the variables
	}
	for _, name := range drivers {
		if _, _, err := s.Lookup(name); err != nil {
			return err
		}
	}
	if v, _, _ := s.Lookup("command"); v.Text == "" {
		return &problem.Error{Pos: problem.Pos{File: s.Path}, Msg: "sets no command=, so there is no daemon to run"}
	}
	switch v, _, _ := s.Lookup("supervisor"); v.Text {
	case "", "start-stop-daemon", "supervise-daemon":
		return nil
	default:
		return &problem.Error{Pos: v.Pos, Msg: fmt.Sprintf("supervisor=%q is neither start-stop-daemon nor supervise-daemon", v.Text)}
	}
}

// foreign is the error for a script that sources files which may define any function.
func (sh *shell) foreign(path string) error {
	if sh.allDoubt != nil {
		return sh.allDoubt
	}
	return &problem.Error{Pos: problem.Pos{File: path}, Msg: "sources another file, which may define start()"}
}
