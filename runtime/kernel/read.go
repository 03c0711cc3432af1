package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Read asks the kernel for what the file and the record speak of, and no more:
// a list of all links would cost more with every domain there is.
func (s *Session) Read(f *conf.File, r *record.Record) (*plan.State, error) {
	m := s.mentioned(f, r)
	have := &plan.State{ID: s.ID(), Exists: s.Exists(), Outers: s.Inputs.Outers,
		Keys: s.Inputs.prints, Users: s.Inputs.users, Groups: s.Inputs.groups,
		Inside: map[string]plan.LinkState{}, Outside: map[string]plan.LinkState{}, Others: map[domain.NetnsName]map[string]plan.LinkState{},
		IDs: map[domain.NetnsName]netns.ID{}}
	if !have.Exists {
		_, err := netns.Lookup(s.Netns.String())
		have.Stale = errors.Is(err, netns.ErrNotNamespace)
	}
	if s.Netns.IsZero() {
		have.Inside = have.Outside
	}
	for place, list := range m.links {
		if place == s.Netns && !have.Exists {
			continue
		}
		into := have.At(place, s.Netns)
		if into == nil {
			into = map[string]plan.LinkState{}
			have.Others[place] = into
		}
		if _, err := s.Conn(place); !place.IsZero() && place != s.Netns && errors.Is(err, fs.ErrNotExist) {
			continue // it is gone, with what was in it
		}
		if err := s.links(place, list, into); err != nil {
			return nil, err
		}
		if p, third := s.others[place]; third && p.ns != nil {
			have.IDs[place] = p.ns.ID()
		}
	}
	if have.Exists {
		if err := s.renamed(r, have); err != nil {
			return nil, err
		}
		if err := s.Routes(m.tables, have); err != nil {
			return nil, err
		}
	}
	if f != nil {
		if err := s.candidates(f, have); err != nil {
			return nil, err
		}
	}
	return have, s.readRest(m, have)
}

