package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rdgen/test/vm/wire"
)

// Machine is a running guest. Its methods fail the test that they are given.
type Machine struct {
	System System

	image image
	qemu  string
	dir   string // everything of this machine: console, disk layer, socket
	cmd   *exec.Cmd
	conn  net.Conn
	out   *json.Encoder
	dead  chan struct{} // closed when QEMU has ended

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan wire.Reply
}

// A guest that has not greeted by then is dead. Emulated machines boot OpenRC
// in a minute; this is not a measurement but the end of hope.
const bootLimit = 6 * time.Minute

// Output is what a command in the guest did.
type Output struct {
	Stdout, Stderr string
	Code           int
}

func start(t *testing.T, qemu string, img image) (*Machine, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rdgen-vm-"+img.system.String()+"-")
	if err != nil {
		return nil, err
	}
	m := &Machine{System: img.system, image: img, qemu: qemu, dir: dir}
	t.Cleanup(func() {
		m.stop()
		if t.Failed() {
			t.Logf("%s: console and logs are kept in %s", m.System, m.dir)
			os.Remove(filepath.Join(m.dir, "disk.qcow2"))
			return
		}
		os.RemoveAll(m.dir)
	})
	agent, err := buildAgent(dir)
	if err != nil {
		return nil, err
	}
	archive, err := initramfs(agent, img.modules)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(m.path("initramfs"), archive, 0o644); err != nil {
		return nil, err
	}
	if err := command("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", img.root, m.path("disk.qcow2")); err != nil {
		return nil, err
	}
	return m, m.boot()
}

func (m *Machine) path(name string) string { return filepath.Join(m.dir, name) }

func buildAgent(dir string) ([]byte, error) {
	binary := filepath.Join(dir, "agent")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "rdgen/test/vm/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the agent does not build: %w\n%s", err, out)
	}
	return os.ReadFile(binary)
}

