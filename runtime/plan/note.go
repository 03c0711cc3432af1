package plan

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/ip"
	"rdgen/runtime/netns"
	"rdgen/runtime/record"
)

// Made is the identity of what a step made, as far as it has one.
type Made struct {
	Netns netns.ID
	// Index is the ifindex of a link that was made or moved, Peer that of a
	// veth's other end.
	Index, Peer int
}

// Note writes into r that a step of p is done, or, with the zero Made, is about
// to be. To note a step again completes what was noted before.
func (p *Plan) Note(r *record.Record, s ip.Step, made Made) {
	switch t := s.Thing.(type) {
	case ip.Netns:
		r.Made = &record.Namespace{Name: t.Name, ID: made.Netns}
	case ip.Link:
		if s.Verb == ip.Delete {
			return // the other end of a link that is lost
		}
		l := record.Link{Link: t, Index: made.Index, PeerIndex: made.Peer}
		r.Links = put(r.Links, l, func(l record.Link) bool { return l.Name == t.Name })
	case ip.Setting:
		if t.Key == "netns" || t.Key == "master" {
			p.noteTaken(r, t.Link, made.Index)
		}
	case ip.Address:
		// A Replace gives a taken link what it had; that is in r.Taken.
		if s.Verb == ip.Add && !slices.Contains(r.Addresses, t) {
			r.Addresses = append(r.Addresses, t)
		}
	case ip.Route:
		if s.Verb == ip.Replace && s.Old == nil {
			return
		}
		r.Routes = put(r.Routes, t, func(o ip.Route) bool { return o.Key() == t.Key() })
	case ip.Pin:
		r.Pin = &t
	}
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
func Unwanted(f *conf.File, r *record.Record) *record.Record {
	u := r.Clone()
	u.Made, u.Pin = nil, nil
	wants := map[string]conf.Link{}
	for _, l := range f.Links {
		wants[l.Name.String()] = l
	}
	u.Links = slices.DeleteFunc(u.Links, func(l record.Link) bool {
		w, ok := wants[l.Name]
		return ok && w.Kind == l.Kind && w.Peer.String() == l.Peer || l.Kind == "vrf"
	})
	u.Taken = slices.DeleteFunc(u.Taken, func(t record.Taken) bool {
		w, ok := wants[t.Name]
		return ok && w.Kind == ""
	})
	u.Addresses = slices.DeleteFunc(u.Addresses, func(a ip.Address) bool { return wantsAddress(f, a) })
	p := planner{f: f, in: f.Domain.Netns.String()}
	u.Routes = slices.DeleteFunc(u.Routes, func(r ip.Route) bool {
		if slices.Contains(lastRoutes(p.in, f.Table, true), r) {
			return true
		}
		return slices.ContainsFunc(f.Routes, func(w conf.Route) bool { return p.wanted(w).Key() == r.Key() })
	})
	return u
}

func wantsAddress(f *conf.File, a ip.Address) bool {
	if a.Dev == f.Domain.VRF.String() {
		return slices.Contains(loopback(true), a.Prefix)
	}
	for _, l := range f.Links {
		list := l.Addresses
		if a.Dev == l.Peer.String() {
			list = l.PeerAddresses
		} else if a.Dev != l.Name.String() {
			continue
		}
		if slices.ContainsFunc(list, func(w conf.Address) bool { return w.Prefix == a.Prefix }) {
			return true
		}
	}
	return false
}
