// Package tree holds what the generators make: a set of files, each at an
// absolute path, that can be printed, compared with a folder, and written into
// one so that every file is either the old one or the new one, never a part.
// It also opens the folder that everything is read from (--root).
package tree

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// File is one generated file.
type File struct {
	// Path is absolute and clean, as the file will be seen on the target:
	// "/etc/init.d/sshd".
	Path string
	// Mode holds the permission bits of a regular file; ignored for a link.
	Mode fs.FileMode
	// Data is the content of a regular file; nil for a link.
	Data []byte
	// Link is the target of a symbolic link, or "" for a regular file.
	Link string
}

func (f File) equal(g File) bool {
	return f.Link == g.Link && (f.Link != "" || f.Mode == g.Mode && bytes.Equal(f.Data, g.Data))
}

// Tree is a set of files, at most one for each path. The zero value is empty
// and ready for Add.
type Tree struct{ files map[string]File }

// Add puts f into the tree. Two services of one domain both bring the domain's
// files, so adding the same file again is fine; adding another one at the same
// path is an error, and so is a path that is not absolute and clean.
func (t *Tree) Add(f File) error {
	if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" || strings.ContainsRune(f.Path, 0) {
		return fmt.Errorf("path %q is not an absolute, clean path of a file", f.Path)
	}
	if old, ok := t.files[f.Path]; ok && !old.equal(f) {
		return fmt.Errorf("%s: two services want different contents", f.Path)
	}
	t.Put(f)
	return nil
}

// Put is Add where a file that is already at that path is to be replaced.
func (t *Tree) Put(f File) {
	if t.files == nil {
		t.files = make(map[string]File)
	}
	t.files[f.Path] = f
}

// File returns the file at a path; ok is false if there is none.
func (t Tree) File(path string) (f File, ok bool) {
	f, ok = t.files[path]
	return f, ok
}

// Files returns the files, sorted by path.
func (t Tree) Files() []File {
	return slices.SortedFunc(maps.Values(t.files), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// Print writes every file, each headed by its path as `systemctl cat` does it.
func (t Tree) Print(w io.Writer) error {
	for i, f := range t.Files() {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		text := string(f.Data)
		head := "# " + f.Path
		if f.Link != "" {
			head += " -> " + f.Link
		}
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		if _, err := io.WriteString(w, head+"\n"+text); err != nil {
			return err
		}
	}
	return nil
}

// Place returns where below dir the file of path p belongs, relative to dir:
// p itself, less the part that dir already ends in. So "/etc/init.d/sshd" is
// etc/init.d/sshd in a staging folder, init.d/sshd in /etc and sshd in
// /srv/image/etc/init.d.
func Place(dir, p string) string {
	elems := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for n := len(elems) - 1; n > 0; n-- {
		if strings.HasSuffix(path.Clean("/"+dir), "/"+strings.Join(elems[:n], "/")) {
			return strings.Join(elems[n:], "/")
		}
	}
	return strings.Join(elems, "/")
}
