package identify

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/netns"
)

// The requests and answers of sock_diag(7), struct inet_diag_req_v2 and inet_diag_msg.
const (
	diagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	diagRequest  = 56
	diagAnswer   = 72
	diagLink     = 40
	diagInode    = 68
	diagCgroup   = 21 // INET_DIAG_CGROUP_ID, since Linux 5.9
)

// Socket is what the kernel knows of a socket that listens, beside its address.
type Socket struct {
	// Link is the number of the link that it is bound to, 0 for none. Gone: there is no such
	// link any more, and it hears nothing.
	Link uint32
	Gone bool
	// Cgroup is the number of the cgroup that it was made in, 0 if the kernel does not say.
	Cgroup uint64
}

// Sockets returns those that listen in the namespace of a process, by their numbers. The error
// matches fs.ErrPermission if the caller may not enter that namespace. A kernel without sock_diag
// for a protocol says nothing of its sockets.
func Sockets(pid int) (all map[uint64]Socket, err error) {
	ns, err := netns.OpenPath("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = ns.Inside(func() (err error) {
		all, err = sockets()
		return err
	})
	return all, err
}

// sockets is Sockets for the namespace of the thread.
func sockets() (map[uint64]Socket, error) {
	all, known := map[uint64]Socket{}, map[uint32]bool{}
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(s)
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		for protocol, state := range map[byte]uint32{unix.IPPROTO_TCP: 1 << 10, unix.IPPROTO_UDP: 1 << 7} {
			request := make([]byte, unix.SizeofNlMsghdr+diagRequest)
			binary.NativeEndian.PutUint32(request, uint32(len(request)))
			binary.NativeEndian.PutUint16(request[4:], diagByFamily)
			binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
			request[unix.SizeofNlMsghdr], request[unix.SizeofNlMsghdr+1] = family, protocol
			binary.NativeEndian.PutUint32(request[unix.SizeofNlMsghdr+4:], state)
			if err := unix.Sendto(s, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
				return nil, err
			}
			err := answers(s, func(m []byte) {
				link, inode := binary.NativeEndian.Uint32(m[diagLink:]), uint64(binary.NativeEndian.Uint32(m[diagInode:]))
				if _, looked := known[link]; !looked {
					known[link] = link == 0 || isLink(s, link)
				}
				all[inode] = Socket{Link: link, Gone: !known[link], Cgroup: cgroupOf(m[diagAnswer:])}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// cgroupOf finds the cgroup among the attributes of an answer.
func cgroupOf(b []byte) uint64 {
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:]) == diagCgroup && size == unix.SizeofRtAttr+8 {
			return binary.NativeEndian.Uint64(b[unix.SizeofRtAttr:])
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return 0
}

// CgroupPath returns the path of the cgroup of a number, below the root of those that this
// process sees. The error matches fs.ErrNotExist if it is gone, and fs.ErrPermission where the
// caller may not ask (CAP_DAC_READ_SEARCH).
func CgroupPath(number uint64) (string, error) {
	const root, kernfs = "/sys/fs/cgroup", 0xfe // FILEID_KERNFS, include/linux/exportfs.h
	top, err := unix.Open(root, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(top)
	fd, err := unix.OpenByHandleAt(top, unix.NewFileHandle(kernfs, binary.NativeEndian.AppendUint64(nil, number)), unix.O_PATH|unix.O_CLOEXEC)
	if errors.Is(err, unix.ESTALE) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return "", &fs.PathError{Op: "open_by_handle_at", Path: root, Err: err}
	}
	defer unix.Close(fd)
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return strings.TrimPrefix(name, root), err
}

// answers calls f with each answer to a dump.
func answers(s int, f func(m []byte)) error {
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(s, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < unix.SizeofNlMsghdr || size > len(b) {
				return unix.EPROTO
			}
			switch body := b[unix.SizeofNlMsghdr:size]; binary.NativeEndian.Uint16(b[4:]) {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR: // there is no such protocol in this kernel
				return nil
			case diagByFamily:
				if len(body) >= diagAnswer {
					f(body)
				}
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
}

// isLink reports whether there is a link of that number in the socket's namespace.
func isLink(s int, index uint32) bool {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return true
	}
	ifr.SetUint32(index)
	return unix.IoctlIfreq(s, unix.SIOCGIFNAME, ifr) == nil
}
