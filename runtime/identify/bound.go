package identify

import (
	"encoding/binary"
	"errors"
	"strconv"

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
)

// Unbound returns the sockets that listen in the namespace of a process, by their numbers,
// and are bound to a link that does not exist any more: they hear nothing. The error matches
// fs.ErrPermission if the caller may not enter that namespace. A kernel without sock_diag for
// a protocol says nothing of its sockets.
func Unbound(pid int) (gone map[uint64]bool, err error) {
	ns, err := netns.OpenPath("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	err = ns.Inside(func() (err error) {
		gone, err = unbound()
		return err
	})
	return gone, err
}

// unbound is Unbound for the namespace of the thread.
func unbound() (map[uint64]bool, error) {
	gone, known := map[uint64]bool{}, map[uint32]bool{}
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
				if !known[link] {
					gone[inode] = true
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return gone, nil
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
