package services

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// Member is a unit that is to be taken into another domain, as its file or systemd has it.
type Member struct {
	// Name is the unit's.
	Name string
	// Active is true for one that runs or waits, or that systemd is about to start again.
	Active bool
	// Start is true for one that is started although it is not active.
	Start bool
	// Idle is true for a socket that does not start with the machine, and that somebody may have
	// started all the same.
	Idle bool
	// Along is true for a unit that stays where it is, and that systemd stops with one that does
	// not.
	Along bool
	// Connection is true for an instance that serves one connection of a socket, and that nothing
	// else starts. It goes on where it is.
	Connection bool
	// Commands is true if its stop runs commands of its own.
	Commands bool
	// Keeps is true if systemd keeps its sockets over a restart, and Preserves if it does so while
	// it is stopped, too.
	Keeps, Preserves bool
	// Gone is true for a unit that there is no file of any more when systemd has read again.
	Gone bool
	// NoStart and NoStop are true if it refuses to be started, or stopped, by hand.
	NoStart, NoStop bool
}

// FDStoreKept is the first systemd that keeps sockets of a unit that is stopped, and that can be
// told to forget them (FileDescriptorStorePreserve=, systemd.service(5)).
const FDStoreKept = 254

// MemberOf reads a unit's file, for some version of systemd or 0. It is taken to be active.
func MemberOf(u *systemd.Unit, version int) Member {
	m := Member{Name: u.Name, Active: true, Commands: strings.HasPrefix(u.Path, "/etc/init.d/")}
	for _, section := range []string{"Service", "Socket"} {
		for _, key := range []string{"ExecStop", "ExecStopPre", "ExecStopPost"} {
			m.Commands = m.Commands || len(u.All(section, key)) > 0
		}
	}
	_, m.Keeps = stores(u)
	preserves, _ := systemd.ParseBool(u.Last("Service", "FileDescriptorStorePreserve"))
	m.Preserves = m.Keeps && preserves && (version == 0 || version >= FDStoreKept)
	m.NoStart, _, _ = u.Bool("Unit", "RefuseManualStart")
	m.NoStop, _, _ = u.Bool("Unit", "RefuseManualStop")
	return m
}

// AsGone is the member without its file: it is stopped while systemd still has its commands, and
// cannot be started.
func (m Member) AsGone() Member {
	m.Gone, m.NoStart, m.Commands = true, true, true
	return m
}

// Again is how units of systemd are taken into another domain. They are restarted, or stopped and
// started where a restart would not do.
type Again struct {
	stop, start []string
	restarts    bool     // and nothing else
	before      bool     // they are stopped before systemd reads the new line
	forget      []string // units of which systemd keeps sockets while they are stopped
	idle        []string // sockets that are restarted if they are active, and else not started
	refuse      []string // units that cannot be stopped by hand
}

// Take returns how the units are taken into another domain.
//
// What a unit runs at its stop runs in the domain of which systemd has read by then: where one that
// runs has such commands, it is stopped first. A socket is restarted only while its service does
// not run, so they are stopped and started; so is what systemd keeps sockets of. What it stops with
// these is started again: a restart does that by itself.
func Take(members []Member) Again {
	a := Again{restarts: true}
	var along []string
	for _, m := range members {
		switch {
		case m.Along:
			if !m.NoStart && !m.Connection {
				along = append(along, m.Name)
			}
			continue
		case m.Connection:
			continue
		case m.Idle:
			a.idle, a.restarts = append(a.idle, m.Name), false
			continue
		}
		if m.Active {
			a.stop = append(a.stop, m.Name)
			a.before = a.before || m.Commands
			a.restarts = a.restarts && !m.Commands && !m.Keeps && !m.NoStart && !isSocket(m.Name)
			if m.NoStop {
				a.refuse = append(a.refuse, m.Name)
			}
			if m.Preserves {
				a.forget = append(a.forget, m.Name)
			}
		}
		if (m.Active || m.Start) && !m.NoStart {
			a.start = append(a.start, m.Name)
		}
	}
	if !a.restarts {
		a.start = append(a.start, along...)
	}
	a.stop, a.start = SocketsFirst(a.stop), SocketsFirst(a.start)
	return a
}

// Cannot says what only the administrator can do, or "".
func (a Again) Cannot() string {
	if len(a.refuse) == 0 {
		return ""
	}
	return operands(a.refuse) + " cannot be stopped by hand (RefuseManualStop=): systemctl daemon-reload, and then reboot, or kill its main process"
}

// String is the commands, a line for a shell; or what only the administrator can do.
func (a Again) String() string { return a.text("{ ", "; ", "; }") }

// Strict is String, and the line fails too if systemd does not forget sockets, which keeps nothing
// from being started.
func (a Again) Strict() string {
	return a.text("{ failed=; ", " || failed=1; ", "; } && [ -z \"$failed\" ]")
}

// text is the line; the words stand before, between and behind what makes systemd forget and the
// start.
func (a Again) text(before, between, behind string) string {
	if cannot := a.Cannot(); cannot != "" {
		return cannot
	}
	verb := func(verb string, units []string) (commands []string) {
		if len(units) > 0 {
			commands = []string{"systemctl " + verb + " " + operands(units)}
		}
		return commands
	}
	reload := []string{"systemctl daemon-reload"}
	if a.restarts {
		return strings.Join(append(reload, verb("restart", a.start)...), " && ")
	}
	commands := append(reload, verb("stop", a.stop)...)
	if a.before {
		commands = append(verb("stop", a.stop), reload...)
	}
	start := slices.Concat(verb("try-restart", a.idle), verb("start", a.start))
	forget := verb("clean --what=fdstore", a.forget)
	if len(forget) > 0 && len(start) > 0 {
		return strings.Join(append(commands, before+forget[0]+between+strings.Join(start, " && ")+behind), " && ")
	}
	return strings.Join(slices.Concat(commands, forget, start), " && ")
}

// ReopenSocket is the command by which a socket that waits for its first connection is taken into
// another domain.
func ReopenSocket(unit string) string {
	return "systemctl daemon-reload && systemctl restart " + operands([]string{unit})
}

// operands are the names of units for a shell.
func operands(units []string) string { return problem.Command(problem.Operands(units)...) }

// SocketsFirst orders the names of units, so that a service starts with its sockets.
func SocketsFirst(units []string) []string {
	sockets := slices.DeleteFunc(slices.Clone(units), func(u string) bool { return !isSocket(u) })
	return append(sockets, slices.DeleteFunc(slices.Clone(units), isSocket)...)
}

func isSocket(unit string) bool { return path.Ext(unit) == ".socket" }
