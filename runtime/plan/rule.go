package plan

import (
	"slices"

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

// wantedRules returns the rules of namespace in that a section asks for. They are of
// protocol kernel, or systemd-networkd deletes them.
func wantedRules(in domain.NetnsName, r conf.Rule, ipv6 bool) (list []object.Rule) {
	r.Netns, r.Protocol = in, object.ProtocolKernel
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
