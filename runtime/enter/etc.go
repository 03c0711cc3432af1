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

// ownEtc is a domain's own part of a private /etc.
type ownEtc struct {
	of   string // the domain, for messages
	name string // that of its directory of links
	src  string // the folder of its files
	link string // what a link to one of them begins with
}

// etcOf returns the part of a domain.
func etcOf(d domain.Domain) ownEtc {
	o := ownEtc{of: d.String(), name: d.Netns.String(), src: d.Etc()}
	if o.link = hostEtc + "/netns/" + d.Netns.String() + "/"; !d.VRF.IsZero() {
		// A namespace may have the VRF's name, and none has the "@".
		o.name, o.link = d.VRF.String()+"@"+d.Netns.String(), d.Etc()+"/"
	}
	return o
}

// enterEtc gives the thread a private /etc if there are files for the namespace
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
	own := etcOf(domain.Domain{Netns: n})
	files, err := makeLinks(own)
	if err != nil {
		return err
	}
	if files {
		if err := own.mount(); err != nil {
			return err
		}
	}
	if err := hideResolvers(); err != nil {
		return err
	}
	return keepResolvConf(n)
}

// enterResolver gives the thread the resolver files of a VRF, if rdomain(8) made some, over
// what it has. It takes away those of another VRF, which it may have from who started it.
func enterResolver(c domain.Command) error {
	own, err := resolverOf(c)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	err = unix.Lstat(own.src, &st)
	files := err == nil
	if err != nil && err != unix.ENOENT {
		return unable("read "+own.src, err)
	}
	if !files && !isResolver() {
		return nil // all is as the host, or the namespace, has it
	}
	if c.Netns.IsZero() { // or enterEtc has done so
		if err := unshareMounts(); err != nil {
			return err
		}
	}
	for isResolver() {
		if err := unix.Unmount(etc, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return unable("leave the private /etc of another vrf", err)
		}
	}
	if !files {
		return nil
	}
	switch files, err = makeLinks(own); {
	case err != nil:
		return err
	case !files:
		return wrong("read "+own.src, "no resolver file is in it")
	}
	if err := own.mount(); err != nil {
		return err
	}
	if !c.Netns.IsZero() {
		return nil
	}
	return hideResolvers()
}

// isResolver reports whether /etc is one that enterResolver has mounted.
func isResolver() bool {
	file, err := readLink(unix.AT_FDCWD, etc+"/resolv.conf")
	return err == nil && strings.HasPrefix(file, domain.ResolverDir+"/") && isPrivateEtc()
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

// mount is mountEtc, for the domain.
func (o ownEtc) mount() error {
	if err := mountEtc(o.linkDir()); err != nil {
		return unable("mount the private /etc of "+o.of, err)
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
