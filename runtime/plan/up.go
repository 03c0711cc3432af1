package plan

import (
	"fmt"
	"slices"
	"strconv"

	"rdgen/runtime/conf"
	"rdgen/runtime/ip"
	"rdgen/runtime/netns"
	"rdgen/runtime/record"
)

// Up returns what is to be done so that the kernel has what the file wants. old
// is what is recorded; a zero Record if nothing is. An error says where the file
// and the kernel contradict each other in a way that is not for rdomain to
// resolve; nothing is to be done then.
func Up(f *conf.File, have *State, old *record.Record) (*Plan, error) {
	p := &planner{f: f, have: have, old: old, in: f.Domain.Netns.String(), plan: &Plan{Record: keep(old, have)}}
	p.plan.Record.File = f.Path
	p.plan.Record.Netns, p.plan.Record.VRF = f.Domain.Netns.String(), f.Domain.VRF.String()
	if f.Kind == conf.Netns {
		p.namespace()
	} else if err := p.vrf(); err != nil {
		return nil, err
	}
	for _, l := range f.Links {
		if err := p.link(l); err != nil {
			return nil, err
		}
	}
	for _, r := range f.Routes {
		if err := p.route(r.Line, p.wanted(r)); err != nil {
			return nil, err
		}
	}
	return p.plan, nil
}

// keep returns a copy of the record that has the identities that a crash kept
// from being written, and is without what no longer exists or has become
// somebody else's.
func keep(old *record.Record, have *State) *record.Record {
	r := old.Clone()
	if r.Made != nil {
		switch {
		case !have.Exists:
			r.Made = nil
		case r.Made.ID == netns.ID{}:
			r.Made.ID = have.ID
		case r.Made.ID != have.ID:
			r.Made = nil
		}
	}
	r.Links = slices.DeleteFunc(r.Links, func(l record.Link) bool {
		now, ok := have.Inside[l.Name]
		return !ok || now.Kind != l.Kind || l.Index != 0 && l.Index != now.Index
	})
	for i := range r.Links {
		now := have.Inside[r.Links[i].Name]
		r.Links[i].Index = now.Index
		if now.Kind == "veth" {
			r.Links[i].PeerIndex = now.Peer
		}
	}
	r.Addresses = slices.DeleteFunc(r.Addresses, func(a ip.Address) bool {
		links := have.Inside
		if a.Netns == "" {
			links = have.Outside
		}
		return !hasAddress(links[a.Dev], a)
	})
	r.Routes = slices.DeleteFunc(r.Routes, func(want ip.Route) bool {
		found, ok := have.route(want.Key())
		return !ok || !same(found, want)
	})
	return r
}

func (p *planner) namespace() {
	line := p.f.KindLine
	if !p.have.Exists {
		p.add(line, ip.Add, ip.Netns{Name: p.in})
	}
	if !p.have.Inside["lo"].Up {
		p.add(line, ip.Set, ip.Setting{Netns: p.in, Link: "lo", Key: "up"})
	}
}

// link plans one [Link] of the file: that it exists, is where it should be, and
// has its addresses.
func (p *planner) link(l conf.Link) error {
	name := l.Name.String()
	now, exists := p.have.Inside[name]
	var err error
	switch {
	case name == "lo":
		// The namespace's own; there is nothing to make or set up.
	case l.Kind == "":
		err = p.take(l, now, exists)
	case exists:
		err = p.recognise(l, now)
	default:
		err = p.make(l)
	}
	if err != nil {
		return err
	}
	if name != "lo" && p.f.Kind == conf.VRF {
		p.enslave(l, now, exists)
	}
	for _, a := range l.Addresses {
		p.address(a.Line, now, ip.NewAddress(p.in, name, a.Prefix))
	}
	if name != "lo" && !(exists && now.Up) && !p.has(ip.Setting{Netns: p.in, Link: name, Key: "up"}) {
		p.add(l.Line, ip.Set, ip.Setting{Netns: p.in, Link: name, Key: "up"})
	}
	if l.Kind != "veth" {
		return nil
	}
	peer := l.Peer.String()
	var outer Link // a new link's other end is new too
	if exists {
		outer = p.have.Outside[peer]
	}
	for _, a := range l.PeerAddresses {
		p.address(a.Line, outer, ip.NewAddress("", peer, a.Prefix))
	}
	if !outer.Up {
		p.add(l.Line, ip.Set, ip.Setting{Link: peer, Key: "up"})
	}
	return nil
}

// make plans a link that does not exist.
func (p *planner) make(l conf.Link) error {
	if other, ok := p.have.Outside[l.Peer.String()]; ok {
		lost, ours := lostPeer(p.old, l.Peer.String(), other)
		if !ours {
			return p.fail(l.Line, fmt.Sprintf("the other end, %s, exists already, as a %s that belongs to another link",
				l.Peer, kindName(other.Kind)))
		}
		p.add(l.Line, ip.Delete, lost)
	}
	p.add(l.Line, ip.Add, ip.Link{Netns: p.in, Name: l.Name.String(), Kind: l.Kind, Peer: l.Peer.String(),
		MTU: l.MTU, MAC: l.MAC})
	return nil
}

