package plan

import (
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// address plans an address of a link that is now as given, the zero Link if it
// does not exist yet.
func (p *planner) address(line int, now LinkState, want object.Address) {
	if hasAddress(now, want) && !p.flushes(want) {
		return
	}
	for _, s := range p.plan.Steps {
		if a, ok := s.Object.(object.Address); ok && a.Key() == want.Key() {
			return
		}
	}
	p.add(line, object.Add, want)
}

// newAddress returns an address of the file as ip(8) makes it.
func newAddress(netns domain.NetnsName, dev string, a conf.Address) object.Address {
	o := object.NewAddress(netns, dev, a.Prefix)
	o.Peer = a.Peer
	return o
}

// flushes reports whether a step of the plan takes the address away, as the
// kernel does when a link changes its namespace, or an IPv6 address's link its
// master.
func (p *planner) flushes(a object.Address) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool {
		set, ok := s.Object.(object.Setting)
		return ok && set.Link == a.Dev && (set.What == "netns" || set.What == "master" && a.Prefix.Addr().Is6())
	})
}

func hasAddress(l LinkState, want object.Address) bool {
	for _, a := range l.Addresses {
		if a.Prefix == want.Prefix && a.Peer == want.Peer {
			return true
		}
	}
	return false
}
