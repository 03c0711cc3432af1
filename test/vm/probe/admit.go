package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// firstPort is the first of the ports that attack serves, one for each way.
const firstPort = 7800

// attack is admit and leave in one process. It serves when all tries are over, until it is
// ended.
func attack(home string, linksAndTargets []string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	if os.Getuid() == 0 || !strings.Contains(string(status), "\nCapEff:\t0000000000000000\n") {
		return errors.New("this is no ordinary user")
	}
	var names []string
	for i := 0; i+1 < len(linksAndTargets); i += 2 {
		names = append(names, linksAndTargets[i])
	}
	sockets, err := openServers(home, strings.Join(names, ","))
	if err != nil {
		return err
	}
	if given := os.Getenv("LISTEN_FDS"); given != "" {
		err = leaveByGiven(home, linksAndTargets, given, sockets)
	} else {
		go sockets.serve()
		err = leave(home, linksAndTargets)
	}
	if err != nil {
		return err
	}
	select {}
}

// servers are sockets that were made to leave and then serve, one port for each way.
type servers struct {
	group int // of epoll(7)
	all   []server
	ports []string // the transport of each, from firstPort on
}

type server struct {
	fd     int
	stream bool
	name   string
}

// openServers makes servers in each way and by each of the links. It says "ports" and the
// transport of each: they can be asked from now on.
func openServers(home, links string) (*servers, error) {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return nil, err
	}
	s := &servers{}
	if s.group, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	if os.Getenv("LISTEN_FDS") != "" {
		return s, nil
	}
	for name := range strings.SplitSeq(links, ",") {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return nil, err
		}
		for _, tr := range transports {
			for _, way := range ways {
				if tr.name == "ping" || way.do == nil || way.name == "cork" {
					continue
				}
				fd := tr.socket(unix.AF_INET6)
				if fd < 0 {
					continue
				}
				unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
				unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
				way.do(fd, unix.AF_INET6, link, h)
				err := unix.Bind(fd, &unix.SockaddrInet6{Port: firstPort + len(s.ports)})
				if tr.kind == unix.SOCK_STREAM && err == nil {
					err = unix.Listen(fd, 5)
				}
				if err != nil {
					continue
				}
				if err := s.add(fd, tr.kind == unix.SOCK_STREAM, fmt.Sprintf("%s %s by %s", tr.name, way.name, name)); err != nil {
					return nil, err
				}
				s.ports = append(s.ports, tr.name)
			}
		}
	}
	fmt.Println("ports", strings.Join(s.ports, ","))
	return s, nil
}

func (s *servers) add(fd int, stream bool, name string) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(s.all))} // the kernel gives it back
	s.all = append(s.all, server{fd, stream, name})
	return unix.EpollCtl(s.group, unix.EPOLL_CTL_ADD, fd, &e)
}

// serve prints what the sockets take, and from whom, and answers.
func (s *servers) serve() {
	events := make([]unix.EpollEvent, 100)
	b := make([]byte, 200)
	for {
		n, _ := unix.EpollWait(s.group, events, -1)
		for _, e := range events[:max(n, 0)] {
			it := s.all[e.Fd]
			if it.stream {
				c, from, err := unix.Accept4(it.fd, unix.SOCK_CLOEXEC)
				if err == nil {
					fmt.Println("took", it.name, "from", addrOf(from))
					unix.Write(c, []byte(markText))
					unix.Close(c)
				}
				continue
			}
			if n, from, err := unix.Recvfrom(it.fd, b, unix.MSG_DONTWAIT); err == nil {
				fmt.Println("took", it.name, "from", addrOf(from), string(b[:n]))
				if !isAnswer(from) {
					unix.Sendto(it.fd, []byte(markText), 0, from)
				}
			}
		}
	}
}

// isAnswer reports whether a datagram is from a program that echoes, which would answer
// an answer.
func isAnswer(from unix.Sockaddr) bool {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return a.Port == markPort
	case *unix.SockaddrInet6:
		return a.Port == markPort
	}
	return false
}

func addrOf(sa unix.Sockaddr) string {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr).String()
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).String()
	}
	return "?"
}

// poke asks each of the ports that attack serves at the addresses, in the transport of each,
// and prints what was answered and a count.
func poke(targets, ports string) error {
	var tries []*try
	for target := range strings.SplitSeq(targets, ",") {
		a, err := netip.ParseAddr(target)
		if err != nil {
			return err
		}
		zone := 0
		if a.Zone() != "" {
			link, err := net.InterfaceByName(a.Zone())
			if err != nil {
				return err
			}
			zone = link.Index
		}
		family := unix.AF_INET6
		if a.Is4() {
			family = unix.AF_INET
		}
		port := firstPort - 1
		for name := range strings.SplitSeq(ports, ",") {
			port++
			at := slices.IndexFunc(transports, func(tr transport) bool { return tr.name == name })
			if at < 0 {
				return fmt.Errorf("no transport %q", name)
			}
			fd := transports[at].socket(family)
			if fd < 0 {
				return fmt.Errorf("no socket of %s", name)
			}
			t := &try{fd: fd, stream: transports[at].kind == unix.SOCK_STREAM,
				name: func() string { return fmt.Sprintf("%s to %s port %d", name, target, port) }}
			sa := sockaddr(family, a.WithZone(""), port, zone)
			if t.stream {
				if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
					unix.Close(fd)
					continue
				}
			} else {
				unix.Sendto(fd, []byte(markText), 0, sa)
				t.asked = true
			}
			tries = append(tries, t)
		}
	}
	fmt.Println("tries", len(tries))
	fmt.Println("answers", finish(tries))
	return nil
}

