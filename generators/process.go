package generators

import "rdgen/problem"

// process is a service as one process in the foreground, which is what a
// supervisor runs: read from an OpenRC script or from a systemd unit.
type process struct {
	// Pos is the program's place, for messages.
	Pos  problem.Pos
	User string // USER or USER:GROUP, or "" for root
	Dir  string
	// Umask is octal, or "" to leave it.
	Umask    string
	Env      []variable
	EnvFiles []envFile
	Imports  []imported
	// Prog is the program and its arguments. A word may hold ${NAME} or $NAME
	// of Imports.
	Prog []string
	// NotifyFD is where it says that it is ready, by a newline; 0 is nowhere. With
	// NotifySocket it speaks sd_notify(3), and s6 has to listen.
	NotifyFD     int
	NotifySocket bool
	// DownSignal and ReloadSignal are names; "" is SIGTERM and SIGHUP.
	DownSignal, ReloadSignal string
	// TimeoutUp and TimeoutKill are in milliseconds; 0 is for ever.
	TimeoutUp, TimeoutKill int
	// Notes say what is not carried over.
	Notes []string
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
	return unitProcess(s.Unit, s.NotifySocket)
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
