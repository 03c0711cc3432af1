package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// escapes are the ways in which a program may name another interface for a
// socket of its own. Each is tried on a UDP socket that then sends one datagram.
var escapes = []struct {
	name string
	try  func(fd int, link *net.Interface, to unix.Sockaddr) error
}{
	{"plain", func(fd int, _ *net.Interface, to unix.Sockaddr) error { return unix.Sendto(fd, []byte("plain"), 0, to) }},
	{"SO_BINDTODEVICE", func(fd int, l *net.Interface, to unix.Sockaddr) error {
		return then(unix.BindToDevice(fd, l.Name), fd, "SO_BINDTODEVICE", to)
	}},
	{"SO_BINDTODEVICE-none", func(fd int, _ *net.Interface, to unix.Sockaddr) error {
		return then(unix.BindToDevice(fd, ""), fd, "SO_BINDTODEVICE-none", to)
	}},
	{"SO_BINDTOIFINDEX", func(fd int, l *net.Interface, to unix.Sockaddr) error {
		return then(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, l.Index), fd, "SO_BINDTOIFINDEX", to)
	}},
	{"IP_UNICAST_IF", func(fd int, l *net.Interface, to unix.Sockaddr) error {
		index := int(htonl(uint32(l.Index)))
		level, option := unix.IPPROTO_IP, unix.IP_UNICAST_IF
		if _, ok := to.(*unix.SockaddrInet6); ok {
			level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_IF
		}
		return then(unix.SetsockoptInt(fd, level, option, index), fd, "IP_UNICAST_IF", to)
	}},
	{"IP_PKTINFO", func(fd int, l *net.Interface, to unix.Sockaddr) error {
		oob := unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(l.Index)})
		if _, ok := to.(*unix.SockaddrInet6); ok {
			oob = unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(l.Index)})
		}
		return unix.Sendmsg(fd, []byte("IP_PKTINFO"), oob, to, 0)
	}},
	{"sin6_scope_id", func(fd int, l *net.Interface, to unix.Sockaddr) error {
		to6, ok := to.(*unix.SockaddrInet6)
		if !ok {
			return errors.New("IPv6 only")
		}
		scoped := *to6
		scoped.ZoneId = uint32(l.Index)
		return unix.Sendto(fd, []byte("sin6_scope_id"), 0, &scoped)
	}},
}

func then(err error, fd int, text string, to unix.Sockaddr) error {
	if err != nil {
		return err
	}
	return unix.Sendto(fd, []byte(text), 0, to)
}

func htonl(v uint32) uint32 { return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, v)) }

// escape tries to send to address by way of device, and prints how each try
// went. Whether a datagram arrived is for the one at the other end to say.
func escape(device, address string) error {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	family, sa := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	for _, e := range escapes {
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		fmt.Println(e.name+":", e.try(fd, link, sa))
		unix.Close(fd)
	}
	return nil
}
