package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// hideResolvers puts an empty file system of the service's own on each directory in
// which a program of the host answers look-ups: it would answer from the host's domain.
// A directory that is not there yet is made, so that what comes later is hidden too.
// The thread has a mount namespace of its own.
func hideResolvers() error {
	for _, dir := range domain.ResolverDirs {
		switch err := unix.Mkdir(dir, 0o755); err {
		case nil:
			if err := unix.Chmod(dir, 0o755); err != nil { // whatever the umask
				return unable("make "+dir, err)
			}
		case unix.EEXIST:
		case unix.ENOENT, unix.EROFS:
			if !exists(dir) {
				continue // and nobody can listen there
			}
		default:
			return unable("make "+dir, err)
		}
		const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		if err := unix.Mount("rdexec", dir, "tmpfs", flags, "mode=0755,size=256k"); err != nil {
			return unable("hide "+dir+" of the host", err)
		}
	}
	return nil
}

// keepResolvConf makes the host's resolv.conf read-only for a service of a domain that
// has none of its own: a DHCP client would write there what it learned in the domain.
// Nor can it be replaced by rename, since it is a mount point. If the host replaces it,
// the mount is gone; what is started after that has a new one.
func keepResolvConf(n domain.NetnsName) error {
	const file = etc + "/resolv.conf"
	var st unix.Stat_t
	if unix.Lstat(n.Etc()+"/resolv.conf", &st) == nil {
		return nil
	}
	err := unix.Lstat(file, &st)
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if err = pinLink(file); err != nil {
			return unable("keep the link "+file, err)
		}
	}
	if err == nil {
		err = unix.Mount(file, file, "", unix.MS_BIND, "")
	}
	if err == unix.ENOENT {
		return nil // the host has none, or it is hidden
	}
	if err == nil {
		const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
		err = unix.Mount("", file, "", unix.MS_REMOUNT|unix.MS_BIND|flags, "")
	}
	if err != nil {
		return unable("make "+file+" of the host read-only", err)
	}
	return nil
}

// pinLink mounts a symbolic link on itself: it leads where it did, and nobody inside can
// put something else in its place.
func pinLink(path string) error {
	link, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return err
	}
	defer unix.Close(link)
	return unix.MoveMount(link, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH)
}
