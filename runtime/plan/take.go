package plan

import (
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// staying are the kinds of links that are in the namespace where they were made, for ever.
var staying = []string{"bridge", "vrf", "bond", "team"}

// take plans a [Link] without Kind=: a link that exists, and is moved into the
// domain's namespace if it is not there yet. What it had comes after, by restore.
func (p *planner) take(l conf.Link, now LinkState, inside bool) error {
	name := l.Name.String()
	recorded := p.plan.Record.Find(object.Taken{Netns: p.in, Name: name}.Key())
	if inside {
		switch {
		case recorded != nil && (recorded.Made.Index == 0 || recorded.Made.Index == now.Index):
			recorded.Made.Index = now.Index
		case recorded != nil: // another link by now, and not ours to give back
			p.plan.Record.Keep(func(e record.Entry) bool { return e.Object.Key() != recorded.Object.Key() })
		case p.f.Kind == conf.VRF:
			if err := p.takeMember(l, now); err != nil {
				return err
			}
		}
		p.settings(l, now)
		return nil
	}
	now, outside := p.have.Outside[name]
	if !outside {
		return p.fail(l.Line, fmt.Sprintf("there is no link %s, inside or outside; Kind= would make one", name))
	}
	if slices.Contains(staying, now.Kind) {
		do := "have it made in " + p.place(p.in)
		if now.Kind == "bridge" {
			do = fmt.Sprintf("Kind=bridge makes one in %s; Bridge=%s in a [Link] makes that a port of it", p.place(p.in), name)
		}
		return p.fail(l.Line, fmt.Sprintf("link %s is a %s, which the kernel leaves in the namespace that it is in", name, now.Kind)).WithHint(do)
	}
	if recorded != nil {
		// It was given back or fell out of its namespace: what it has now may
		// be less than what it had.
		recorded.Made.Index = 0
	} else if err := p.save(l, now, domain.NetnsName{}); err != nil {
		return err
	}
	p.add(l.Line, object.Set, object.Setting{Link: name, What: "netns", To: p.in})
	p.settings(l, now)
	return nil
}

// takeMember plans that a link of the VRF's own namespace becomes a member.
func (p *planner) takeMember(l conf.Link, now LinkState) error {
	vrf := p.have.Inside[p.f.Domain.VRF.String()]
	if now.Master != 0 && now.Master == vrf.Index {
		return nil // somebody else's doing; used, not owned
	}
	return p.save(l, now, p.in)
}

// taken returns a link as it was before it was taken, or is about to be, and whether
// it is one.
func (p *planner) taken(name string) (object.Taken, bool) {
	if e := p.plan.Record.Find(object.Taken{Netns: p.in, Name: name}.Key()); e != nil {
		return e.Object.(object.Taken), true
	}
	for _, t := range p.plan.Taken {
		if t.Name == name {
			return t, true
		}
	}
	return object.Taken{}, false
}

// save notes a link as it is before it is taken. What cannot be given back is a
// reason not to take it.
func (p *planner) save(l conf.Link, now LinkState, from domain.NetnsName) error {
	if now.MasterKind == "vrf" {
		return p.fail(l.Line, fmt.Sprintf("link %s is a member of vrf %s; release it first", now.Name, now.MasterName))
	}
	t := object.Taken{Netns: p.in, Name: now.Name, From: from, Up: now.Up, MTU: now.MTU, MAC: now.MAC, Master: now.MasterName}
	for _, a := range now.Addresses {
		if !a.Own {
			t.Addresses = append(t.Addresses, a.Address)
		}
	}
	for _, r := range now.Routes {
		if r.Protocol == object.ProtocolKernel || r.Protocol == protocolRA {
			continue // they come by themselves
		}
		if len(r.Many) > 0 {
			r.Other = "several gateways"
		}
		if r.Other != "" {
			return p.fail(l.Line, fmt.Sprintf("link %s has a route to %s with %s, which rdomain cannot move; "+
				"write it as a [Route] and delete it", now.Name, r.Destination, r.Other))
		}
		t.Routes = append(t.Routes, r.Route)
	}
	// A gateway must be reachable before a route leads through it.
	slices.SortStableFunc(t.Routes, func(a, b object.Route) int {
		return btoi(a.Gateway.IsValid()) - btoi(b.Gateway.IsValid())
	})
	p.plan.Taken = append(p.plan.Taken, t)
	return nil
}

// protocolRA is RTPROT_RA (include/uapi/linux/rtnetlink.h): routes from router
// advertisements.
const protocolRA = 9

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// restore plans that a taken link has the addresses and routes that it had.
// What the link is about to lose counts as lost.
func (p *planner) restore(l conf.Link) {
	name := l.Name.String()
	t, ok := p.taken(name)
	if !ok {
		return
	}
	now, inside := p.have.Inside[name]
	for _, a := range t.Addresses {
		a.Netns, a.Dev = p.in, name
		if !inside || !hasAddress(now, a) || p.flushes(a) {
			p.once(l.Line, object.Replace, a)
		}
	}
	up := object.Setting{Netns: p.in, Link: name, What: "up"}
	if (!inside || !now.Up) && !p.has(up) {
		p.add(l.Line, object.Set, up)
	}
	for _, r := range t.Routes {
		r.Netns, r.Dev = p.in, name
		if p.f.Kind == conf.VRF && r.Table == object.MainTable {
			r.Table = p.f.Table
		}
		found, ok := p.have.route(r)
		if !ok || !same(found, r) || p.moves(name) {
			p.once(l.Line, object.Replace, r)
		}
	}
}

// once plans a step that is repeated after each step that undoes it: of two
// equal ones the later is kept.
func (p *planner) once(line int, verb object.Verb, thing object.Object) {
	p.plan.Steps = slices.DeleteFunc(p.plan.Steps, func(s object.Step) bool { return s.Object == thing })
	p.add(line, verb, thing)
}

// moves reports whether the plan changes the link's namespace or master, or makes
// it again, with which the kernel drops its routes.
func (p *planner) moves(link string) bool {
	return p.remakes(link) || slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool {
		set, ok := s.Object.(object.Setting)
		return ok && set.Link == link && (set.What == "netns" || set.What == "master")
	})
}
