// Package native is the bed of the tests that need a booted init system, and no
// kernel of their own: a Debian release as pid 1 of its own namespaces, with
// processes, links, mounts and cgroups of its own, at the speed of the machine.
//
// The file system of a release is made once for each content hash into a cache
// folder. A machine is a layer over it, in memory. What the test leaves in it
// dies with it, also if the test is killed.
package native

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/test/guest"
	"rdgen/test/guest/wire"
	"rdgen/test/need"
)

// System is one kind of machine.
type System struct {
	Release string // Debian's code name, or guest.Alpine
	Init    guest.Init
	// Packages are more than all machines have: see customize-more.
	Packages string
}

// String returns "trixie-openrc".
func (s System) String() string { return s.Release + "-" + string(s.Init) }

// inits are what is executed as pid 1, and how it is told to shut down and boot
// again.
var inits = map[guest.Init]struct{ init, reboot []string }{
	guest.Systemd: {[]string{"/usr/lib/systemd/systemd", "--system", "--show-status=no"}, []string{"/sbin/reboot"}},
	guest.OpenRC:  {[]string{share + "/keeper", "openrc"}, []string{"/bin/kill", "1"}},
}

// share is where the machine sees what it has in common with the test.
const share = "/usr/lib/rdgen-test"

// A machine that has not greeted by then is dead. It takes a second; this is not
// a measurement but the end of hope.
const bootLimit = 20 * time.Minute

// Machine is a running machine. Its methods fail the test that they are given.
type Machine struct {
	guest.Guest
	System System

	dir    string // everything of this machine that is a file
	cgroup string
	agents *net.UnixListener
	began  time.Time
	keeper *exec.Cmd
	orders io.WriteCloser // of the keeper: a line boots
	ended  *bufio.Reader  // a line of the keeper: what was booted has ended
	dead   chan struct{}  // closed when it has
	up     bool           // there is an agent to ask
}

// Boot returns a machine of the kind s that is up and answers. It skips t where
// a machine cannot be had here, or fails it where RDGEN_REQUIRE lists the layer
// native, or native-RELEASE. The machine ends with t, and its console and logs
// are kept if t failed.
func Boot(t testing.TB, s System) *Machine {
	t.Helper()
	layer := need.Native + "-" + s.Release
	if s.Release == guest.Alpine {
		need.Tools(t, layer, "pip", "qemu-img", "debugfs")
	} else {
		need.Tools(t, layer, "mmdebstrap")
	}
	need.Uid0(t)
	root, err := findRoot(s, t.Logf)
	if err != nil {
		need.Missing(t, layer, err.Error())
	}
	cgroup, err := newCgroup()
	if err != nil {
		need.Missing(t, layer, err.Error())
	}
	m := &Machine{Guest: guest.Guest{Name: s.String(), Release: s.Release, Init: s.Init}, System: s, cgroup: cgroup}
	t.Cleanup(func() { m.end(t) })
	if err := m.start(root); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	if err := m.boot(); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return m
}

