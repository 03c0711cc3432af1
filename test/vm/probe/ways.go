package main

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// transport is a kind of socket.
type transport struct {
	name        string
	kind, proto int
	connects    bool // it is connected before it says anything
	listens     bool // a server of it listens
	echoed      bool // probe answer serves it; of the others some are answered by another or by the kernel
	few         bool // tried in few ways: it does not differ from another in the others
}

// The kinds of SMC and DCCP that unix does not name.
const (
	afSMC       = 43
	sockDCCP    = 6
	protoDCCP   = 33
	protoL2TP   = 115
	solDCCP     = 269
	dccpService = 2 // DCCP_SOCKOPT_SERVICE
)

// transports are all kinds of socket that send IP and that any user can open. What
// the kernel does not have is not tried.
var transports = []transport{
	{name: "tcp", kind: unix.SOCK_STREAM, proto: unix.IPPROTO_TCP, connects: true, listens: true, echoed: true},
	{name: "udp", kind: unix.SOCK_DGRAM, proto: unix.IPPROTO_UDP, echoed: true},
	{name: "ping", kind: unix.SOCK_DGRAM, proto: unix.IPPROTO_ICMP},
	{name: "udplite", kind: unix.SOCK_DGRAM, proto: unix.IPPROTO_UDPLITE, echoed: true},
	{name: "sctp", kind: unix.SOCK_STREAM, proto: unix.IPPROTO_SCTP, connects: true, listens: true, echoed: true},
	{name: "sctp-many", kind: unix.SOCK_SEQPACKET, proto: unix.IPPROTO_SCTP, listens: true, few: true},
	{name: "dccp", kind: sockDCCP, proto: protoDCCP, connects: true, listens: true, echoed: true, few: true},
	{name: "l2tp", kind: unix.SOCK_DGRAM, proto: protoL2TP, few: true}, // nobody answers; watch sees it
	{name: "smc", kind: unix.SOCK_STREAM, connects: true, listens: true, few: true},
}

// find returns the transport of that name.
func find(name string) (transport, bool) {
	for _, tr := range transports {
		if tr.name == name {
			return tr, true
		}
	}
	return transport{}, false
}

