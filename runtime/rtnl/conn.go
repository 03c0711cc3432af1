// Package rtnl asks the kernel about links, addresses, routes and rules of one
// network namespace, and changes them, by route netlink (rtnetlink(7)).
//
// Messages are put together and taken apart with package nl of
// vishvananda/netlink. The exchange itself is our own: the kernel's sentence
// comes with every error (NETLINK_EXT_ACK), lists are filtered by the kernel
// (NETLINK_GET_STRICT_CHK), and an interrupted list is asked for again.
// netlink.Handle filters, and says that a list was interrupted; but it asks for no
// sentences on the sockets that it keeps, and nl's own exchange panics when a list ends in
// an error that has one.
package rtnl

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Conn is a netlink socket in one network namespace. It stays in the namespace
// in which it was opened, whatever its users do. It is for one goroutine at a
// time.
type Conn struct {
	fd  int
	seq uint32
	buf []byte
}

// bufferSize holds the largest message of a list: the kernel fills at most 32
// KiB at once (netlink_dump, net/netlink/af_netlink.c).
const bufferSize = 32 << 10

// Open opens a Conn in the network namespace of the calling thread. The
// descriptor is close-on-exec.
func Open() (*Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// These are refinements, which older kernels do without: sentences with
	// errors (4.12), errors without the request in them (4.2), lists filtered
	// by the kernel (4.20).
	for _, option := range []int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK, unix.NETLINK_GET_STRICT_CHK} {
		_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, 1)
	}
	// A kernel that does not answer is an error after a minute, not a hang.
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 60})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return &Conn{fd: fd, buf: make([]byte, bufferSize)}, nil
}

// NetnsCookie returns the cookie of the socket's namespace, which no other has ever
// had; 0 before Linux 5.14.
func (c *Conn) NetnsCookie() (uint64, error) {
	cookie, err := unix.GetsockoptUint64(c.fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == unix.ENOPROTOOPT {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cookie of a network namespace: %w", err)
	}
	return cookie, nil
}

// Close closes the socket.
func (c *Conn) Close() { unix.Close(c.fd) }

// Error is the kernel's refusal of a request.
type Error struct {
	Errno syscall.Errno
	// Sentence is the kernel's own explanation (NLMSGERR_ATTR_MSG), or "".
	Sentence string
}

// Error returns the errno's text, and the kernel's sentence in parentheses.
func (e *Error) Error() string {
	if e.Sentence == "" {
		return e.Errno.Error()
	}
	return fmt.Sprintf("%s (%s)", e.Errno, e.Sentence)
}

// Unwrap returns the errno, so that errors.Is works as usual.
func (e *Error) Unwrap() error { return e.Errno }

// Is makes "no such device" match fs.ErrNotExist, as "no such file" does.
func (e *Error) Is(target error) bool {
	return target == fs.ErrNotExist && e.Errno == unix.ENODEV
}

// errInterrupted says that a list changed while it was sent (NLM_F_DUMP_INTR)
// and may lack entries or have them twice.
var errInterrupted = errors.New("list interrupted by changes")

// exchange sends a request and returns the messages of the answer, of type
// answer, without their headers.
func (c *Conn) exchange(typ, flags int, answer uint16, data ...nl.NetlinkRequestData) ([][]byte, error) {
	c.seq++
	request := nl.NetlinkRequest{NlMsghdr: unix.NlMsghdr{Type: uint16(typ), Flags: unix.NLM_F_REQUEST | uint16(flags),
		Seq: c.seq}, Data: data}
	if err := c.send(request.Serialize()); err != nil {
		return nil, fmt.Errorf("netlink request: %w", err)
	}
	var found [][]byte
	interrupted := false
	for {
		messages, err := c.receive()
		if err != nil {
			return nil, fmt.Errorf("netlink answer: %w", err)
		}
		for _, m := range messages {
			if m.Header.Seq != c.seq {
				continue // to an earlier request, which was given up
			}
			interrupted = interrupted || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			switch m.Header.Type {
			case unix.NLMSG_ERROR, unix.NLMSG_DONE:
				if err = refusal(m); err == nil && interrupted {
					err = errInterrupted
				}
				return found, err
			case answer:
				found = append(found, m.Data)
			}
			if m.Header.Flags&unix.NLM_F_MULTI == 0 && flags&unix.NLM_F_ACK == 0 {
				return found, nil
			}
		}
	}
}

func (c *Conn) send(b []byte) error {
	for {
		err := unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if err != unix.EINTR {
			return err
		}
	}
}

func (c *Conn) receive() ([]syscall.NetlinkMessage, error) {
	for {
		n, from, err := unix.Recvfrom(c.fd, c.buf, unix.MSG_TRUNC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n > len(c.buf) {
			return nil, fmt.Errorf("message of %d bytes is too long", n)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // not from the kernel
		}
		return syscall.ParseNetlinkMessage(append([]byte(nil), c.buf[:n]...))
	}
}

// refusal returns the error in a message that ends an answer, nil for success.
func refusal(m syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return nil // an old kernel's end of a list
	}
	errno := -int32(native32(m.Data))
	if errno == 0 {
		return nil
	}
	e := &Error{Errno: syscall.Errno(errno)}
	if m.Header.Flags&unix.NLM_F_ACK_TLVS == 0 {
		return e
	}
	rest := m.Data[4:]
	if m.Header.Type == unix.NLMSG_ERROR && len(rest) >= unix.SizeofNlMsghdr {
		// The request's header stands before the attributes; NETLINK_CAP_ACK
		// keeps the rest of the request out.
		rest = rest[unix.SizeofNlMsghdr:]
	}
	attrs, err := nl.ParseRouteAttr(rest)
	for _, a := range attrs {
		if err == nil && attrType(a.Attr) == nl.NLMSGERR_ATTR_MSG {
			e.Sentence = text(a.Value)
		}
	}
	return e
}

// change sends a request that changes something and waits for its answer.
func (c *Conn) change(typ, flags int, data ...nl.NetlinkRequestData) error {
	_, err := c.exchange(typ, flags|unix.NLM_F_ACK, unix.NLMSG_DONE, data...)
	return err
}

// dumpTries bounds how often an interrupted list is asked for again. On a
// machine where links come and go all the time a few tries are not enough.
const dumpTries = 100

// dump asks for a list. One that the kernel marks as interrupted is asked for
// again; nobody else in the program sees one.
func (c *Conn) dump(typ int, answer uint16, data ...nl.NetlinkRequestData) ([][]byte, error) {
	var err error
	for range dumpTries {
		var found [][]byte
		found, err = c.exchange(typ, unix.NLM_F_DUMP, answer, data...)
		if err != errInterrupted && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return found, err
		}
	}
	return nil, fmt.Errorf("%d times in a row: %w", dumpTries, err)
}

func str(typ int, s string) *nl.RtAttr { return nl.NewRtAttr(typ, nl.ZeroTerminated(s)) }
func u32(typ int, v uint32) *nl.RtAttr { return nl.NewRtAttr(typ, nl.Uint32Attr(v)) }
func raw(typ int, b []byte) *nl.RtAttr { return nl.NewRtAttr(typ, b) }
func text(b []byte) string             { return unix.ByteSliceToString(b) }
func attrType(a syscall.RtAttr) int    { return int(a.Type) & nlaTypeMask }

// native32 reads a number as the kernel sent it; what is too short is 0.
func native32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return nl.NativeEndian().Uint32(b)
}

// nlaTypeMask takes off NLA_F_NESTED and NLA_F_NET_BYTEORDER.
const nlaTypeMask = 1<<14 - 1
