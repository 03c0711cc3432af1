package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// markPort is the port of all that leave and admit do, so that watch knows it again;
// text is what they say.
const (
	markPort = 7777
	markText = "leave-leave-leave"
)

// The groups that leave joins.
var (
	group4 = netip.MustParseAddr("239.7.7.7")
	group6 = netip.MustParseAddr("ff05::7777")
)

// transport is a kind of socket.
type transport struct {
	name        string
	kind, proto int
}

var transports = []transport{
	{"tcp", unix.SOCK_STREAM, unix.IPPROTO_TCP},
	{"udp", unix.SOCK_DGRAM, unix.IPPROTO_UDP},
	{"ping", unix.SOCK_DGRAM, unix.IPPROTO_ICMP},
	{"udplite", unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE},
	{"sctp", unix.SOCK_STREAM, unix.IPPROTO_SCTP},
}

// socket opens a socket of the kind that does not block, -1 where the kernel has none.
func (tr transport) socket(family int) int {
	proto := tr.proto
	if tr.name == "ping" && family == unix.AF_INET6 {
		proto = unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, tr.kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return -1
	}
	return fd
}

// ways are the ways to name a link for a socket before it is used, as any user can.
// What they return does not count: some fail, and have done it.
var ways = []struct {
	name string
	do   func(fd, family int, link, home *net.Interface)
}{
	{"plain", func(int, int, *net.Interface, *net.Interface) {}},
	{"bind-scope", func(fd, _ int, l, _ *net.Interface) { bindScope(fd, l) }},
	{"bind-scope-own", func(fd, _ int, l, _ *net.Interface) { bindScope(fd, l); bindScopeTo(fd, l, linkLocal(l)) }},
	{"unspec", func(fd, _ int, _, _ *net.Interface) { unspec(fd) }},
	{"unspec-device", func(fd, _ int, l, _ *net.Interface) { unspec(fd); unix.BindToDevice(fd, l.Name) }},
	{"unspec-ifindex", func(fd, _ int, l, _ *net.Interface) {
		unspec(fd)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, l.Index)
	}},
	{"there-and-back", func(fd, _ int, l, home *net.Interface) { bindScope(fd, l); bindScope(fd, home) }},
	{"device", func(fd, _ int, l, _ *net.Interface) { unix.BindToDevice(fd, l.Name) }},
	{"device-none", func(fd, _ int, _, _ *net.Interface) { unix.BindToDevice(fd, "") }},
	{"unicast-if", func(fd, family int, l, _ *net.Interface) { useLink(fd, family, l) }},
	{"unspec-unicast-if", func(fd, family int, l, home *net.Interface) {
		unspec(fd)
		useLink(fd, family, l)
		unix.BindToDevice(fd, home.Name)
	}},
	{"pktinfo", nil}, // by sendmsg
	{"scope", nil},   // sin6_scope_id of the destination
	{"sticky", func(fd, _ int, l, _ *net.Interface) {
		unix.SetsockoptString(fd, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, string(pktInfo6(l)))
	}},
	{"cork", func(fd, _ int, l, _ *net.Interface) {
		unspec(fd)
		unix.BindToDevice(fd, l.Name)
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, 1)
	}},
}

func bindScope(fd int, l *net.Interface) { bindScopeTo(fd, l, netip.MustParseAddr("fe80::dead")) }

func bindScopeTo(fd int, l *net.Interface, a netip.Addr) {
	unix.Bind(fd, &unix.SockaddrInet6{Addr: a.As16(), ZoneId: uint32(l.Index)})
}

// linkLocal is the link's own address. The kernel is asked once for each link.
func linkLocal(l *net.Interface) netip.Addr {
	if a, ok := linkLocals[l.Index]; ok {
		return a
	}
	own := netip.IPv6LinkLocalAllNodes()
	addrs, _ := l.Addrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsLinkLocalUnicast() && p.Addr().Is6() {
			own = p.Addr()
			break
		}
	}
	linkLocals[l.Index] = own
	return own
}

var linkLocals = map[int]netip.Addr{}

// unspec takes the peer off a socket, and its binding with it.
func unspec(fd int) {
	sa := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	connectRaw(fd, &sa)
}

