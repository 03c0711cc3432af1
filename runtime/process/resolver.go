package process

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Resolver is the identity of the file by which a process looks up names, and the zero one
// where it sees none, as in an empty root.
type Resolver struct{ Dev, Ino uint64 }

// ResolverOf returns the /etc/resolv.conf that a process sees, in its own root and its own
// mounts. The error matches fs.ErrPermission if the caller may not know.
func ResolverOf(pid int) (Resolver, error) {
	return fileIn("/proc/"+strconv.Itoa(pid)+"/root", "/etc/resolv.conf")
}

// FileAt returns the identity of a resolver file of the caller's.
func FileAt(path string) (Resolver, error) { return fileIn("/", path) }

func fileIn(root, path string) (r Resolver, err error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return r, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	return Resolver{uint64(st.Dev), st.Ino}, err
}
