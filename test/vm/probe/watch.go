package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
)

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
	joined := func(groups [2]netip.Addr) bool {
		return strings.Contains(text, string(groups[0].AsSlice())) && proto == unix.IPPROTO_IGMP ||
			strings.Contains(text, string(groups[1].AsSlice())) && proto == unix.IPPROTO_ICMPV6
	}
	if joined(groups) {
		return "join " + who
	}
	if joined(groups32) {
		return "join-32 " + who
	}
	switch int(proto) {
	case protoL2TP:
		if strings.Contains(text, markText) {
			return "asks " + who
		}
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE, unix.IPPROTO_SCTP, protoDCCP:
		if len(body) >= 4 && int(body[2])<<8|int(body[3]) == markPort {
			// So the kernel itself answers what nobody asked for: a listener of the
			// default domain takes SCTP (net.sctp.l3mdev_accept) and DCCP from all VRFs, and
			// answers where nobody is.
			const abort, reset = 6, 7
			if int(proto) == unix.IPPROTO_SCTP && len(body) > 12 && body[12] == abort ||
				int(proto) == protoDCCP && len(body) > 8 && body[8]>>1&15 == reset {
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
