// Package atomicfile replaces files so that a reader, and whoever comes after a
// crash, finds the old file or the new one, whole, and never a part of one: the
// new one is written beside its place, brought to the disk, and renamed.
package atomicfile

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strconv"
)

// File is a file as it is to be.
type File struct {
	// Name is the file's path below the root, with slashes.
	Name string
	// Mode are the permission bits, whatever the umask is.
	Mode fs.FileMode
	// Owner is whose file it is; nil is who writes it.
	Owner *Owner
	Data  []byte
	// Link is the target of a symbolic link, which then has no mode and no data.
	Link string
	// Temp is the name of the temporary file, in the folder of Name. Only who holds
	// a lock against all other writers of the file may give one: what is there was
	// left by a writer that was killed, and is removed. Without it the name is
	// random and begins with a dot.
	Temp string
}

// Owner is whom a file belongs to.
type Owner struct{ UID, GID int }

// ErrNotRegular is matched by the error for a place that has something that is
// no file and no symbolic link. Nothing of that kind is replaced.
var ErrNotRegular = errors.New("is neither a file nor a symbolic link")

// Write replaces one file. Its folder must exist. A symbolic link at its place is
// replaced, not followed; one on the way that leads out of root is an error. The
// error is an *fs.PathError or an *os.LinkError, and then nothing has changed.
func Write(root *os.Root, f File) error {
	staged, err := Stage(root, f)
	if err != nil {
		return err
	}
	return staged.Commit()
}

// Staged is a file that was written beside its place.
type Staged struct {
	root       *os.Root
	temp, name string
}

// Stage writes the new file beside its place, for callers that replace several
// files at once: if one cannot be staged, none has changed. The errors are those of
// Write, and then nothing is left to discard.
func Stage(root *os.Root, f File) (Staged, error) {
	info, err := root.Lstat(f.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Staged{}, err
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0:
		return Staged{}, &fs.PathError{Op: "replace", Path: f.Name, Err: ErrNotRegular}
	}
	dir, base := path.Split(f.Name)
	s := Staged{root: root, temp: dir + f.Temp, name: f.Name}
	if f.Temp == "" {
		s.temp = dir + "." + base[:min(len(base), 200)] + ".rdgen-" + strconv.FormatUint(rand.Uint64(), 36)
	} else if err := root.Remove(s.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Staged{}, err
	}
	if f.Link != "" {
		err = root.Symlink(f.Link, s.temp)
	} else {
		err = create(root, s.temp, f)
	}
	if err != nil {
		s.Discard()
		return Staged{}, err
	}
	return s, nil
}

func create(root *os.Root, name string, f File) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode.Perm())
	if err != nil {
		return err
	}
	_, err = file.Write(f.Data)
	if f.Owner != nil {
		err = errors.Join(err, file.Chown(f.Owner.UID, f.Owner.GID))
	}
	// The umask took bits from the mode at creation, and chown takes some.
	return errors.Join(err, file.Chmod(f.Mode), file.Sync(), file.Close())
}

// Commit puts the file in its place. If that fails, nothing has changed.
func (s Staged) Commit() error {
	err := s.root.Rename(s.temp, s.name)
	if err != nil {
		s.Discard()
	}
	return err
}

// Discard removes a file that is not to be put in its place.
func (s Staged) Discard() { _ = s.root.Remove(s.temp) }
