package s6

import (
	"path"
	"slices"
	"strings"
)

// roots are the directories that only root can write to, on every distribution: no
// other user can put a link in the place of what is in them. /run/lock is not one.
var roots = []string{"/run", "/var/run", "/var/lib", "/var/cache", "/var/log", "/var/spool", "/etc", "/srv", "/opt", "/usr/share"}

// SafeFolder reports that root may make the directory file at every start and give
// it to a user, by programs that follow links: it is absolute and clean, and its
// parent belongs to root. That of a deeper one may be the user's.
func SafeFolder(file string) bool {
	dir, name := path.Split(file)
	return path.IsAbs(file) && path.Clean(file) == file && name != "" &&
		slices.Contains(roots, strings.TrimRight(dir, "/")) && !slices.Contains(roots, file)
}

// NestedFolder reports that file is a directory in one of those, which mkdir(1) and
// chown -h may make: they change nothing that is there already but its owner.
func NestedFolder(file string) bool {
	return SafeFolder(path.Dir(file)) && path.Clean(file) == file
}
