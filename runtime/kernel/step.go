package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Do does one step and returns the identity of what it made. r is the record so
// far: what a namespace must still be to be removed.
func (s *Session) Do(step object.Step, r *record.Record) (made record.Identity, err error) {
	switch t := step.Object.(type) {
	case object.Netns:
		err = s.doNetns(step.Verb, t, r)
		return record.Identity{Netns: s.ID()}, err
	case object.Link:
		return s.doLink(step.Verb, t)
	case object.Setting:
		made.Index, err = s.doSetting(t)
	case object.Route:
		err = gone(step.Verb, s.doRoute(step.Verb, t))
	case object.Rule:
		var c *rtnl.Conn
		if c, err = s.Conn(t.Netns); err == nil {
			err = gone(step.Verb, c.Rule(step.Verb, t))
		}
	case object.WireGuard:
		err = s.doWireGuard(t)
	case object.WireGuardPeer:
		err = s.doPeer(step.Verb, t)
	case object.Sysctl:
		err = s.doSysctl(t)
	case object.File:
		err = doFile(step.Verb, t, r.Domain)
	case object.Firewall:
		err = s.doFirewall(step.Verb, t)
	case object.NAT:
		err = s.doNAT(step.Verb, t)
	case object.Pin:
		err = s.doPin(step.Verb, t)
	default:
		err = gone(step.Verb, s.doOnLink(step))
	}
	return made, err
}

