package enter

import (
	"bytes"
	"encoding/binary"
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

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/test/need"
)

// The kernels of most machines that run this test have no VRF. But the program
// binds to a number, and the kernel does not ask whose it is: all of the way
// but the look at the VRF itself is walked here with numbers of no link. The
// tests of layer vm walk it with VRFs.

func TestProgram(t *testing.T) {
	// Written by hand from the table in Documentation/bpf/standardization.
	want := []byte{
		0x61, 0x12, 12, 0, 0, 0, 0, 0,
		0x25, 0x02, 9, 0, 255, 0, 0, 0,
		0x61, 0x12, 0, 0, 0, 0, 0, 0,
		0x55, 0x02, 5, 0, 0, 0, 0, 0,
		0xb7, 0x03, 0, 0, 0x04, 0x03, 0x02, 0x01,
		0x63, 0x31, 0, 0, 0, 0, 0, 0,
		0x61, 0x13, 16, 0, 0, 0, 0, 0,
		0x44, 0x03, 0, 0, 0, 0, 0, 0x80,
		0x63, 0x31, 16, 0, 0, 0, 0, 0,
		0xb7, 0x00, 0, 0, 1, 0, 0, 0,
		0x95, 0, 0, 0, 0, 0, 0, 0,
		0xb7, 0x00, 0, 0, 0, 0, 0, 0,
		0x95, 0, 0, 0, 0, 0, 0, 0,
	}
	var got bytes.Buffer
	for _, i := range program(0x01020304) {
		got.Write([]byte{i.code, i.regs})
		binary.Write(&got, binary.LittleEndian, i.off)
		binary.Write(&got, binary.LittleEndian, i.imm)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("program = % x; want % x", got.Bytes(), want)
	}
}

// TestGuard: what ip vrf exec puts in the place of the program binds as well; the
// guard above it marks, and refuses MPTCP, and leaves alone what is not bound.
func TestGuard(t *testing.T) {
	root, path := testCgroup(t)
	guarded, bound := path+"/rdexec", path+"/rdexec/vrf/mgmt"
	wantBound(t, bound+" 77 77", "own", "77", bound)
	dir, err := openCgroup(root, bound)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	theirs := heap([...]insn{ // *(u32 *)(r1 + 0) = 78; allow
		{code: 0xb7, regs: 0x02, imm: 78}, {code: 0x63, regs: 0x21}, {code: 0xb7, imm: 1}, {code: 0x95},
	})
	prog, err := load("theirs", theirs[:])
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(prog)
	if err := attach(dir, prog, 0, 0); err != nil {
		t.Fatal(err)
	}
	wantBound(t, bound+" 78 78 80000000 refused", "marks", "78", bound)
	wantBound(t, guarded+" 0 0 0 refused", "marks", "0", guarded)
	// More starts leave one guard.
	wantBound(t, bound+" 79 79", "own", "79", bound)
	if n := attachedIDs(t, root, guarded, guardName); n != 1 {
		t.Errorf("%d guards; want 1", n)
	}
}

