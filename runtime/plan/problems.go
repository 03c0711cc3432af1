package plan

import (
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// Problems says in words what of a domain does not work, or does not isolate,
// whoever made it. members are the links of a VRF. A domain that does not exist
// has that problem and no other.
func Problems(f *conf.File, have *State, members []string) []string {
	if f.Kind == conf.VRF {
		return vrfProblems(f, have, members)
	}
	name := f.Domain.Netns
	switch {
	case have.Stale:
		return []string{fmt.Sprintf("%s is a left-over file, not a network namespace; up repairs it", name.Path())}
	case !have.Exists:
		return []string{fmt.Sprintf("netns %s does not exist", name)}
	case !have.Inside["lo"].Up:
		return []string{fmt.Sprintf("lo is down in netns %s: nothing inside can reach itself", name)}
	}
	return nil
}

func vrfProblems(f *conf.File, have *State, members []string) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	name := f.Domain.VRF.String()
	vrf, ok := have.Inside[name]
	if !ok {
		say("%s does not exist", f.Domain)
		return list
	}
	if vrf.Kind != "vrf" {
		say("link %s is a %s, not a vrf", name, kindName(vrf.Kind))
		return list
	}
	if !vrf.Up {
		say("vrf %s is down: it isolates but cannot serve", name)
	}
	if len(members) == 0 {
		say("vrf %s has no member link: it isolates but cannot serve", name)
	}
	for _, other := range have.VRFs {
		if other.Table == vrf.Table && other.Name != name {
			say("vrf %s and vrf %s share table %d: they are not isolated from each other", name, other.Name, vrf.Table)
		}
	}
	for i, v6 := range families(have.IPv6) {
		list = append(list, ruleProblems(name, vrf.Table, v6, have)...)
		if a := loopback(true)[i]; !hasAddress(vrf, object.NewAddress(domain.NetnsName{}, "", a)) {
			say("vrf %s has no address %s: nothing in it can reach itself", name, a)
		}
	}
	return list
}

// ending are the types of route after which no other table is looked up, and nothing is
// sent.
var ending = []string{"unreachable", "blackhole", "prohibit"}

func ruleProblems(name string, table uint32, v6 bool, have *State) (list []string) {
	family := "IPv4"
	if v6 {
		family = "IPv6"
	}
	lookup := uint32(0)
	for _, r := range have.Rules {
		if r.IPv6 == v6 && r.L3mdev && r.Type == "" && r.Shared() {
			lookup = max(r.Pref, 1)
		}
	}
	if lookup == 0 {
		list = append(list, fmt.Sprintf("there is no %s rule for VRFs (pref 1000 l3mdev): packets of vrf %s leave by the main table",
			family, name))
	}
	for _, r := range have.Rules {
		if r.IPv6 == v6 && r.Table == object.LocalTable && r.Shared() && r.Pref < lookup {
			list = append(list, fmt.Sprintf("the %s rule for the local table (pref %d) is before that for VRFs: "+
				"addresses of other domains are reachable in vrf %s", family, r.Pref, name))
		}
	}
	ends := slices.ContainsFunc(have.Rules, func(r object.Rule) bool { return r.IPv6 == v6 && r.Shared() && r.L3mdev && r.Type == "unreachable" }) ||
		slices.ContainsFunc(lastRoutes(domain.NetnsName{}, table, true), func(want object.Route) bool {
			found, ok := have.route(want)
			return ok && slices.Contains(ending, found.Type) && want.Destination.Addr().Is6() == v6
		})
	if !ends {
		list = append(list, fmt.Sprintf("nothing ends table %d for %s: a miss in vrf %s goes on to the main table",
			table, family, name))
	}
	if !slices.ContainsFunc(have.Rules, func(r object.Rule) bool { return r.IPv6 == v6 && r.Shared() && r.Mark != 0 && r.Pref > lookup }) {
		list = append(list, fmt.Sprintf("a process in vrf %s can send a datagram by another interface (IP_PKTINFO): "+
			"there is no %s rule for it (pref %d fwmark %#x/%#[4]x unreachable)", name, family, PrefMarked, uint32(domain.VRFMark)))
	}
	return list
}
