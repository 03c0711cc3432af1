package plan

import (
	"slices"
	"strconv"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// rule plans one rule that is the domain's own; have are the rules of its
// namespace. One that somebody else made is used, not owned.
func (p *planner) rule(line int, want object.Rule, have []object.Rule) {
	if !contains(have, want) && !p.has(want) {
		p.add(line, object.Add, want)
	}
}

func contains(rules []object.Rule, want object.Rule) bool {
	want.Netns = domain.NetnsName{}
	return slices.ContainsFunc(rules, want.Same)
}

// hasRule reports whether there is a rule, in whatever namespace; in is that of
// the domain.
func (s *State) hasRule(want object.Rule, in domain.NetnsName) bool {
	if want.Netns == in {
		return contains(s.Rules, want)
	}
	return contains(s.OuterRules[want.Netns], want)
}

// wantedRules returns the rules that a section asks for. They are of protocol kernel, or
// systemd-networkd deletes them. There is none for a user who does not exist: it would be
// for all.
func (p *planner) wantedRules(r conf.Rule, ipv6 bool) (list []object.Rule) {
	r.Netns, r.Protocol = p.in, object.ProtocolKernel
	if r.User != "" {
		id, err := strconv.ParseUint(p.have.Users[r.User], 10, 32)
		if err != nil || id == 1<<32-1 {
			return nil
		}
		r.UIDs = object.Range{First: uint32(id), End: uint32(id) + 1}
	}
	if r.IPv4 {
		list = append(list, r.Rule)
	}
	if r.IPv6 && ipv6 {
		six := r.Rule
		six.IPv6 = true
		list = append(list, six)
	}
	return list
}
