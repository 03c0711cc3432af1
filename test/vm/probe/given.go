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
func leaveByGiven(home string, args []string, given string, s *servers) error {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return err
	}
	targets, err := parse(args)
	if err != nil {
		return err
	}
	sockets, err := strconv.Atoi(given)
	if err != nil {
		return err
	}
	const first = 3
	next, end := first, first+sockets
	cells, tries := count{}, 0
	for _, link := range linksOf(targets) {
		for _, w := range ways {
			if next+3 > end {
				return errors.New("too few sockets were passed in")
			}
			if w.name != "io_uring" { // it is about the making
				if err := s.addGiven(next, w, link, h); err != nil {
					return err
				}
				for i, family := range []int{unix.AF_INET6, unix.AF_INET} {
					tries += w.sendAll(cells, next+1+i, family, h, link, targets)
				}
			}
			next += 3
			s.ports = append(s.ports, "tcp", "udp", "udp")
		}
	}
	go s.serve()
	fmt.Println("ports", strings.Join(s.ports, ","))
	cells.print()
	fmt.Println("tries", tries)
	fmt.Println("answers 0") // what took something prints it
	return nil
}

// addGiven takes the sockets fd, for TCP, and the two after it, and names the link for
// them. They are asked by others, too: an answer and what they take look alike.
func (s *servers) addGiven(fd int, w way, link, home *net.Interface) error {
	for i, family := range []int{unix.AF_INET6, unix.AF_INET6, unix.AF_INET} {
		if err := unix.SetNonblock(fd+i, true); err != nil {
			return err
		}
		unix.SetsockoptInt(fd+i, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
		if w.do != nil {
			w.do(fd+i, family, link, home)
		}
		name := []string{"tcp", "udp", "udp"}[i]
		if err := s.add(fd+i, i == 0, fmt.Sprintf("given-%s %s by %s", name, w.name, link.Name)); err != nil {
			return err
		}
	}
	return nil
}

// sendAll sends by one socket of UDP to all targets of the link.
func (w way) sendAll(cells count, fd, family int, home, link *net.Interface, targets []target) (tries int) {
	udp, _ := find("udp")
	for _, t := range targets {
		if t.link.Index != link.Index {
			continue
		}
		for _, to := range t.to {
			if to.Is6() && family == unix.AF_INET || !udp.tries(w, family, to) {
				continue
			}
			w.sendTo(fd, udp, link, sockaddr(family, to, markPort, w.zone(link, to)))
			w.letGo(fd, home)
			if w.name == "cork" {
				w.do(fd, family, link, home)
			}
			cells.of(w, t).tries++
			tries++
		}
	}
	return tries
}
