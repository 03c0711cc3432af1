package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rdgen/test/guest"
	"rdgen/test/guest/wire"
)

// Machine is a running guest. Its methods fail the test that they are given.
type Machine struct {
	guest.Guest
	System System

	program emulator
	image   image
	state   string // the folder of the booted state that it was made from
	dir     string // everything of this machine: console, disk layer, sockets
	q       *qemu
	began   time.Time
	used    time.Duration // of the processors, by QEMUs that have ended
}

func newMachine(program emulator, img image, state string) (*Machine, error) {
	dir, err := os.MkdirTemp("", "rdgen-vm-"+img.system.String()+"-")
	if err != nil {
		return nil, err
	}
	m := &Machine{Guest: guest.Guest{Name: img.system.String(), Release: img.system.Release, Init: img.system.Init}, System: img.system, program: program, image: img, state: state, dir: dir}
	if err := os.Symlink(filepath.Join(state, "initramfs"), m.path("initramfs")); err != nil {
		return nil, err
	}
	return m, program.overlay(m.path("disk.qcow2"), filepath.Join(state, stateDisk), "qcow2")
}

func (m *Machine) path(name string) string { return filepath.Join(m.dir, name) }

// start lets the machine go on from its booted state.
func (m *Machine) start() (err error) {
	m.began = time.Now()
	memory := strings.ReplaceAll(filepath.Join(m.state, stateMemory), "'", `'\''`)
	if m.q, err = run(m.program, m.dir, m.image, "-incoming", "exec:cat '"+memory+"'"); err != nil {
		return err
	}
	m.Connect(m.q.link())
	_, err = m.Ask(wire.Request{Argv: []string{"/bin/true"}}, bootLimit)
	return err
}

// Reboot lets the guest shut down by its init system and boots it again on the
// same disk.
func (m *Machine) Reboot(t testing.TB) {
	t.Helper()
	// The answer may or may not come before the guest is gone.
	m.Ask(wire.Request{Argv: []string{"/sbin/reboot"}, Timeout: guest.CommandLimit}, 10*time.Second)
	select {
	case <-m.q.dead:
	case <-time.After(guest.CommandLimit):
		t.Fatalf("%s: did not shut down: %s", m.System, m.q.lastWords())
	}
	m.again(t)
}

// Cut takes the machine's power away, once what was written is on its disk, and boots it
// again: half the work of Reboot, and what a router has to come back from too.
func (m *Machine) Cut(t testing.TB) {
	t.Helper()
	m.Sh(t, "sync")
	m.q.kill()
	m.again(t)
}

// again boots a machine that has ended.
func (m *Machine) again(t testing.TB) {
	t.Helper()
	m.stop()
	q, err := run(m.program, m.dir, m.image)
	if err != nil {
		t.Fatalf("%s: after a reboot: %v", m.System, err)
	}
	m.q = q
	m.Connect(q.link())
	if err := m.Greeted(bootLimit); err != nil {
		t.Fatalf("%s: after a reboot: %v", m.System, err)
	}
}

// stop ends the machine's QEMU.
func (m *Machine) stop() {
	m.q.kill()
	m.used += m.q.cmd.ProcessState.UserTime() + m.q.cmd.ProcessState.SystemTime()
}

// logs are the commands whose output is kept of a machine in which a test
// failed.
var logs = map[guest.Init]string{
	OpenRC:  "dmesg; cat /var/log/rc.log; rc-status -a",
	Systemd: "journalctl --no-pager -n 3000; systemctl --no-pager --failed",
}

// end stops the machine. Of one in which a test failed it keeps the console and
// the logs, and says where.
func (m *Machine) end(t testing.TB) {
	if m.q != nil && t.Failed() {
		r, err := m.Ask(wire.Request{Argv: []string{"/bin/sh", "-c", logs[m.System.Init]}, Timeout: time.Minute}, time.Minute)
		if err != nil {
			r.Stderr = fmt.Append(r.Stderr, err, "\n")
		}
		os.WriteFile(m.path("guest.log"), append(r.Stdout, r.Stderr...), 0o644)
	}
	if m.q != nil {
		m.stop()
		// test/report reads it.
		t.Logf("%s: the machine ran %.0f s, on processors %.0f s", m.System, time.Since(m.began).Seconds(), m.used.Seconds())
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
