package enter

import (
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// A private /etc is a directory of symbolic links that is mounted over /etc,
// in a mount namespace of the service's own. It is made once per domain and
// shared by the services of the domain:
//
//	/run/rdomain/etc/NAME/resolv.conf   -> .host/etc/netns/NAME/resolv.conf
//	                      passwd        -> .host/etc/passwd
//	                      .host/usr     -> /usr
//	                      .host/etc/    on it the host's /etc is mounted
//	                      .host/.stamp  -> what all of this was made from
//
// Nothing is copied, so a file is as new as the host's, whatever way the host
// replaces it; and since no file is a mount point, no rename of the host can
// take the domain's resolv.conf away. Needs open_tree(2): Linux 5.2.
//
// The host's /etc lies in .host, among links to what is in "/", for links such
// as mtab -> ../proc/self/mounts: ".." of a mount is the directory it is in.
const (
	etc      = "/etc"
	hostDir  = ".host"
	hostEtc  = hostDir + "/etc"
	stamp    = hostDir + "/.stamp"
	stampTag = "rdexec:"
	nextLink = hostDir + "/.next" // becomes another link by rename
)

// enterEtc gives the thread a private /etc if there are files for the domain
// in /etc/netns/NAME, which ip-netns(8) has as their place, and the host's /etc
// if there are none. It may be called where another domain's private /etc is
// already in place, and takes that away in either case. No look-up goes to a program of
// the host.
func enterEtc(n domain.NetnsName) error {
	if err := unshareMounts(); err != nil {
		return err
	}
	if err := leaveEtc(); err != nil {
		return err
	}
	files, err := makeLinks(n)
	if err != nil {
		return err
	}
	if files {
		if err := mountEtc(linkDir(n)); err != nil {
			return unable("mount the private /etc of netns "+n.String(), err)
		}
	}
	if err := hideResolvers(); err != nil {
		return err
	}
	return keepResolvConf(n)
}

// unshareMounts gives the thread a mount namespace that takes part in what the
// host mounts and unmounts, but not the other way round. The working directory
// stays the same directory.
func unshareMounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return unable("make a mount namespace", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return unable("make the mount namespace private", err)
	}
	return nil
}

// isPrivateEtc reports whether /etc is a directory of links that was mounted
// here: only such a one has a stamp.
func isPrivateEtc() bool {
	text, err := readLink(unix.AT_FDCWD, etc+"/"+stamp)
	return err == nil && strings.HasPrefix(text, stampTag)
}

// leaveEtc takes the private /etc away, and with it the mount below it.
func leaveEtc() error {
	for isPrivateEtc() {
		if err := unix.Unmount(etc, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return unable("leave the private /etc of another netns", err)
		}
	}
	return nil
}

// mountEtc mounts the directory of links over /etc, and the old /etc in it,
// with all that is mounted there. Creating a file in /etc fails inside, rather
// than to make it in a directory that nobody looks at; a bind mount has its
// own read-only flag, and the mount of the host's /etc keeps what it had.
func mountEtc(links string) error {
	host, err := unix.OpenTree(unix.AT_FDCWD, etc, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return err
	}
	if err := unix.Mount(links, etc, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := unix.MoveMount(host, "", unix.AT_FDCWD, etc+"/"+hostEtc, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return err
	}
	// In a user namespace a remount must keep the flags of the mount of /run:
	// these are all that it may have.
	const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return unix.Mount("", etc, "", unix.MS_REMOUNT|unix.MS_BIND|flags, "")
}
