package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"

	"rdgen/atomicfile"
)

// Edit is a new text for the file at Path, which keeps its mode and its owner.
type Edit struct {
	Path string
	// Old is what the file has, nil if there is none.
	Old, New []byte
}

// Diff returns what Write(dir) would change, as a unified diff, or "" if nothing. The
// error is that of Write.
func (e Edit) Diff(dir string) (string, error) {
	out, _, err := e.open(dir)
	if err != nil {
		return "", err
	}
	defer out.Close()
	name := path.Join(dir, e.Path)
	old := name
	if e.Old == nil {
		old = "/dev/null"
	}
	return string(diff.Diff(old, e.Old, name, e.New)), nil
}

// Write replaces the file below dir, all at once. A link at its place is an error, as it is
// somebody's that the text is elsewhere, and so is a file that does not have the old text:
// somebody else writes it. Nothing has changed then.
func (e Edit) Write(dir string) error {
	out, f, err := e.open(dir)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.mkdirAll(path.Dir(f.Name)); err != nil {
		return err
	}
	if err := atomicfile.Write(out.Root, f); err != nil {
		out.undo()
		return pathError(out.dir, f.Name, err)
	}
	return nil
}

// open opens dir, looks whether the file there is the one that was read, and returns what
// replaces it.
func (e Edit) open(dir string) (*output, atomicfile.File, error) {
	f := atomicfile.File{Name: strings.TrimPrefix(e.Path, "/"), Mode: 0o644, Data: e.New}
	out, err := openOutput(dir)
	if err != nil {
		return nil, f, err
	}
	info, err := out.Lstat(f.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.Old == nil:
		return out, f, nil
	case err == nil:
		err = e.isOld(out.Root, f.Name, info)
	}
	if err != nil {
		out.Close()
		return nil, f, pathError(out.dir, f.Name, err)
	}
	f.Mode = info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && (int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid()) {
		f.Owner = &atomicfile.Owner{UID: int(st.Uid), GID: int(st.Gid)}
	}
	return out, f, nil
}

// isOld refuses a file that is not the one that was read.
func (e Edit) isOld(root *os.Root, rel string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, _ := root.Readlink(rel)
		return fmt.Errorf("is a link to %s, which is not edited", strings.ToValidUTF8(target, "?"))
	}
	f, err := read(root, rel)
	if err == nil && (e.Old == nil || !bytes.Equal(f.Data, e.Old)) {
		err = errors.New("has changed since it was read")
	}
	return err
}
