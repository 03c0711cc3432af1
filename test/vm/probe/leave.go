package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// The groups that leave joins, and those that it joins by calls of 32 bits.
var (
	groups   = [2]netip.Addr{netip.MustParseAddr("239.7.7.7"), netip.MustParseAddr("ff05::7777")}
	groups32 = [2]netip.Addr{netip.MustParseAddr("239.7.7.8"), netip.MustParseAddr("ff05::7778")}
)

// try is one socket that was made to leave, and what it may still do.
type try struct {
	name     func() string
	cell     *cell
	fd       int
	connects bool
	asked    bool
	own      bool // an answer may be that of its own domain
}

// cell is what came of the tries of one way to one kind of target.
type cell struct{ tries, answers int }

// target is hosts that are tried by way of a link; kind says where they are.
type target struct {
	link *net.Interface
	kind string
	to   []netip.Addr
}

// parse reads LINK/KIND/ADDRESS,ADDRESS...
func parse(args []string) (targets []target, err error) {
	for _, arg := range args {
		parts := strings.Split(arg, "/")
		if len(parts) != 3 {
			return nil, fmt.Errorf("%s: expected LINK/KIND/ADDRESSES", arg)
		}
		t := target{kind: parts[1]}
		if t.link, err = net.InterfaceByName(parts[0]); err != nil {
			return nil, err
		}
		for address := range strings.SplitSeq(parts[2], ",") {
			a, err := netip.ParseAddr(address)
			if err != nil {
				return nil, err
			}
			t.to = append(t.to, a)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// linksOf returns the links of the targets, each once.
func linksOf(targets []target) (links []*net.Interface) {
	for _, t := range targets {
		if !slices.ContainsFunc(links, func(l *net.Interface) bool { return l.Index == t.link.Index }) {
			links = append(links, t.link)
		}
	}
	return links
}

// count has the cells of a table, by way and by LINK/KIND.
type count map[[2]string]*cell

func (c count) of(w way, t target) *cell {
	at := [2]string{w.name, t.link.Name + "/" + t.kind}
	if c[at] == nil {
		c[at] = &cell{}
	}
	return c[at]
}

// print prints a line for each cell: WAY LINK/KIND TRIES ANSWERS.
func (c count) print() {
	for at, n := range c {
		fmt.Println("count", at[0], at[1], n.tries, n.answers)
	}
}

// leave tries, as whoever runs it, all ways to reach targets by way of links, and prints
// each try that was answered, a line for each cell, and a count. The name of home is the
// VRF that it should be in. All tries are begun before the first answer is waited for.
func leave(home string, args []string) error {
	h, err := net.InterfaceByName(home)
	if err != nil {
		return err
	}
	targets, err := parse(args)
	if err != nil {
		return err
	}
	for _, link := range linksOf(targets) {
		joins(link)
	}
	cells := count{}
	var tries []*try
	for _, t := range targets {
		for _, to := range t.to {
			tries = append(tries, begin(cells, h, t, to)...)
		}
	}
	answers := finish(tries)
	cells.print()
	fmt.Println("tries", len(tries))
	fmt.Println("answers", answers)
	return nil
}

// begin makes all sockets that try to reach an address of a target.
func begin(cells count, home *net.Interface, target target, to netip.Addr) (tries []*try) {
	for _, tr := range transports {
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			if to.Is6() && family == unix.AF_INET || to.Is4() && family == unix.AF_INET6 && (tr.name == "ping" || tr.name == "l2tp") {
				continue
			}
			for _, w := range ways {
				if !tr.tries(w, family, to) {
					continue
				}
				if t := w.begin(tr, family, home, target.link, to); t != nil {
					t.cell = cells.of(w, target)
					t.cell.tries++
					tries = append(tries, t)
				}
			}
		}
	}
	return tries
}

// begin makes a socket that tries to reach an address; nil if the kernel has none of the
// kind.
func (w way) begin(tr transport, family int, home, link *net.Interface, to netip.Addr) *try {
	fd := w.open(tr, family, link, home)
	if fd < 0 {
		return nil
	}
	sa := sockaddr(family, to, markPort, w.zone(link, to))
	t := &try{fd: fd, connects: tr.connects, asked: !tr.connects, own: tr.name == "ping" && to.IsLoopback(),
		name: func() string {
			return fmt.Sprintf("%s %s by %s to %s family %d", tr.name, w.name, link.Name, to, family)
		}}
	if !tr.connects {
		w.sendTo(fd, tr, link, sa)
		w.letGo(fd, home)
	} else if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		t.asked = true // it is over, except what may have left before
	}
	return t
}

// sendTo sends what tr says to a host.
func (w way) sendTo(fd int, tr transport, link *net.Interface, to unix.Sockaddr) error {
	data := []byte(markText)
	_, is6 := to.(*unix.SockaddrInet6)
	switch {
	case tr.name == "ping" && is6:
		data = append([]byte{128, 0, 0, 0, 0, 0, 0, 1}, data...)
	case tr.name == "ping":
		data = append([]byte{8, 0, 0, 0, 0, 0, 0, 1}, data...)
	}
	return unix.Sendmsg(fd, data, w.ancillary(link, to), to, 0)
}

// sockaddr is an address for a socket of a family: an IPv4 address for one of IPv6
// is mapped.
func sockaddr(family int, a netip.Addr, port, zone int) unix.Sockaddr {
	if family == unix.AF_INET {
		return &unix.SockaddrInet4{Port: port, Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Port: port, Addr: a.As16(), ZoneId: uint32(zone)}
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
			case e.Events&unix.EPOLLERR != 0 && !t.connects:
				unix.GetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_ERROR) // and another may answer
				continue
			case e.Events&unix.EPOLLIN != 0 && e.Events&unix.EPOLLERR == 0:
				// An echo request to a loopback address is answered in the VRF itself; if
				// one leaves, watch sees it.
				if n, err := unix.Read(t.fd, b); n > 0 && err == nil && !t.own {
					answers++
					t.cell.answers++
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
