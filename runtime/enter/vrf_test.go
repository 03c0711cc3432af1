package enter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
	"rdgen/test/need"
)

// The kernels of most machines that run this test have no VRF. But the program
// binds to a number, and the kernel does not ask whose it is: all of the way
// but the look at the VRF itself is walked here with numbers of no link. The
// tests of layer vm walk it with VRFs.

// leaky is what a look says where sockets are bound, but not kept.
const leaky = "this process is not kept in vrf mgmt: its sockets can leave the VRF: the programs that keep them there are not attached "

// TestGuard: what ip vrf exec puts in the place of the program binds as well; the
// guard above it marks, and refuses MPTCP, and leaves alone what is not bound.
func TestGuard(t *testing.T) {
	root, path := testCgroup(t)
	guarded, bound := path+"/rdexec", path+"/rdexec/vrf/mgmt"
	wantBound(t, bound+" 77 77", "own", "77", bound)
	dir, err := OpenCgroup(root, bound)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	prog, err := load(bpf.Program{Name: "theirs", Hook: bpf.SockCreate, Insns: []bpf.Insn{
		bpf.MovImm(bpf.R2, 78), bpf.Store32(bpf.R1, 0, bpf.R2), bpf.MovImm(bpf.R0, 1), bpf.Exit(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(prog)
	if err := bpf.SockCreate.Attach(dir, prog); err != nil {
		t.Fatal(err)
	}
	wantBound(t, bound+" 78 78 80000000 refused", "marks", "78", bound)
	wantBound(t, leaky+guarded+" 0 0 0 refused", "marks", "0", guarded)
	// More starts leave one guard.
	wantBound(t, bound+" 79 79", "own", "79", bound)
	if n := attachedIDs(t, root, guarded, bpf.GuardName); n != 1 {
		t.Errorf("%d guards; want 1", n)
	}
}

// testCgroup makes a cgroup that is removed with all below it.
func testCgroup(t *testing.T) (root int, path string) {
	t.Helper()
	needHostRoot(t)
	root, err := CgroupRoot()
	if err != nil {
		t.Fatal(err)
	}
	path = "/rdexec-test-" + strconv.Itoa(os.Getpid()) + "-" + strings.ReplaceAll(t.Name(), "/", "-")
	dir := "/proc/self/fd/" + strconv.Itoa(root) + path
	if err := os.Mkdir(dir, 0o755); err != nil {
		need.Missing(t, need.Root, "no cgroup can be made: "+err.Error())
	}
	t.Cleanup(func() {
		var dirs []string
		filepath.WalkDir(dir+"/", func(path string, d fs.DirEntry, err error) error {
			if d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		for _, dir := range slices.Backward(dirs) {
			err := os.Remove(dir)
			for looks := 0; errors.Is(err, unix.EBUSY) && looks < 1000; looks++ { // what was in it is ending
				time.Sleep(10 * time.Millisecond)
				err = os.Remove(dir)
			}
			if err != nil {
				t.Error(err)
			}
		}
		unix.Close(root)
	})
	return root, path
}

// bindChild binds itself as enterVRF does, for a VRF with the ifindex given,
// and prints its cgroup and to what a socket is bound, of its own and of a
// program that it executes.
//
//	own|other|look|marks|attached|join|none ifindex cgroup [prog arg...]
//
// With prog it executes that instead, which is bound. marks prints the mark of a socket
// too, and whether MPTCP is refused.
func bindChild(args []string) {
	index64, err := strconv.ParseUint(args[1], 10, 32)
	die(err)
	index, path := uint32(index64), args[2]
	root, err := CgroupRoot()
	die(err)
	own, err := ownCgroup()
	die(err)
	h := hierarchy{root, own}
	v, err := domain.ParseLink("mgmt")
	die(err)
	switch args[0] {
	case "own", "other":
		prog, err := loadBind(index)
		die(err)
		if args[0] == "own" {
			guarded, _, _ := strings.Cut(path, "/vrf/")
			die(h.bindOwn(guarded, path, prog, v, index))
		} else {
			die(h.bindOther(path, prog, v, index))
		}
	case "look", "marks", "join", "attached":
		dir, err := OpenCgroup(root, path)
		die(err)
		die(join(dir, path))
		switch args[0] {
		case "look", "marks":
			err = checkBound(v, index)
		case "attached":
			err = checkAttached(v)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	if len(args) > 3 {
		os.Setenv(childEnv, "bind")
		die(unix.Exec(args[3], args[3:], os.Environ()))
	}
	own, err = ownCgroup()
	die(err)
	fmt.Println(own)
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		s, err := unix.Socket(family, unix.SOCK_STREAM, 0)
		die(err)
		bound, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
		die(err)
		fmt.Println(bound)
		if family == unix.AF_INET6 && args[0] == "marks" {
			mark, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_MARK)
			die(err)
			fmt.Printf("%x\n", uint32(mark))
		}
	}
	if _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP); err == unix.EPERM && args[0] == "marks" {
		fmt.Println("refused")
	}
}

// bound runs bindChild and returns what it prints, in one line.
func bound(t *testing.T, args ...string) string {
	t.Helper()
	out, err := host{T: t}.child("bind", nil, args...).CombinedOutput()
	if err != nil {
		return "error: " + strings.TrimSpace(string(out))
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func wantBound(t *testing.T, want string, args ...string) {
	t.Helper()
	if got := bound(t, args...); got != want {
		t.Errorf("%q: %q; want %q", args, got, want)
	}
}

func attachedIDs(t *testing.T, root int, path, name string) int {
	t.Helper()
	dir, err := OpenCgroup(root, path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	ours, err := attachedNamed(bpf.SockCreate, dir, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range ours {
		unix.Close(fd)
	}
	return len(ours)
}

func TestBindOwn(t *testing.T) {
	root, path := testCgroup(t)
	blue := path + "/t1-ns/vrf/blue"
	wantBound(t, blue+" 77 77", "own", "77", blue)
	// The VRF was made again, and has another number.
	wantBound(t, blue+" 78 78", "own", "78", blue)
	wantBound(t, blue+" 78 78", "look", "78", blue)
	wantBound(t, "this process is not in vrf mgmt: its sockets are not bound to it "+
		"(cgroup v1 net_cls or net_prio in use?) "+blue+" 78 78", "look", "77", blue)
	if n := attachedIDs(t, root, blue, bpf.BindName); n != 1 {
		t.Errorf("%d programs after two starts; want 1", n)
	}
	// The program there allows none below: no service runs half bound.
	want := "error: unable to attach the VRF's program to cgroup " + blue + "/sub: operation not permitted (no CAP_NET_ADMIN, or a program attached there or above allows no other)"
	wantBound(t, want, "own", "77", blue+"/sub")
	wantBound(t, want, "other", "77", blue+"/sub")
}

func TestBindOther(t *testing.T) {
	root, path := testCgroup(t)
	own, err := ownCgroup()
	if err != nil {
		t.Fatal(err)
	}
	service := path + "/openrc.sshd"
	wantBound(t, own+" 0 0", "other", "100", service)
	// More starts than the 64 programs that the kernel allows.
	dir, err := OpenCgroup(root, service)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	for i := range 68 {
		prog, err := loadBind(uint32(101 + i))
		if err == nil {
			err = attachBeside(dir, prog)
			unix.Close(prog)
		}
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
	}
	wantBound(t, own+" 0 0", "other", "169", service)
	if n := attachedIDs(t, root, service, bpf.BindName); n != 1 {
		t.Errorf("%d programs after 70 starts; want 1", n)
	}
	wantBound(t, service+" 169 169", "look", "169", service)

	// A domain inside the service's cgroup wins over the service's.
	inner := service + "/vrf/blue"
	wantBound(t, inner+" 77 77", "own", "77", inner)
	wantBound(t, service+" 169 169", "look", "169", service)
}

// TestLeave: who enters a namespace from inside a VRF leaves that, or enters nothing.
func TestLeave(t *testing.T) {
	_, path := testCgroup(t)
	h := newHost(t)
	h.netns("blue")
	enter := []string{h.rdexec, "-n", "blue", "--", "/proc/self/exe", "none", "0", "/"}
	enter[4], _ = os.Executable()
	from := func(how, cgroup string) string {
		t.Helper()
		return bound(t, append([]string{how, "77", cgroup}, enter...)...)
	}
	for _, inside := range []string{"/rdexec/vrf/mgmt", "/vrf/mgmt", "/rdexec/blue-ns/vrf/mgmt"} {
		if got, want := from("own", path+inside), path+" 0 0"; got != want {
			t.Errorf("rdexec -n in %s: %q; want %q", inside, got, want)
		}
	}
	if got := from("join", path); got != path+" 0 0" {
		t.Errorf("rdexec -n outside of a VRF: %q", got)
	}
	bound(t, "other", "77", path+"/openrc.sshd")
	want := "error: rdexec: fatal: unable to enter netns blue from inside a VRF: cgroup " + path + "/openrc.sshd binds sockets to the link of number 77, which is one of another namespace (start it from outside of that cgroup)"
	if got := from("join", path+"/openrc.sshd"); got != want {
		t.Errorf("rdexec -n in a service's cgroup: %q; want %q", got, want)
	}
}

// TestLeft: where a process that was in a VRF keeps the cgroup of its service, that does not
// start in a namespace before the process has ended, and it is said which one.
func TestLeft(t *testing.T) {
	_, path := testCgroup(t)
	tools := need.Tools(t, need.Root, "nsenter", "sleep")
	h := newHost(t)
	h.netns("blue")
	service := path + "/web.service"
	look := func(want string) {
		t.Helper()
		if got := bound(t, "join", "0", service, tools[0], "--net=/run/netns/blue", h.rdexec, "--look", "-n", "blue"); got != want {
			t.Errorf("rdexec --look -n blue: %q; want %q", got, want)
		}
	}
	bound(t, "other", "77", service)
	left := h.child("bind", nil, "join", "0", service, tools[1], "1000")
	h.must(left.Start())
	defer left.Process.Kill()
	pid := strconv.Itoa(left.Process.Pid)
	for {
		comm, err := os.ReadFile("/proc/" + pid + "/comm")
		if h.must(err); string(comm) == "sleep\n" {
			break
		}
	}
	const binds = "/web.service binds sockets to the link of number 77, which is one of another namespace; of an earlier start, in a VRF, is left: "
	look("error: rdexec: fatal: unable to hold netns blue: cgroup " + path + binds + "process " + pid + " (sleep) (end it, and start again)")
	h.must(left.Process.Kill())
	left.Wait()
	look("error: rdexec: fatal: unable to hold netns blue: cgroup " + path + binds + "something (end it, and start again)")
	bound(t, "join", "0", path)
	root, err := CgroupRoot()
	h.must(err)
	h.must(os.Remove("/proc/self/fd/" + strconv.Itoa(root) + service))
	h.must(os.Mkdir("/proc/self/fd/"+strconv.Itoa(root)+service, 0o755))
	look("")
}

func TestAttachBeside(t *testing.T) {
	root, path := testCgroup(t)
	dir, err := OpenCgroup(root, path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	loadNamed := func(name string, index uint32) int {
		p := bpf.Bind(index, domain.VRFMark)
		p.Name = name
		fd, err := load(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	// Two of ours, as two starts at once may leave them, and one of another.
	for _, prog := range []int{loadNamed(bpf.BindName, 5), loadNamed("other", 6), loadNamed(bpf.BindName, 7)} {
		if err := bpf.SockCreate.AttachBeside(dir, prog); err != nil {
			t.Fatal(err)
		}
	}
	if err := attachBeside(dir, loadNamed(bpf.BindName, 8)); err != nil {
		t.Fatal(err)
	}
	if n := attachedIDs(t, root, path, bpf.BindName); n != 1 {
		t.Errorf("%d programs of ours; want 1", n)
	}
	// The other's is there, and is now the last that could decide.
	wantBound(t, leaky+path+" 8 8", "look", "8", path)
	ours, err := attachedNamed(bpf.SockCreate, dir, bpf.BindName)
	if err != nil {
		t.Fatal(err)
	}
	if err := bpf.SockCreate.Detach(dir, ours[0]); err != nil {
		t.Fatal(err)
	}
	unix.Close(ours[0])
	wantBound(t, leaky+path+" 6 6", "look", "6", path)
}

func TestLoadRefused(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	// A user namespace has all capabilities, but none that bpf(2) accepts.
	out, err := exec.Command("unshare", "-Ur", "true").CombinedOutput()
	if err != nil {
		need.Missing(t, need.Root, "unshare -Ur: "+string(out))
	}
	_, path := testCgroup(t)
	cmd := h.child("bind", []string{"unshare", "-Ur"}, "own", "5", path)
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.HasPrefix(string(text), "unable to load the VRF's BPF program: operation not permitted (it needs CAP_BPF") {
		t.Errorf("Load in a user namespace: %v, %s", err, text)
	}
}

func TestEnterVRFRefuses(t *testing.T) {
	h := newHost(t)
	h.netns("blue")
	h.refuse(domain.ExitTemporary, "unable to enter vrf mgmt: no such device\n", "-v", "mgmt")
	h.refuse(domain.ExitTemporary, "unable to enter vrf mgmt: no such device\n", "-n", "blue", "-v", "mgmt")
	h.refuse(domain.ExitTemporary, "unable to enter vrf lo: lo is not a VRF", "-v", "lo", "-c", "/rdexec-test-none")
	ip := need.Tools(t, need.Root, "ip")[0]
	if r := h.run(ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1"); r.code != 0 {
		t.Fatal(r.err)
	}
	h.refuse(domain.ExitTemporary, "unable to enter vrf v0: v0 is not a VRF (driver veth)\n", "-v", "v0")
}

// TestNetnsName: the cgroup is called after the namespace, as iproute2 does it.
func TestNetnsName(t *testing.T) {
	h := newHost(t)
	wantName := func(want string) {
		t.Helper()
		if got, err := netnsName(domain.NetnsName{}); err != nil || got != want {
			t.Errorf("netnsName = %q, %v; want %q", got, err, want)
		}
	}
	h.netns("red")
	h.netns("blue")
	wantName("")
	blue := parse(t, "blue", "").Netns
	if got, err := netnsName(blue); err != nil || got != "blue" {
		t.Errorf("netnsName(blue) = %q, %v", got, err)
	}
	h.must(enterNetns(blue))
	wantName("blue")
	h.must(unix.Unmount("/run/netns/blue", 0))
	wantName("")
	h.must(unix.Unmount("/run/netns/red", 0))
	h.must(os.RemoveAll("/run/netns"))
	wantName("")
}
