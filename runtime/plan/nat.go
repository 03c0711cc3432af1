package plan

import (
	"fmt"
	"net/netip"
	"slices"
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
		for _, r := range p.f.NATRules(l) {
			i, ok := at[outer]
			if !ok {
				i, at[outer] = len(list), len(list)
				list = append(list, outerNAT{object.NAT{Netns: outer, Table: object.NATTable(p.f.Domain)}, p.f.NATLine(l)})
			}
			list[i].Rules += r.String() + "\n"
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
		rules, _ := n.NATRules()
		if slices.ContainsFunc(rules, func(r object.NATRule) bool { return r.IPv6 == v6 }) {
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
		if err := p.free(n); err != nil {
			return err
		}
		want := n.NAT
		now, ok := p.have.Objects[want.Key()]
		switch {
		case !ok:
			p.add(n.line, object.Add, want)
		case now == want:
		case p.old.Find(want.Key()) == nil:
			return p.fail(n.line, fmt.Sprintf("table inet %s exists already in %s, and is another one than is wanted; delete it",
				want.Table, p.place(want.Netns)))
		default:
			if _, known := now.(object.NAT).NATRules(); !known {
				now = nil // as somebody changed it, it cannot be made again
			}
			p.set(n.line, object.Replace, want, now)
		}
		for _, f := range n.forwarding() {
			on := p.have.Forwards[f]
			if by := p.have.Advertised[want.Netns]; f.IPv6 && !on && len(by) > 0 {
				return p.fail(n.line, fmt.Sprintf("a host that forwards IPv6 ignores router advertisements, and %s has %s by them; "+
					"set net.ipv6.conf.%s.accept_ra=2 there, or use IPv4 alone", p.place(want.Netns), "routes on "+strings.Join(by, ", "), by[0]))
			}
			if !on || p.plan.Record.Find(f.Key()) == nil {
				p.add(n.line, object.Add, f)
			}
		}
	}
	return nil
}

// free refuses a port that a program of the outer namespace listens at: nobody but the
// host by its loopback would reach that any more.
func (p *planner) free(n outerNAT) error {
	for _, s := range p.f.Publishes {
		i := slices.IndexFunc(p.f.Links, func(l conf.Link) bool { return l.Name == s.Link })
		if p.linkOf(p.f.Links[i]).Outer != n.Netns {
			continue
		}
		for _, o := range p.have.Listeners[n.Netns] {
			at, want := o.At.Addr(), s.Listen.Addr()
			family := at.Is4() == s.Connect.Addr().Is4() || at == netip.IPv6Unspecified() // which is both, often
			if o.Protocol == s.Protocol && o.At.Port() == s.Listen.Port() && family && !at.IsLoopback() &&
				(!want.IsValid() || at.IsUnspecified() || at == want) {
				return p.fail(s.Line, fmt.Sprintf("%s port %d is in use: a program in %s listens at %s", s.Protocol, s.Listen.Port(), p.place(n.Netns), o.At))
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
		if len(p.f.NATRules(l)) == 0 {
			continue
		}
		line := p.f.NATLine(l)
		if outer := p.have.Outers[l.Outer.ID]; !outer.Domain.VRF.IsZero() {
			return p.fail(line, fmt.Sprintf("Masquerade= and [Publish] need an outer domain that is a namespace, and %s is a VRF", l.Outer.ID))
		}
		if p.f.Kind == conf.VRF && p.linkOf(l).Outer == p.in {
			return p.fail(line, fmt.Sprintf("Masquerade= and [Publish] need an other end in another namespace than %s", p.place(p.in)))
		}
	}
	return nil
}
