package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/test/need"
)

// many writes the files of n domains with a veth each.
func many(t *testing.T, n int) {
	for i := range n {
		file(t, fmt.Sprintf("s%d", i), fmt.Sprintf("[Link veth0]\nKind=veth\nPeer=s%d\nAddress=10.%d.%d.2/30\nPeerAddress=10.%d.%d.1/30\n"+
			"[Route]\nDestination=default\nGateway=10.%d.%d.1\n", i, 100+i/250, i%250, 100+i/250, i%250, 100+i/250, i%250))
	}
}

// weigh runs rdomain, which must succeed in silence, and returns the most memory
// that it had, in KiB.
func weigh(t *testing.T, args ...string) int64 {
	t.Helper()
	cmd := exec.Command(bin, args...)
	out, err := cmd.CombinedOutput()
	if err != nil || args[0] != "list" && len(out) > 0 {
		t.Fatalf("rdomain %v: %v, %.2000s", args, err, out)
	}
	return int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

// Two thousand domains (before a release, else five hundred) come up, are listed, and go down;
// rdomain needs no more than 16 KiB of memory for each, beside what it needs for a tenth of them.
func TestTwoThousandDomains(t *testing.T) {
	need.Slow(t)
	start(t)
	count := 500
	if need.All() {
		count = 2000
	}
	before := snapshot(t)
	verbs := [][]string{{"up", "--all"}, {"check", "--all"}, {"list", "--json"}, {"down", "--all"}}
	var small []int64
	many(t, count/10)
	for _, args := range verbs {
		small = append(small, weigh(t, args...))
	}
	many(t, count)
	for i, args := range verbs {
		kib := weigh(t, args...)
		t.Logf("rdomain %s: %d MiB for %d domains, %d MiB for %d", strings.Join(args, " "), small[i]>>10, count/10, kib>>10, count)
		if kib > small[i]+16*int64(count) {
			t.Errorf("rdomain %s takes %d KiB for %d domains, %d KiB for %d", strings.Join(args, " "), kib, count, small[i], count/10)
		}
		if args[0] == "up" {
			names, _ := os.ReadDir("/run/netns")
			if len(names) != count {
				t.Errorf("there are %d namespaces; want %d", len(names), count)
			}
		}
	}
	if got := snapshot(t); got != before {
		t.Error("down --all leaves something")
	}
	if left, _ := filepath.Glob("/run/rdomain/*"); len(left) != 0 {
		t.Errorf("%d files are left below /run/rdomain", len(left))
	}
}

// terminal opens a terminal and returns its two ends.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// onTerminal runs rdomain, of which a terminal of that name shows the errors, and returns
// what it shows.
func onTerminal(t *testing.T, name string, args ...string) (said string, cmd *exec.Cmd) {
	t.Helper()
	master, slave := terminal(t)
	cmd = exec.Command(bin, args...)
	cmd.Stderr, cmd.Env = slave, append(os.Environ(), "TERM="+name)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := master.Read(buffer)
		said += string(buffer[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	return said, cmd
}

// On a terminal a line says how far it is, and is taken away in the end; the
// errors come after it, in the order of the names.
func TestAllAndProgress(t *testing.T) {
	start(t)
	before := snapshot(t)
	many(t, 20)
	file(t, "s5", "[Link veth0]\nKind=veth\nPeer=s5\nAddress=10.100.5.2/30\n[Route]\nDestination=default\nGateway=192.0.2.1\n")
	file(t, "zbad", "oops\n")
	said, cmd := onTerminal(t, "xterm", "up", "--all")
	line, errors, _ := strings.Cut(said, "rdomain: fatal: ")
	if !strings.Contains(line, "\r\x1b[K1 of 21 up") || !strings.Contains(line, "21 of 21 up, 2 failed\r\x1b[K") {
		t.Errorf("on a terminal up --all says %q", said)
	}
	if want := "/etc/rdomain/s5.conf:5: ip -n s5 route add default via 192.0.2.1: network is unreachable (Nexthop has invalid gateway)\r\n" +
		"rdomain: fatal: /etc/rdomain/zbad.conf:1: expected KEY=VALUE, found \"oops\"\r\n"; errors != want {
		t.Errorf("up --all fails with %q; want %q", errors, want)
	}
	if code := cmd.ProcessState.ExitCode(); code != 111 {
		t.Errorf("up --all = %d; want 111", code)
	}
	out, stderr, code := rdomain("check", "--all", "--json")
	var reports []struct{ ID string }
	if err := json.Unmarshal([]byte(out), &reports); err != nil || code != 100 || len(reports) != 21 {
		t.Errorf("check --all = %d, %d reports, %v, %s", code, len(reports), err, stderr)
	}
	says(t, 100, "", "rdomain: fatal: --all takes no NAME\nrdomain: hint: rdomain --help shows what is possible\n", "up", "--all", "x")
	// What is up is known without files, and -n says what would be done.
	script, stderr, code := rdomain("down", "-n", "--all")
	if code != 0 || stderr != "" || strings.Count(script, "ip netns delete s") != 19 {
		t.Errorf("down -n --all = %d, %s, %s", code, script, stderr)
	}
	if said, _ := onTerminal(t, "dumb", "reload", "--all"); strings.Contains(said, "\x1b") || !strings.Contains(said, "rdomain: fatal: ") {
		t.Errorf("a dumb terminal is shown %q", said)
	}
	for i := range 20 {
		os.Remove(fmt.Sprintf("/etc/rdomain/s%d.conf", i))
	}
	quiet(t, "down", "--all")
	if got := snapshot(t); got != before {
		t.Errorf("down --all leaves\n%s\nwhere it found\n%s", got, before)
	}
}

// A connection through a link that nobody changed goes on while the domain is
// reloaded, again and again.
func TestTransferRunsAcrossReload(t *testing.T) {
	start(t)
	before := snapshot(t)
	text := func(i int) string {
		return fmt.Sprintf("[Link veth0]\nKind=veth\nPeer=vt\nAddress=10.7.0.2/30\nPeerAddress=10.7.0.1/30\n"+
			"[Link br0]\nKind=bridge\nAddress=10.8.%d.1/24\n[Link veth1]\nKind=veth\nPeer=vu\nMTUBytes=%d\n"+
			"[Route]\nDestination=10.9.%d.0/24\nGateway=10.7.0.1\n[Sysctl]\nnet.ipv4.ip_forward=%d\n", i, 1300+i, i, i%2)
	}
	file(t, "x", text(0))
	quiet(t, "up", "x")
	name, err := domain.ParseNetns("x")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	var listener net.Listener
	err = ns.Inside(func() (err error) {
		listener, err = net.Listen("tcp", "10.7.0.2:7000")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.Dial("tcp", "10.7.0.2:7000")
	if err != nil {
		t.Fatal(err)
	}
	in, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	// The one sends numbers until it is told to stop, the other reads them.
	stop, sent := make(chan struct{}), make(chan uint64, 1)
	go func() {
		var n uint64
		w := bufio.NewWriter(out)
		for {
			select {
			case <-stop:
				w.Flush()
				out.Close()
				sent <- n
				return
			default:
				n++
				_ = binary.Write(w, binary.BigEndian, n)
			}
		}
	}()
	var got atomic.Uint64
	wrong := make(chan error, 1)
	go func() {
		r := bufio.NewReader(in)
		for {
			var n uint64
			if err := binary.Read(r, binary.BigEndian, &n); err != nil {
				if err == io.EOF {
					err = nil
				}
				wrong <- err
				return
			}
			if n != got.Load()+1 {
				wrong <- fmt.Errorf("%d came after %d", n, got.Load())
				return
			}
			got.Store(n)
		}
	}()
	for i := 1; i <= 20; i++ {
		file(t, "x", text(i))
		quiet(t, "reload", "x")
		says(t, 0, "", "", "check", "x")
		for was := got.Load(); got.Load() == was && len(wrong) == 0; { // something arrives after the reload too
			runtime.Gosched()
		}
	}
	close(stop)
	if err := <-wrong; err != nil {
		t.Errorf("the transfer ends with %v", err)
	}
	if n := <-sent; n != got.Load() {
		t.Errorf("%d numbers were sent, %d arrived", n, got.Load())
	}
	in.Close()
	listener.Close()
	ns.Close()
	quiet(t, "down", "x")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves\n%s", got)
	}
}
