package conf

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"rdgen/runtime/domain"
)

// Seen is the root of a machine as it was read for one domain. What of it the domain hangs on
// is noted, so that it can be read again when the files are others, or gone: a ruleset, what a
// file of wg-quick(8) says, the line of a user in /etc/passwd. In place of a key it is its
// [Print].
type Seen struct {
	fs.FS
	notes map[string][]byte
}

// Notes returns what was noted while the file, and what it names, was read: texts by the paths
// of their files. They are nil of a root that is no [Seen].
func (f *File) Notes() map[string][]byte {
	switch root := f.Root.(type) {
	case *Seen:
		return root.notes
	case recalled:
		return root
	}
	return nil
}

// Now returns a file of the same text, and of what it names what there is now. Where it cannot
// be read any more, that is nothing.
func Now(id domain.ID, f *File) *File {
	now, err := Parse(f.Path, id, f.Text, &Seen{Machine(), map[string][]byte{}})
	if err != nil {
		return &File{}
	}
	return now
}

// Recalled reports whether the file's root is but what was noted of one: keys are prints.
func (f *File) Recalled() bool {
	_, ok := f.Root.(recalled)
	return ok
}

// Note notes what a file that is named says.
func (f *File) Note(file string, text []byte) { note(f.Root, file, text) }

func note(fsys fs.FS, file string, text []byte) {
	if s, ok := fsys.(*Seen); ok {
		s.notes[file] = text
	}
}

// noteLine notes a line of a file, once.
func noteLine(fsys fs.FS, file, line string) {
	if s, ok := fsys.(*Seen); ok && !bytes.Contains(s.notes[file], []byte(line+"\n")) {
		s.notes[file] = append(s.notes[file], line+"\n"...)
	}
}

// Print stands for a key where that must not be: its SHA-256. That of no key is no key.
func Print(k Key) Key {
	if k == (Key{}) {
		return k
	}
	return sha256.Sum256(k[:])
}

// Recall returns the root that has what was noted, and nothing else.
func Recall(notes map[string][]byte) fs.FS { return recalled(notes) }

type recalled map[string][]byte

// Open opens a file for reading, or a folder for its names.
func (r recalled) Open(name string) (fs.File, error) {
	if text, ok := r["/"+name]; ok {
		return &memory{Reader: bytes.NewReader(text), name: path.Base(name)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: "/" + name, Err: fs.ErrNotExist}
}

// ReadDir lists the files of a folder.
func (r recalled) ReadDir(name string) (list []fs.DirEntry, err error) {
	for _, file := range slices.Sorted(maps.Keys(r)) {
		if dir, base := path.Split(file); strings.Trim(dir, "/") == name {
			list = append(list, fs.FileInfoToDirEntry(&memory{Reader: bytes.NewReader(r[file]), name: base}))
		}
	}
	return list, nil
}

// memory is an opened file that is in memory, and its own description: root's, who alone may
// read it.
type memory struct {
	*bytes.Reader
	name string
}

func (m *memory) Stat() (fs.FileInfo, error) { return m, nil }
func (m *memory) Close() error               { return nil }
func (m *memory) Name() string               { return m.name }
func (m *memory) Mode() fs.FileMode          { return 0o600 }
func (m *memory) ModTime() time.Time         { return time.Time{} }
func (m *memory) IsDir() bool                { return false }
func (m *memory) Sys() any                   { return nil }