// renamed finds recorded links that have another name by now: a link that was
// moved in must not die with its namespace because somebody renamed it. An
// ifindex is given again only after the link is gone, so kind and address are
// compared too.
func (s *Session) renamed(r *record.Record, have *plan.State) error {
	c, err := s.Conn(s.Netns)
	if err != nil {
		return err
	}
	have.Renamed = map[string]string{}
	find := func(name string, index int, same func(rtnl.Link) bool) error {
		if _, ok := have.Inside[name]; ok || index == 0 {
			return nil
		}
		l, err := c.LinkAt(index)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !same(l) {
			return nil
		}
		if err != nil {
			return err
		}
		addresses, err := c.Addresses(index)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		have.Renamed[name] = l.Name
		l.Name, l.Up = name, false // it is set down to be renamed
		have.Inside[name] = plan.LinkState{Link: l, Addresses: addresses}
		s.index[At{s.Netns, name}] = index
		s.index[At{s.Netns, have.Renamed[name]}] = index
		return nil
	}
	if made := r.Made(); made != nil && !made.Made.Netns.Same(s.ID()) {
		return nil // another namespace, other numbers
	}
	for _, e := range r.Entries {
		switch t := e.Object.(type) {
		case object.Link:
			err = find(t.Name, e.Made.Index, func(now rtnl.Link) bool { return now.Kind == t.Kind })
		case object.Taken:
			err = find(t.Name, e.Made.Index, func(now rtnl.Link) bool { return now.MAC == t.MAC })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readRest reads what few domains have.
func (s *Session) readRest(m *mentions, have *plan.State) (err error) {
	if !m.vrf.IsZero() || m.rules || len(m.outerRules) > 0 {
		if have.IPv6, err = s.ipv6(); err != nil {
			return err
		}
	}
	switch {
	case !m.vrf.IsZero() && have.Exists:
		err = s.vrf(domain.Domain{Netns: s.Netns, VRF: m.vrf}, have)
	case !m.vrf.IsZero() || m.rules && !have.Exists:
		// To print what would be done in a namespace that is yet to be made.
		have.Rules = plan.NewRules(have.IPv6)
	case m.rules:
		have.Rules, err = s.rulesOf(s.Netns)
	}
	if err != nil {
		return err
	}
	have.OuterRules = map[domain.NetnsName][]object.Rule{}
	for _, netns := range m.outerRules {
		if have.OuterRules[netns], err = s.rulesOf(netns); err != nil {
			return err
		}
	}
	if err := s.ReadSysctls(m.paths, have); err != nil {
		return err
	}
	if have.Exists {
		if err := s.readObjects(m.on, have); err != nil {
			return err
		}
		if err := s.readWireGuard(m.wireguard, have); err != nil {
			return err
		}
	}
	if err := s.readNAT(m.nat, have); err != nil {
		return err
	}
	if err := s.readFirewall(m.firewall, have); err != nil {
		return err
	}
	if m.files != "" {
		return readFiles(m.files, have)
	}
	return nil
}

// rulesOf returns the rules of both families; none of a namespace that is gone.
func (s *Session) rulesOf(netns domain.NetnsName) (list []object.Rule, err error) {
	c, err := s.Conn(netns)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, v6 := range []bool{false, true} {
		var rules []object.Rule
		if err == nil {
			rules, err = c.Rules(v6)
		}
		list = append(list, rules...)
	}
	return list, err
}

// links looks up links by name, with their addresses.
func (s *Session) links(netns domain.NetnsName, names []string, into map[string]plan.LinkState) error {
	conn, err := s.Conn(netns)
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
		into[name] = plan.LinkState{Link: l, Addresses: addresses}
		s.index[At{netns, name}] = l.Index
	}
	return nil
}

// candidates reads the routes of links that the file wants to take and that are
// not yet where it wants them.
func (s *Session) candidates(f *conf.File, have *plan.State) error {
	for _, l := range f.Links {
		name := l.Name.String()
		if len(l.PeerRoutes) > 0 {
			if err := s.peerRoutes(s.Inputs.Outers[l.Outer.ID].Domain.Netns, l.Peer.String(), have); err != nil {
				return err
			}
		}
		if l.Kind != "" || name == "lo" {
			continue
		}
		for netns, links := range map[domain.NetnsName]map[string]plan.LinkState{s.Netns: have.Inside, {}: have.Outside} {
			now, ok := links[name]
			if !ok || now.Routes != nil {
				continue
			}
			conn, err := s.Conn(netns)
			if err != nil {
				return err
			}
			if now.Master != 0 {
				master, err := conn.LinkAt(now.Master)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				now.MasterName, now.MasterKind = master.Name, master.Kind
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

// peerRoutes reads the routes of a link's other end.
func (s *Session) peerRoutes(outer domain.NetnsName, peer string, have *plan.State) error {
	links := have.At(outer, s.Netns)
	now, ok := links[peer]
	if !ok {
		return nil
	}
	conn, err := s.Conn(outer)
	if err != nil {
		return err
	}
	now.Routes, err = conn.Routes(0, now.Index)
	links[peer] = now
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Routes adds the routes of tables in the domain's namespace.
func (s *Session) Routes(tables map[uint32]bool, have *plan.State) error {
	conn, err := s.Conn(s.Netns)
	if err != nil {
		return err
	}
	byIndex := map[int]string{}
	for name, l := range have.Inside {
		byIndex[l.Index] = name
	}
	nameOf := func(index int) string {
		name, known := byIndex[index]
		if !known && index != 0 {
			if l, err := conn.LinkAt(index); err == nil {
				name, byIndex[index] = l.Name, l.Name
			}
		}
		return name
	}
	for table := range tables {
		routes, err := conn.Routes(table, 0)
		if err != nil {
			return err
		}
		for _, r := range routes {
			r.Dev = nameOf(r.Index)
			var hops []object.Hop
			for _, h := range r.Many {
				hops = append(hops, object.Hop{Gateway: h.Gateway, Dev: nameOf(h.Index), Weight: h.Weight})
			}
			r.Hops = object.NewHops(hops)
			have.Routes = append(have.Routes, r)
		}
	}
	return nil
}

// vrf reads what only matters for VRFs.
func (s *Session) vrf(d domain.Domain, have *plan.State) error {
	conn, err := s.Conn(d.Netns)
	if err != nil {
		return err
	}
	if have.VRFs, err = conn.Links("vrf"); err != nil {
		return err
	}
	if have.Rules, err = s.rulesOf(d.Netns); err != nil {
		return err
	}
	have.Pinned = pinnedFor(d.Pin())
	return nil
}

// ipv6 reports whether a new link of the domain's namespace can have IPv6
// addresses. What /proc/sys/net shows is the reading thread's namespace.
func (s *Session) ipv6() (bool, error) {
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
