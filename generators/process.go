package generators

import (
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// process is a service as one process in the foreground, which is what a
// supervisor runs: read from an OpenRC script or from a systemd unit.
type process struct {
	// Pos is the program's place, for messages.
	Pos problem.Pos
	// User and Group are names or numbers. Without a group it is the user's own. The
	// supplementary groups are the user's, but with Alone, and Groups.
	User, Group string
	Alone       bool
	Groups      []string
	// Home: the environment has the user's home.
	Home bool
	// Dir is the working directory, and "~" the home of the user. With
	// DirOptional it is "/" where that one is not there.
	Dir         string
	DirOptional bool
	// Umask is octal.
	Umask string
	// Folders are made before all else.
	Folders  []folder
	Env      []variable
	EnvFiles []envFile
	// Unset are variables that are not there, whoever set them.
	Unset   []string
	Imports []imported
	// Wrappers are words before the program, that do something as root: limits and
	// priorities.
	Wrappers [][]string
	// Setpriv are the arguments of setpriv(1), that take rights away; with Raise
	// they leave some to a user, which only root can do.
	Setpriv []string
	Raise   bool
	// Files are what standard input, output and error are instead.
	Files []redirection
	// Before is run before the program, and After when it has ended.
	Before, After []command
	// AfterImports are the Imports of After.
	AfterImports []imported
	// Prog is the program and its arguments. A word may hold ${NAME} or $NAME
	// of Imports. Name is argv[0] if that is another.
	Prog []string
	Name string
	// NotifyFD is where it says that it is ready, by a newline; 0 is nowhere. With
	// NotifySocket it speaks sd_notify(3), and s6 has to listen.
	NotifyFD     int
	NotifySocket bool
	// DownSignal and ReloadSignal are names; "" is SIGTERM and SIGHUP.
	DownSignal, ReloadSignal string
	// TimeoutUp is how long it may take to be ready; TimeoutKill after which time a stop
	// kills it, and TimeoutDown after which it has failed, in milliseconds; 0 is for ever.
	TimeoutUp, TimeoutKill, TimeoutDown int
	// TimeoutFinish is how long After may take, and less than 0 is for ever.
	TimeoutFinish int
	// Notes say what is not carried over.
	Notes []string
}

// folder is a directory of the service, or a file. Without a mode an old one keeps its own, and
// a new one has New.
type folder struct {
	Path, Mode, New, Owner string
	// File: it is an empty file, and made only where there is none.
	File bool
	// Removed: when the service has stopped.
	Removed bool
}

type redirection struct {
	FD   int
	Path string
}

// command is one that belongs to the service, run in its domain.
type command struct {
	Words []string
	// Name is argv[0] if that is another than the program.
	Name string
	// Root: not as the service's user, with all of root's rights, and no limit of the
	// service; AsRoot: only not as its user.
	Root, AsRoot bool
	// Optional: that it fails is no failure.
	Optional bool
	// Decides: where it fails, the service is not run, and not tried again.
	Decides bool
}

// setpriv adds an option of setpriv(1), which takes each but once.
func (p *process) setpriv(option string, value ...string) {
	p.Setpriv = slices.DeleteFunc(p.Setpriv, func(o string) bool { return o == option || strings.HasPrefix(o, option+"=") })
	p.Setpriv = append(p.Setpriv, strings.Join(append([]string{option}, value...), "="))
}

type variable struct{ Name, Value string }

type envFile struct {
	Path     string
	Optional bool
}

// imported is an environment variable whose value replaces $Name in Prog.
type imported struct {
	Var, Name string
	Split     bool
}

// notes returns the notes for the user, each with its place.
func (p process) notes() []string {
	var notes []string
	for _, n := range p.Notes {
		notes = append(notes, p.Pos.File+": "+n)
	}
	return notes
}

// processOf reads the program of a service that has no source directory.
func processOf(s S6) (process, error) {
	if s.Script != nil {
		return scriptProcess(s.Script, s.NotifySocket)
	}
	unit := *s.Unit
	unit.Settings = slices.DeleteFunc(slices.Clone(unit.Settings), func(set systemd.Setting) bool {
		return set.DropIn() == systemd.DropIn || set.DropIn() == systemd.EarlierDropIn // rdgen's own, of the same domain
	})
	if err := leaves(&unit, s.Domain, true); err != nil {
		return process{}, err
	}
	p, err := unitProcess(&unit, s.EnvFiles, s.NotifySocket)
	if len(s.Sockets) > 0 {
		p.Notes = append(p.Notes, "systemd hands it what "+strings.Join(s.Sockets, ", ")+
			" listens on, and s6 hands it nothing: it has to open its sockets itself; if it cannot, write its source directory by hand")
	}
	return p, err
}

// listen makes the process one that says by sd_notify(3) that it is ready, if s6
// can listen to that.
func (p *process) listen(setting string, can bool) {
	if !can {
		p.Notes = append(p.Notes, "readiness ("+setting+") is not carried over: there is no s6-notify-fd-from-socket (s6 2.15) here")
		return
	}
	p.NotifyFD, p.NotifySocket = 3, true
	p.Notes = append(p.Notes, "readiness ("+setting+"): s6 up to 2.15.1 hears READY=1 only with a newline after it; "+
		"if the service never becomes ready, remove notification-fd and s6-notify-fd-from-socket")
}