// answer echoes on markPort, in every transport that the kernel has, for any address
// of the namespace, and says so.
func answer() error {
	for _, tr := range transports {
		if tr.name == "ping" {
			continue
		}
		fd, err := unix.Socket(unix.AF_INET6, tr.kind|unix.SOCK_CLOEXEC, tr.proto)
		if err != nil {
			fmt.Println("no", tr.name)
			continue
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		if err := unix.Bind(fd, &unix.SockaddrInet6{Port: markPort}); err != nil {
			return err
		}
		if tr.kind != unix.SOCK_STREAM {
			go echoDatagrams(fd)
			continue
		}
		if err := unix.Listen(fd, 1000); err != nil {
			return err
		}
		go func() {
			for {
				c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
				if err != nil {
					continue
				}
				go func() {
					b := make([]byte, 200)
					if n, err := unix.Read(c, b); err == nil {
						unix.Write(c, b[:n])
					}
					unix.Close(c)
				}()
			}
		}()
	}
	fmt.Println("answering")
	select {}
}

func echoDatagrams(fd int) {
	b := make([]byte, 200)
	for {
		if n, from, err := unix.Recvfrom(fd, b, 0); err == nil {
			unix.Sendto(fd, b[:n], 0, from)
		}
	}
}

// watch prints what it sees on any link of the namespace that leave or admit must have
// done: LINK DIRECTION WHAT. It says "watching" when it does. When it is told to end
// (SIGTERM), it reads what the kernel has kept for it, and says if that was not all.
func watch() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
		return err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100000}); err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGTERM)
	fmt.Println("watching")
	names := map[int]string{}
	b := make([]byte, 2000)
	seen, all := uint32(0), ^uint32(0)
	for seen < all {
		select {
		case <-ended:
			count, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
			if err != nil {
				return err
			}
			if all = count.Packets - count.Drops; count.Drops > 0 {
				fmt.Printf("failed: %d of %d packets were not seen\n", count.Drops, count.Packets)
			}
			continue
		default:
		}
		n, from, err := unix.Recvfrom(fd, b, 0)
		ll, ok := from.(*unix.SockaddrLinklayer)
		if err != nil || !ok {
			continue
		}
		seen++
		what := recognize(b[:n])
		if what == "" {
			continue
		}
		name, ok := names[ll.Ifindex]
		if !ok {
			name = fmt.Sprint(ll.Ifindex)
			if l, err := net.InterfaceByIndex(ll.Ifindex); err == nil {
				name = l.Name
			}
			names[ll.Ifindex] = name
		}
		way := "in"
		if ll.Pkttype == unix.PACKET_OUTGOING {
			way = "out"
		}
		fmt.Println(name, way, what)
	}
	return nil
}

// recognize says what a packet of leave's is, "" if it is none.
func recognize(p []byte) string {
	if len(p) < 20 {
		return ""
	}
	var proto byte
	var body []byte
	var src, dst netip.Addr
	switch p[0] >> 4 {
	case 4:
		proto, body = p[9], p[min(len(p), int(p[0]&15)*4):]
		src, dst = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
	case 6:
		if len(p) < 40 {
			return ""
		}
		proto, body = p[6], p[40:]
		src, dst = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40]))
		if proto == 0 && len(body) > 8 { // MLD has a hop-by-hop option
			proto, body = body[0], body[8:]
		}
	default:
		return ""
	}
	text := string(body)
	who := fmt.Sprintf("protocol %d from %s to %s", proto, src, dst)
	if strings.Contains(text, string(group4.AsSlice())) && proto == unix.IPPROTO_IGMP ||
		strings.Contains(text, string(group6.AsSlice())) && proto == unix.IPPROTO_ICMPV6 {
		return "join " + who
	}
	switch int(proto) {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE, unix.IPPROTO_SCTP:
		if len(body) >= 4 && int(body[2])<<8|int(body[3]) == markPort {
			// By an ABORT the kernel itself answers what nobody asked for: a listener of the
			// default domain takes SCTP from all VRFs (net.sctp.l3mdev_accept), and
			// answers where nobody is.
			const abort = 6
			if int(proto) == unix.IPPROTO_SCTP && len(body) > 12 && body[12] == abort {
				return ""
			}
			return "asks " + who
		}
	case unix.IPPROTO_ICMP:
		if body[0] == 8 && strings.Contains(text, markText) {
			return "asks " + who
		}
	case unix.IPPROTO_ICMPV6:
		if body[0] == 128 && strings.Contains(text, markText) {
			return "asks " + who
		}
	}
	return ""
}