// boot starts QEMU on the machine's disk and waits for the agent's greeting.
func (m *Machine) boot() error {
	console, err := os.OpenFile(m.path("console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer console.Close()
	socket := m.path("agent.sock")
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	accel := "tcg,thread=multi"
	// With the multi-threaded emulator of QEMU 7.2 the guest's cmpxchg16b goes
	// wrong: 3 of 4 boots of Linux 6.12 ended in an oops.
	cpu := "max,-cx16"
	if os.Getenv("RDGEN_VM_KVM") != "" {
		accel, cpu = "kvm", "host"
	}
	m.cmd = exec.Command(m.qemu, "-accel", accel, "-cpu", cpu, "-m", "1024", "-smp", "2",
		"-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-nic", "none",
		"-kernel", m.image.kernel, "-initrd", m.path("initramfs"), "-append", "console=ttyS0 quiet panic=-1",
		"-drive", "file="+m.path("disk.qcow2")+",format=qcow2,if=virtio,cache=unsafe",
		"-device", "virtio-serial-pci", "-chardev", "socket,id=agent,path="+socket,
		"-device", "virtserialport,chardev=agent,name="+wire.Port)
	m.cmd.Stdout, m.cmd.Stderr = console, console
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.dead = make(chan struct{})
	go func(cmd *exec.Cmd, dead chan struct{}) { cmd.Wait(); close(dead) }(m.cmd, m.dead)
	if m.conn, err = listener.Accept(); err != nil {
		return err
	}
	m.out = json.NewEncoder(m.conn)
	m.mu.Lock()
	m.waiting = map[int]chan wire.Reply{0: make(chan wire.Reply, 1)}
	greeting := m.waiting[0]
	m.mu.Unlock()
	go m.receive(m.conn)
	select {
	case <-greeting:
		return nil
	case <-m.dead:
		return fmt.Errorf("died before its agent answered: %s", m.lastWords())
	case <-time.After(bootLimit):
		m.cmd.Process.Kill()
		return fmt.Errorf("did not boot: %s", m.lastWords())
	}
}

// lastWords are the end of the console.
func (m *Machine) lastWords() string {
	text, _ := os.ReadFile(m.path("console.log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

func (m *Machine) receive(conn net.Conn) {
	in := json.NewDecoder(conn)
	for {
		var r wire.Reply
		if in.Decode(&r) != nil {
			return
		}
		m.mu.Lock()
		if c := m.waiting[r.ID]; c != nil {
			c <- r
			delete(m.waiting, r.ID)
		}
		m.mu.Unlock()
	}
}

// errDead is returned for what was asked of a guest that is no more.
var errDead = errors.New("the guest died")

func (m *Machine) ask(r wire.Request, limit time.Duration) (wire.Reply, error) {
	m.mu.Lock()
	m.nextID++
	r.ID = m.nextID
	answer := make(chan wire.Reply, 1)
	m.waiting[r.ID] = answer
	err := m.out.Encode(r)
	m.mu.Unlock()
	if err != nil {
		return wire.Reply{}, err
	}
	select {
	case reply := <-answer:
		if reply.Error != "" {
			return reply, errors.New(reply.Error)
		}
		return reply, nil
	case <-m.dead:
		return wire.Reply{}, fmt.Errorf("%w: %s", errDead, m.lastWords())
	case <-time.After(limit):
		return wire.Reply{}, fmt.Errorf("no answer in %v", limit)
	}
}

// commandLimit is how long a command in the guest may take. It is there so that
// a guest that hangs fails its test, not to measure anything.
const commandLimit = 3 * time.Minute

// Run runs argv in the guest as root. A command that could not be run, or did
// not end, fails t; its exit code is the caller's to judge.
func (m *Machine) Run(t *testing.T, argv ...string) Output { t.Helper(); return m.RunAs(t, 0, argv...) }

// RunAs is Run as the user and group of the given number.
func (m *Machine) RunAs(t *testing.T, uid uint32, argv ...string) Output {
	t.Helper()
	r, err := m.ask(wire.Request{Argv: argv, UID: uid, Timeout: commandLimit}, commandLimit+30*time.Second)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", m.System, strings.Join(argv, " "), err, r.Stdout, r.Stderr)
	}
	return Output{string(r.Stdout), string(r.Stderr), r.Code}
}

// Sh runs a shell script in the guest as root and returns what it printed. A
// script that does not end with 0 fails t.
func (m *Machine) Sh(t *testing.T, script string) string {
	t.Helper()
	out := m.Run(t, "/bin/sh", "-euc", script)
	if out.Code != 0 {
		t.Fatalf("%s: exit %d of\n%s\n%s%s", m.System, out.Code, script, out.Stdout, out.Stderr)
	}
	return out.Stdout
}

// Put writes a file in the guest, making the folders above it.
func (m *Machine) Put(t *testing.T, path string, mode os.FileMode, data []byte) {
	t.Helper()
	if _, err := m.ask(wire.Request{Put: path, Mode: uint32(mode), Data: data}, commandLimit); err != nil {
		t.Fatalf("%s: put %s: %v", m.System, path, err)
	}
}

// Get reads a file of the guest.
func (m *Machine) Get(t *testing.T, path string) []byte {
	t.Helper()
	r, err := m.ask(wire.Request{Get: path}, commandLimit)
	if err != nil {
		t.Fatalf("%s: get %s: %v", m.System, path, err)
	}
	return r.Data
}

// Install builds the three programs and puts them into /usr/bin and /usr/sbin
// of the guest.
func (m *Machine) Install(t *testing.T) {
	t.Helper()
	for _, p := range []struct{ name, dir string }{{"rdgen", "/usr/bin"}, {"rdomain", "/usr/sbin"}, {"rdexec", "/usr/sbin"}} {
		binary := m.path(p.name)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "rdgen/cmd/"+p.name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", p.name, err, out)
		}
		data, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, p.dir+"/"+p.name, 0o755, data)
	}
}

// Reboot lets the guest shut down by its init system and boots it again on the
// same disk.
func (m *Machine) Reboot(t *testing.T) {
	t.Helper()
	// The answer may or may not come before the guest is gone.
	m.ask(wire.Request{Argv: []string{"/sbin/reboot"}, Timeout: commandLimit}, 10*time.Second)
	select {
	case <-m.dead:
	case <-time.After(commandLimit):
		t.Fatalf("%s: did not shut down: %s", m.System, m.lastWords())
	}
	m.conn.Close()
	if err := m.boot(); err != nil {
		t.Fatalf("%s: after a reboot: %v", m.System, err)
	}
}

func (m *Machine) stop() {
	if m.cmd == nil || m.cmd.Process == nil {
		return
	}
	m.cmd.Process.Kill()
	<-m.dead
	if m.conn != nil {
		m.conn.Close()
	}
}
