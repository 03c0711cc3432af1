package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/lifecycle"
)

// buffer is what a process that runs has said so far.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// watching runs rdomain watch until the test ends, and returns what it says.
func watching(t *testing.T, args ...string) *buffer {
	t.Helper()
	said := new(buffer)
	cmd := exec.Command(bin, append([]string{"watch"}, args...)...)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("rdomain watch: %v\n%s", err, said)
		}
	})
	return said
}

// sh runs a script.
func sh(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.Command("sh", "-euc", script).CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v\n%s", script, err, out)
	}
}

// awaitTrue waits until a script succeeds, ten seconds at most, since a test must end.
func awaitTrue(t *testing.T, said *buffer, script string) {
	t.Helper()
	await(t, said, 500, script)
}

// awaitSaid waits until the watch has said something.
func awaitSaid(t *testing.T, said *buffer, text string) {
	t.Helper()
	for range 500 {
		if strings.Contains(said.String(), text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never said: %s\nbut %s", text, said)
}

// await is awaitTrue for what may take more looks than usual.
func await(t *testing.T, said *buffer, looks int, script string) {
	t.Helper()
	for range looks {
		if exec.Command("sh", "-ec", script).Run() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never true: %s\n%s", script, said)
}

// A link that its owner makes again outside is taken in again, with its addresses and
// routes, and not before its owner gave it an address, unless the file has one. It is
// as before without rdomain watch: outside.
func TestLinkMadeAgain(t *testing.T) {
	for _, c := range []struct{ name, conf, first, again, inside string }{
		{"file", "[Link t0]\nAddress=10.8.0.2/24\n[Route]\nDestination=default\nDevice=t0\n", "", "", "10.8.0.2/24"},
		{"owner", "[Link t0]\n[Route]\nDestination=10.9.0.0/24\nDevice=t0\n",
			"ip link set t0 up; ip address add 10.8.0.2/24 dev t0",
			// In steps, as OpenVPN does it: a later one would fail if t0 were taken at the first.
			"sleep 0.5; ip link set t0 up; ip address add 10.8.0.3/24 dev t0", "10.8.0.3/24"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start(t)
			make := "ip link add t0 type veth peer name t1; "
			sh(t, make+c.first)
			t.Cleanup(func() { sh(t, "ip link delete t0 || ip -n vpn link delete t0 || :") })
			file(t, "vpn", "[Domain]\nTimeoutSec=0\n"+c.conf)
			quiet(t, "up", "vpn")
			t.Cleanup(func() { quiet(t, "down", "vpn") })
			said := watching(t)
			sh(t, "ip -n vpn link delete t0")
			awaitTrue(t, said, "! ip -n vpn link show t0")
			sh(t, make+c.again)
			awaitTrue(t, said, "ip -n vpn address show dev t0 | grep -q "+c.inside)
			awaitTrue(t, said, "rdomain check vpn")
		})
	}
}

// Links that are made again inside of a namespace are put right as those outside: one of
// rdomain's own, and one whose owner runs inside. A namespace that was made after the
// watch began is seen too, and one whose name is gone.
func TestLinkMadeAgainInside(t *testing.T) {
	start(t)
	file(t, "early", "[Link d0]\nKind=veth\nPeer=d1\nOuter=early\nAddress=10.8.0.2/24\n")
	quiet(t, "up", "early")
	t.Cleanup(func() { os.Remove("/run/given") })
	said := watching(t, "--", "/bin/sh", "-c", "echo {} >/run/given")
	sh(t, "ip -n early link delete d0")
	awaitTrue(t, said, "rdomain check early")
	awaitTrue(t, said, "ip -n early address show dev d0 | grep -q 10.8.0.2/24")

	sh(t, "ip netns add before; ip -n before link add u0 type veth peer name u1")
	file(t, "late", "[Domain]\nTimeoutSec=0\n[Link d0]\nKind=veth\nPeer=d1\nOuter=late\nAddress=10.8.1.2/24\n[Link b0]\nKind=bridge\n[Sysctl]\nnet.ipv4.conf.d0.forwarding=1\n")
	quiet(t, "up", "late")
	awaitTrue(t, said, "ip netns list | grep -q '^late (id: '")
	sh(t, "ip -n late link delete d0")
	awaitTrue(t, said, "ip -n late address show dev d0 | grep -q 10.8.1.2/24")
	awaitTrue(t, said, "rdomain check late")
	sh(t, "ip -n late link set d0 down")
	awaitTrue(t, said, "ip -n late link show up dev d0 | grep -q d0")
	sh(t, "ip -n late link delete b0") // which has no other side that is seen to change
	awaitTrue(t, said, "ip -n late link show up dev b0 | grep -q b0")
	sh(t, "ip netns delete before")
	if _, err := os.Lstat("/run/given"); err == nil {
		t.Errorf("it gave up: %s", said)
	}
	sh(t, "ip netns delete late")
	awaitTrue(t, said, "grep -qx late /run/given")
	quiet(t, "down", "late", "early")
}

// Of a domain without a file there is nothing to keep but its name.
func TestWatchBare(t *testing.T) {
	start(t)
	t.Cleanup(func() { os.Remove("/run/given") })
	said := watching(t, "--", "/bin/sh", "-c", "echo {} >>/run/given")
	sh(t, bin+" up left")
	quiet(t, "down", "left") // its own down is nothing to mend
	sh(t, "ip netns add other; ip netns delete other")
	sh(t, bin+" up bare")
	sh(t, "ip netns delete bare")
	awaitTrue(t, said, "grep -qx bare /run/given")
	quiet(t, "down", "bare")
	if got := said.String(); strings.Contains(got, "left") || strings.Contains(got, "other") || !strings.Contains(got, "netns bare is gone") {
		t.Errorf("it said %s", got)
	}
}

// pppd makes its link at each try, and takes it away: that it is not there yet is said once.
func TestWatchSaysOnce(t *testing.T) {
	var said bytes.Buffer
	k := &keeper{watcher: &watcher{c: &command{stderr: &said}}}
	for range 3 {
		k.report(&lifecycle.Kept{Missing: []string{"t0"}})
		k.report(&lifecycle.Kept{Bare: []string{"t0"}})
	}
	k.report(&lifecycle.Kept{})
	k.report(&lifecycle.Kept{Bare: []string{"t0"}})
	if got := said.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "there is no link t0") || !strings.HasSuffix(got, "given it one\n") {
		t.Errorf("it said %s", got)
	}
}

// Watch leaves alone what is down, and what goes down.
func TestWatchLeaves(t *testing.T) {
	start(t)
	file(t, "vpn", "[Link t0]\nAddress=10.8.0.2/24\n")
	sh(t, "ip link add t0 type veth peer name t1")
	t.Cleanup(func() { sh(t, "ip link delete t0") })
	t.Cleanup(func() { os.Remove("/run/given") })
	said := watching(t, "--", "/bin/sh", "-c", "echo {} >/run/given")
	for range 5 {
		quiet(t, "up", "vpn")
		quiet(t, "down", "vpn")
		sh(t, "ip link set t0 up; ip link set t0 down")
	}
	// What it does with a later change is seen by another domain's.
	file(t, "other", "[Link o0]\nAddress=10.8.1.2/24\n")
	sh(t, "ip link add o0 type veth peer name o1")
	quiet(t, "up", "other")
	sh(t, "ip -n other link delete o0; ip link add o0 type veth peer name o1")
	awaitTrue(t, said, "ip -n other link show o0")
	sh(t, "ip link show t0; ! ip netns list | grep vpn")
	// And what is deleted while it is up is given up: after vpn would have been.
	sh(t, "ip netns delete other; ip link add o0 type veth peer name o2")
	awaitTrue(t, said, "grep -qx other /run/given")
	quiet(t, "down", "other")
	sh(t, "ip link delete o0")
	if strings.Contains(said.String(), "vpn") {
		t.Errorf("it said %s", said)
	}
}

// A domain that cannot be kept is given to a program.
func TestWatchGivesUp(t *testing.T) {
	start(t)
	file(t, "vpn", "[Domain]\nTimeoutSec=0\n[Link t0]\nAddress=10.8.0.2/24\n")
	make := "ip link add t0 type veth peer name t1"
	sh(t, make)
	quiet(t, "up", "vpn")
	t.Cleanup(func() { os.Remove("/run/given"); quiet(t, "down", "vpn"); sh(t, "ip link delete t0 || :") })
	said := watching(t, "--", "/bin/sh", "-c", "echo {} >/run/given")
	for n := range often {
		sh(t, "test ! -e /run/given; ip -n vpn link delete t0; "+make)
		// One that is deleted while it is taken in is nothing that was put right.
		for range 500 {
			if strings.Count(said.String(), "put right") > n {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	awaitTrue(t, said, "test \"$(cat /run/given)\" = vpn")
}

// TestWatchKeepsWhatIsUp: what a file says since the domain was brought up is for reload, and not
// for the watch: else a change that was on trial came back when it had been taken back.
func TestWatchKeepsWhatIsUp(t *testing.T) {
	start(t)
	file(t, "a", tried)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	said := watching(t)
	file(t, "a", strings.Replace(tried, "Address=10.7.0.2/24", "Address=10.7.0.2/24\nAddress=10.8.0.2/24", 1))
	sh(t, "ip -n a address del 10.7.0.2/24 dev v0")
	awaitTrue(t, said, "ip -n a address show dev v0 | grep -q 10.7.0.2")
	if got := addresses(); got != "10.7.0.2/24" {
		t.Errorf("the watch keeps %q; want what was brought up, 10.7.0.2/24\n%s", got, said)
	}
}

// An address that somebody took from a link in a namespace came back when something else changed
// there, and not before: of the addresses in other namespaces the watch was not told.
func TestWatchKeepsAddresses(t *testing.T) {
	start(t)
	file(t, "a", tried)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	said := watching(t)
	sh(t, "ip -n a link set v0 down")
	awaitTrue(t, said, "ip -n a link show up dev v0 | grep -q v0") // it has looked at all that there is
	file(t, "a", strings.Replace(tried, "Address=10.7.0.2/24", "Address=10.7.0.2/24\nAddress=10.8.0.2/24\nAddress=2001:db8::2/64", 1))
	quiet(t, "reload", "a")
	for _, address := range []string{"10.8.0.2/24", "10.7.0.2/24", "2001:db8::2/64"} {
		sh(t, "ip -n a address del "+address+" dev v0")
		awaitTrue(t, said, "ip -n a address show dev v0 | grep -qF "+address)
	}
}
