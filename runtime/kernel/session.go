// Package kernel is what the kernel has, and one step done: sockets in the namespaces
// that a domain has to do with, the reading of their state, and the steps of package
// object. Which domain, in which order and under which lock is package lifecycle's.
package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/dhcp"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// Home is the namespace that rdomain runs in. It serves any number of sessions at
// once.
type Home struct {
	*netns.NS
	prepare  func() error
	listened listened
	// keys are those that links had when they were read, by their prints: of what is to be as
	// it was, the file may have another key by now, and a link that was deleted has none.
	keys sync.Map
}

// OpenHome opens the namespace of the calling thread.
func OpenHome() (*Home, error) {
	ns, err := netns.Self()
	if err != nil {
		return nil, err
	}
	c, err := rtnl.Open()
	if err == nil {
		defer c.Close()
		err = learn(ns, c)
	}
	if err != nil {
		ns.Close()
		return nil, err
	}
	return &Home{NS: ns, prepare: sync.OnceValue(netns.Prepare)}, nil
}

// Number has a [rtnl.Watch] of this namespace told of the links of another one too. That
// the other does not exist is no error. isNew reports that it was not so before.
func (h *Home) Number(name domain.NetnsName) (isNew bool, err error) {
	ns, err := netns.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer ns.Close()
	c, err := rtnl.Open()
	if err != nil {
		return false, err
	}
	defer c.Close()
	return c.Number(ns.Fd())
}

// learn notes the cookie of a namespace that a socket is in.
func learn(ns *netns.NS, c *rtnl.Conn) error {
	cookie, err := c.NetnsCookie()
	ns.Learn(cookie)
	return err
}

// Session is the work on one domain: its sockets, and what was learned. One
// goroutine at a time uses it.
type Session struct {
	// Netns is the domain's namespace, zero for home's.
	Netns domain.NetnsName
	// Inputs are what the domain's file refers to.
	Inputs *Inputs
	// Timeout is how many seconds a step waits for what others make.
	Timeout uint32
	// Half: an earlier up recorded that it is about to make the namespace, so a
	// left-over file of its name is ours.
	Half bool
	// Born is called with the identity of a namespace that is being made, before it
	// has its name; with an error there is none. nil does nothing.
	Born func(netns.ID) error

	home *Home
	// out is the socket at home; in that of the domain's namespace ns, both nil
	// while it does not exist.
	out, in *rtnl.Conn
	ns      *netns.NS
	// others are third namespaces, in which links have their other side.
	others map[domain.NetnsName]*place
	// index has the ifindex of links that steps act on, so that a link that is
	// renamed meanwhile is still the same one.
	index map[At]int
	// made are the links that steps made.
	made map[At]bool
	// wireguard are the links whose keys or peers were changed, as they were.
	wireguard map[At]wgtypes.Config
}

// At is a link's name in a namespace.
type At struct {
	Netns domain.NetnsName
	Link  string
}

// place is a third namespace; conn is nil if it does not exist.
type place struct {
	ns   *netns.NS
	conn *rtnl.Conn
}

// Open opens the sockets for a domain in the namespace called name. That the
// namespace does not exist is no error.
func (h *Home) Open(name domain.NetnsName) (*Session, error) {
	out, err := rtnl.Open()
	if err != nil {
		return nil, err
	}
	s := &Session{home: h, out: out, Netns: name, index: map[At]int{}, made: map[At]bool{}, others: map[domain.NetnsName]*place{},
		wireguard: map[At]wgtypes.Config{}, Inputs: &Inputs{}}
	if name.IsZero() {
		return s, nil
	}
	p, err := visit(name)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.ns, s.in = p.ns, p.conn
	return s, nil
}

// Exists reports whether the domain's namespace exists.
func (s *Session) Exists() bool { return s.Netns.IsZero() || s.in != nil }

// Forget makes the session ask again which link has which name.
func (s *Session) Forget() { clear(s.index) }

