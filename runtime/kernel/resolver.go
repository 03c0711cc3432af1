package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"rdgen/atomicfile"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// doFile writes a resolver file of a domain, by rename, or removes it.
func doFile(verb object.Verb, t object.File, in domain.Domain) error {
	dir := filepath.Dir(t.Path)
	if verb == object.Delete {
		if err := os.Remove(t.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_ = os.Remove(t.Path + "~")
		if err := enter.ForgetFile(in, filepath.Base(t.Path)); err != nil {
			return err
		}
		if t.NewDir {
			// Files of others keep it.
			if err := unix.Rmdir(dir); err != nil && err != unix.ENOTEMPTY && err != unix.EEXIST && err != unix.ENOENT {
				return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
			}
		}
		return nil
	}
	if verb == object.Replace {
		return rewrite(t)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return atomicfile.Write(root, atomicfile.File{Name: filepath.Base(t.Path), Mode: 0o644, Data: []byte(t.Text), Temp: filepath.Base(t.Path) + "~"})
}

// rewrite writes a resolver file in place: it may be mounted over the /etc/resolv.conf of
// services that run, and another one of its name would not be theirs. It is never empty.
func rewrite(t object.File) error {
	f, err := os.OpenFile(t.Path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(t.Text), 0)
	if err == nil {
		err = f.Truncate(int64(len(t.Text)))
	}
	return errors.Join(err, f.Close())
}

// readFiles reads the resolver files that exist. A link to nothing, or what is no regular
// file, is somebody's, and has no text.
func readFiles(dir string, have *plan.State) error {
	have.Files = map[string]string{}
	_, err := os.Lstat(dir)
	have.Dir = err == nil
	for _, name := range plan.ResolverFiles {
		file := dir + "/" + name
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := conf.ReadRegular(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			return err
		}
		have.Files[file] = string(text)
	}
	text, err := conf.ReadRegular("/etc/nsswitch.conf")
	if have.Nsswitch = string(text); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
