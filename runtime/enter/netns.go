package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// enterNetns moves the calling thread into the network namespace n.
//
// setns(2) with CLONE_NEWNET refuses, with EINVAL, any file that is not a
// network namespace, so nothing has to be looked at before it; after it,
// notNetns says what was found instead. O_NONBLOCK keeps open(2) from waiting
// on a FIFO that somebody left there.
func enterNetns(n domain.NetnsName) error {
	doing := "enter netns " + n.String() + " (" + n.Path() + ")"
	fd, err := unix.Open(n.Path(), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err == unix.ELOOP {
		return wrong(doing, symlink)
	}
	if err != nil {
		return unable(doing, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && isFirst(st) {
		return wrong(doing, first)
	}
	switch err = unix.Setns(fd, unix.CLONE_NEWNET); err {
	case nil:
		return checkEntered(doing, fd)
	case unix.EINVAL:
		return &Error{domain.ExitTemporary, "unable to " + doing + ": " + notNetns(fd), err}
	}
	return unable(doing, err)
}

// checkEntered looks once where the thread is now: a seccomp filter can answer success
// to a setns(2) that it does not let through.
func checkEntered(doing string, fd int) error {
	var own, want unix.Stat_t
	err := unix.Fstat(fd, &want)
	if err == nil {
		err = unix.Stat(ownNetns, &own)
	}
	if err != nil {
		return unable(doing, err)
	}
	if own.Dev != want.Dev || own.Ino != want.Ino {
		return wrong(doing, "the kernel says success, and the process is in another one (a seccomp filter?)")
	}
	return nil
}

// symlink is why a symbolic link is not followed: it may lead to the default domain,
// as one to /proc/PID/ns/net does when the process id is used again.
const symlink = "a symbolic link names no network namespace; remove it"

// first is why a name for the namespace of pid 1 is refused: who enters it stays where he is,
// in the default domain.
const first = "it is the network namespace of pid 1, which is the default domain; umount(8) that file and remove it"

// isFirst reports whether ns is the network namespace of pid 1. Who may not look at that one
// may not enter it either.
func isFirst(ns unix.Stat_t) bool {
	var st unix.Stat_t
	return unix.Stat("/proc/1/ns/net", &st) == nil && st.Dev == ns.Dev && st.Ino == ns.Ino
}

// notNetns says what the open file is that setns(2) refused.
func notNetns(fd int) string {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return err.Error()
	}
	if fs.Type != unix.NSFS_MAGIC {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Size == 0 {
			return "an empty file is not a network namespace (left by a mount that failed?)"
		}
		return "the file is not a network namespace"
	}
	kind, _ := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	for _, k := range []struct {
		kind int
		name string
	}{
		{unix.CLONE_NEWNS, "a mount"}, {unix.CLONE_NEWUTS, "a UTS"}, {unix.CLONE_NEWIPC, "an IPC"},
		{unix.CLONE_NEWUSER, "a user"}, {unix.CLONE_NEWPID, "a PID"}, {unix.CLONE_NEWCGROUP, "a cgroup"},
		{unix.CLONE_NEWTIME, "a time"},
	} {
		if k.kind == kind {
			return k.name + " namespace is not a network namespace"
		}
	}
	return unix.EINVAL.Error()
}