// gone forgives a Delete that there is nothing to delete any more.
func gone(verb object.Verb, err error) error {
	if verb != object.Delete {
		return err
	}
	for _, e := range []error{fs.ErrNotExist, unix.ESRCH, unix.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

// on calls f with the link of that name.
func (s *Session) on(netns domain.NetnsName, name string, f func(*rtnl.Conn, int) error) error {
	c, err := s.Conn(netns)
	if err != nil {
		return err
	}
	index, err := s.find(c, netns, name)
	if err != nil {
		return err
	}
	return f(c, index)
}

func (s *Session) find(c *rtnl.Conn, netns domain.NetnsName, name string) (int, error) {
	l := At{netns, name}
	if index, ok := s.index[l]; ok {
		return index, nil
	}
	now, err := c.Link(name)
	if err != nil {
		return 0, err
	}
	s.index[l] = now.Index
	return now.Index, nil
}

// ErrMeanwhile is the error for a namespace that somebody else made between the
// plan and the step.
var ErrMeanwhile = errors.New("somebody else made it meanwhile")

func (s *Session) doNetns(verb object.Verb, t object.Netns, r *record.Record) (err error) {
	if verb == object.Delete {
		// With the zero ID it never had its name, and a namespace of that name is
		// somebody else's. The session's descriptor keeps the number from being
		// given again meanwhile.
		id := netns.ID{}
		if made := r.Find(t.Key()); made != nil {
			id = made.Made.Netns
		}
		return netns.Remove(t.Name, id)
	}
	if err := s.home.prepare(); err != nil {
		return err
	}
	inside := func(ns *netns.NS) (err error) {
		if s.in, err = rtnl.Open(); err != nil {
			return err
		}
		if err = learn(ns, s.in); err == nil && s.Born != nil {
			err = s.Born(ns.ID())
		}
		return err
	}
	s.ns, err = netns.Make(t.Name, inside)
	if errors.Is(err, fs.ErrExist) {
		var free bool
		if free, err = netns.Repair(t.Name, s.Half); err == nil && !free {
			err = ErrMeanwhile
		}
		if err == nil {
			s.ns, err = netns.Make(t.Name, inside)
		}
	}
	if err != nil {
		s.leave()
	}
	return err
}

func (s *Session) doLink(verb object.Verb, t object.Link) (made record.Identity, err error) {
	if verb == object.Delete {
		err := s.on(t.Netns, t.Name, func(c *rtnl.Conn, index int) error { return c.DeleteLink(index) })
		delete(s.index, At{t.Netns, t.Name})
		delete(s.index, At{t.Outer, t.Peer})
		return made, gone(verb, err)
	}
	c, err := s.Conn(t.Netns)
	if err != nil {
		return made, err
	}
	if t.Kind == "tun" || t.Kind == "tap" {
		err = s.addTun(t)
	} else {
		err = s.addLink(c, t)
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = noModule(t, err)
	}
	if err != nil {
		return made, err
	}
	l, err := c.Link(t.Name)
	if err != nil {
		return made, err
	}
	s.index[At{t.Netns, t.Name}] = l.Index
	s.made[At{t.Netns, t.Name}], made.Index = true, l.Index
	if p, third := s.others[t.Outer]; third && object.HasOuter(t.Kind) {
		made.Outer = p.ns.ID()
	}
	if t.Peer != "" {
		s.index[At{t.Outer, t.Peer}] = l.Peer
		made.Peer = l.Peer
	}
	return made, nil
}

// addLink makes a link whose other side may be in another namespace. inside is
// the socket in the link's own.
func (s *Session) addLink(inside *rtnl.Conn, t object.Link) error {
	if !object.HasOuter(t.Kind) || t.Outer == t.Netns {
		where := rtnl.Here
		return s.below(inside, t, where)
	}
	outside, err := s.Conn(t.Outer)
	if err != nil {
		return err
	}
	if t.Kind == "veth" { // neither end is ever moved
		where := rtnl.Here
		where.Peer = s.open(t.Outer).Fd()
		return inside.AddLink(t, where)
	}
	where := rtnl.Here
	where.Link = s.open(t.Netns).Fd()
	if object.IsTunnel(t.Kind) {
		if where.Made, err = inside.NSID(s.open(t.Outer).Fd()); err != nil {
			return err
		}
	}
	return s.below(outside, t, where)
}

// below makes a link on its parent, which is in the namespace of c.
func (s *Session) below(c *rtnl.Conn, t object.Link, where rtnl.Sides) (err error) {
	if t.Parent != "" {
		if where.Below, err = s.find(c, t.Outer, t.Parent); err != nil {
			return fmt.Errorf("%s: %w", t.Parent, err)
		}
	}
	return c.AddLink(t, where)
}

func (s *Session) doSetting(t object.Setting) (int, error) {
	if t.What == "netns" {
		return s.move(t)
	}
	var at int
	err := s.on(t.Netns, t.Link, func(c *rtnl.Conn, index int) error {
		at = index
		if t.Kind != "" {
			return c.SetProperty(index, t.Kind, t.What, t.Value)
		}
		switch t.What {
		case "up", "down":
			return c.SetUp(index, t.What == "up")
		case "mtu":
			mtu, err := strconv.ParseUint(t.Value, 10, 32)
			if err != nil {
				return err
			}
			return c.SetMTU(index, uint32(mtu))
		case "name":
			return c.SetName(index, t.Value)
		case "address":
			return c.SetMAC(index, t.Value)
		case "nomaster":
			return c.SetMaster(index, 0)
		case "master":
			master, err := s.find(c, t.Netns, t.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", t.Value, err)
			}
			return c.SetMaster(index, master)
		}
		panic("kernel: no setting " + t.What)
	})
	return at, err
}

// move moves a link into the domain's namespace, or out of it.
func (s *Session) move(t object.Setting) (int, error) {
	to, err := s.Conn(t.To)
	if err != nil {
		return 0, err
	}
	fd := s.open(t.To).Fd()
	err = s.on(t.Netns, t.Link, func(c *rtnl.Conn, index int) error { return c.SetNetns(index, fd) })
	if err != nil {
		return 0, err
	}
	delete(s.index, At{t.Netns, t.Link})
	delete(s.index, At{t.To, t.Link})
	return s.find(to, t.To, t.Link)
}

func (s *Session) doRoute(verb object.Verb, t object.Route) error {
	c, err := s.Conn(t.Netns)
	if err != nil {
		return err
	}
	find := func(name string) (index int) {
		if name != "" && err == nil {
			index, err = s.find(c, t.Netns, name)
		}
		return index
	}
	index := find(t.Dev)
	var hops []int
	for _, h := range t.Hops.List() {
		hops = append(hops, find(h.Dev))
	}
	if err != nil {
		return err
	}
	return c.Route(verb, t, index, hops...)
}
