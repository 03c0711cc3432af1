package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func open(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root, dir
}

// names lists what a folder has: no temporary file may stay.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func expect(t *testing.T, dir, name, data string, mode fs.FileMode) {
	t.Helper()
	file := filepath.Join(dir, name)
	got, err := os.ReadFile(file)
	info, statErr := os.Lstat(file)
	if err != nil || statErr != nil || string(got) != data || info.Mode() != mode {
		t.Errorf("%s: %q, %v, %v; want %q, %v", name, got, info.Mode(), errors.Join(err, statErr), data, mode)
	}
}

func TestWriteReplaces(t *testing.T) {
	root, dir := open(t)
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	for _, text := range []string{"first", "second"} {
		if err := Write(root, File{Name: "a", Mode: 0o644, Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		expect(t, dir, "a", text, 0o644)
	}
	// The link is replaced, and what it leads to stays.
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Write(root, File{Name: "link", Mode: 0o600, Data: []byte("own")}); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "link", "own", 0o600)
	expect(t, dir, "a", "second", 0o644)
	if err := Write(root, File{Name: "link", Link: "elsewhere"}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "link")); target != "elsewhere" || err != nil {
		t.Errorf("link leads to %q, %v", target, err)
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("the folder has %q", got)
	}
}

func TestWriteRefuses(t *testing.T) {
	root, dir := open(t)
	outside := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "folder"), 0o755),
		unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644),
		os.Symlink(outside, filepath.Join(dir, "out")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{"folder": ErrNotRegular, "fifo": ErrNotRegular, "missing/a": fs.ErrNotExist, "out/a": nil} {
		err := Write(root, File{Name: name, Mode: 0o644})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", name, err, want)
		}
	}
	if got := append(names(t, dir), names(t, outside)...); len(got) != 3 {
		t.Errorf("the folders have %q", got)
	}
}

// Whoever holds the lock removes what a killed writer left under the name.
func TestTempIsReplaced(t *testing.T) {
	root, dir := open(t)
	if err := os.WriteFile(filepath.Join(dir, "a.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(root, File{Name: "a", Mode: 0o644, Data: []byte("whole"), Temp: "a.new"}); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "a", "whole", 0o644)
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder has %q", got)
	}
}

func TestDiscard(t *testing.T) {
	root, dir := open(t)
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	staged, err := Stage(root, File{Name: "a", Mode: 0o644, Data: []byte("new")})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "a", "old", 0o600)
	staged.Discard()
	expect(t, dir, "a", "old", 0o600)
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder has %q", got)
	}
	// What cannot be renamed leaves nothing either.
	staged, err = Stage(root, File{Name: "b", Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := staged.Commit(); err == nil {
		t.Error("a folder was replaced")
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("the folder has %q", got)
	}
}