// socket opens a socket of the kind that does not block, -1 where the kernel has none.
func (tr transport) socket(family int, open func(family, kind, proto int) int) int {
	proto := tr.proto
	switch {
	case tr.name == "ping" && family == unix.AF_INET6:
		proto = unix.IPPROTO_ICMPV6
	case tr.name == "smc":
		if family == unix.AF_INET6 {
			proto = 1
		}
		family = afSMC
	}
	fd := open(family, tr.kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if fd >= 0 && tr.kind == sockDCCP {
		unix.SetsockoptInt(fd, solDCCP, dccpService, int(htonl(1)))
	}
	return fd
}

// open is socket(2), with -1 for an error.
func open(family, kind, proto int) int {
	fd, err := unix.Socket(family, kind, proto)
	if err != nil {
		return -1
	}
	return fd
}

// way is a way to name a link for a socket before it is used, as any user can.
type way struct {
	name string
	// do names it. What it returns does not count: some calls fail, and have done it.
	do func(fd, family int, link, home *net.Interface)
	// fits says for which sockets the way is another than the others; nil is for all.
	fits func(tr transport, family int, to netip.Addr) bool
	few  bool // it is among few ways that stand for all
	send bool // the link is named when it is sent
}

var ways = []way{
	{name: "plain", do: func(int, int, *net.Interface, *net.Interface) {}, few: true},
	{name: "bind-scope", do: func(fd, _ int, l, _ *net.Interface) { bindScope(fd, l) }, few: true},
	{name: "bind-scope-own", do: func(fd, _ int, l, _ *net.Interface) { bindScope(fd, l); bindScopeTo(fd, l, linkLocal(l)) }},
	{name: "unspec", do: func(fd, _ int, _, _ *net.Interface) { unspec(fd) }},
	{name: "unspec-device", do: func(fd, _ int, l, _ *net.Interface) { unspec(fd); unix.BindToDevice(fd, l.Name) }, few: true},
	{name: "unspec-ifindex", do: func(fd, _ int, l, _ *net.Interface) {
		unspec(fd)
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, l.Index)
	}},
	{name: "there-and-back", do: func(fd, _ int, l, home *net.Interface) { bindScope(fd, l); bindScope(fd, home) }},
	{name: "device", do: func(fd, _ int, l, _ *net.Interface) { unix.BindToDevice(fd, l.Name) }, few: true},
	{name: "device-none", do: func(fd, _ int, _, _ *net.Interface) { unix.BindToDevice(fd, "") }},
	{name: "unicast-if", do: func(fd, family int, l, _ *net.Interface) { useLink(fd, family, l) }},
	{name: "unspec-unicast-if", do: func(fd, family int, l, home *net.Interface) {
		unspec(fd)
		useLink(fd, family, l)
		unix.BindToDevice(fd, home.Name)
	}},
	{name: "pktinfo", send: true, few: true},
	{name: "pktinfo-mapped", send: true, fits: func(tr transport, family int, to netip.Addr) bool {
		return family == unix.AF_INET6 && to.Is4() && !tr.connects
	}},
	{name: "scope", send: true, few: true}, // sin6_scope_id of the destination
	{name: "sticky", do: func(fd, _ int, l, _ *net.Interface) {
		unix.SetsockoptString(fd, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, string(pktInfo6(l)))
	}},
	{name: "cork", fits: func(tr transport, _ int, _ netip.Addr) bool { return tr.kind == unix.SOCK_DGRAM },
		do: func(fd, _ int, l, _ *net.Interface) {
			unspec(fd)
			unix.BindToDevice(fd, l.Name)
			unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, 1)
		}},
	{name: "fast-open", fits: func(tr transport, _ int, _ netip.Addr) bool { return tr.name == "tcp" },
		do: func(fd, _ int, l, _ *net.Interface) {
			bindScope(fd, l)
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
		}},
	// The socket is made by a thread of the kernel.
	{name: "io_uring", fits: func(tr transport, _ int, _ netip.Addr) bool { return tr.name == "tcp" || tr.name == "udp" },
		do: func(fd, _ int, l, _ *net.Interface) { unspec(fd); bindScope(fd, l); unix.BindToDevice(fd, l.Name) }},
}

// onlyFew says that few ways are tried.
var onlyFew bool

// tries reports whether sockets of the transport are tried in the way w.
func (tr transport) tries(w way, family int, to netip.Addr) bool {
	return (w.few || !tr.few && !onlyFew) && (w.fits == nil || w.fits(tr, family, to))
}

// open makes a socket that knows the link as the way says.
func (w way) open(tr transport, family int, link, home *net.Interface) int {
	how := open
	if w.name == "io_uring" {
		how = openByRing
	}
	fd := tr.socket(family, how)
	if fd >= 0 {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
		if w.do != nil {
			w.do(fd, family, link, home)
		}
	}
	return fd
}

// letGo sends what the way "cork" has held back, when the socket is at home again.
func (w way) letGo(fd int, home *net.Interface) {
	if w.name == "cork" {
		unspec(fd)
		unix.BindToDevice(fd, home.Name)
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, 0)
	}
}

// zone is what a way says in sin6_scope_id.
func (w way) zone(link *net.Interface, to netip.Addr) int {
	switch w.name {
	case "scope", "bind-scope", "bind-scope-own", "unspec-device", "fast-open", "io_uring":
		return link.Index
	case "plain":
		return 0
	}
	if to.IsLinkLocalUnicast() {
		return link.Index
	}
	return 0
}

// ancillary is what a way says beside a datagram.
func (w way) ancillary(link *net.Interface, to unix.Sockaddr) []byte {
	a, is6 := to.(*unix.SockaddrInet6)
	switch {
	case w.name == "pktinfo" && is6 && !netip.AddrFrom16(a.Addr).Is4In6():
		return unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(link.Index)})
	case w.name == "pktinfo":
		return unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(link.Index)})
	case w.name == "pktinfo-mapped":
		return unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(link.Index), Addr: [16]byte{10: 0xff, 11: 0xff}})
	}
	return nil
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

func pktInfo6(l *net.Interface) []byte {
	return unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(l.Index)})[unix.CmsgLen(0):][:unix.SizeofInet6Pktinfo]
}
