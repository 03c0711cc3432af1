package plan

import (
	"fmt"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// outerNAT is a table that the file wants in an outer namespace, and the line that asks
// for it first.
type outerNAT struct {
	object.NAT
	line int
}

// wantedNAT returns a table for each namespace that a veth leads into.
func (p *planner) wantedNAT() (list []outerNAT) {
	at := map[domain.NetnsName]int{}
	for _, l := range p.f.Links {
		outer := p.linkOf(l).Outer
		for _, v6 := range l.Masquerades() {
			i, ok := at[outer]
			if !ok {
				i, at[outer] = len(list), len(list)
				list = append(list, outerNAT{object.NAT{Netns: outer, Table: object.NATTable(p.f.Domain)}, l.LineOf("Masquerade")})
			}
			list[i].Rules += object.Masquerade{Link: l.Peer.String(), IPv6: v6}.String() + "\n"
		}
	}
	return list
}

// WantedNAT returns the tables that a file wants in outer namespaces.
func WantedNAT(f *conf.File, outers map[domain.ID]Outer) (list []object.NAT) {
	p := planner{f: f, have: &State{Outers: outers}, in: f.Domain.Netns}
	for _, n := range p.wantedNAT() {
		list = append(list, n.NAT)
	}
	return list
}

// forwarding returns what a table needs.
func (n outerNAT) forwarding() (list []object.Forwarding) {
	for _, v6 := range []bool{false, true} {
		if strings.Contains(n.Rules, " "+object.Family(v6)+" ") {
			list = append(list, object.Forwarding{Netns: n.Netns, IPv6: v6})
		}
	}
	return list
}

// nat plans the tables in outer namespaces, and that those forward. Both come before the
// links, so that no packet leaves with an address of the domain.
func (p *planner) nat() error {
	if err := p.canNAT(); err != nil {
		return err
	}
	for _, n := range p.wantedNAT() {
		want := n.NAT
		now, ok := p.have.Objects[want.Key()]
		switch {
		case !ok:
			p.add(n.line, object.Add, want)
		case now == want:
		case p.old.Find(want.Key()) == nil:
			return p.fail(n.line, fmt.Sprintf("table inet %s exists already in %s, and is another one than Masquerade= makes; delete it",
				want.Table, p.place(want.Netns)))
		default:
			p.set(n.line, object.Replace, want, now)
		}
		for _, f := range n.forwarding() {
			on := p.have.Forwards[f]
			if by := p.have.Advertised[want.Netns]; f.IPv6 && !on && len(by) > 0 {
				return p.fail(n.line, fmt.Sprintf("a host that forwards IPv6 ignores router advertisements, and %s has %s by them; "+
					"set net.ipv6.conf.%s.accept_ra=2 there, or let Masquerade= be ipv4", p.place(want.Netns), "routes on "+strings.Join(by, ", "), by[0]))
			}
			if !on || p.plan.Record.Find(f.Key()) == nil {
				p.add(n.line, object.Add, f)
			}
		}
	}
	return nil
}

// canNAT refuses what would not work: a connection is tracked once in a namespace, so a
// packet that crosses one twice is not changed; and what comes in by a VRF's member
// is routed as if it came by the VRF.
func (p *planner) canNAT() error {
	for _, l := range p.f.Links {
		if len(l.Masquerades()) == 0 {
			continue
		}
		line := l.LineOf("Masquerade")
		if outer := p.have.Outers[l.Outer.ID]; !outer.Domain.VRF.IsZero() {
			return p.fail(line, fmt.Sprintf("Masquerade= needs an outer domain that is a namespace, and %s is a VRF", l.Outer.ID))
		}
		if p.f.Kind == conf.VRF && p.linkOf(l).Outer == p.in {
			return p.fail(line, fmt.Sprintf("Masquerade= needs an other end in another namespace than %s", p.place(p.in)))
		}
	}
	return nil
}
