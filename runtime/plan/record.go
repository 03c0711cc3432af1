package plan

import (
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// keep returns a copy of the record that has the identities that a crash kept from
// being written, and is without what no longer exists or has become somebody else's.
func keep(old *record.Record, have *State) *record.Record {
	r := old.Clone()
	r.Keep(func(e record.Entry) bool { return have.holds(e, r.Domain.Netns) })
	for i := range r.Entries {
		e := &r.Entries[i]
		switch t := e.Object.(type) {
		case object.Netns:
			e.Made.Netns = have.ID
		case object.Link:
			now := have.Inside[t.Name]
			e.Made.Index = now.Index
			if now.Kind == "veth" {
				e.Made.Peer = now.Peer
			}
		}
	}
	return r
}

// holds reports whether the kernel still has what is recorded. Of what is taken, set
// or pinned, which is looked at when it is given back, that is assumed. in is the
// domain's namespace.
func (s *State) holds(e record.Entry, in domain.NetnsName) bool {
	switch t := e.Object.(type) {
	case object.Netns:
		return s.Exists && e.Made.Netns != netns.ID{} && e.Made.Netns.Same(s.ID)
	case object.Link:
		now, ok := s.Inside[t.Name]
		return ok && now.Kind == t.Kind && (e.Made.Index == 0 || e.Made.Index == now.Index)
	case object.Taken, object.Sysctl, object.Pin, object.Forwarding:
		return true
	case object.Address:
		return hasAddress(s.At(t.Netns, in)[t.Dev], t)
	case object.Route:
		if t.Netns != in {
			return true // of a link's outer side; it goes with the link
		}
		found, ok := s.route(t)
		return ok && same(found, t)
	case object.Rule:
		return s.hasRule(t, in)
	case object.WireGuardPeer:
		_, ok := s.WireGuard[t.Link].Peers[t.PublicKey]
		return ok
	case object.File:
		return s.Files[t.Path] == t.Text
	case object.Firewall:
		return object.Only(s.Firewall, t.Names()) == t.Tables
	}
	return s.Objects[e.Object.Key()] == e.Object
}

// Note writes into r that a step of p is done, or, with the zero Identity, is about
// to be. To note a step again completes what was noted before.
func (p *Plan) Note(r *record.Record, s object.Step, made record.Identity) {
	e := record.Entry{Object: s.Object, Made: made}
	was := r.Find(s.Object.Key())
	switch t := s.Object.(type) {
	case object.Setting:
		if t.What == "netns" || t.What == "master" || t.What == "down" {
			p.noteTaken(r, t, made)
		}
		return
	case object.WireGuard:
		return // it goes with the link
	case object.Rule:
		if t.Shared() {
			return // it is everybody's
		}
	case object.Sysctl:
		switch { // the first value that the variable had
		case was != nil:
			e.Old = was.Old
		case s.Old == nil:
			return
		default:
			e.Old = s.Old
		}
	case object.Firewall, object.NAT: // changed, it is ours: what others made is not changed
	case object.Route, object.File:
		if s.Verb == object.Replace && s.Old == nil {
			return // a taken link's, as it was; that is in object.Taken
		}
	default:
		if s.Verb == object.Replace && was == nil {
			return // a taken link's, or somebody else's
		}
	}
	if s.Verb != object.Delete {
		r.Put(e)
	}
}

// noteTaken writes down that a link is moved or enslaved, and what it was.
func (p *Plan) noteTaken(r *record.Record, s object.Setting, made record.Identity) {
	for _, t := range p.Taken {
		if t.Name == s.Link {
			r.Put(record.Entry{Object: t, Made: made})
			return
		}
	}
	if was := r.Find(object.Taken{Netns: r.Domain.Netns, Name: s.Link}.Key()); was != nil {
		was.Made = made
	}
}
