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
	if err := checkBound(d.VRF, index); err != nil {
		return err
	}
	return checkAttached(d.VRF)
}

// checkAttached asks the kernel for the programs that keep sockets in the VRF, where the
// caller may. What anybody can try shows most of them, but not the one for packets that
// come in.
func checkAttached(v domain.LinkName) error {
	doing := "look for the programs that keep sockets in vrf " + v.String()
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	root, err := CgroupRoot()
	if err != nil {
		return err
	}
	defer unix.Close(root)
	dir, err := OpenCgroup(root, own)
	if err != nil {
		return unable(doing+": open cgroup "+own, err)
	}
	defer unix.Close(dir)
	switch kept, err := Kept(dir); {
	case err == unix.EPERM:
		return nil
	case err != nil:
		return unable(doing, err)
	case !kept:
		return isNot("kept in vrf "+v.String(), leaks)
	}
	return nil
}

const leaks = "its sockets can leave the VRF: the programs that keep them there are not attached"

// isNot is the error of a look that was able to see that the process is not in, or not
// kept in, its domain.
func isNot(what, fact string) *Error {
	return &Error{domain.ExitTemporary, "this process is not " + what + ": " + fact, nil}
}

// A namespace is identified by the device and inode of its file (namespaces(7)).
func checkNetns(n domain.NetnsName) error {
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
	if isFirst(named) {
		return wrong(doing+" ("+n.Path()+")", first)
	}
	if own.Dev != named.Dev || own.Ino != named.Ino {
		return isNot("in netns "+n.String(), "it is in another network namespace")
	}
	return nil
}

const ownNetns = "/proc/thread-self/ns/net"

// checkBound opens sockets as any program would and asks to which interface
// they are bound. SO_BINDTOIFINDEX can be read since Linux 5.0.
func checkBound(v domain.LinkName, index uint32) error {
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
			return isNot("in vrf "+v.String(), "its sockets are not bound to it (cgroup v1 net_cls or net_prio in use?)")
		}
	}
	if err := checkRefused(v); err != nil {
		return err
	}
	return checkKept(v)
}

// checkKept tries two of the ways out of a VRF, as any user can. The programs of
// keep are attached together, first the one that notes where a socket is at home.
func checkKept(v domain.LinkName) error {
	const loopback = 1 // the ifindex of lo, in every namespace
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unable("bind to vrf "+v.String()+": open a socket", err)
	}
	defer unix.Close(s)
	group := unix.IPMreqn{Multiaddr: [4]byte{239, 255, 255, 255}, Ifindex: loopback}
	joined := unix.SetsockoptIPMreqn(s, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &group)
	// Nobody is there: port 9 is discard. It is refused before anything is sent.
	oob := unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: loopback})
	sent := unix.Sendmsg(s, nil, oob, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}, unix.MSG_DONTWAIT)
	if joined == unix.EPERM && sent != nil {
		return nil
	}
	return isNot("kept in vrf "+v.String(), leaks)
}

// checkRefused makes sure that no MPTCP socket can be opened: those inside it,
// which the kernel opens, are bound to nothing. A program of `ip vrf exec` or
// systemd's BindNetworkInterface= allows them.
func checkRefused(v domain.LinkName) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		return nil // refused, or a kernel without it
	}
	unix.Close(s)
	return isNot("kept in vrf "+v.String(), "MPTCP sockets are not refused, and the kernel does not bind what is inside them")
}
