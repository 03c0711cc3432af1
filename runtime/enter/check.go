package enter

import (
	"runtime"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// Check returns nil if the calling process really is in d, and otherwise an
// *Error that says in what it is not. It believes only the kernel: the
// namespace of the process must be the one that /run/netns names, and a socket
// opened now must be bound to the VRF's interface.
//
// A part of d that is not named is not looked at: a Domain with a VRF alone is
// checked in whatever namespace the process is in.
func Check(d domain.Domain) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if !d.Netns.IsZero() {
		if err := checkNetns(d.Netns); err != nil {
			return err
		}
	}
	if d.VRF.IsZero() {
		return nil
	}
	index, err := vrfIndex(d.VRF)
	if err != nil {
		return err
	}
	return checkBound(d.VRF, index)
}

// A namespace is identified by the device and inode of its file (namespaces(7)).
func checkNetns(n domain.Netns) error {
	doing := "check netns " + n.String()
	var own, named unix.Stat_t
	if err := unix.Stat(ownNetns, &own); err != nil {
		return unable(doing+" ("+ownNetns+")", err)
	}
	if err := unix.Lstat(n.Path(), &named); err != nil {
		return unable(doing+" ("+n.Path()+")", err)
	}
	if named.Mode&unix.S_IFMT == unix.S_IFLNK {
		return wrong(doing+" ("+n.Path()+")", symlink)
	}
	if own.Dev != named.Dev || own.Ino != named.Ino {
		return wrong(doing, "this process is in another network namespace")
	}
	return nil
}

const ownNetns = "/proc/thread-self/ns/net"

// checkBound opens sockets as any program would and asks to which interface
// they are bound. SO_BINDTOIFINDEX can be read since Linux 5.0.
func checkBound(v domain.Link, index uint32) error {
	doing := "bind to vrf " + v.String()
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		s, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if family == unix.AF_INET6 && err == unix.EAFNOSUPPORT {
			continue
		}
		if err != nil {
			return unable(doing+": open a socket", err)
		}
		bound, err := unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX)
		unix.Close(s)
		if err != nil {
			return unable(doing+": read SO_BINDTOIFINDEX", err)
		}
		if uint32(bound) != index {
			return wrong(doing, "sockets are not bound to it (cgroup v1 net_cls or net_prio in use?)")
		}
	}
	return checkRefused(doing)
}

// checkRefused makes sure that no MPTCP socket can be opened: those inside it,
// which the kernel opens, are bound to nothing. A program of `ip vrf exec` or
// systemd's BindNetworkInterface= allows them.
func checkRefused(doing string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		return nil // refused, or a kernel without it
	}
	unix.Close(s)
	return wrong(doing, "MPTCP sockets are not refused, and the kernel does not bind what is inside them")
}
