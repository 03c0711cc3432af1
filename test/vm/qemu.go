package vm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"rdgen/test/guest"
	"rdgen/test/guest/wire"
)

// What costs an emulated machine most and is not what is tested: instructions that QEMU
// runs byte by byte, a fifth level of page tables, guards at each access to a program's
// memory, and the kernel's against the faults of real processors. Without them
// TestOpenRCFailsClosed takes its machine 18 s of processor where it took 28, and
// TestSystemdVRF 35 s where it took 47.
//
// Each wake of QEMU's main loop takes the processor from the emulated one where the host is
// busy. A tick of low resolution (highres=off) is not set again each time. So that a wake is
// short, the loop waits for the few descriptors that there are: without ioeventfd, and with
// the ports that a machine has, 5 instead of 74.
//
// The guest's clock counts its instructions, 4 ns each, about as fast as a machine is that has
// a processor for itself; where it idles, it is that of the host (-icount). By the host's clock
// a guest that is kept from its processor has its ticks, tries and time limits all the same: on
// a host with a load of 18 TestOpenRCFailsClosed took its machine 49 s of processor, and
// TestSystemdBesideVRF 40 s, where they take 38 and 27 by their own. And no guest measures a
// clock at boot while the host is busy: one had 179 MHz of 2596. The time stamp counter counts
// nanoseconds, and the kernel need not look after it.
const (
	leanProcessor = "max,-erms,-fsrm,-la57,-smap,-smep,-pku,-umip"
	leanKernel    = " mitigations=off hardened_usercopy=off init_on_alloc=0 randomize_kstack_offset=off" +
		" audit=0 nokaslr highres=off nowatchdog tsc=reliable tsc_early_khz=1000000"
)

// arguments returns QEMU's command line for a machine whose files are in its
// working directory. It is part of what a booted state is kept by.
func (img image) arguments() []string {
	// Alpine has two processors, which take turns, for what is only seen then.
	number := "1"
	if img.system.Release == Alpine {
		number = "2"
	}
	processors, kernel := []string{"-accel", "tcg,thread=single", "-icount", "shift=2", "-cpu", leanProcessor, "-smp", number}, leanKernel
	switch {
	case img.system.Timed:
		// 1 ns for each, and as a router runs it.
		processors, kernel = []string{"-accel", "tcg,thread=single", "-icount", "shift=0", "-cpu", "max", "-smp", "1"}, ""
	case os.Getenv("RDGEN_VM_KVM") != "":
		processors = []string{"-accel", "kvm", "-cpu", "host", "-smp", "2"}
	}
	// no_timer_check: where the host is busy, the kernel may see no tick in the moment in
	// which it looks for some, and panics in start_kernel.
	return append(processors, "-m", "1024",
		// What is saved does not say that it was stopped, and runs when it is loaded.
		"-global", "migration.store-global-state=off",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "none",
		"-kernel", img.kernel, "-initrd", "initramfs", "-append", "console=ttyS0 quiet panic=-1 oops=panic no_timer_check"+kernel,
		"-drive", "file=disk.qcow2,format=qcow2,if=none,id=disk,cache=unsafe",
		"-device", "virtio-blk-pci,drive=disk,ioeventfd=off,num-queues=1",
		"-device", "virtio-serial-pci,ioeventfd=off,max_ports=2", "-chardev", "socket,id=agent,path=agent.sock",
		"-device", "virtserialport,chardev=agent,name="+wire.Port,
		"-chardev", "socket,id=monitor,path=monitor.sock,server=on,wait=off", "-mon", "chardev=monitor,mode=control")
}

// qemu is a running QEMU and the agent's end of its console port.
type qemu struct {
	dir   string
	cmd   *exec.Cmd
	agent net.Conn
	dead  chan struct{} // closed when QEMU has ended
}

// A guest that has not greeted by then is dead. Emulated machines boot OpenRC
// in a minute; this is not a measurement but the end of hope.
const bootLimit = 20 * time.Minute

// run starts QEMU in dir, where disk.qcow2 and initramfs are; more is added to
// its arguments.
func run(program emulator, dir string, img image, more ...string) (*qemu, error) {
	console, err := os.OpenFile(filepath.Join(dir, "console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer console.Close()
	// The path of a socket has at most 107 bytes, a relative one always fits;
	// but a relative one is for whoever is in dir.
	socket := filepath.Join(dir, "agent.sock")
	os.Remove(socket)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	q := &qemu{dir: dir, dead: make(chan struct{})}
	q.cmd = program.machine(append(img.arguments(), more...)...)
	q.cmd.Dir = dir
	q.cmd.Stdout, q.cmd.Stderr = console, console
	q.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// A test that is killed takes its machines with it. The parent that
		// must not die is the thread (PR_SET_PDEATHSIG(2const)).
		runtime.LockOSThread()
		err := q.cmd.Start()
		if started <- err; err == nil {
			q.cmd.Wait()
		}
		close(q.dead)
		listener.Close()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	if q.agent, err = listener.Accept(); err != nil {
		q.kill()
		return nil, fmt.Errorf("QEMU did not start: %s", q.lastWords())
	}
	return q, nil
}

// link is the way to the agent of the machine that q runs.
func (q *qemu) link() guest.Connection {
	return guest.Connection{Agent: q.agent, Dead: q.dead, LastWords: q.lastWords}
}

func (q *qemu) kill() {
	q.cmd.Process.Kill()
	<-q.dead
	if q.agent != nil {
		q.agent.Close()
	}
}

// lastWords are the end of the console.
func (q *qemu) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(q.dir, "console.log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

// save writes the machine's memory to the file state in its folder and ends it. The
// machine is stopped first: the multi-threaded emulator may miss a page that is
// written while memory is copied (seen: the free list of an allocator, broken in
// every machine that was loaded from it).
func (q *qemu) save() error {
	conn, err := net.Dial("unix", filepath.Join(q.dir, "monitor.sock"))
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(bootLimit))
	in := bufio.NewReader(conn)
	var answer struct {
		Return struct{ Status string }
		Error  *struct{ Desc string }
	}
	// ask sends one command; what is no answer to it is an event.
	ask := func(command string) error {
		if _, err := fmt.Fprintln(conn, command); err != nil {
			return err
		}
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return err
			}
			answer.Error = nil
			if err := json.Unmarshal(line, &answer); err != nil {
				return err
			}
			if answer.Error != nil {
				return fmt.Errorf("%s: %s", command, answer.Error.Desc)
			}
			if strings.HasPrefix(string(line), `{"return"`) {
				return nil
			}
		}
	}
	for _, command := range []string{`{"execute":"qmp_capabilities"}`, `{"execute":"stop"}`,
		`{"execute":"migrate","arguments":{"uri":"exec:cat >state"}}`} {
		if err := ask(command); err != nil {
			return err
		}
	}
	for answer.Return.Status != "completed" {
		if answer.Return.Status == "failed" {
			return fmt.Errorf("migrate: failed: %s", q.lastWords())
		}
		time.Sleep(50 * time.Millisecond)
		if err := ask(`{"execute":"query-migrate"}`); err != nil {
			return err
		}
	}
	if err := ask(`{"execute":"quit"}`); err != nil {
		return err
	}
	<-q.dead
	q.agent.Close()
	return nil
}
