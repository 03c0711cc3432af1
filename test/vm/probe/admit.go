package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// firstPort is the first of the ports that admit serves, one for each way.
const firstPort = 7800

// admit serves on sockets that were made to leave, in each way and by each of the
// links, one port for each, and prints what it took and from whom. It says "ports N" when
// it serves.
func admit(home, links string) error {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return err
	}
	port := firstPort
	var polls []unix.PollFd
	names := map[int32]string{}
	streams := map[int32]bool{}
	for name := range strings.SplitSeq(links, ",") {
		link, err := net.InterfaceByName(name)
		if err != nil {
			return err
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
				err := unix.Bind(fd, &unix.SockaddrInet6{Port: port})
				if tr.kind == unix.SOCK_STREAM && err == nil {
					err = unix.Listen(fd, 5)
				}
				if err != nil {
					continue
				}
				names[int32(fd)] = fmt.Sprintf("%s %s by %s", tr.name, way.name, name)
				streams[int32(fd)] = tr.kind == unix.SOCK_STREAM
				polls = append(polls, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
				port++
			}
		}
	}
	fmt.Println("ports", port-firstPort)
	for {
		if n, err := unix.Poll(polls, -1); n <= 0 || err != nil {
			continue
		}
		for i := range polls {
			if polls[i].Revents == 0 {
				continue
			}
			fd := int(polls[i].Fd)
			if streams[polls[i].Fd] {
				c, from, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
				if err == nil {
					fmt.Println("took", names[polls[i].Fd], "from", addrOf(from))
					unix.Write(c, []byte(markText))
					unix.Close(c)
				}
				continue
			}
			b := make([]byte, 200)
			if n, from, err := unix.Recvfrom(fd, b, 0); err == nil {
				fmt.Println("took", names[polls[i].Fd], "from", addrOf(from), string(b[:n]))
				unix.Sendto(fd, []byte(markText), 0, from)
			}
		}
	}
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

// poke asks each of the ports that admit serves at the addresses, in each transport,
// and prints what was answered and a count.
func poke(targets string, ports int) error {
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
		for port := firstPort; port < firstPort+ports; port++ {
			for _, tr := range transports {
				if tr.name == "ping" {
					continue
				}
				fd := tr.socket(family)
				if fd < 0 {
					continue
				}
				t := &try{name: fmt.Sprintf("%s to %s port %d", tr.name, target, port), fd: fd, stream: tr.kind == unix.SOCK_STREAM}
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
// done: LINK DIRECTION WHAT. It says "watching" when it does.
func watch() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(htons(unix.ETH_P_ALL)))
	if err != nil {
		return err
	}
	fmt.Println("watching")
	b := make([]byte, 2000)
	for {
		n, from, err := unix.Recvfrom(fd, b, 0)
		ll, ok := from.(*unix.SockaddrLinklayer)
		if err != nil || !ok {
			continue
		}
		what := recognize(b[:n])
		if what == "" {
			continue
		}
		name := fmt.Sprint(ll.Ifindex)
		if l, err := net.InterfaceByIndex(ll.Ifindex); err == nil {
			name = l.Name
		}
		way := "in"
		if ll.Pkttype == unix.PACKET_OUTGOING {
			way = "out"
		}
		fmt.Println(name, way, what)
	}
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
