// Package netns makes, finds and removes named network namespaces in the way
// of ip-netns(8), so that ip(8) and rdomain see and remove each other's.
//
// A namespace has a name because a file below /run/netns is a mount point of it
// (nsfs). A file that is not nsfs is what a creation that died half way, or one
// inside a private mount namespace, leaves behind; it names nothing.
package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// Run is the directory of named namespaces (NETNS_RUN_DIR of iproute2).
const Run = domain.NetnsDir

// ID tells namespaces apart: the device and inode number of the nsfs file, for as long
// as they live, and the cookie for ever. Inode numbers are given again at once. The
// zero ID is no namespace's.
type ID struct {
	Dev uint64 `json:"dev"`
	Ino uint64 `json:"ino"`
	// Cookie is what SO_NETNS_COOKIE says of a socket in it, since Linux 5.14; the
	// kernel gives none twice. Zero is one that nobody asked for.
	Cookie uint64 `json:"cookie,omitempty"`
}

// Same reports whether two IDs are those of one namespace, as far as both know.
func (a ID) Same(b ID) bool {
	return a.Dev == b.Dev && a.Ino == b.Ino && (a.Cookie == b.Cookie || a.Cookie == 0 || b.Cookie == 0)
}

// ErrNotNamespace is matched by the error for a file in /run/netns that is not
// a namespace.
var ErrNotNamespace = errors.New("not a network namespace")

// ErrSymlink is matched by the error for a symbolic link in /run/netns. It may lead to
// another namespace tomorrow, or to the default domain: it names nothing, and what is
// to be done with it is refused.
var ErrSymlink = errors.New("a symbolic link names no network namespace; remove it")

// ErrFirst is matched by the error for a file in /run/netns that is the namespace of pid 1:
// what would be made in it, would be made in the default domain.
var ErrFirst = errors.New("the network namespace of pid 1, which is the default domain; umount(8) that file and remove it")

// isFirst reports whether a namespace is that of pid 1. Who may not look at that one may not
// change it either.
func isFirst(dev, ino uint64) bool {
	var st unix.Stat_t
	return unix.Stat("/proc/1/ns/net", &st) == nil && st.Dev == dev && st.Ino == ino
}

// NS is an open network namespace. It keeps the namespace alive.
type NS struct {
	fd   int
	path string
	id   ID
}

// ID returns the namespace's identity, with the cookie if Learn was told it.
func (n *NS) ID() ID { return n.id }

// Learn notes the cookie of the namespace, which a socket in it has.
func (n *NS) Learn(cookie uint64) { n.id.Cookie = cookie }

// Fd returns the descriptor, which is close-on-exec and closed by Close.
func (n *NS) Fd() int { return n.fd }

// Close closes the descriptor.
func (n *NS) Close() { unix.Close(n.fd) }

// Self opens the network namespace of the calling thread.
func Self() (*NS, error) { return OpenPath("/proc/thread-self/ns/net") }

// Open opens a named namespace. The error matches fs.ErrNotExist if there is no
// file of that name, ErrNotNamespace if it is not nsfs, and ErrFirst if it is pid 1's.
func Open(name domain.NetnsName) (*NS, error) {
	fd, err := openNoFollow(name.Path())
	if err != nil {
		return nil, err
	}
	n, err := fromFd(fd, name.Path())
	if err == nil && isFirst(n.id.Dev, n.id.Ino) {
		n.Close()
		return nil, fmt.Errorf("%s: %w", name.Path(), ErrFirst)
	}
	return n, err
}

// openNoFollow opens the file itself: a symbolic link in /run/netns names
// nothing. A namespace's file has mode 0, so only root can.
func openNoFollow(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == unix.ELOOP {
		return -1, fmt.Errorf("%s: %w", path, ErrSymlink)
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// OpenPath opens the namespace that a path such as /proc/PID/ns/net leads to.
func OpenPath(path string) (*NS, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fromFd(fd, path)
}

func fromFd(fd int, path string) (*NS, error) {
	id, err := identify(fd)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &NS{fd, path, id}, nil
}

func identify(fd int) (ID, error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return ID{}, err
	}
	if fs.Type != unix.NSFS_MAGIC {
		return ID{}, ErrNotNamespace
	}
	// NS_GET_NSTYPE tells a network namespace from the other kinds.
	if kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		return ID{}, ErrNotNamespace
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return ID{}, err
	}
	return ID{Dev: st.Dev, Ino: st.Ino}, nil
}

// Lookup returns the identity of the file in /run/netns without opening it, so
// that many can be compared at little cost; it has no cookie. The error matches
// fs.ErrNotExist, ErrNotNamespace, ErrSymlink or ErrFirst.
func Lookup(name string) (ID, error) {
	path := Run + "/" + name
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return ID{}, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return ID{}, fmt.Errorf("%s: %w", path, ErrSymlink)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return ID{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	if fs.Type != unix.NSFS_MAGIC {
		return ID{}, fmt.Errorf("%s: %w", path, ErrNotNamespace)
	}
	if isFirst(st.Dev, st.Ino) {
		return ID{}, fmt.Errorf("%s: %w", path, ErrFirst)
	}
	return ID{Dev: st.Dev, Ino: st.Ino}, nil
}

// Names returns the validated names of all files in /run/netns, whether they
// are namespaces or not. Names that are no domain's are left out. Without the
// directory there are none.
func Names() ([]domain.NetnsName, error) {
	names, _, err := names()
	return names, err
}

// Others returns the names of the files that Names leaves out.
func Others() ([]string, error) {
	_, others, err := names()
	return others, err
}

func names() (valid []domain.NetnsName, others []string, err error) {
	entries, err := os.ReadDir(Run)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	for _, e := range entries {
		if n, err := domain.ParseNetns(e.Name()); err == nil {
			valid = append(valid, n)
		} else {
			others = append(others, e.Name())
		}
	}
	return valid, others, nil
}

// Inside runs f on a thread in the namespace. The thread goes back afterwards;
// one that cannot go back ends with its goroutine, so that no other goroutine
// ever runs in the wrong namespace.
func (n *NS) Inside(f func() error) error {
	return away(func() error {
		if err := unix.Setns(n.Fd(), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("setns %s: %w", n.path, err)
		}
		return f()
	})
}

// Scratch runs f on a thread in a new namespace without a name, which is gone with it.
func Scratch(f func() error) error {
	return away(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		return f()
	})
}

// away runs f, which enters a namespace, on a thread of its own, and has the thread go back.
// To end the thread instead would not do: the first thread of a process never ends in Go, and
// it would hold the namespace, and show it to all who look at the process, until that ends.
func away(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := Self()
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		err = f()
		if unix.Setns(home.Fd(), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// mountPoint returns whether path is a mount point, whether that mount is shared, and
// whether it is a slave, which sees what others mount and not the other way round; from
// the texts of /proc/self/fdinfo of a descriptor of path and of
// /proc/self/mountinfo (proc(5)). The path alone would not do: there may be
// several mounts on it, and others that hide all of them.
func mountPoint(fdinfo, mountinfo, path string) (mounted, shared, slave bool) {
	id := ""
	for line := range strings.Lines(fdinfo) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "mnt_id:" {
			id = f[1]
		}
	}
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 7 || fields[0] != id || fields[4] != path {
			continue
		}
		for _, f := range fields[6:] {
			if f == "-" {
				break
			}
			shared = shared || strings.HasPrefix(f, "shared:")
			slave = slave || strings.HasPrefix(f, "master:")
		}
		return true, shared, slave
	}
	return false, false, false
}