func useLink(fd, family int, l *net.Interface) {
	if family == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_IF, int(htonl(uint32(l.Index))))
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, l.Index)
		return
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_UNICAST_IF, int(htonl(uint32(l.Index))))
	unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(l.Index)})
}

// try is one socket that was made to leave, and what it may still do.
type try struct {
	name   func() string
	fd     int
	stream bool
	asked  bool
	own    bool // an answer may be that of its own domain
}

// leave tries, as whoever runs it, all ways to reach targets by way of links, and prints
// each try that was answered and a count. What is given are names of links and
// addresses, in turns. The name of home is the VRF that it should be in. All tries are
// begun before the first answer is waited for.
func leave(home string, linksAndTargets []string) error {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return err
	}
	var tries []*try
	for ; len(linksAndTargets) >= 2; linksAndTargets = linksAndTargets[2:] {
		links, targets, err := parse(linksAndTargets[0], linksAndTargets[1])
		if err != nil {
			return err
		}
		for _, link := range links {
			joins(link)
			for _, target := range targets {
				tries = append(tries, begin(h, link, target)...)
			}
		}
	}
	fmt.Println("tries", len(tries))
	fmt.Println("answers", finish(tries))
	return nil
}

// parse reads a list of names of links and one of addresses.
func parse(names, addresses string) (links []*net.Interface, targets []netip.Addr, err error) {
	for name := range strings.SplitSeq(names, ",") {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return nil, nil, err
		}
		links = append(links, link)
	}
	for address := range strings.SplitSeq(addresses, ",") {
		a, err := netip.ParseAddr(address)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, a)
	}
	return links, targets, nil
}

// begin makes all sockets that try to reach an address by way of a link.
func begin(home, link *net.Interface, to netip.Addr) (tries []*try) {
	for _, tr := range transports {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			if to.Is6() && family == unix.AF_INET || to.Is4() && family == unix.AF_INET6 && tr.name == "ping" {
				continue
			}
			for _, way := range ways {
				if way.name == "cork" && tr.kind != unix.SOCK_DGRAM {
					continue
				}
				fd := tr.socket(family)
				if fd < 0 {
					continue
				}
				// In a group of its own, ping has to have an echo request.
				unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
				if way.do != nil {
					way.do(fd, family, link, home)
				}
				t := &try{fd: fd, stream: tr.kind == unix.SOCK_STREAM, own: tr.name == "ping" && to.IsLoopback(),
					name: func() string {
						return fmt.Sprintf("%s %s by %s to %s family %d", tr.name, way.name, link.Name, to, family)
					}}
				sa := sockaddr(family, to, markPort, zone(way.name, link, to))
				switch {
				case t.stream:
					if err := unix.Connect(fd, sa); err == nil || err == unix.EINPROGRESS {
						tries = append(tries, t)
						continue
					}
				default:
					sendVia(fd, way.name == "pktinfo", tr, link, sa)
					if way.name == "cork" {
						unspec(fd)
						unix.BindToDevice(fd, home.Name)
						unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, 0)
					}
				}
				t.asked = !t.stream
				tries = append(tries, t)
			}
		}
	}
	return tries
}

// zone is what a way says in sin6_scope_id.
func zone(way string, link *net.Interface, to netip.Addr) int {
	if way == "scope" || way == "bind-scope" || way == "bind-scope-own" || way == "unspec-device" || to.IsLinkLocalUnicast() && way != "plain" {
		return link.Index
	}
	return 0
}

func sendVia(fd int, byPktinfo bool, tr transport, link *net.Interface, to unix.Sockaddr) error {
	data := []byte(markText)
	_, is6 := to.(*unix.SockaddrInet6)
	if tr.name == "ping" {
		kind := byte(8)
		if is6 {
			kind = 128
		}
		data = append([]byte{kind, 0, 0, 0, 0, 0, 0, 1}, data...)
	}
	var oob []byte
	if byPktinfo {
		oob = unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(link.Index)})
		if a, ok := to.(*unix.SockaddrInet6); ok && !netip.AddrFrom16(a.Addr).Is4In6() {
			oob = unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(link.Index)})
		}
	}
	return unix.Sendmsg(fd, data, oob, to, 0)
}

func pktInfo6(l *net.Interface) []byte {
	return unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(l.Index)})[unix.CmsgLen(0):][:unix.SizeofInet6Pktinfo]
}

