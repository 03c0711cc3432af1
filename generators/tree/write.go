package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/sys/unix"

	"rdgen/atomicfile"
	"rdgen/problem"
)

// Diff returns what Write(dir) would change, as a unified diff, or "" if
// nothing. A folder that does not exist yet is an empty one.
func (t Tree) Diff(dir string) (string, error) {
	out, err := openOutput(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return t.diff(dir, func(string) (File, error) { return File{}, fs.ErrNotExist })
	}
	if err != nil {
		return "", err
	}
	defer out.Close()
	return t.diff(dir, func(rel string) (File, error) { return read(out.Root, rel) })
}

func (t Tree) diff(dir string, read func(rel string) (File, error)) (string, error) {
	var text strings.Builder
	for _, f := range t.Files() {
		rel := Place(dir, f.Path)
		old, err := read(rel)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", pathError(dir, rel, err)
		}
		if err == nil && old.equal(f) {
			continue
		}
		name := path.Join(dir, rel)
		switch {
		case err == nil && old.Link == "" && f.Link == "" && old.Mode != f.Mode:
			fmt.Fprintf(&text, "# %s: mode %04o becomes %04o\n", name, old.Mode, f.Mode)
		case err == nil && old.Link != f.Link:
			fmt.Fprintf(&text, "# %s: %s becomes %s\n", name, old.nature(), f.nature())
		case err != nil && f.Link != "":
			fmt.Fprintf(&text, "# %s: new %s\n", name, f.nature())
		case err != nil && len(f.Data) == 0: // of which a diff says nothing
			fmt.Fprintf(&text, "# %s: new empty file\n", name)
		}
		oldName := name
		if err != nil {
			oldName = "/dev/null"
		}
		text.Write(diff.Diff(oldName, old.Data, name, f.Data))
	}
	return text.String(), nil
}

// Old returns what is at the places of the tree's files below dir, by their paths in the
// tree: what Write would replace.
func (t Tree) Old(dir string) (old Tree, err error) {
	out, err := openOutput(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return old, nil
	}
	if err != nil {
		return old, err
	}
	defer out.Close()
	for _, f := range t.Files() {
		rel := Place(dir, f.Path)
		g, err := read(out.Root, rel)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return old, pathError(out.dir, rel, err)
		}
		g.Path = f.Path
		old.Put(g)
	}
	return old, nil
}

func (f File) nature() string {
	if f.Link != "" {
		return "link to " + f.Link
	}
	return "file"
}

// Write brings every file of the tree into dir, each where Place says. All are
// staged beside their targets under a name that starts with a dot, and only if
// that succeeded are they renamed, so a reader sees the old file or the new one.
// A file that is already as it should be is left alone, with its times. A
// symbolic link at a file's place is replaced, not followed; one that leads out
// of dir on the way to it is an error, and nothing is written.
//
// dir is made if it does not exist.
func (t Tree) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	out, err := openOutput(dir)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, f := range t.Files() {
		if err := out.stage(f); err != nil {
			out.undo()
			return err
		}
	}
	return out.commit()
}

// output is a folder that is being written to.
type output struct {
	*os.Root
	dir    string
	made   []string // folders that were made, outermost first
	staged []staged // not yet renamed, in the order of the tree
}

type staged struct {
	atomicfile.Staged
	rel string
}

func openOutput(dir string) (*output, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &output{Root: root, dir: abs}, nil
}

func (o *output) stage(f File) error {
	rel := Place(o.dir, f.Path)
	old, err := read(o.Root, rel)
	if err == nil && old.equal(f) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pathError(o.dir, rel, err)
	}
	if err := o.mkdirAll(path.Dir(rel)); err != nil {
		return err
	}
	s, err := atomicfile.Stage(o.Root, atomicfile.File{Name: rel, Mode: f.Mode, Data: f.Data, Link: f.Link})
	if err != nil {
		return pathError(o.dir, rel, err)
	}
	o.staged = append(o.staged, staged{s, rel})
	return nil
}

// mkdirAll makes the folder rel and remembers which of its parts are new.
func (o *output) mkdirAll(rel string) error {
	if rel == "." {
		return nil
	}
	if err := o.mkdirAll(path.Dir(rel)); err != nil {
		return err
	}
	err := o.Mkdir(rel, 0o755)
	if err == nil {
		o.made = append(o.made, rel)
		return nil
	}
	// It is there, perhaps as a link that stays inside; or the way leads out.
	info, statErr := o.Stat(rel)
	if statErr != nil {
		if errors.Is(err, fs.ErrExist) {
			err = statErr
		}
		return pathError(o.dir, rel, err)
	}
	if !info.IsDir() {
		return pathError(o.dir, rel, unix.ENOTDIR)
	}
	return nil
}

func (o *output) commit() error {
	for len(o.staged) > 0 {
		s := o.staged[0]
		if err := s.Commit(); err != nil {
			o.undo()
			return pathError(o.dir, s.rel, err)
		}
		o.staged = o.staged[1:]
	}
	return nil
}

// undo removes what was staged and not yet renamed, and the folders made for it
// that are still empty.
func (o *output) undo() {
	for _, s := range o.staged {
		s.Discard()
	}
	for i := len(o.made) - 1; i >= 0; i-- {
		o.Remove(o.made[i])
	}
}

// read returns the file at rel as it is, without following a link at its end.
func read(root *os.Root, rel string) (File, error) {
	info, err := root.Lstat(rel)
	if err != nil {
		return File{}, err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := root.Readlink(rel)
		return File{Link: target}, err
	case info.Mode().IsRegular():
		data, err := root.ReadFile(rel)
		return File{Mode: info.Mode().Perm(), Data: data}, err
	}
	return File{}, fmt.Errorf("is a %s; rdgen replaces only files and links", kind(info.Mode()))
}

// pathError says which file could not be written or read, without the library's
// own prefix for the same path.
func pathError(dir, rel string, err error) error {
	err = problem.Cause(err)
	if strings.Contains(err.Error(), "path escapes") {
		err = errors.New("a symbolic link on the way leads out of " + dir)
	}
	return fmt.Errorf("%s: %w", path.Join(dir, rel), err)
}

// Remove removes the files at the absolute paths, below dir, and each folder that is
// empty then and is called NAME.d. A link on the way that leads out of dir is an error.
func Remove(dir string, paths []string) error {
	out, err := openOutput(dir)
	if err != nil {
		return err
	}
	defer out.Close()
	for _, p := range paths {
		rel := Place(out.dir, p)
		if err := out.Root.Remove(rel); err != nil {
			return pathError(dir, rel, err)
		}
		if folder := path.Dir(rel); path.Ext(folder) == ".d" {
			out.Root.Remove(folder) // or it has something else
		}
	}
	return nil
}
