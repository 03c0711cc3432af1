package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// firstPort is the first of the ports that attack serves, one for each way.
const firstPort = 7800

// attack is admit and leave in one process. It serves when all tries are over, until it is
// ended.
func attack(home string, args []string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	if os.Getuid() == 0 || !strings.Contains(string(status), "\nCapEff:\t0000000000000000\n") {
		return errors.New("this is no ordinary user")
	}
	targets, err := parse(args)
	if err != nil {
		return err
	}
	sockets, err := openServers(home, linksOf(targets))
	if err != nil {
		return err
	}
	if given := os.Getenv("LISTEN_FDS"); given != "" {
		err = leaveByGiven(home, args, given, sockets)
	} else {
		go sockets.serve()
		err = leave(home, args)
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
	fd      int
	accepts bool
	name    string
}

// openServers makes servers in each way and by each of the links. It says "ports" and the
// transport of each: they can be asked from now on.
func openServers(home string, links []*net.Interface) (*servers, error) {
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
	for _, link := range links {
		for _, tr := range transports {
			if tr.name == "ping" || tr.name == "l2tp" {
				continue
			}
			for _, w := range ways {
				if w.send || w.name == "cork" || !tr.tries(w, unix.AF_INET6, netip.IPv6Unspecified()) {
					continue
				}
				if err := s.open(tr, w, link, h); err != nil {
					return nil, err
				}
			}
		}
	}
	fmt.Println("ports", strings.Join(s.ports, ","))
	return s, nil
}

// open makes one server. It is no error if the kernel has none of the kind, or does not
// let it serve.
func (s *servers) open(tr transport, w way, link, home *net.Interface) error {
	fd := w.open(tr, unix.AF_INET6, link, home)
	if fd < 0 {
		return nil
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	err := unix.Bind(fd, &unix.SockaddrInet6{Port: firstPort + len(s.ports)})
	if tr.listens && err == nil {
		err = unix.Listen(fd, 5)
	}
	if err != nil {
		unix.Close(fd)
		return nil
	}
	s.ports = append(s.ports, tr.name)
	return s.add(fd, tr.connects, fmt.Sprintf("%s %s by %s", tr.name, w.name, link.Name))
}

func (s *servers) add(fd int, accepts bool, name string) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(s.all))} // the kernel gives it back
	s.all = append(s.all, server{fd, accepts, name})
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
			if it.accepts {
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
			tr, ok := find(name)
			if !ok {
				return fmt.Errorf("no transport %q", name)
			}
			fd := tr.socket(family, open)
			if fd < 0 {
				return fmt.Errorf("no socket of %s", name)
			}
			t := &try{fd: fd, cell: &cell{}, connects: tr.connects, asked: !tr.connects,
				name: func() string { return fmt.Sprintf("%s to %s port %d", name, target, port) }}
			sa := sockaddr(family, a.WithZone(""), port, zone)
			if !t.connects {
				unix.Sendto(fd, []byte(markText), 0, sa)
			} else if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
				unix.Close(fd)
				continue
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
		if !tr.echoed {
			continue
		}
		fd := tr.socket(unix.AF_INET6, openToWait)
		if fd < 0 {
			fmt.Println("no", tr.name)
			continue
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		if err := unix.Bind(fd, &unix.SockaddrInet6{Port: markPort}); err != nil {
			return err
		}
		if !tr.listens {
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

// openToWait is open for a socket whose calls wait.
func openToWait(family, kind, proto int) int { return open(family, kind&^unix.SOCK_NONBLOCK, proto) }

func echoDatagrams(fd int) {
	b := make([]byte, 200)
	for {
		if n, from, err := unix.Recvfrom(fd, b, 0); err == nil {
			unix.Sendto(fd, b[:n], 0, from)
		}
	}
}
