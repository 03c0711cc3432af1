package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/flock"
)

// Prepare makes /run/netns what `ip netns add` makes of it: a directory of mode
// 0755 that is a shared mount, so that a namespace that is unmounted here is
// unmounted everywhere and dies. It holds iproute2's lock meanwhile, if it is not: two
// programs that did this at once would double the mounts below each time
// (iproute2 975c4944). Once per process is enough.
func Prepare() error {
	if err := os.Mkdir(Run, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Every user can hold the lock. It is needed to change what is mounted, which is done
	// once after a boot.
	mounted, shared, _, err := isMounted()
	if err != nil || mounted && shared {
		return err
	}
	fd, err := lock()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if mounted, shared, _, err = isMounted(); err != nil {
		return err
	}
	if !mounted {
		if err := unix.Mount(Run, Run, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind mount of %s on itself: %w", Run, err)
		}
		// A bind mount of a shared mount joins its peer group, and each
		// namespace would be mounted twice; private first leaves the group
		// (iproute2 82c8b9fe).
		if err := unix.Mount("", Run, "none", unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("private mount %s: %w", Run, err)
		}
	}
	if !shared {
		if err := unix.Mount("", Run, "none", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("shared mount %s: %w", Run, err)
		}
	}
	return nil
}

// Within returns the name of the namespace that the calling thread is in, if it is also
// in a mount namespace from which no name of a namespace gets out, as what rdexec,
// ip netns exec and systemd start there is. Otherwise it returns "".
func Within() (name string, err error) {
	_, _, slave, err := isMounted()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !slave {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	self, err := Self()
	if err != nil {
		return "", err
	}
	defer self.Close()
	names, err := Names()
	for _, n := range names {
		if id, err := Lookup(n.String()); err == nil && id.Same(self.ID()) {
			return n.String(), nil
		}
	}
	return "", err
}

// isMounted reports whether there is a mount on /run/netns, whether it is shared, and
// whether it is a slave of another. The directory is opened again: the descriptor of
// the lock may be older than the mount, and be of what lies below.
func isMounted() (mounted, shared, slave bool, err error) {
	dir, err := os.Open(Run)
	if err != nil {
		return false, false, false, err
	}
	defer dir.Close()
	fdinfo, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", dir.Fd()))
	if err != nil {
		return false, false, false, err
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, false, false, err
	}
	mounted, shared, slave = mountPoint(string(fdinfo), string(mountinfo), Run)
	return mounted, shared, slave, nil
}

// lockLimit is how long iproute2's lock is waited for. Every user can hold it; a program
// that makes a namespace needs it for a moment.
const lockLimit = 10 * time.Second

// lock takes the lock that iproute2 takes, on the directory itself. To close the
// descriptor gives it back.
func lock() (fd int, err error) {
	fd, err = unix.Open(Run, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: Run, Err: err}
	}
	if err := flock.Wait(fd, unix.LOCK_EX, lockLimit, nil); err != nil {
		unix.Close(fd)
		return -1, &fs.PathError{Op: "lock", Path: Run, Err: err}
	}
	return fd, nil
}

// Make makes a namespace and gives it a name. inside runs on the thread that is
// in the new namespace, before the name is given: what it is can be written down
// before anybody can take it for another. The thread ends afterwards: it is never used
// for anything else.
//
// The error matches fs.ErrExist if there is a file of that name, whatever it
// is. If any step fails, no file is left. Prepare must have run.
func Make(name domain.NetnsName, inside func(*NS) error) (*NS, error) {
	path := name.Path()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: err}
	}
	unix.Close(fd)
	ns, err := bindNew(path, inside)
	if err != nil {
		_ = unix.Unlink(path)
		return nil, err
	}
	return ns, nil
}

func bindNew(path string, inside func(*NS) error) (ns *NS, err error) {
	err = away(func() (err error) {
		ns, err = unshareAndBind(path, inside)
		return err
	})
	return ns, err
}

func unshareAndBind(path string, inside func(*NS) error) (*NS, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("new network namespace: %w", err)
	}
	ns, err := Self()
	if err != nil {
		return nil, err
	}
	if err := inside(ns); err != nil {
		ns.Close()
		return nil, err
	}
	if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
		ns.Close()
		return nil, fmt.Errorf("bind mount on %s: %w", path, err)
	}
	return ns, nil
}

// staleAge is how old a file in /run/netns must be before it is taken for a
// left-over: between the file and the mount another ip(8) needs less than a
// thousandth of that.
const staleAge = 2 * time.Second

// Repair removes a left-over: a file in /run/netns that is not a namespace but
// empty. It waits for a file that somebody may just be mounting on, unless the
// caller knows that it is its own (mine). It reports whether there is now no
// file of that name. What is neither a namespace nor an empty file is an error:
// it is not for us to remove.
func Repair(name domain.NetnsName, mine bool) (gone bool, err error) {
	fd, err := lock()
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	path := name.Path()
	for {
		switch _, err := Lookup(name.String()); {
		case err == nil:
			return false, nil
		case errors.Is(err, fs.ErrNotExist):
			return true, nil
		case !errors.Is(err, ErrNotNamespace):
			return false, err
		}
		info, err := os.Lstat(path)
		if err == nil && !mine && time.Since(info.ModTime()) < staleAge {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err := removeEmpty(path); err != nil {
			return false, err
		}
	}
}

// removeEmpty removes an empty file, if there is one; anything else is an error.
func removeEmpty(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != 0 {
		return fmt.Errorf("%s: %w, and not an empty file; remove it by hand", path, ErrNotNamespace)
	}
	if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "unlink", Path: path, Err: err}
	}
	return nil
}

// Remove takes a namespace's name away, as `ip netns delete` does: the mount,
// then the file. The namespace itself dies with its last process, socket or
// descriptor. Without a file of that name it is done already; a file that is
// another namespace than id is left alone, and the error says so. One that is no
// namespace may be what somebody is mounting on: it is removed when it is older.
func Remove(name domain.NetnsName, id ID) error {
	path := name.Path()
	ours := false // the file below what was unmounted here
	for {
		found, err := Lookup(name.String())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, ErrNotNamespace):
			// While there is a file, nobody makes one of that name.
			if info, err := os.Lstat(path); err == nil && !ours && time.Since(info.ModTime()) < staleAge {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return removeEmpty(path)
		case err != nil:
			return err
		case !found.Same(id):
			return fmt.Errorf("%s: another namespace than the one that was made here", path)
		}
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && err != unix.EINVAL {
			return fmt.Errorf("unmount %s: %w", path, err)
		} else if err == unix.EINVAL {
			// Mounted where we cannot unmount it: in a mount namespace of
			// which ours is a less privileged copy.
			return fmt.Errorf("unmount %s: mounted from outside this mount namespace: %w", path, err)
		}
		ours = true
	}
}
