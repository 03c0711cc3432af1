package plan

import (
	"maps"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Up returns what is to be done so that the kernel has what the file wants. old
// is what is recorded; a zero Record if nothing is. An error says where the file
// and the kernel contradict each other in a way that is not for rdomain to
// resolve; nothing is to be done then.
func Up(f *conf.File, have *State, old *record.Record) (*Plan, error) {
	p := &planner{f: f, have: have, old: old, in: f.Domain.Netns, plan: &Plan{Record: keep(old, have)}}
	p.plan.Record.File, p.plan.Record.Domain = f.Path, f.Domain
	p.plan.Steps = have.rename(p.in)
	p.files() // before anybody can enter the namespace
	if f.Kind == conf.Netns {
		if err := p.namespace(); err != nil {
			return nil, err
		}
	} else if err := p.vrf(); err != nil {
		return nil, err
	}
	if err := p.nat(); err != nil {
		return nil, err
	}
	if err := p.links(); err != nil {
		return nil, err
	}
	for _, o := range f.Objects {
		p.object(o.Line, o.Object)
	}
	rules, routes := f.Returns()
	for _, r := range slices.Concat(f.Rules, rules) {
		for _, want := range p.wantedRules(r, have.IPv6) {
			p.rule(r.Line, want, have.Rules)
		}
	}
	for _, r := range slices.Concat(f.Routes, routes) {
		if last, err := p.isLast(r); err != nil {
			return nil, err
		} else if last {
			continue
		}
		if err := p.route(r.Line, p.wantedRoute(r)); err != nil {
			return nil, err
		}
	}
	return p.plan, nil
}

// links plans the links of the file and the variables in the order that the kernel
// needs: a variable that is not one link's first, since new links begin with it; all
// links; what is one link's, since accept_dad, accept_ra, addr_gen_mode and others
// count when it gets an address or is set up; and then that.
func (p *planner) links() error {
	if err := p.sysctls(false); err != nil {
		return err
	}
	found := make([]LinkState, len(p.f.Links))
	for i, l := range p.f.Links {
		var err error
		if found[i], err = p.link(l); err != nil {
			return err
		}
	}
	if err := p.sysctls(true); err != nil {
		return err
	}
	for i, l := range p.f.Links {
		if err := p.configure(l, found[i]); err != nil {
			return err
		}
	}
	return nil
}

// rename returns the steps that give links their recorded names again.
func (s *State) rename(in domain.NetnsName) (steps []object.Step) {
	for _, name := range slices.Sorted(maps.Keys(s.Renamed)) {
		now := s.Renamed[name]
		steps = append(steps, object.Step{Verb: object.Set, Object: object.Setting{Netns: in, Link: now, What: "down"}},
			object.Step{Verb: object.Set, Object: object.Setting{Netns: in, Link: now, What: "name", Value: name}})
	}
	return steps
}

// namespace plans the namespace and its firewall, before any link of it is up.
func (p *planner) namespace() error {
	line := p.f.KindLine
	if !p.have.Exists {
		p.add(line, object.Add, object.Netns{Name: p.in})
	}
	if err := p.firewall(); err != nil {
		return err
	}
	if !p.have.Inside["lo"].Up {
		p.add(line, object.Set, object.Setting{Netns: p.in, Link: "lo", What: "up"})
	}
	return nil
}

// makes reports whether the plan, or what comes before it, makes a link of that
// name in a namespace.
func (p *planner) makes(netns domain.NetnsName, name string) bool {
	return slices.ContainsFunc(slices.Concat(p.have.Before, p.plan.Steps), func(s object.Step) bool {
		switch t := s.Object.(type) {
		case object.Link:
			return s.Verb == object.Add && t.Netns == netns && t.Name == name || t.Peer == name && t.Outer == netns
		case object.Setting:
			return t.What == "netns" && t.Link == name && t.To == netns
		}
		return false
	})
}

// remakes reports whether the plan makes a link of the domain again, with which
// all goes that hangs on it.
func (p *planner) remakes(link string) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool {
		l, ok := s.Object.(object.Link)
		return ok && s.Verb == object.Delete && l.Netns == p.in && l.Name == link
	})
}

// place names a namespace for a message.
func (p *planner) place(netns domain.NetnsName) string { return domain.Domain{Netns: netns}.String() }

func (p *planner) has(want object.Object) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool { return s.Object == want })
}

func kindName(kind string) string {
	if kind == "" {
		return "device"
	}
	return kind
}
