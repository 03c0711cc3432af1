package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// Preferences of the rules that VRFs need (kernel Documentation/networking/vrf.rst
// for the first; the others are those that VyOS and Cumulus use).
const (
	// PrefL3mdev is where the kernel puts its rule with a namespace's first VRF.
	PrefL3mdev = 1000
	// PrefUnreachable ends the search of a packet of any VRF behind its table.
	PrefUnreachable = 2000
	// PrefMarked ends that of what a socket of a VRF sends by another interface.
	PrefMarked = 2001
	// PrefLocal is where the local table goes: behind the VRFs' tables.
	PrefLocal = 32765
)

// LastMetric is the metric of the route that ends a VRF's table: 4278198272,
// which FRR reads as its least preferred, [255/8192].
const LastMetric = 4278198272

// vrf plans the VRF itself, and all that makes it closed and usable before any
// link becomes a member of it.
func (p *planner) vrf() error {
	name, line := p.f.Domain.VRF.String(), p.f.KindLine
	now, exists := p.have.Inside[name]
	switch {
	case exists && now.Kind != "vrf":
		return p.fail(line, fmt.Sprintf("link %s exists already, as a %s; want a vrf", name, kindName(now.Kind)))
	case exists && now.Table != p.f.Table:
		return p.fail(line, fmt.Sprintf("vrf %s exists already with table %d, want %d; take it down first or change Table=",
			name, now.Table, p.f.Table))
	}
	for _, other := range p.have.VRFs {
		if other.Table == p.f.Table && other.Name != name {
			return p.fail(line, fmt.Sprintf("Table=%d is already that of vrf %s; expected another number",
				p.f.Table, other.Name))
		}
	}
	if !exists {
		p.add(line, object.Add, p.vrfLink())
	}
	p.rules()
	for _, r := range lastRoutes(p.in, p.f.Table, p.have.IPv6) {
		if found, ok := p.have.route(r); !ok || !same(found, r) {
			p.add(line, object.Add, r)
		}
	}
	for _, a := range loopback(p.have.IPv6) {
		p.address(line, now, object.NewAddress(p.in, name, a))
	}
	if !now.Up {
		p.add(line, object.Set, object.Setting{Netns: p.in, Link: name, What: "up"})
	}
	p.pin(now, exists)
	return nil
}

// vrfLink returns the VRF as it is to be made.
func (p *planner) vrfLink() object.Link {
	return object.Link{Netns: p.in, Outer: p.in, Name: p.f.Domain.VRF.String(), Kind: "vrf", Options: object.Options{Table: p.f.Table}}
}

// Foreign returns what is to be done for a VRF that somebody else made: only its
// program is pinned.
func Foreign(d domain.Domain, have *State) []object.Step {
	now := have.Inside[d.VRF.String()]
	if have.Pinned == uint32(now.Index) {
		return nil
	}
	return []object.Step{{Verb: object.Add, Object: object.Pin{Domain: d}}}
}

func (p *planner) pin(now LinkState, exists bool) {
	if !exists || p.have.Pinned != uint32(now.Index) {
		p.add(p.f.KindLine, object.Add, object.Pin{Domain: p.f.Domain})
	}
}

func lastRoutes(netns domain.NetnsName, table uint32, ipv6 bool) []object.Route {
	r := object.Route{Netns: netns, Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Type: "unreachable",
		Table: table, Metric: LastMetric, Protocol: object.ProtocolKernel}
	routes := []object.Route{r}
	if ipv6 {
		r.Destination = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		routes = append(routes, r)
	}
	return routes
}

// isLast reports whether a route of the file is one that ends the VRF's table anyway. Another
// one with its metric cannot be.
func (p *planner) isLast(r conf.Route) (bool, error) {
	if p.f.Domain.VRF.IsZero() || r.Metric != LastMetric || r.Destination.Bits() != 0 {
		return false, nil
	}
	if r.Type != "unreachable" {
		return false, p.fail(r.Line, fmt.Sprintf("Metric=%d is that of the route unreachable that ends the table of a VRF; take a lower one", r.Metric))
	}
	return true, nil
}

func loopback(ipv6 bool) []netip.Prefix {
	list := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}
	if ipv6 {
		list = append(list, netip.MustParsePrefix("::1/128"))
	}
	return list
}

func families(ipv6 bool) []bool {
	if ipv6 {
		return []bool{false, true}
	}
	return []bool{false}
}

// NewRules are the rules that the kernel gives a new namespace.
func NewRules(ipv6 bool) []object.Rule {
	var rules []object.Rule
	for _, v6 := range families(ipv6) {
		rules = append(rules, object.Rule{IPv6: v6, Pref: 0, Table: object.LocalTable, Protocol: object.ProtocolKernel},
			object.Rule{IPv6: v6, Pref: 32766, Table: object.MainTable, Protocol: object.ProtocolKernel})
	}
	return rules
}

// rules plans the rules that all VRFs of a namespace share. All are of protocol
// kernel, so that systemd-networkd does not delete them.
func (p *planner) rules() {
	for _, v6 := range families(p.have.IPv6) {
		rule := object.Rule{Netns: p.in, IPv6: v6, Protocol: object.ProtocolKernel}
		lookup := rule
		lookup.Pref, lookup.L3mdev = PrefL3mdev, true
		// The kernel adds this one with a namespace's first VRF, and never
		// again if somebody deletes it.
		if len(p.have.VRFs) > 0 && !p.haveRule(lookup) {
			p.add(p.f.KindLine, object.Add, lookup)
		}
		unreachable := lookup
		unreachable.Pref, unreachable.Type = PrefUnreachable, "unreachable"
		if !p.haveRule(unreachable) {
			p.add(p.f.KindLine, object.Add, unreachable)
		}
		marked := rule
		marked.Pref, marked.Type = PrefMarked, "unreachable"
		marked.Mark, marked.Mask = domain.VRFMark, domain.VRFMark
		if !p.haveRule(marked) {
			p.add(p.f.KindLine, object.Add, marked)
		}
		// Added before the other is deleted: in between there are two, never
		// none.
		local := rule
		local.Pref, local.Table = PrefLocal, object.LocalTable
		if !p.haveRule(local) {
			p.add(p.f.KindLine, object.Add, local)
		}
		local.Pref = 0
		if p.haveRule(local) {
			p.add(p.f.KindLine, object.Delete, local)
		}
	}
}

func (p *planner) haveRule(want object.Rule) bool {
	want.Netns = domain.NetnsName{}
	return slices.ContainsFunc(p.have.Rules, func(r object.Rule) bool { return r.Same(want) })
}

// LastRules returns what takes back the changes of rules that were recorded,
// for the namespace's last VRF: the local table is moved back before it is
// taken from where it is.
func LastRules(netns domain.NetnsName, added, deleted, have []object.Rule) []object.Step {
	var steps []object.Step
	in := func(rules []object.Rule, want object.Rule) bool {
		want.Netns = domain.NetnsName{}
		return slices.ContainsFunc(rules, want.Same)
	}
	for _, r := range deleted {
		if r.Netns = netns; !in(have, r) {
			steps = append(steps, object.Step{Verb: object.Add, Object: r})
		}
	}
	for _, r := range slices.Backward(added) {
		if r.Netns = netns; in(have, r) {
			steps = append(steps, object.Step{Verb: object.Delete, Object: r})
		}
	}
	return steps
}
