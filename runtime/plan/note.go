package plan

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Made is the identity of what a step made, as far as it has one.
type Made struct {
	Netns netns.ID
	// Index is the ifindex of a link that was made or moved, Peer that of a
	// veth's other end.
	Index, Peer int
	// Outer is the namespace of a link's other side, where it is a third one.
	Outer netns.ID
}

// Note writes into r that a step of p is done, or, with the zero Made, is about
// to be. To note a step again completes what was noted before.
func (p *Plan) Note(r *record.Record, s object.Step, made Made) {
	switch t := s.Object.(type) {
	case object.Netns:
		r.Made = &record.Namespace{Name: t.Name, ID: made.Netns}
	case object.Link:
		if s.Verb == object.Delete {
			return // the other end of a link that is lost, or one that is made anew
		}
		l := record.Link{Link: t, Index: made.Index, PeerIndex: made.Peer, OuterID: made.Outer}
		r.Links = put(r.Links, l, func(l record.Link) bool { return l.Name == t.Name })
	case object.Setting:
		if t.Key == "netns" || t.Key == "master" {
			p.noteTaken(r, t.Link, made.Index)
		}
	case object.Address:
		// A Replace gives a taken link what it had; that is in r.Taken.
		if s.Verb == object.Add && !slices.Contains(r.Addresses, t) {
			r.Addresses = append(r.Addresses, t)
		}
	case object.Route:
		if s.Verb == object.Replace && s.Old == nil {
			return
		}
		r.Routes = put(r.Routes, t, func(o object.Route) bool { return o.Key() == t.Key() })
	case object.Rule:
		if s.Verb == object.Add && !t.Shared() && !slices.Contains(r.Rules, t) {
			r.Rules = append(r.Rules, t)
		}
	case object.Neighbor:
		if s.Old == nil {
			r.Neighbors = put(r.Neighbors, t, func(o object.Neighbor) bool { return o.Key() == t.Key() })
		}
	case object.WireGuardPeer:
		r.Peers = put(r.Peers, t, func(o object.WireGuardPeer) bool { return o.Link == t.Link && o.PublicKey == t.PublicKey })
	case object.Sysctl:
		noteSysctl(r, s, t)
	case object.File:
		r.Files = put(r.Files, t, func(o object.File) bool { return o.Path == t.Path })
	case object.Pin:
		r.Pin = &t
	}
}

// noteSysctl keeps the first value that a variable had.
func noteSysctl(r *record.Record, s object.Step, t object.Sysctl) {
	old, ok := s.Old.(object.Sysctl)
	if !ok {
		return
	}
	was := record.Sysctl{Sysctl: t, Old: old.Value}
	for _, o := range r.Sysctls {
		if o.Key == t.Key {
			was.Old = o.Old
		}
	}
	r.Sysctls = put(r.Sysctls, was, func(o record.Sysctl) bool { return o.Key == t.Key })
}

// put replaces the entry that is the same, or appends one: the order is that in
// which things are made.
func put[T any](list []T, entry T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = entry
		return list
	}
	return append(list, entry)
}

func (p *Plan) noteTaken(r *record.Record, name string, index int) {
	for _, t := range p.Taken {
		if t.Name != name {
			continue
		}
		t.Index = index
		r.Taken = put(r.Taken, t, func(o record.Taken) bool { return o.Name == name })
		return
	}
	for i := range r.Taken {
		if r.Taken[i].Name == name {
			r.Taken[i].Index = index
		}
	}
}

// Unwanted returns what is recorded and the file no longer wants, as a record.
func Unwanted(f *conf.File, have *State, r *record.Record) *record.Record {
	p := planner{f: f, have: have, in: f.Domain.Netns.String()}
	u := r.Clone()
	u.Made, u.Pin = nil, nil
	wants := map[string]conf.Link{}
	for _, l := range f.Links {
		wants[l.Name.String()] = l
	}
	u.Links = slices.DeleteFunc(u.Links, func(l record.Link) bool {
		w, ok := wants[l.Name]
		return ok && w.Kind == l.Kind && w.Peer.String() == l.Peer && p.outerOf(w) == l.Outer || l.Kind == "vrf"
	})
	u.Taken = slices.DeleteFunc(u.Taken, func(t record.Taken) bool {
		w, ok := wants[t.Name]
		return ok && w.Kind == ""
	})
	u.Addresses = slices.DeleteFunc(u.Addresses, func(a object.Address) bool { return p.wantsAddress(a) })
	u.Rules = slices.DeleteFunc(u.Rules, p.wantsRule)
	u.Neighbors = slices.DeleteFunc(u.Neighbors, func(n object.Neighbor) bool {
		return slices.ContainsFunc(f.Neighbors, func(w conf.Neighbor) bool { return wantedNeighbor(p.in, w).Key() == n.Key() })
	})
	u.Peers = slices.DeleteFunc(u.Peers, func(o object.WireGuardPeer) bool {
		return slices.ContainsFunc(wants[o.Link].Peers, func(w conf.Peer) bool { return w.PublicKey == o.PublicKey })
	})
	u.Sysctls = slices.DeleteFunc(u.Sysctls, func(o record.Sysctl) bool {
		return slices.ContainsFunc(f.Sysctls, func(w conf.Sysctl) bool { return w.Key == o.Key })
	})
	u.Files = slices.DeleteFunc(u.Files, func(o object.File) bool {
		return slices.ContainsFunc(wantedFiles(f, have.Nsswitch), func(w object.File) bool { return w.Path == o.Path })
	})
	u.Routes = slices.DeleteFunc(u.Routes, func(r object.Route) bool {
		if slices.Contains(lastRoutes(p.in, f.Table, true), r) {
			return true
		}
		return slices.ContainsFunc(f.Routes, func(w conf.Route) bool { return p.wanted(w).Key() == r.Key() })
	})
	return u
}

// outerOf is the namespace of a link's other side.
func (p *planner) outerOf(l conf.Link) string {
	if !object.HasOuter(l.Kind) {
		return p.in
	}
	return p.have.Outers[l.Outer.ID.String()].Domain.Netns.String()
}

func (p *planner) wantsAddress(a object.Address) bool {
	if a.Netns == p.in && a.Dev == p.f.Domain.VRF.String() {
		return slices.Contains(loopback(true), a.Prefix)
	}
	for _, l := range p.f.Links {
		list := l.Addresses
		if l.Peer.String() == a.Dev && p.outerOf(l) == a.Netns {
			list = l.PeerAddresses
		} else if a.Dev != l.Name.String() || a.Netns != p.in {
			continue
		}
		if slices.ContainsFunc(list, func(w conf.Address) bool { return w.Prefix == a.Prefix }) {
			return true
		}
	}
	return false
}

// wantsRule reports whether the file wants a recorded rule, be it for the
// packets of a wireguard link.
func (p *planner) wantsRule(r object.Rule) bool {
	for _, w := range p.f.Rules {
		if w.Netns, w.Protocol, w.Rule.IPv6 = p.in, r.Protocol, r.IPv6; w.Rule == r {
			return true
		}
	}
	for _, l := range p.f.Links {
		outer := p.have.Outers[l.Outer.ID.String()]
		mark := l.Mark
		if mark == 0 {
			mark = outer.Table
		}
		if l.Kind == "wireguard" && !outer.Domain.VRF.IsZero() && r.Pref == PrefMark && r.Netns == outer.Domain.Netns.String() &&
			r.Mark == mark && r.Table == outer.Table {
			return true
		}
	}
	return false
}
