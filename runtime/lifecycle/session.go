package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"rdgen/runtime/bpf"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/ip"
	"rdgen/runtime/netns"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// session is the work on one domain: its sockets, and what was learned.
type session struct {
	h    *Host
	home *rtnl.Conn
	// netns is the name of the domain's namespace, "" for home's. ns and in
	// are nil while it does not exist.
	netns string
	ns    *netns.NS
	in    *rtnl.Conn
	// index has the ifindex of links that steps act on, by namespace and name,
	// so that a link that is renamed meanwhile is still the same one.
	index map[[2]string]int
	// rules are the namespace's changed rules; not nil while they are locked.
	// fresh is a copy from when they were locked.
	rules, fresh *record.Rules
	// half is true if an earlier up recorded that it is about to make the
	// namespace: a left-over file of its name is ours.
	half bool
	// did are the steps done so far, and before is the record without them.
	did    []ip.Step
	before *record.Record
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
	s := &session{h: h, home: home, netns: name.String(), index: map[[2]string]int{}}
	if name.IsZero() {
		return s, nil
	}
	s.ns, err = netns.Open(name)
	if err == nil {
		err = s.ns.Inside(func() (err error) {
			s.in, err = rtnl.Open()
			return err
		})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, netns.ErrNotNamespace) {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	s.home.Close()
	s.leave()
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

// conn returns the socket for a namespace: the domain's, or home's for "".
func (s *session) conn(netns string) (*rtnl.Conn, error) {
	switch {
	case netns == "":
		return s.home, nil
	case s.in == nil:
		return nil, fmt.Errorf("network namespace %s: %w", netns, fs.ErrNotExist)
	}
	return s.in, nil
}

// id returns the identity of the domain's namespace, zero if there is none.
func (s *session) id() netns.ID {
	switch {
	case s.netns == "":
		return s.h.home.ID()
	case s.ns != nil:
		return s.ns.ID()
	}
	return netns.ID{}
}

// names are the links and tables that a file and a record speak of.
type names struct {
	inside, outside []string
	tables          []uint32
	vrf             string
}

func speaksOf(f *conf.File, r *record.Record) names {
	n := names{inside: []string{"lo"}, vrf: r.VRF}
	tables := map[uint32]bool{}
	if f != nil {
		n.vrf = f.Domain.VRF.String()
		for _, l := range f.Links {
			n.inside = append(n.inside, l.Name.String())
			n.outside = append(n.outside, l.Peer.String())
			if l.Kind == "" && l.Name.String() != "lo" {
				n.outside = append(n.outside, l.Name.String())
			}
		}
		for _, route := range f.Routes {
			tables[route.Table] = true
		}
		if tables[f.Table] || f.Kind == conf.VRF {
			tables[f.Table] = true
		}
	}
	n.inside = append(n.inside, n.vrf)
	for _, l := range r.Links {
		n.inside = append(n.inside, l.Name)
		n.outside = append(n.outside, l.Peer)
	}
	for _, t := range r.Taken {
		n.inside, n.outside = append(n.inside, t.Name), append(n.outside, t.Name)
		for _, route := range t.Routes {
			tables[route.Table] = true
		}
	}
	for _, a := range r.Addresses {
		if a.Netns == r.Netns {
			n.inside = append(n.inside, a.Dev)
		} else {
			n.outside = append(n.outside, a.Dev)
		}
	}
	for _, route := range r.Routes {
		tables[route.Table] = true
	}
	for table := range tables {
		if table == 0 {
			table = ip.MainTable
		}
		n.tables = append(n.tables, table)
	}
	return n
}

// read asks the kernel for what the file and the record speak of, and no more:
// a list of all links would cost more with every domain there is.
func (s *session) read(f *conf.File, r *record.Record) (*plan.State, error) {
	n := speaksOf(f, r)
	have := &plan.State{ID: s.id(), Exists: s.netns == "" || s.in != nil,
		Inside: map[string]plan.Link{}, Outside: map[string]plan.Link{}}
	if !have.Exists {
		_, err := netns.Lookup(s.netns)
		have.Stale = errors.Is(err, netns.ErrNotNamespace)
	}
	if s.netns == "" {
		have.Inside = have.Outside
	}
	if have.Exists {
		if err := s.links(s.netns, n.inside, have.Inside); err != nil {
			return nil, err
		}
		if err := s.routes(n.tables, have); err != nil {
			return nil, err
		}
	}
	err := s.links("", n.outside, have.Outside)
	if err != nil {
		return nil, err
	}
	if f != nil {
		if err := s.candidates(f, have); err != nil {
			return nil, err
		}
	}
	switch {
	case n.vrf == "":
	case have.Exists:
		err = s.vrf(n.vrf, have)
	default: // to print what would be done in a namespace that is yet to be made
		have.IPv6, err = s.ipv6()
		have.Rules = plan.NewRules(have.IPv6)
	}
	return have, err
}

// links looks up links by name, with their addresses.
func (s *session) links(netns string, names []string, into map[string]plan.Link) error {
	conn, err := s.conn(netns)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, done := into[name]; done || name == "" {
			continue
		}
		l, err := conn.Link(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
		addresses, err := conn.Addresses(l.Index)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went between the two questions, with its namespace
		}
		if err != nil {
			return err
		}
		into[name] = plan.Link{Link: l, Addresses: addresses}
		s.index[[2]string{netns, name}] = l.Index
	}
	return nil
}

// candidates reads the routes of links that the file wants to take and that are
// not yet where it wants them.
func (s *session) candidates(f *conf.File, have *plan.State) error {
	for _, l := range f.Links {
		name := l.Name.String()
		if l.Kind != "" || name == "lo" {
			continue
		}
		for netns, links := range map[string]map[string]plan.Link{s.netns: have.Inside, "": have.Outside} {
			now, ok := links[name]
			if !ok || now.Routes != nil {
				continue
			}
			conn, err := s.conn(netns)
			if err != nil {
				return err
			}
			now.Routes, err = conn.Routes(0, now.Index)
			if errors.Is(err, fs.ErrNotExist) {
				delete(links, name)
				continue
			}
			if err != nil {
				return err
			}
			links[name] = now
		}
	}
	return nil
}

// routes reads the routes of tables in the domain's namespace.
func (s *session) routes(tables []uint32, have *plan.State) error {
	conn, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	byIndex := map[int]string{}
	for name, l := range have.Inside {
		byIndex[l.Index] = name
	}
	for _, table := range tables {
		routes, err := conn.Routes(table, 0)
		if err != nil {
			return err
		}
		for _, r := range routes {
			name, known := byIndex[r.Index]
			if !known && r.Index != 0 {
				if l, err := conn.LinkAt(r.Index); err == nil {
					name, byIndex[r.Index] = l.Name, l.Name
				}
			}
			r.Dev = name
			have.Routes = append(have.Routes, r)
		}
	}
	return nil
}

// vrf reads what only matters for VRFs.
func (s *session) vrf(name string, have *plan.State) error {
	conn, err := s.conn(s.netns)
	if err != nil {
		return err
	}
	if have.VRFs, err = conn.Links("vrf"); err != nil {
		return err
	}
	have.IPv6, err = s.ipv6()
	if err != nil {
		return err
	}
	for _, v6 := range []bool{false, true} {
		rules, err := conn.Rules(v6)
		if err != nil {
			return err
		}
		have.Rules = append(have.Rules, rules...)
	}
	program, err := bpf.Pinned(plan.PinOf(s.netns, name).Path)
	if err == nil && program.Known {
		have.Pinned = program.Ifindex
	}
	return nil
}

// ipv6 reports whether a new link of the domain's namespace can have IPv6
// addresses. What /proc/sys/net shows is the reading thread's namespace.
func (s *session) ipv6() (bool, error) {
	var yes bool
	look := func() error {
		off, err := os.ReadFile("/proc/sys/net/ipv6/conf/default/disable_ipv6")
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a kernel without IPv6
		}
		yes = strings.TrimSpace(string(off)) == "0"
		return err
	}
	if s.ns == nil {
		return yes, look()
	}
	err := s.ns.Inside(look)
	return yes, err
}
