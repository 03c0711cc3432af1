package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// changes are the system calls by which rdomain can change anything that is
// left when it dies.
var changes = map[uint64]bool{
	unix.SYS_UNSHARE: true, unix.SYS_SETNS: true, unix.SYS_MOUNT: true, unix.SYS_UMOUNT2: true,
	unix.SYS_OPENAT: true, unix.SYS_MKDIRAT: true, unix.SYS_UNLINKAT: true,
	unix.SYS_RENAMEAT2: true, unix.SYS_SYMLINKAT: true, unix.SYS_SENDTO: true, unix.SYS_SENDMSG: true,
	unix.SYS_FLOCK: true, unix.SYS_BPF: true, unix.SYS_WRITE: true, unix.SYS_CLOSE: false,
}

// syscallInfo is struct ptrace_syscall_info (ptrace(2), since Linux 5.3).
type syscallInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	nr     uint64
	args   [6]uint64
	_      [16]byte
}

const (
	entry = 1 // PTRACE_SYSCALL_INFO_ENTRY
	exit  = 2 // PTRACE_SYSCALL_INFO_EXIT: nr is the result, the first byte of args says that it is an error
)

// setInfo changes the system call that a stopped thread is about to make, or
// what it is told of it.
func setInfo(t *testing.T, tid int, info syscallInfo) {
	t.Helper()
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, setSyscallInfo, uintptr(tid), unsafe.Sizeof(info),
		uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		t.Fatalf("PTRACE_SET_SYSCALL_INFO: %v", errno)
	}
}

// killAt runs rdomain and kills it just before the nth system call that changes
// something, counted over all its threads. It returns the call, and false if
// rdomain came to its end before.
func killAt(t *testing.T, n int, args ...string) (call uint64, killed bool) {
	t.Helper()
	call, killed, code, out := disturb(t, n, false, args...)
	if !killed && code != 0 {
		t.Fatalf("rdomain %v under ptrace: %d, %s", args, code, out)
	}
	return call, killed
}

// failAt runs rdomain and lets the nth system call that changes something fail
// with ENOMEM, without being done. It returns the call, whether there was one,
// and how rdomain ended.
func failAt(t *testing.T, n int, args ...string) (call uint64, failed bool, code int, out string) {
	t.Helper()
	return disturb(t, n, true, args...)
}

// setSyscallInfo is PTRACE_SET_SYSCALL_INFO (since Linux 6.16).
const setSyscallInfo = 0x4212

