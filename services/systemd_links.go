package services

import (
	"errors"
	"io/fs"
	"path"

	"rdgen/generators"
)

// links returns which folders of the machine are other names of folders. What is not there, as
// in a package's staging folder, is as it usually is.
func links(fsys fs.FS) generators.Links {
	found := generators.UsualLinks()
	for _, name := range []string{"/bin", "/sbin", "/usr/sbin", "/var/run"} {
		target, err := fs.ReadLink(fsys, name[1:])
		if err == nil {
			if !path.IsAbs(target) {
				target = path.Join(path.Dir(name), target)
			}
			found[name] = path.Clean(target)
		} else if _, err := fs.Lstat(fsys, name[1:]); !errors.Is(err, fs.ErrNotExist) {
			delete(found, name) // a folder of its own
		}
	}
	return found
}