// lostPeer returns the outer end of a recorded veth whose inner end cannot be
// found any more, because its namespace lost the name, and whether it is one.
func lostPeer(r *record.Record, name string, now Link) (ip.Link, bool) {
	for _, l := range r.Links {
		if l.Peer == name && now.Kind == "veth" && (l.PeerIndex == 0 || l.PeerIndex == now.Index) {
			return ip.Link{Name: name, Kind: "veth"}, true
		}
	}
	return ip.Link{}, false
}

// recognise looks whether a link that exists is the one that the file means.
func (p *planner) recognise(l conf.Link, now Link) error {
	if now.Kind != l.Kind {
		return p.fail(l.Line, fmt.Sprintf("link %s exists already, as a %s; want a %s", l.Name, kindName(now.Kind), l.Kind))
	}
	if l.Kind == "veth" {
		outer, ok := p.have.Outside[l.Peer.String()]
		if !ok || outer.Index != now.Peer || outer.Kind != "veth" {
			return p.fail(l.Line, fmt.Sprintf("link %s exists already, but its other end is not %s; "+
				"delete the link or change Peer=", l.Name, l.Peer))
		}
	}
	p.settings(l, now)
	return nil
}

// settings plans what of a link can be set while it exists.
func (p *planner) settings(l conf.Link, now Link) {
	s := ip.Setting{Netns: p.in, Link: l.Name.String()}
	if l.MTU != 0 && l.MTU != now.MTU {
		s.Key, s.Value = "mtu", strconv.Itoa(int(l.MTU))
		p.change(l.Line, s, strconv.Itoa(int(now.MTU)))
	}
	if l.MAC != "" && l.MAC != now.MAC {
		s.Key, s.Value = "address", l.MAC
		p.change(l.Line, s, now.MAC)
	}
}

func (p *planner) enslave(l conf.Link, now Link, exists bool) {
	vrf := p.f.Domain.VRF.String()
	if exists && now.Master != 0 && now.Master == p.have.Inside[vrf].Index {
		return
	}
	p.add(l.Line, ip.Set, ip.Setting{Netns: p.in, Link: l.Name.String(), Key: "master", Value: vrf})
	p.restore(l)
}

func (p *planner) has(want ip.Thing) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s ip.Step) bool { return s.Thing == want })
}

// address plans an address of a link that is now as given, the zero Link if it
// does not exist yet.
func (p *planner) address(line int, now Link, want ip.Address) {
	if hasAddress(now, want) && !p.flushes(want) {
		return
	}
	for _, s := range p.plan.Steps {
		if a, ok := s.Thing.(ip.Address); ok && a.Netns == want.Netns && a.Dev == want.Dev && a.Key() == want.Key() {
			return
		}
	}
	p.add(line, ip.Add, want)
}

// flushes reports whether a step of the plan takes the address away, as the
// kernel does when a link changes its namespace, or an IPv6 address's link its
// master.
func (p *planner) flushes(a ip.Address) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s ip.Step) bool {
		set, ok := s.Thing.(ip.Setting)
		return ok && set.Link == a.Dev && (set.Key == "netns" || set.Key == "master" && a.Prefix.Addr().Is6())
	})
}

func hasAddress(l Link, want ip.Address) bool {
	for _, a := range l.Addresses {
		if a.Key() == want.Key() {
			return true
		}
	}
	return false
}

// wanted returns the route of the file as ip(8) makes it.
func (p *planner) wanted(r conf.Route) ip.Route {
	w := ip.Route{Netns: p.in, Destination: r.Destination, Type: r.Type, Gateway: r.Gateway,
		Dev: r.Device.String(), Table: r.Table, Metric: r.Metric}
	if w.Table == 0 {
		w.Table = ip.MainTable
		if p.f.Kind == conf.VRF {
			w.Table = p.f.Table
		}
	}
	w.Scope = w.UsualScope()
	return w
}

// route plans one route. Another route of the same key is replaced if it is
// ours to change, and is a contradiction otherwise.
func (p *planner) route(line int, want ip.Route) error {
	now, ok := p.have.route(want.Key())
	switch {
	case !ok:
		p.add(line, ip.Add, want)
	case same(now, want):
	case p.plan.Record.Made != nil || p.f.Kind == conf.VRF && want.Table == p.f.Table || recorded(p.old, want):
		now.Netns = p.in
		p.plan.Steps = append(p.plan.Steps, ip.Step{Verb: ip.Replace, Thing: want, Old: now, Line: line})
	default:
		now.Netns = p.in
		return p.fail(line, fmt.Sprintf("another route exists already: %s",
			ip.Step{Verb: ip.Add, Thing: now}))
	}
	return nil
}

func recorded(r *record.Record, want ip.Route) bool {
	return slices.ContainsFunc(r.Routes, func(o ip.Route) bool { return o.Key() == want.Key() })
}

// route returns the route with a key, and whether there is one.
func (s *State) route(key string) (ip.Route, bool) {
	for _, r := range s.Routes {
		if r.Key() == key {
			return r.Route, true
		}
	}
	return ip.Route{}, false
}

// same reports whether a route does what the wanted one does. The device of a
// route with a gateway is the kernel's choice unless it is wanted.
func same(now, want ip.Route) bool {
	return now.Type == want.Type && now.Gateway == want.Gateway && (want.Dev == "" || now.Dev == want.Dev) &&
		now.MTU == want.MTU && now.OnLink == want.OnLink
}

func kindName(kind string) string {
	if kind == "" {
		return "device"
	}
	return kind
}
