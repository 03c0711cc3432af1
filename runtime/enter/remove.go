package enter

import (
	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// RemoveEtc removes the domain's directory of links, /run/rdomain/etc/NAME, once
// the domain is gone. Nothing is followed, no mount point is crossed, and what
// is no link or empty directory stays, with an error: in a service's own view the
// host's /etc is mounted there. It is no error if nothing is there.
func RemoveEtc(d domain.Domain) error {
	own := etcOf(d)
	doing := "remove " + own.linkDir()
	dir, err := unix.Open(runDir, dirFlags|unix.O_NOFOLLOW, 0)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return unable(doing, err)
	}
	defer unix.Close(dir)
	// An update of one of the directories holds this lock.
	lock, err := lockDir(dir)
	if err != nil {
		return unable(doing+": lock "+runDir, err)
	}
	defer unix.Close(lock)
	if at, err := removeLinks(dir, own.name, 2); err != nil {
		return unable("remove "+runDir+"/"+at, err)
	}
	return nil
}

// ForgetFile removes the link of a file of the domain from its directory of links: the
// file was removed for good, and what is started from now on gets the host's. It is no
// error if there is none.
func ForgetFile(d domain.Domain, file string) error {
	path := etcOf(d).linkDir() + "/" + file
	err := unix.Unlink(path)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	return unable("remove "+path, err)
}

// removeLinks removes the directory name in the directory at, the links in it, and
// the directories in it that are at most depth-1 deep. With an error it returns the
// path of what could not be removed.
func removeLinks(at int, name string, depth int) (path string, err error) {
	if depth > 0 {
		how := unix.OpenHow{Flags: dirFlags | unix.O_NOFOLLOW,
			Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH}
		dir, err := unix.Openat2(at, name, &how)
		if err == unix.ENOENT {
			return "", nil
		}
		if err != nil {
			return name, err
		}
		defer unix.Close(dir)
		names, err := readNames(dir)
		if err != nil {
			return name, err
		}
		for _, entry := range names {
			if below, err := removeEntry(dir, entry, depth); err != nil {
				return name + "/" + below, err
			}
		}
	}
	if err := unix.Unlinkat(at, name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return name, err
	}
	return "", nil
}

// removeEntry removes a link, or what removeLinks does.
func removeEntry(dir int, name string, depth int) (path string, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return name, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return name, unix.Unlinkat(dir, name, 0)
	}
	return removeLinks(dir, name, depth-1)
}