// disturb runs rdomain and disturbs the nth system call that changes something,
// counted over all its threads: it is not done, and rdomain is killed, or told
// that there is no memory.
func disturb(t *testing.T, n int, fail bool, args ...string) (call uint64, disturbed bool, code int, said string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(bin, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		need.Missing(t, need.Root, "ptrace: "+err.Error())
	}
	leader := cmd.Process.Pid
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(leader, &ws, syscall.WALL, nil); err != nil {
		t.Fatal(err)
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(leader, options); err != nil {
		t.Fatal(err)
	}
	resume := func(tid, signal int) {
		// A thread may be gone already: killed, or at the end with the process.
		if err := syscall.PtraceSyscall(tid, signal); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	resume(leader, 0)
	failing := 0 // the thread whose call fails
	for count := 0; ; {
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			t.Fatalf("wait: %v", err)
		}
		switch {
		case tid == leader && (ws.Exited() || ws.Signaled()):
			_ = cmd.Wait() // for its pipes; the process is reaped
			code = ws.ExitStatus()
			return call, disturbed, code, out.String()
		case !ws.Stopped():
		case ws.StopSignal() == syscall.SIGTRAP|0x80:
			if tid == failing {
				failing = 0
				setInfo(t, tid, syscallInfo{op: exit, nr: ^uint64(unix.ENOMEM) + 1, args: [6]uint64{1}})
			} else if nr, ok := changing(tid); ok && !disturbed {
				if count++; count == n {
					call, disturbed = nr, true
					if fail {
						failing = tid
						setInfo(t, tid, syscallInfo{op: entry, nr: ^uint64(0)})
						resume(tid, 0)
						continue
					}
					if err := syscall.Kill(leader, syscall.SIGKILL); err != nil {
						t.Fatal(err)
					}
					continue
				}
			}
			resume(tid, 0)
		case ws.StopSignal() == syscall.SIGTRAP, ws.StopSignal() == syscall.SIGSTOP:
			resume(tid, 0) // a new thread
		default:
			resume(tid, int(ws.StopSignal()))
		}
	}
}

// changing reports whether a stopped thread is about to make a call that
// changes something.
func changing(tid int) (nr uint64, ok bool) {
	var info syscallInfo
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(info),
		uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || info.op != entry || !changes[info.nr] {
		return 0, false
	}
	return info.nr, info.nr != unix.SYS_OPENAT || info.args[2]&unix.O_CREAT != 0
}

const killed = `
[Domain]
Description=killed at each of its system calls
DNS=10.7.0.53
[Sysctl]
net.ipv4.ip_forward=1
net.ipv6.conf.br0.accept_dad=0
[Link veth0]
Kind=veth
Peer=veth-k
Address=10.7.0.2/30
PeerAddress=10.7.0.1/30
[Link br0]
Kind=bridge
Address=2001:db8:7::1/64
[Link eth7]
Address=10.77.0.9/24
[Link vx0]
Kind=vxlan
VNI=7
Local=10.77.0.3
Bridge=br0
[Link tun0]
Kind=tun
User=7
[Neighbor]
Device=br0
Address=2001:db8:7::9
LinkLayerAddress=02:00:00:00:00:09
[RoutingPolicyRule]
Priority=100
From=10.7.0.0/24
Table=7
[Route]
Destination=default
Gateway=10.7.0.1
[Route]
Destination=10.8.0.0/16
Type=unreachable
Table=7
`

// hardware gives the test a link with addresses and routes of its own, up, as
// an administrator has made it.
func hardware(t *testing.T, name string) {
	sandbox.Sh(t, `ip link add `+name+` address 02:00:00:00:00:07 mtu 1450 type veth peer name `+name+`p
		ip link set `+name+`p up
		sysctl -qw net.ipv6.conf.`+name+`.accept_dad=0 2>/dev/null || true
		ip address add 10.77.0.2/24 broadcast + dev `+name+`
		ip address add 2001:db8:77::2/64 dev `+name+` nodad
		ip link set `+name+` up
		ip route add 10.99.0.0/16 via 10.77.0.1 dev `+name+` metric 50
		ip -6 route add 2001:db8:99::/48 via 2001:db8:77::1 dev `+name)
	t.Cleanup(func() { sandbox.Sh(t, `ip link delete `+name) })
}

const killedVRF = `
[Domain]
Kind=vrf
Table=7
[Link eth7]
Address=10.78.0.9/24
[Link veth0]
Kind=veth
Peer=veth-k
Address=10.7.0.2/30
PeerAddress=10.7.0.1/30
[Route]
Destination=10.8.0.0/16
Gateway=10.77.0.3
`

// Killed at any point, up again converges, and down again cleans.
func TestKilledAtEachSystemCall(t *testing.T) {
	sandbox.Need(t)
	need.Slow(t)
	first, step := sandbox.Walk(t)
	if step == 0 {
		return
	}
	start(t)
	hardware(t, "eth7")
	t.Run("netns", func(t *testing.T) { walkKills(t, killed, first, step) })
	t.Run("firewall", func(t *testing.T) {
		nftables(t, ruleset)
		walkKills(t, firewalled, first, step)
	})
	t.Run("nat", func(t *testing.T) { walkKills(t, natted+"[Publish]\nListen=8080\n", first, step) })
	if !hasVRF() {
		return
	}
	t.Run("vrf", func(t *testing.T) { walkKills(t, killedVRF, first, step) })
	sandbox.Sh(t, withoutKernelRules)
}

// hasVRF reports whether the kernel has VRFs. Making one leaves a rule.
func hasVRF() bool {
	return exec.Command("sh", "-ec", "ip link add probe type vrf table 10; ip link delete probe; "+withoutKernelRules).Run() == nil
}

// withoutKernelRules removes the rules that the kernel adds with a namespace's
// first VRF, once, and leaves.
const withoutKernelRules = `ip rule delete pref 1000 2>/dev/null || true; ip -6 rule delete pref 1000 2>/dev/null || true`

// withoutText is what a snapshot is without the text of k's file that up has written down.
func withoutText(t *testing.T, snapshot string) string {
	t.Helper()
	before, text, _ := strings.Cut(snapshot, "file /run/rdomain/k.was ")
	_, after, found := strings.Cut(text, "\nfile ")
	if !found {
		t.Fatalf("nothing stands behind k.was in %s", snapshot)
	}
	return before + "file " + after
}

// Where a system call fails because there is no memory, up says so and leaves what was
// there before, or is not disturbed by it; up again converges. down says so too,
// loses nothing, and down again cleans.
func TestNoMemoryAtEachSystemCall(t *testing.T) {
	sandbox.Need(t)
	need.Slow(t)
	if !canFail() {
		need.Missing(t, need.Root, "a kernel without PTRACE_SET_SYSCALL_INFO (Linux 6.16)")
	}
	first, step := sandbox.Walk(t)
	if step == 0 {
		return
	}
	start(t)
	hardware(t, "eth7")
	nftables(t, ruleset)
	file(t, "k", strings.NewReplacer("DNS=", "Firewall=/etc/rdomain/k.nft\nDNS=", "Peer=veth-k\n", "Peer=veth-k\nMasquerade=yes\n").Replace(killed)+"[Publish]\nListen=8080\n")
	nothing := withoutLocks(snapshot(t))
	quiet(t, "up", "k")
	whole := snapshot(t)
	all := withoutLocks(whole)
	quiet(t, "down", "k")
	failed := 0
	for n := first; ; n += step {
		call, was, code, said := failAt(t, n, "up", "k")
		if !was {
			t.Logf("up: %d calls or fewer, %d made it fail", n-1, failed)
			break
		}
		got := withoutLocks(snapshot(t))
		switch {
		case code == 0 && got == all:
		case code == 111 && got == nothing && strings.Contains(said, "cannot allocate memory"):
			failed++
		// It is up, and only what its file said then could not be written.
		case code == 0 && got == withoutLocks(withoutText(t, whole)) && strings.Contains(said, "reload --try can take nothing back"):
		default:
			t.Fatalf("up with no memory at call %d (number %d) = %d, %s; it leaves\n%s", n, call, code, said, got)
		}
		quiet(t, "up", "k")
		if got := withoutLocks(snapshot(t)); got != all {
			t.Fatalf("up after no memory at call %d (number %d): %s", n, call, got)
		}
		quiet(t, "down", "k")
		if got := withoutLocks(snapshot(t)); got != nothing {
			t.Fatalf("down after no memory at call %d (number %d): %s", n, call, got)
		}
	}
	if failed == 0 {
		t.Error("no call made up fail")
	}
	for n := first; ; n += step {
		quiet(t, "up", "k")
		call, was, code, said := failAt(t, n, "down", "k")
		if !was {
			t.Logf("down: %d calls or fewer", n-1)
			quiet(t, "down", "k")
			break
		}
		if code != 0 && code != 111 || code == 111 && said == "" {
			t.Fatalf("down with no memory at call %d (number %d) = %d, %s", n, call, code, said)
		}
		quiet(t, "down", "k")
		if got := withoutLocks(snapshot(t)); got != nothing {
			t.Fatalf("down after a down with no memory at call %d (number %d) leaves\n%s", n, call, got)
		}
	}
}

// withoutLocks is a snapshot without the files of locks, which are empty. That of a lock which
// was not given cannot be removed safely; one that could not be removed is taken by the next.
func withoutLocks(snapshot string) string {
	return lockFile.ReplaceAllString(snapshot, "")
}

var lockFile = regexp.MustCompile(`(?m)^file /run/rdomain/[^ ]*\.lock \n`)

// canFail reports whether the kernel lets a tracer change a system call.
func canFail() bool {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, setSyscallInfo, uintptr(os.Getpid()), 0, 0, 0, 0)
	return errno != syscall.EIO
}

