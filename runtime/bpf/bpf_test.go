package bpf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

const bit = 1 << 31

// The instructions byte by byte, written by hand from the table in
// Documentation/bpf/standardization.
func TestBytes(t *testing.T) {
	wantBytes(t, Bind(0x01020304, bit), []byte{
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
	})
	wantBytes(t, Guard(bit), []byte{
		0x61, 0x12, 12, 0, 0, 0, 0, 0,
		0x25, 0x02, 7, 0, 255, 0, 0, 0,
		0x61, 0x12, 0, 0, 0, 0, 0, 0,
		0x15, 0x02, 3, 0, 0, 0, 0, 0,
		0x61, 0x13, 16, 0, 0, 0, 0, 0,
		0x44, 0x03, 0, 0, 0, 0, 0, 0x80,
		0x63, 0x31, 16, 0, 0, 0, 0, 0,
		0xb7, 0x00, 0, 0, 1, 0, 0, 0,
		0x95, 0, 0, 0, 0, 0, 0, 0,
		0xb7, 0x00, 0, 0, 0, 0, 0, 0,
		0x95, 0, 0, 0, 0, 0, 0, 0,
	})
}

func wantBytes(t *testing.T, p Program, want []byte) {
	t.Helper()
	var got bytes.Buffer
	for _, i := range p.Insns {
		got.Write([]byte{i.Op, i.regs})
		binary.Write(&got, binary.LittleEndian, i.Off)
		binary.Write(&got, binary.LittleEndian, i.Imm)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s = % x; want % x", p.Name, got.Bytes(), want)
	}
}

func loaded(t *testing.T, p Program) int {
	t.Helper()
	sandbox.Need(t)
	fd, err := Load(p)
	if errors.Is(err, unix.EPERM) {
		need.Missing(t, need.Root, "no BPF in a user namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// The kernel's own copy of Bind is known again, and nothing else is taken for it.
func TestBoundBy(t *testing.T) {
	read := func(p Program) []Insn {
		info, err := Read(loaded(t, p))
		if err != nil || info.Name != p.Name || info.ID == 0 {
			t.Errorf("Read = %+v, %v; want the name %s", info, err, p.Name)
		}
		return info.Insns
	}
	bind := read(Bind(4711, bit))
	if ifindex, ok := BoundBy(bind, bit); ifindex != 4711 || !ok {
		t.Errorf("BoundBy(Bind(4711)) = %d, %v", ifindex, ok)
	}
	other := slices.Clone(bind)
	other[3] = JumpNotEqual(R2, 1, 5)
	for name, insns := range map[string][]Insn{
		"the guard": read(Guard(bit)), "other bits": read(Bind(4711, 1)), "none": nil, "the beginning": bind[:5], "more": append(bind, Exit()), "another condition": other,
	} {
		if ifindex, ok := BoundBy(insns, bit); ifindex != 0 || ok {
			t.Errorf("BoundBy(%s) = %d, %v; want 0, false", name, ifindex, ok)
		}
	}
}

func bpffs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("bpf", dir, "bpf", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	return dir
}

func TestPin(t *testing.T) {
	first := loaded(t, Bind(4, bit))
	dir := bpffs(t)
	if err := os.Mkdir(dir+"/rdomain", 0o700); err != nil {
		t.Fatal(err)
	}
	path := dir + "/rdomain/mgmt@t1"
	if _, err := Pinned(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Pinned of nothing = %v; want fs.ErrNotExist", err)
	}
	if err := Unpin(path); err != nil {
		t.Errorf("Unpin of nothing = %v", err)
	}
	for i := range uint32(3) {
		if err := Pin(loaded(t, Bind(5+i, bit)), path); err != nil {
			t.Fatal(err)
		}
		wantPinned(t, path, 5+i)
	}
	// One who was killed before the rename leaves the other name.
	if err := os.Rename(path, path+"~"); err != nil {
		t.Fatal(err)
	}
	if err := Pin(first, path); err != nil {
		t.Fatal(err)
	}
	wantPinned(t, path, 4)
	if _, err := os.Lstat(path + "~"); err == nil {
		t.Errorf("Pin left %s~", path)
	}
	if err := pin(first, path+"~"); err != nil {
		t.Fatal(err)
	}
	if err := Unpin(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir + "/rdomain"); err != nil {
		t.Errorf("Unpin left something: %v", err)
	}
	for _, bad := range []string{dir + "/a.b", dir + "/none/a", "/run/a", dir + "/" + strings.Repeat("x", unix.PathMax)} {
		if err := Pin(first, bad); err == nil || !strings.HasPrefix(err.Error(), "unable to pin the VRF's BPF program to "+bad+": ") {
			t.Errorf("Pin(%s) = %v; want an error", bad, err)
		}
		if _, err := Pinned(bad); err == nil {
			t.Errorf("Pinned(%s): want an error", bad)
		}
	}
}

func wantPinned(t *testing.T, path string, ifindex uint32) {
	t.Helper()
	prog, err := Pinned(path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(prog)
	info, err := Read(prog)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := BoundBy(info.Insns, bit); got != ifindex || !ok {
		t.Errorf("pinned for %d, %v; want %d", got, ok, ifindex)
	}
}
