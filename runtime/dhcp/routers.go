package dhcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

const (
	solicitation  = 133
	advertisement = 134
	mostHops      = 255 // what comes by a router has less (RFC 4861, 6.1.2)
	// quiet is for how long a router is not asked again that names no resolver.
	quiet = 30 * 60
	// among is how long another router is waited for, where the first names no resolver.
	among = time.Second
)

// allRouters is the group of all routers of a link.
var allRouters = [16]byte{0: 0xff, 1: 0x02, 15: 2}

// Routers asks the routers of one link for resolvers. Addresses and routes of what they
// answer are the kernel's work.
type Routers struct {
	link  string
	index int
	fd    int
}

// OpenRouters opens Routers in the network namespace of the calling thread. It may be used
// by any. From then on it hears what they say.
func OpenRouters(link string, index int) (*Routers, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMPV6)
	if err != nil {
		return nil, fmt.Errorf("socket of ICMPv6: %w", err)
	}
	filter := unix.ICMPv6Filter{} // a bit for each type that is not let through
	for i := range filter.Data {
		filter.Data[i] = ^uint32(0)
	}
	filter.Data[advertisement>>5] &^= 1 << (advertisement & 31)
	err = errors.Join(unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, 1, &filter), // ICMPV6_FILTER
		unix.BindToDevice(fd, link),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, mostHops),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index))
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("socket of ICMPv6 on %s: %w", link, err)
	}
	return &Routers{link, index, fd}, nil
}

// Close closes the socket.
func (c *Routers) Close() { unix.Close(c.fd) }

// Acquire returns what a router says, one that names resolvers before one that does not. It
// asks until one answers or the time is over.
func (c *Routers) Acquire(until time.Time) (*object.Lease, error) {
	for pause := 4 * time.Second; ; { // RFC 4861, 10
		// What one said before the socket was read is an answer too.
		got, err := c.receive(earlier(until, time.Now().Add(among)))
		if got != nil || err != nil {
			return got, err
		}
		to := &unix.SockaddrInet6{ZoneId: uint32(c.index), Addr: allRouters}
		err = unix.Sendto(c.fd, []byte{solicitation, 0, 0, 0, 0, 0, 0, 0}, 0, to) // the kernel adds the checksum
		early := errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENETUNREACH)
		if err != nil && !early && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENOBUFS) {
			return nil, fmt.Errorf("socket of ICMPv6: %w", err)
		}
		if got, err = c.receive(earlier(until, time.Now().Add(pause))); got != nil || err != nil {
			return got, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%w on %s", ErrNoAnswer, c.link)
		}
	}
}

// Renew asks again.
func (c *Routers) Renew(_ object.Lease, until time.Time) (*object.Lease, error) {
	return c.Acquire(until)
}

// Confirm asks again.
func (c *Routers) Confirm(_ object.Lease, until time.Time) (*object.Lease, error) {
	return c.Acquire(until)
}

// Release has nothing to give back.
func (c *Routers) Release(object.Lease) error { return nil }

// receive waits for an advertisement; it is nil if there is none in time.
func (c *Routers) receive(until time.Time) (got *object.Lease, err error) {
	buf, oob := make([]byte, 64<<10), make([]byte, unix.CmsgSpace(4))
	for {
		left := time.Until(until)
		if left <= 0 {
			return got, nil
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
		if err != nil && err != unix.EINTR {
			return nil, fmt.Errorf("poll: %w", err)
		}
		n, size, _, from, err := unix.Recvmsg(c.fd, buf, oob, 0)
		switch err {
		case nil:
		case unix.EAGAIN, unix.EINTR, unix.ENETDOWN:
			continue
		default:
			return nil, fmt.Errorf("receive: %w", err)
		}
		a, ok := from.(*unix.SockaddrInet6)
		if !ok || !netip.AddrFrom16(a.Addr).IsLinkLocalUnicast() || hops(oob[:size]) != mostHops {
			continue
		}
		l := advertised(c.link, buf[:n], Uptime())
		if l != nil && len(l.DNS) > 0 {
			return l, nil
		}
		if l != nil && got == nil {
			got, until = l, earlier(until, time.Now().Add(among))
		}
	}
}

// hops is the hop limit of a packet, from what came beside it; 0 if that does not say.
func hops(oob []byte) int {
	list, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range list {
		if m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_HOPLIMIT && len(m.Data) >= 4 {
			return int(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}

// advertised returns what an advertisement says of resolvers (RFC 8106); nil if it is none.
func advertised(link string, b []byte, now int64) *object.Lease {
	const head, resolvers, search = 16, 25, 31
	if len(b) < head || b[0] != advertisement || b[1] != 0 {
		return nil
	}
	l, seconds := &object.Lease{Link: link}, int64(forever)
	var list []netip.Addr
	var labels []string
	for b = b[head:]; len(b) >= 8; {
		size := int(b[1]) * 8
		if size == 0 || size > len(b) {
			return nil
		}
		option, lifetime := b[:size], int64(binary.BigEndian.Uint32(b[4:]))
		b = b[size:]
		switch {
		case lifetime == 0: // it is taken back
		case option[0] == resolvers:
			for at := 8; at+16 <= size; at += 16 {
				list, seconds = append(list, netip.AddrFrom16([16]byte(option[at:]))), min(seconds, lifetime)
			}
		case option[0] == search:
			labels, seconds = append(labels, domains(option[8:])...), min(seconds, lifetime)
		}
	}
	for _, a := range list {
		switch {
		case a.IsLinkLocalUnicast():
			a = a.WithZone(link)
		case !isHost6(a):
			continue
		}
		if !slices.Contains(l.DNS, a) && len(l.DNS) < mostServers {
			l.DNS = append(l.DNS, a)
		}
	}
	l.Search = names(labels)
	switch {
	case len(l.DNS) == 0 && len(l.Search) == 0:
		l.Renew, l.End = now+quiet/2, now+quiet
	case seconds == forever:
		l.Renew = now + quiet
	default:
		l.Renew, l.End = now+max(seconds/2, shortest), now+max(seconds, shortest+1)
	}
	return l
}

// domains reads names as DNS has them (RFC 1035, 3.1), without compression, with zeros after
// the last.
func domains(b []byte) (list []string) {
	var name []string
	for len(b) > 0 {
		size := int(b[0])
		switch {
		case size == 0 && len(name) > 0:
			list, name = append(list, strings.Join(name, ".")), nil
		case size > 63 || 1+size > len(b):
			return list
		case size > 0:
			name = append(name, string(b[1:1+size]))
		}
		b = b[1+size:]
	}
	return list
}