// walkKills kills rdomain at the calls first, first+step, and so on.
func walkKills(t *testing.T, text string, first, step int) {
	file(t, "k", text)
	quiet(t, "up", "k")
	quiet(t, "down", "k") // and the kernel's rule is there, if this is a VRF
	nothing := snapshot(t)
	quiet(t, "up", "k")
	all := snapshot(t)
	quiet(t, "down", "k")
	want := func(what, want string) {
		t.Helper()
		if got := snapshot(t); got != want {
			t.Errorf("%s (-want +got): %s", what, cmp.Diff(want, got))
		}
	}
	want("an undisturbed down", nothing)
	walk := func(what string, each func(n int) (uint64, bool)) {
		for n := first; ; n += step {
			call, alive := each(n)
			if t.Failed() {
				t.Fatalf("%s at call %d (number %d)", what, n, call)
			}
			if !alive {
				t.Logf("%s: %d calls or fewer", what, n-1)
				return
			}
		}
	}
	walk("up killed, then up, then down", func(n int) (uint64, bool) {
		call, was := killAt(t, n, "up", "k")
		quiet(t, "up", "k")
		want("up", all)
		quiet(t, "down", "k")
		want("down", nothing)
		return call, was
	})
	walk("up killed, then down", func(n int) (uint64, bool) {
		call, was := killAt(t, n, "up", "k")
		quiet(t, "down", "k")
		want("down", nothing)
		return call, was
	})
	walk("down killed, then down", func(n int) (uint64, bool) {
		quiet(t, "up", "k")
		call, was := killAt(t, n, "down", "k")
		quiet(t, "down", "k")
		want("down", nothing)
		return call, was
	})
}

// hasIndex reports whether the one link that is recorded has an ifindex.
func hasIndex(r record.Record) (yes bool) {
	record.Of(&r, func(_ object.Link, made record.Identity) { yes = made.Index != 0 })
	return yes
}

// As soon as a link is made, its identity is known: what has its name later and
// is another one is left alone, also after a crash.
func TestKilledAfterIdentity(t *testing.T) {
	start(t)
	file(t, "k", "[Link br0]\nKind=bridge\nAddress=10.7.0.1/24\n")
	// Many calls are made between the one and the other; one of them will do.
	for n := 1; ; n += 4 {
		if _, was := killAt(t, n, "up", "k"); !was {
			t.Fatal("the link's identity is not recorded before up is complete")
		}
		text, _ := os.ReadFile("/run/rdomain/k.json")
		var r record.Record
		if json.Unmarshal(text, &r) == nil && !r.Complete && hasIndex(r) {
			break
		}
		quiet(t, "down", "k")
	}
	sandbox.Sh(t, `ip -n k link delete br0; ip -n k link add br0 type bridge`)
	_, stderr, code := rdomain("down", "k")
	if want := "rdomain: note: k: link br0 is another one than was made; left alone\n"; code != 0 || stderr != want {
		t.Errorf("down = %d, %q; want %q", code, stderr, want)
	}
}
