package services

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// Again is how units of systemd are taken into another domain: they are restarted, or stopped and
// started where a restart would not do. The zero value is for those of which systemd keeps nothing.
type Again struct {
	keeps  bool     // sockets, over a restart
	forget []string // units of which it keeps them while they are stopped, too
	idle   []string // sockets that are not started with the machine, and that somebody may have
}

// With adds sockets that are restarted if they are active, and else not started.
func (a Again) With(idle []string) Again {
	a.idle = idle
	return a
}

// AgainOf reads what systemd keeps of units over a restart.
func AgainOf(units []*systemd.Unit) (a Again) {
	for _, u := range units {
		if _, ok := stores(u); !ok {
			continue
		}
		a.keeps = true
		if u.Last("Service", "FileDescriptorStorePreserve") == "yes" {
			a.forget = append(a.forget, u.Name)
		}
	}
	return a
}

// Of returns the commands for units, of which sockets stand first: see [SocketsFirst]. A socket is
// restarted only while its service does not run, so they are stopped. words are the units for a
// shell: see [problem.Operands].
func (a Again) Of(units []string, words string) string {
	if !a.keeps && len(a.idle) == 0 && !slices.ContainsFunc(units, isSocket) {
		return "systemctl restart " + words
	}
	commands := []string{"systemctl stop " + words}
	if len(a.forget) > 0 {
		commands = append(commands, "systemctl clean --what=fdstore "+operands(a.forget))
	}
	if len(a.idle) > 0 {
		commands = append(commands, "systemctl try-restart "+operands(a.idle))
	}
	return strings.Join(append(commands, "systemctl start "+words), " && ")
}

// ReopenSocket is the command by which a socket that waits for its first connection is taken into
// another domain.
func ReopenSocket(unit string) string {
	return Reload + "systemctl restart " + operands([]string{unit})
}

// Reload is what comes before.
const Reload = "systemctl daemon-reload && "

// operands are the names of units for a shell.
func operands(units []string) string { return problem.Command(problem.Operands(units)...) }

// SocketsFirst orders the names of units, so that a service starts with its sockets.
func SocketsFirst(units []string) []string {
	sockets := slices.DeleteFunc(slices.Clone(units), func(u string) bool { return !isSocket(u) })
	return append(sockets, slices.DeleteFunc(slices.Clone(units), isSocket)...)
}

func isSocket(unit string) bool { return path.Ext(unit) == ".socket" }
