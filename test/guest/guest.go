// Package guest is what tests do with a machine of theirs, whatever kind it is:
// they run commands in it, put files into it and read them. What is said is
// carried by the agent inside (test/guest/wire).
package guest

import (
	"os"
	"strings"
	"testing"
	"time"

	"rdgen/test/guest/wire"
)

// Init is the init system of a guest.
type Init string

// The init systems that a guest can boot.
const (
	OpenRC  Init = "openrc"
	Systemd Init = "systemd"
)

// Alpine is the release of a guest that is no Debian.
const Alpine = "alpine"

// Guest is a machine that has booted. Its methods fail the test that they are
// given.
type Guest struct {
	Name    string // for messages: "trixie-openrc"
	Release string // Debian's code name, or Alpine
	Init    Init

	conn *conn
}

// Output is what a command in the guest did.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Connect makes link the way to the guest: at first, and after each boot.
func (g *Guest) Connect(link Connection) { g.conn = newConn(link) }

// Greeted waits, no longer than limit, until the agent says that it has started.
func (g *Guest) Greeted(limit time.Duration) error { return g.conn.greet(limit) }

// Ask asks the agent for one thing. The error is ErrDead if there is no answer
// within limit.
func (g *Guest) Ask(r wire.Request, limit time.Duration) (wire.Reply, error) {
	return g.conn.ask(r, limit)
}

// Run runs argv in the guest as root. A command that could not be run, or did
// not end, fails t; its exit code is the caller's to judge.
func (g *Guest) Run(t testing.TB, argv ...string) Output { t.Helper(); return g.RunAs(t, 0, argv...) }

// RunAs is Run as the user and group of the given number.
func (g *Guest) RunAs(t testing.TB, uid uint32, argv ...string) Output {
	t.Helper()
	return g.run(t, wire.Request{Argv: argv, UID: uid})
}

func (g *Guest) run(t testing.TB, r wire.Request) Output {
	t.Helper()
	r.Timeout = CommandLimit
	reply, err := g.conn.ask(r, CommandLimit+30*time.Second)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", g.Name, strings.Join(r.Argv, " "), err, reply.Stdout, reply.Stderr)
	}
	return Output{string(reply.Stdout), string(reply.Stderr), reply.Code}
}

// Sh runs a shell script in the guest as root and returns what it printed. A
// script that does not end with 0 fails t.
func (g *Guest) Sh(t testing.TB, script string) string {
	t.Helper()
	out := g.Run(t, "/bin/sh", "-euc", script)
	if out.Code != 0 {
		t.Fatalf("%s: exit %d of\n%s\n%s%s", g.Name, out.Code, script, out.Stdout, out.Stderr)
	}
	return out.Stdout
}

// Put writes a file in the guest, making the folders above it.
func (g *Guest) Put(t testing.TB, path string, mode os.FileMode, data []byte) {
	t.Helper()
	if _, err := g.conn.ask(wire.Request{Put: path, Mode: uint32(mode), Data: data}, CommandLimit); err != nil {
		t.Fatalf("%s: put %s: %v", g.Name, path, err)
	}
}
