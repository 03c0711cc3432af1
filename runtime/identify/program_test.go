package identify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/runtime/bpf"
	"rdgen/runtime/domain"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// insns are instructions as they lie in memory.
func insns(b []byte) []bpf.Insn {
	return unsafe.Slice((*bpf.Insn)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
}

func TestUnderstand(t *testing.T) {
	for _, c := range []struct {
		name, insns string
		ifindex     uint32
		keep, ok    bool
	}{
		{"set always", "b702000007000000 6321000000000000 b700000001000000 9500000000000000", 7, false, true},
		{"keep if set", "6112000000000000 5502020000000000 b703000007000000 6331000000000000 b700000001000000 9500000000000000",
			7, true, true},
		{"as the kernel rewrites it", "6112140000000000 5502020000000000 b703000007000000 6331140000000000 b700000001000000 9500000000000000",
			7, true, true},
		{"rdexec's", "61120c0000000000 25020900ff000000 6112000000000000 5502050000000000 b703000007000000 6331000000000000 " +
			"6113100000000000 4403000000000080 6331100000000000 b700000001000000 9500000000000000 b700000000000000 9500000000000000", 7, true, true},
		{"rdexec's guard", "61120c0000000000 25020700ff000000 6112000000000000 1502030000000000 6113100000000000 4403000000000080 " +
			"6331100000000000 b700000001000000 9500000000000000 b700000000000000 9500000000000000", 0, false, true},
		{"a condition", "6112000000000000 1502020000000000 b703000007000000 6331000000000000 b700000001000000 9500000000000000", 0, false, false},
		{"a constant with bits", "b702000007000000 4402000001000000 6321000000000000 b700000001000000 9500000000000000", 0, false, false},
		{"bits alone", "6113100000000000 4403000000000080 6331100000000000 b700000001000000 9500000000000000", 0, false, false},
		{"ip vrf exec", "bf16000000000000 b703000009000000 b702000000000000 6336000000000000 b700000001000000 9500000000000000",
			9, false, true},
		{"allow all", "b700000001000000 9500000000000000", 0, false, true},
		{"no end", "b700000001000000", 0, false, false},
		{"a call", "8500000001000000 9500000000000000", 0, false, false},
		{"an unknown value", "6112000000000000 6321000000000000 9500000000000000", 0, false, false},
		{"not the context", "b702000007000000 b703000001000000 6323000000000000 9500000000000000", 0, false, false},
		{"two stores", "b702000007000000 6321000000000000 6321000000000000 9500000000000000", 0, false, false},
		{"nothing", "", 0, false, false},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.insns, " ", ""))
		if err != nil {
			t.Fatal(c.name, err)
		}
		ifindex, keep, ok := understand(insns(b))
		if ifindex != c.ifindex || keep != c.keep || ok != c.ok {
			t.Errorf("understand(%s) = %d, %v, %v; want %d, %v, %v", c.name, ifindex, keep, ok, c.ifindex, c.keep, c.ok)
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	f.Add([]byte{0xb7, 2, 0, 0, 7, 0, 0, 0, 0x63, 0x21, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if ifindex, keep, ok := understand(insns(b)); !ok && (ifindex != 0 || keep) {
			t.Errorf("understand(%x) = %d, %v beside false", b, ifindex, keep)
		}
	})
}

func TestBound(t *testing.T) {
	set := func(i uint32) program { return program{ifindex: i, known: true} }
	keep := func(i uint32) program { return program{ifindex: i, keep: true, known: true} }
	allow, unknown := program{known: true}, program{}
	for _, c := range []struct {
		programs []program
		ifindex  uint32
		ok       bool
	}{
		{nil, 0, true},
		{[]program{set(1)}, 1, true},
		{[]program{set(77), set(1)}, 1, true}, // the ancestor runs last, and wins
		{[]program{set(77), keep(1)}, 77, true},
		{[]program{keep(77), keep(1), allow}, 77, true},
		{[]program{unknown}, 0, false},
		{[]program{unknown, set(1)}, 1, true},
		{[]program{set(1), unknown}, 1, false},
	} {
		if ifindex, ok := bound(c.programs); ifindex != c.ifindex || ok != c.ok {
			t.Errorf("bound(%+v) = %d, %v; want %d, %v", c.programs, ifindex, ok, c.ifindex, c.ok)
		}
	}
}

func load(t *testing.T, ifindex uint32) int {
	t.Helper()
	sandbox.Need(t)
	fd, err := bpf.Load(bpf.Bind(ifindex, domain.VRFMark))
	if errors.Is(err, unix.EPERM) {
		need.Missing(t, need.Root, "no BPF in a user namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestEffective(t *testing.T) {
	outer, inner := load(t, 1), load(t, 77)
	mount := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(mount + "/cgroup.procs"); err != nil {
		mount = "/sys/fs/cgroup"
	}
	dir := fmt.Sprintf("%s/rdgen-effective-test-%d", mount, os.Getpid())
	if err := os.MkdirAll(dir+"/inner", 0o755); err != nil {
		need.Missing(t, need.Root, err.Error())
	}
	defer os.Remove(dir)
	defer os.Remove(dir + "/inner")
	for path, program := range map[string]int{dir: outer, dir + "/inner": inner} {
		fd := attach(t, path, program)
		defer unix.Close(fd)
		programs, err := effective(fd)
		if err != nil {
			t.Fatal(err)
		}
		if path == dir+"/inner" && len(programs) != 2 && len(programs) != 1 {
			t.Errorf("effective = %+v; want one or two", programs)
		}
		want := map[int]uint32{outer: 1, inner: 77}[program]
		if ifindex, ok := bound(programs); ifindex != want || !ok {
			t.Errorf("bound(%+v) = %d, %v; want %d", programs, ifindex, ok, want)
		}
	}
}

func attach(t *testing.T, path string, program int) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := bpf.SockCreate.AttachBeside(fd, program); err != nil {
		t.Fatalf("attach to %s: %v", path, err)
	}
	return fd
}