// visit opens a namespace and a socket in it. That it does not exist is no
// error.
func visit(name domain.NetnsName) (*place, error) {
	ns, err := netns.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
		return &place{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &place{ns: ns}
	err = ns.Inside(func() (err error) {
		p.conn, err = rtnl.Open()
		return err
	})
	if err == nil {
		if err = learn(ns, p.conn); err != nil {
			p.conn.Close()
		}
	}
	if err != nil {
		ns.Close()
		return nil, err
	}
	return p, nil
}

// Close gives the descriptors back.
func (s *Session) Close() {
	s.out.Close()
	s.leave()
	for _, p := range s.others {
		if p.conn != nil {
			p.conn.Close()
			p.ns.Close()
		}
	}
}

// leave closes what keeps the domain's namespace alive.
func (s *Session) leave() {
	if s.in != nil {
		s.in.Close()
		s.in = nil
	}
	if s.ns != nil {
		s.ns.Close()
		s.ns = nil
	}
}

// other returns a third namespace, which is opened when it is first asked for.
func (s *Session) other(name domain.NetnsName) (*place, error) {
	if p, ok := s.others[name]; ok && p.conn != nil {
		return p, nil
	}
	p, err := visit(name)
	if err == nil {
		s.others[name] = p
	}
	return p, err
}

// Conn returns the socket for a namespace: the domain's, home's for the zero one, or
// that of a third one.
func (s *Session) Conn(netns domain.NetnsName) (*rtnl.Conn, error) {
	c := s.in
	switch netns {
	case domain.NetnsName{}:
		return s.out, nil
	case s.Netns:
	default:
		p, err := s.other(netns)
		if err != nil {
			return nil, err
		}
		c = p.conn
	}
	if c == nil {
		return nil, fmt.Errorf("network namespace %s: %w", netns, fs.ErrNotExist)
	}
	return c, nil
}

// open returns an open namespace. Its socket must have been asked for before.
func (s *Session) open(netns domain.NetnsName) *netns.NS {
	switch netns {
	case domain.NetnsName{}:
		return s.home.NS
	case s.Netns:
		return s.ns
	}
	return s.others[netns].ns
}

// DHCP is a client on a link, of a protocol.
type DHCP interface {
	// Acquire asks for a lease until there is one or the time is over, Renew for the same
	// again, Confirm too, where another network may be. Release gives one back.
	Acquire(until time.Time) (*object.Lease, error)
	Renew(l object.Lease, until time.Time) (*object.Lease, error)
	Confirm(l object.Lease, until time.Time) (*object.Lease, error)
	Release(l object.Lease) error
	Close()
}

// DHCP opens a client on a link of the domain, of a protocol.
func (s *Session) DHCP(link string, by object.Protocol) (c DHCP, err error) {
	conn, err := s.Conn(s.Netns)
	if err != nil {
		return nil, err
	}
	l, err := conn.Link(link)
	if err != nil {
		return nil, err
	}
	mac, err := net.ParseMAC(l.MAC)
	if by != object.Routers && (err != nil || len(mac) != 6) {
		return nil, fmt.Errorf("link %s has no address of Ethernet", link)
	}
	err = s.inside(s.Netns, func() (err error) {
		switch by {
		case object.DHCP6:
			c, err = dhcp.Open6(link, l.Index, mac)
		case object.Routers:
			c, err = dhcp.OpenRouters(link, l.Index)
		default:
			c, err = dhcp.Open(link, l.Index, mac)
		}
		return err
	})
	return c, err
}

// inside calls f on a thread in a namespace.
func (s *Session) inside(netns domain.NetnsName, f func() error) error {
	if netns.IsZero() {
		return f()
	}
	if _, err := s.Conn(netns); err != nil {
		return err
	}
	return s.open(netns).Inside(f)
}

// ID returns the identity of the domain's namespace, zero if there is none.
func (s *Session) ID() netns.ID {
	switch {
	case s.Netns.IsZero():
		return s.home.ID()
	case s.ns != nil:
		return s.ns.ID()
	}
	return netns.ID{}
}
