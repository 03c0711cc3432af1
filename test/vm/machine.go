package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rdgen/test/vm/wire"
)

// Machine is a running guest. Its methods fail the test that they are given.
type Machine struct {
	System System

	program emulator
	image   image
	state   string // the folder of the booted state that it was made from
	dir     string // everything of this machine: console, disk layer, sockets
	q       *qemu
	conn    *conn
}

// Output is what a command in the guest did.
type Output struct {
	Stdout, Stderr string
	Code           int
}

func newMachine(program emulator, img image, state string) (*Machine, error) {
	dir, err := os.MkdirTemp("", "rdgen-vm-"+img.system.String()+"-")
	if err != nil {
		return nil, err
	}
	m := &Machine{System: img.system, program: program, image: img, state: state, dir: dir}
	if err := os.Symlink(filepath.Join(state, "initramfs"), m.path("initramfs")); err != nil {
		return nil, err
	}
	return m, program.overlay(m.path("disk.qcow2"), filepath.Join(state, stateDisk), "qcow2")
}

func (m *Machine) path(name string) string { return filepath.Join(m.dir, name) }

// start lets the machine go on from its booted state.
func (m *Machine) start() (err error) {
	memory := strings.ReplaceAll(filepath.Join(m.state, stateMemory), "'", `'\''`)
	if m.q, err = run(m.program, m.dir, m.image, "-incoming", "exec:cat '"+memory+"'"); err != nil {
		return err
	}
	m.conn = newConn(m.q)
	_, err = m.conn.ask(wire.Request{Argv: []string{"/bin/true"}}, bootLimit)
	return err
}

// Run runs argv in the guest as root. A command that could not be run, or did
// not end, fails t; its exit code is the caller's to judge.
func (m *Machine) Run(t testing.TB, argv ...string) Output { t.Helper(); return m.RunAs(t, 0, argv...) }

// RunAs is Run as the user and group of the given number.
func (m *Machine) RunAs(t testing.TB, uid uint32, argv ...string) Output {
	t.Helper()
	return m.run(t, wire.Request{Argv: argv, UID: uid})
}

func (m *Machine) run(t testing.TB, r wire.Request) Output {
	t.Helper()
	r.Timeout = commandLimit
	reply, err := m.conn.ask(r, commandLimit+30*time.Second)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", m.System, strings.Join(r.Argv, " "), err, reply.Stdout, reply.Stderr)
	}
	return Output{string(reply.Stdout), string(reply.Stderr), reply.Code}
}

// Sh runs a shell script in the guest as root and returns what it printed. A
// script that does not end with 0 fails t.
func (m *Machine) Sh(t testing.TB, script string) string {
	t.Helper()
	out := m.Run(t, "/bin/sh", "-euc", script)
	if out.Code != 0 {
		t.Fatalf("%s: exit %d of\n%s\n%s%s", m.System, out.Code, script, out.Stdout, out.Stderr)
	}
	return out.Stdout
}

// Put writes a file in the guest, making the folders above it.
func (m *Machine) Put(t testing.TB, path string, mode os.FileMode, data []byte) {
	t.Helper()
	if _, err := m.conn.ask(wire.Request{Put: path, Mode: uint32(mode), Data: data}, commandLimit); err != nil {
		t.Fatalf("%s: put %s: %v", m.System, path, err)
	}
}

// Get reads a file of the guest.
func (m *Machine) Get(t testing.TB, path string) []byte {
	t.Helper()
	r, err := m.conn.ask(wire.Request{Get: path}, commandLimit)
	if err != nil {
		t.Fatalf("%s: get %s: %v", m.System, path, err)
	}
	return r.Data
}

// Reboot lets the guest shut down by its init system and boots it again on the
// same disk.
func (m *Machine) Reboot(t testing.TB) {
	t.Helper()
	// The answer may or may not come before the guest is gone.
	m.conn.ask(wire.Request{Argv: []string{"/sbin/reboot"}, Timeout: commandLimit}, 10*time.Second)
	select {
	case <-m.q.dead:
	case <-time.After(commandLimit):
		t.Fatalf("%s: did not shut down: %s", m.System, m.q.lastWords())
	}
	m.q.kill()
	q, err := run(m.program, m.dir, m.image)
	if err != nil {
		t.Fatalf("%s: after a reboot: %v", m.System, err)
	}
	m.q, m.conn = q, newConn(q)
	if err := m.conn.greet(); err != nil {
		t.Fatalf("%s: after a reboot: %v", m.System, err)
	}
}

// logs are the commands whose output is kept of a machine in which a test
// failed.
var logs = map[Init]string{
	OpenRC:  "dmesg; cat /var/log/rc.log; rc-status -a",
	Systemd: "journalctl --no-pager -n 3000; systemctl --no-pager --failed",
}

// end stops the machine. Of one in which a test failed it keeps the console and
// the logs, and says where.
func (m *Machine) end(t testing.TB) {
	if m.q != nil && t.Failed() {
		r, err := m.conn.ask(wire.Request{Argv: []string{"/bin/sh", "-c", logs[m.System.Init]}, Timeout: time.Minute}, time.Minute)
		if err != nil {
			r.Stderr = fmt.Append(r.Stderr, err, "\n")
		}
		os.WriteFile(m.path("guest.log"), append(r.Stdout, r.Stderr...), 0o644)
	}
	if m.q != nil {
		m.q.kill()
	}
	if t.Failed() {
		t.Logf("%s: console.log and guest.log are kept in %s", m.System, m.dir)
		for _, name := range []string{"disk.qcow2", "initramfs", "agent.sock", "monitor.sock"} {
			os.Remove(m.path(name))
		}
		return
	}
	os.RemoveAll(m.dir)
}