// start starts the keeper of the machine.
func (m *Machine) start(root string) (err error) {
	if m.dir, err = os.MkdirTemp("", "rdgen-native-"+m.Name+"-"); err != nil {
		return err
	}
	if err := os.Chmod(m.dir, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(m.path("share"), 0o755); err != nil {
		return err
	}
	program, err := need.Program("test/native/keeper")
	if err != nil {
		return err
	}
	if m.agents, err = net.ListenUnix("unix", &net.UnixAddr{Name: m.path("share", "agent.sock"), Net: "unix"}); err != nil {
		return err
	}
	m.began = time.Now()
	m.keeper = exec.Command(program, append([]string{"keep", root, m.dir, m.cgroup}, inits[m.Init].init...)...)
	// It outlives a test that is killed with all of its group, for as long as it
	// needs to clean up: its input ends.
	m.keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNS}
	log, err := os.Create(m.path("keeper.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	m.keeper.Stderr = log
	if m.orders, err = m.keeper.StdinPipe(); err != nil {
		return err
	}
	out, err := m.keeper.StdoutPipe()
	if err != nil {
		return err
	}
	m.ended = bufio.NewReader(out)
	return m.keeper.Start()
}

// boot boots the machine and waits until it answers.
func (m *Machine) boot() error {
	if _, err := fmt.Fprintln(m.orders, "boot"); err != nil {
		return fmt.Errorf("%w: %s", err, m.lastWords())
	}
	dead := make(chan struct{})
	m.dead = dead
	go func() {
		m.ended.ReadString('\n') // or the keeper is gone
		m.agents.SetDeadline(time.Now())
		close(dead)
	}()
	m.agents.SetDeadline(time.Now().Add(bootLimit))
	agent, err := m.agents.Accept()
	if err != nil {
		return fmt.Errorf("it does not boot: %s", m.lastWords())
	}
	m.Connect(guest.Connection{Agent: agent, Dead: dead, LastWords: m.lastWords})
	m.up = true
	return m.Greeted(bootLimit)
}

func (m *Machine) path(names ...string) string {
	return filepath.Join(append([]string{m.dir}, names...)...)
}

// lastWords are the end of what the keeper and the console say.
func (m *Machine) lastWords() string {
	var lines []string
	for _, name := range []string{"keeper.log", "share/console.log"} {
		text, _ := os.ReadFile(m.path(name))
		lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	return strings.Join(lines[max(0, len(lines)-8):], " | ")
}

// Reboot lets the machine shut down by its init system and boots it again with
// the same files.
func (m *Machine) Reboot(t testing.TB) {
	t.Helper()
	// The answer may or may not come before the machine is gone.
	m.Ask(wire.Request{Argv: inits[m.Init].reboot, Timeout: guest.CommandLimit}, 10*time.Second)
	select {
	case <-m.dead:
	case <-time.After(guest.CommandLimit):
		t.Fatalf("%s: did not shut down: %s", m.Name, m.lastWords())
	}
	if err := m.boot(); err != nil {
		t.Fatalf("%s: after a reboot: %v", m.Name, err)
	}
}

// logs are the commands whose output is kept of a machine in which a test
// failed.
var logs = map[guest.Init]string{
	guest.OpenRC:  "cat /var/log/rc.log; rc-status -a",
	guest.Systemd: "journalctl --no-pager -n 3000; systemctl --no-pager --failed",
}

// used is for how long all that ran in the machine computed (cgroup-v2.rst, cpu.stat).
func (m *Machine) used() time.Duration {
	text, _ := os.ReadFile(filepath.Join(m.cgroup, "cpu.stat"))
	var us int64
	fmt.Sscanf(string(text), "usage_usec %d", &us)
	return time.Duration(us) * time.Microsecond
}

// end stops the machine. Of one in which a test failed it keeps the console and
// the logs, and says where.
func (m *Machine) end(t testing.TB) {
	if m.keeper == nil || m.keeper.Process == nil {
		os.RemoveAll(m.dir)
		return
	}
	if t.Failed() && m.up {
		r, err := m.Ask(wire.Request{Argv: []string{"/bin/sh", "-c", logs[m.Init]}, Timeout: time.Minute}, time.Minute)
		if err != nil {
			r.Stderr = fmt.Append(r.Stderr, err, "\n")
		}
		os.WriteFile(m.path("guest.log"), append(r.Stdout, r.Stderr...), 0o644)
	}
	used := m.used()
	m.orders.Close()
	if m.dead != nil {
		<-m.dead
	}
	if err := m.keeper.Wait(); err != nil {
		t.Errorf("%s: %v: %s", m.Name, err, m.lastWords())
	}
	m.agents.Close()
	t.Logf("%s: the machine ran %.0f s, on processors %.0f s", m.Name, time.Since(m.began).Seconds(), used.Seconds())
	if t.Failed() {
		t.Logf("%s: share/console.log and guest.log are kept in %s", m.Name, m.dir)
		return
	}
	os.RemoveAll(m.dir)
}
