package plan

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Unwanted returns what is recorded and the file no longer wants, as a record.
func Unwanted(f *conf.File, have *State, r *record.Record) *record.Record {
	p := planner{f: f, have: have, in: f.Domain.Netns}
	wanted := p.wanted()
	u := r.Clone()
	u.Keep(func(e record.Entry) bool {
		was, ok := wanted[e.Object.Key()]
		if now, isLink := was.(object.Link); ok && isLink {
			t := e.Object.(object.Link)
			return now.Kind != t.Kind || now.Peer != t.Peer || now.Outer != t.Outer
		}
		return !ok
	})
	return u
}

// wanted returns all objects of the file that can be recorded. It does not ask
// whether they can be made.
func (p *planner) wanted() map[object.Key]object.Object {
	all := map[object.Key]object.Object{}
	add := func(o object.Object) { all[o.Key()] = o }
	add(object.Netns{Name: p.in})
	if name := p.f.Domain.VRF.String(); name != "" {
		add(p.vrfLink())
		add(object.Pin{Domain: p.f.Domain})
		for _, r := range lastRoutes(p.in, p.f.Table, true) {
			add(r)
		}
		for _, a := range loopback(true) {
			add(object.NewAddress(p.in, name, a))
		}
	}
	for _, l := range p.f.Links {
		p.wantedOf(l, add)
	}
	for _, o := range p.f.Objects {
		add(o.Object)
	}
	if f, ok := p.wantedFirewall(); ok {
		add(f)
	}
	for _, n := range p.wantedNAT() {
		add(n.NAT)
		for _, f := range n.forwarding() {
			add(f)
		}
	}
	for _, s := range p.f.Sysctls {
		add(s.Sysctl)
	}
	for _, f := range wantedFiles(p.f, p.have.Nsswitch) {
		add(f)
	}
	rules, routes := p.f.Returns()
	for _, r := range slices.Concat(p.f.Rules, rules) {
		for _, rule := range p.wantedRules(r, true) {
			add(rule)
		}
	}
	for _, r := range slices.Concat(p.f.Routes, routes) {
		add(p.wantedRoute(r))
	}
	return all
}

// wantedOf adds what a link of the file wants.
func (p *planner) wantedOf(l conf.Link, add func(object.Object)) {
	name := l.Name.String()
	link := p.linkOf(l)
	if l.Kind == "" {
		add(object.Taken{Netns: p.in, Name: name})
	} else {
		add(link)
	}
	for _, a := range l.Addresses {
		add(newAddress(p.in, name, a))
	}
	for _, a := range l.PeerAddresses {
		add(newAddress(link.Outer, link.Peer, a))
	}
	for _, r := range p.peerRoutes(l, link) {
		add(r.Route)
	}
	for _, peer := range l.Peers {
		add(wantedPeer(p.in, l, peer))
	}
	if l.Kind == "wireguard" {
		for _, r := range p.markRules(l, true) {
			add(r)
		}
	}
}
