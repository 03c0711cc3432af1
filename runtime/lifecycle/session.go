package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// session is the work on one domain: its sockets, and what was learned.
type session struct {
	h    *Host
	home *rtnl.Conn
	// netns is the domain's namespace, zero for home's. ns and in are nil while it
	// does not exist.
	netns domain.Netns
	ns    *netns.NS
	in    *rtnl.Conn
	// others are third namespaces, in which links have their other side.
	others map[domain.Netns]*place
	// inputs are what the domain's file refers to.
	inputs *inputs
	// index has the ifindex of links that steps act on, by namespace and name,
	// so that a link that is renamed meanwhile is still the same one.
	index map[at]int
	// rules are the namespace's changed rules; not nil while they are locked.
	// fresh is a copy from when they were locked.
	rules, fresh *record.Rules
	// half is true if an earlier up recorded that it is about to make the
	// namespace: a left-over file of its name is ours.
	half bool
	// wireguard are the links whose keys or peers were changed, as they were.
	wireguard map[at]wgtypes.Config
	// timeout is the file's TimeoutSec=.
	timeout uint32
	// did are the steps done so far, and before is the record without them.
	did    []object.Step
	before *record.Record
}

// at is a link's name in a namespace.
type at struct {
	netns domain.Netns
	link  string
}

// place is a third namespace; conn is nil if it does not exist.
type place struct {
	ns   *netns.NS
	conn *rtnl.Conn
}

// homeConn opens a socket in the namespace that rdomain runs in.
func (h *Host) homeConn() (*rtnl.Conn, error) { return rtnl.Open() }

// newSession opens the sockets for a domain in the namespace called name. That
// the namespace does not exist is no error.
func (h *Host) newSession(name domain.Netns) (*session, error) {
	home, err := h.homeConn()
	if err != nil {
		return nil, err
	}
	s := &session{h: h, home: home, netns: name, index: map[at]int{}, others: map[domain.Netns]*place{},
		inputs: &inputs{}}
	if name.IsZero() {
		return s, nil
	}
	p, err := visit(name)
	if err != nil {
		s.close()
		return nil, err
	}
	s.ns, s.in = p.ns, p.conn
	return s, nil
}

// visit opens a namespace and a socket in it. That it does not exist is no
// error.
func visit(name domain.Netns) (*place, error) {
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
	if err != nil {
		ns.Close()
		return nil, err
	}
	return p, nil
}

func (s *session) close() {
	s.home.Close()
	s.leave()
	for _, p := range s.others {
		if p.conn != nil {
			p.conn.Close()
			p.ns.Close()
		}
	}
}

// leave closes what keeps the domain's namespace alive.
func (s *session) leave() {
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
func (s *session) other(name domain.Netns) (*place, error) {
	if p, ok := s.others[name]; ok && p.conn != nil {
		return p, nil
	}
	p, err := visit(name)
	if err == nil {
		s.others[name] = p
	}
	return p, err
}

// conn returns the socket for a namespace: the domain's, home's for the zero one, or
// that of a third one.
func (s *session) conn(netns domain.Netns) (*rtnl.Conn, error) {
	c := s.in
	switch netns {
	case domain.Netns{}:
		return s.home, nil
	case s.netns:
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
func (s *session) open(netns domain.Netns) *netns.NS {
	switch netns {
	case domain.Netns{}:
		return s.h.home
	case s.netns:
		return s.ns
	}
	return s.others[netns].ns
}

// inside calls f on a thread in a namespace.
func (s *session) inside(netns domain.Netns, f func() error) error {
	if netns.IsZero() {
		return f()
	}
	if _, err := s.conn(netns); err != nil {
		return err
	}
	return s.open(netns).Inside(f)
}

// id returns the identity of the domain's namespace, zero if there is none.
func (s *session) id() netns.ID {
	switch {
	case s.netns.IsZero():
		return s.h.home.ID()
	case s.ns != nil:
		return s.ns.ID()
	}
	return netns.ID{}
}
