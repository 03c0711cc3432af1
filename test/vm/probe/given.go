package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// leaveByGiven is leave by sockets that were made by somebody else, systemd, and passed in
// (sd_listen_fds(3)); whoever has them may call all that it calls for its own. For each
// link and way there is one for TCP, one for UDP by IPv6, and one by IPv4, in this order
// and from firstPort on. What takes something prints it, as of attack.
func leaveByGiven(home string, linksAndTargets []string, given string, s *servers) error {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(given)
	if err != nil {
		return err
	}
	const first = 3
	next := first
	tries := 0
	for ; len(linksAndTargets) >= 2; linksAndTargets = linksAndTargets[2:] {
		links, targets, err := parse(linksAndTargets[0], linksAndTargets[1])
		if err != nil {
			return err
		}
		for _, link := range links {
			for _, way := range ways {
				if next+3 > first+count {
					return errors.New("too few sockets were passed in")
				}
				for i, family := range []int{unix.AF_INET6, unix.AF_INET6, unix.AF_INET} {
					fd, stream := next, i == 0
					next++
					if err := unix.SetNonblock(fd, true); err != nil {
						return err
					}
					unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
					if way.do != nil {
						way.do(fd, family, link, h)
					}
					s.ports = append(s.ports, transports[min(i, 1)].name)
					if stream {
						if err := s.add(fd, true, fmt.Sprintf("given tcp %s by %s", way.name, link.Name)); err != nil {
							return err
						}
						continue
					}
					for _, to := range targets {
						if to.Is6() && family == unix.AF_INET {
							continue
						}
						sendVia(fd, way.name == "pktinfo", transports[1], link, sockaddr(family, to, markPort, zone(way.name, link, to)))
						if way.name == "cork" {
							unspec(fd)
							unix.BindToDevice(fd, h.Name)
							unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_CORK, 0)
							way.do(fd, family, link, h)
						}
						tries++
					}
					// It is asked by others, too: an answer and what it takes look alike here.
					if err := s.add(fd, false, fmt.Sprintf("given udp %s by %s family %d", way.name, link.Name, family)); err != nil {
						return err
					}
				}
			}
		}
	}
	go s.serve()
	fmt.Println("ports", strings.Join(s.ports, ","))
	fmt.Println("tries", tries)
	fmt.Println("answers 0") // what took something prints it
	return nil
}
