package bpf

import (
	"io/fs"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A function is found by its name alone, in types of each kind that there is here.
func TestFindFunction(t *testing.T) {
	text := writeTypes()
	all := slices.Concat(text.header(), text.types, text.names)
	for _, c := range []struct {
		name string
		all  []byte
		id   uint32
		err  error
	}{
		{"program", all, typeProgram, nil},
		{"program", slices.Concat(text.header(), text.types, text.names)[:len(all)-1], 0, unix.ENOENT},
		{"prog", all, 0, unix.ENOENT},
		{"rogram", all, 0, unix.ENOENT},
		{"net_device", all, 0, unix.ENOENT}, // a struct
		{"program", all[:20], 0, unix.EINVAL},
		{"program", nil, 0, unix.EINVAL},
	} {
		id, err := findFunction(c.all, c.name)
		if id != c.id || err != c.err {
			t.Errorf("findFunction(%d bytes, %q) = %d, %v; want %d, %v", len(c.all), c.name, id, err, c.id, c.err)
		}
	}
	cut := typeText{types: text.types[:50], names: text.names}
	if _, err := findFunction(slices.Concat(cut.header(), cut.types, cut.names), "program"); err == nil {
		t.Error("a type that is cut short is found")
	}
}

// The kernel that this runs on has the functions that programs are attached to.
func TestFunctions(t *testing.T) {
	if _, err := os.Stat(kernelTypesFile); err != nil {
		if err.(*fs.PathError).Err != unix.ENOENT {
			t.Fatal(err)
		}
		if _, err := functionID("vfs_read"); err != unix.ENOENT {
			t.Errorf("functionID without types = %v; want ENOENT", err)
		}
		return
	}
	for _, p := range Refuse(bit) {
		if id, err := functionID(p.Function); err != nil || id == 0 {
			t.Errorf("functionID(%q) = %d, %v", p.Function, id, err)
		}
	}
	if _, err := functionID("no_such_function"); err != unix.ENOENT {
		t.Errorf("functionID of none = %v; want ENOENT", err)
	}
}