// sockaddr is an address for a socket of a family: an IPv4 address for one of IPv6
// is mapped.
func sockaddr(family int, a netip.Addr, port, zone int) unix.Sockaddr {
	if family == unix.AF_INET {
		return &unix.SockaddrInet4{Port: port, Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Port: port, Addr: a.As16(), ZoneId: uint32(zone)}
}

// joins joins the groups on a link in each way that names it, and where none is named.
func joins(link *net.Interface) {
	address := netip.IPv4Unspecified()
	addrs, _ := link.Addrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			address = p.Addr()
		}
	}
	g4, g6 := sockaddrBytes(group4), sockaddrBytes(group6)
	index := nativeBytes(uint32(link.Index))
	none := make([]byte, 4)
	a4, any4 := address.AsSlice(), make([]byte, 4)
	for _, j := range []struct {
		level, option int
		value         []byte
	}{
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4.AsSlice(), any4, index)},
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4.AsSlice(), a4)},
		{unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, join(group4.AsSlice(), any4)},
		{unix.IPPROTO_IP, unix.IP_ADD_SOURCE_MEMBERSHIP, join(group4.AsSlice(), a4, a4)},
		{unix.IPPROTO_IP, unix.MCAST_JOIN_GROUP, join(index, none, g4)},
		{unix.IPPROTO_IP, unix.MCAST_JOIN_SOURCE_GROUP, join(index, none, g4, sockaddrBytes(netip.MustParseAddr("192.0.2.99")))},
		{unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, join(group6.AsSlice(), index)},
		{unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, join(group6.AsSlice(), none)},
		{unix.IPPROTO_IPV6, unix.MCAST_JOIN_GROUP, join(index, none, g6)},
		{unix.IPPROTO_IPV6, unix.MCAST_JOIN_SOURCE_GROUP, join(index, none, g6, sockaddrBytes(netip.MustParseAddr("2001:db8:2::99")))},
	} {
		for _, prepare := range []func(int){func(int) {}, unspec} {
			fd, err := unix.Socket(map[int]int{unix.IPPROTO_IP: unix.AF_INET, unix.IPPROTO_IPV6: unix.AF_INET6}[j.level], unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				continue
			}
			prepare(fd)
			err = unix.SetsockoptString(fd, j.level, j.option, string(j.value))
			if err == nil {
				fmt.Printf("joined %d %d by %s\n", j.level, j.option, link.Name)
			}
			// Not closed: the group would be left before the kernel has told anybody.
		}
	}
}

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// finish waits for answers, says what was answered, and returns how many were. What
// nobody answers ends for all at once, limit after the last try was begun.
func finish(tries []*try) (answers int) {
	group, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		fmt.Println("failed:", err)
		return 0
	}
	// The kernel gives back what Fd says: here the place in tries.
	for i, t := range tries {
		e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if !t.asked {
			e.Events |= unix.EPOLLOUT
		}
		if err := unix.EpollCtl(group, unix.EPOLL_CTL_ADD, t.fd, &e); err != nil {
			fmt.Println("failed:", t.name(), err)
		}
	}
	b := make([]byte, 200)
	events := make([]unix.EpollEvent, 500)
	for end := time.Now().Add(limit); time.Now().Before(end); {
		n, _ := unix.EpollWait(group, events, 100)
		for _, e := range events[:max(n, 0)] {
			t := tries[e.Fd]
			switch {
			case e.Events&unix.EPOLLERR != 0 && !t.stream:
				unix.GetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_ERROR) // and another may answer
				continue
			case e.Events&unix.EPOLLIN != 0 && e.Events&unix.EPOLLERR == 0:
				// An echo request to a loopback address is answered in the VRF itself; if
				// one leaves, watch sees it.
				if n, err := unix.Read(t.fd, b); n > 0 && err == nil && !t.own {
					answers++
					fmt.Println("answer", t.name())
				}
			case e.Events&(unix.EPOLLERR|unix.EPOLLHUP) == 0:
				unix.EpollCtl(group, unix.EPOLL_CTL_MOD, t.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: e.Fd})
				unix.Write(t.fd, []byte(markText))
				continue
			}
			unix.EpollCtl(group, unix.EPOLL_CTL_DEL, t.fd, nil)
		}
	}
	return answers
}