// testCgroup makes a cgroup that is removed with all below it.
func testCgroup(t *testing.T) (root int, path string) {
	t.Helper()
	needHostRoot(t)
	root, err := cgroupRoot()
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
			if err := os.Remove(dir); err != nil {
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
//	own|other|look|marks ifindex cgroup
//
// marks prints the mark of a socket too, and whether MPTCP is refused.
func bindChild(args []string) {
	index64, err := strconv.ParseUint(args[1], 10, 32)
	die(err)
	index, path := uint32(index64), args[2]
	root, err := cgroupRoot()
	die(err)
	own, err := ownCgroup()
	die(err)
	h := hierarchy{root, own}
	v, err := domain.ParseLink("mgmt")
	die(err)
	switch args[0] {
	case "own", "other":
		prog, err := Load(index)
		die(err)
		if args[0] == "own" {
			guarded, _, _ := strings.Cut(path, "/vrf/")
			die(h.bindOwn(guarded, path, prog, v, index))
		} else {
			die(h.bindOther(path, prog, v, index))
		}
	case "look", "marks":
		dir, err := openCgroup(root, path)
		die(err)
		die(join(dir, path))
		if err := checkBound(v, index); err != nil {
			fmt.Println(err)
		}
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
	dir, err := openCgroup(root, path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	ours, err := attachedNamed(dir, name)
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
	// The VRF was made anew, and has another number.
	wantBound(t, blue+" 78 78", "own", "78", blue)
	wantBound(t, blue+" 78 78", "look", "78", blue)
	wantBound(t, "unable to bind to vrf mgmt: sockets are not bound to it "+
		"(cgroup v1 net_cls or net_prio in use?) "+blue+" 78 78", "look", "77", blue)
	if n := attachedIDs(t, root, blue, progName); n != 1 {
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
	dir, err := openCgroup(root, service)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	for i := range 68 {
		prog, err := Load(uint32(101 + i))
		if err == nil {
			err = attachBeside(dir, prog)
			unix.Close(prog)
		}
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
	}
	wantBound(t, own+" 0 0", "other", "169", service)
	if n := attachedIDs(t, root, service, progName); n != 1 {
		t.Errorf("%d programs after 70 starts; want 1", n)
	}
	wantBound(t, service+" 169 169", "look", "169", service)

	// A domain inside the service's cgroup wins over the service's.
	inner := service + "/vrf/blue"
	wantBound(t, inner+" 77 77", "own", "77", inner)
	wantBound(t, service+" 169 169", "look", "169", service)
}

func TestAttachBeside(t *testing.T) {
	root, path := testCgroup(t)
	dir, err := openCgroup(root, path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	loadNamed := func(name string, index uint32) int {
		insns := heap(program(index))
		fd, err := load(name, insns[:])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	// Two of ours, as two starts at once may leave them, and one of another.
	for _, prog := range []int{loadNamed(progName, 5), loadNamed("other", 6), loadNamed(progName, 7)} {
		if err := attach(dir, prog, unix.BPF_F_ALLOW_MULTI, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := attachBeside(dir, loadNamed(progName, 8)); err != nil {
		t.Fatal(err)
	}
	if n := attachedIDs(t, root, path, progName); n != 1 {
		t.Errorf("%d programs of ours; want 1", n)
	}
	// The other's is there, and is now the last that could decide.
	wantBound(t, path+" 8 8", "look", "8", path)
	ours, err := attachedNamed(dir, progName)
	if err != nil {
		t.Fatal(err)
	}
	if err := detach(dir, ours[0]); err != nil {
		t.Fatal(err)
	}
	unix.Close(ours[0])
	wantBound(t, path+" 6 6", "look", "6", path)
}

func TestPin(t *testing.T) {
	h := newHost(t)
	needHostRoot(t)
	dir := h.tmp + "/bpf"
	h.must(os.Mkdir(dir, 0o700))
	h.mount("bpf", dir, "bpf", 0)
	path := dir + "/mgmt@t1"
	var last uint64
	for i := range 3 {
		prog, err := Load(uint32(5 + i))
		h.must(err)
		h.must(Pin(prog, path))
		unix.Close(prog)
		var st unix.Stat_t
		h.must(unix.Stat(path, &st))
		if st.Ino == last {
			t.Errorf("Pin left the old pin in place")
		}
		last = st.Ino
	}
	prog, err := Load(5)
	h.must(err)
	defer unix.Close(prog)
	// One who was killed before the rename leaves the other name.
	h.must(os.Rename(path, path+"~"))
	h.must(Pin(prog, path))
	if _, err := os.Lstat(path + "~"); err == nil {
		t.Errorf("Pin left %s~", path)
	}
	for _, bad := range []string{dir + "/a.b", dir + "/none/a", h.tmp + "/a"} {
		if err := Pin(prog, bad); err == nil || !strings.Contains(err.Error(), "unable to pin the VRF's BPF program to "+bad+": ") {
			t.Errorf("Pin(%s) = %v; want an error", bad, err)
		}
	}
	h.must(unix.Unmount(dir, 0))
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
		if got, err := netnsName(domain.Netns{}); err != nil || got != want {
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
