package dump

import (
	"fmt"
	"net/netip"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/draft"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/rtnl"
)

// Protocols of routes (include/uapi/linux/rtnetlink.h): what rdomain, ip(8) and people make.
const protocolBoot, protocolStatic = 3, 4

// multicastRoute is the route that Linux makes for multicast on each link with IPv6.
var multicastRoute = netip.MustParsePrefix("ff00::/8")

// route writes a route that the kernel does not make by itself.
func route(f *draft.File, head *draft.Section, s *State, r rtnl.Route) {
	text := object.Step{Verb: object.Add, Object: r.Route}.String()
	last := !s.Domain.VRF.IsZero() && r.Type == "unreachable" && r.Destination.Bits() == 0 && r.Metric == plan.LastMetric
	multicast := r.Table == object.LocalTable && r.Destination == multicastRoute // before Linux 5.11 as if ip(8) had made it
	switch {
	case r.Protocol == object.ProtocolKernel || multicast || last: // rdomain ends each VRF's table itself
		return
	case r.Protocol != 0 && r.Protocol != protocolBoot && r.Protocol != protocolStatic:
		head.Note(text + ": is somebody else's, a router's or a routing daemon's")
		return
	case r.Other != "":
		head.Note(text + ": has " + r.Other + ", which has no counterpart")
		return
	case !slices.Contains(conf.RouteTypes, r.Type), r.Type == "local" && !s.Domain.VRF.IsZero(), r.Type != "local" && r.Table == object.LocalTable:
		head.Note(text + ": has no counterpart")
		return
	}
	dev, table := "", uint32(object.MainTable) // as they are without a key
	if r.Type == "local" {
		dev, table = "lo", object.LocalTable
	}
	d := f.Add("Route", nowhere)
	set := func(key, value string, given bool) {
		if given {
			d.Set(key, value, nowhere)
		}
	}
	metric := r.Metric
	if r.Destination.Addr().Is6() && metric == 1024 { // IP6_RT_PRIO_USER
		metric = 0
	}
	set("Destination", r.Destination.String(), true)
	set("Gateway", r.Gateway.String(), r.Gateway.IsValid())
	set("Device", r.Dev, r.Dev != dev && (r.Type == "unicast" || r.Type == "local"))
	for _, h := range r.Hops.List() {
		word := h.Gateway.String()
		if h.Dev != "" {
			word += "@" + h.Dev
		}
		d.Set("MultiPathRoute", word+" "+utoa(h.Weight), nowhere)
	}
	set("GatewayOnLink", "yes", r.OnLink && r.Gateway.IsValid())
	set("Metric", utoa(metric), metric != 0)
	set("PreferredSource", r.Source.String(), r.Source.IsValid())
	set("MTUBytes", utoa(r.MTU), r.MTU != 0)
	set("Type", r.Type, r.Type != "unicast")
	set("Table", utoa(r.Table), s.Domain.VRF.IsZero() && r.Table != table)
}

// rules writes the rules that somebody made.
func rules(f *draft.File, head *draft.Section, list []object.Rule) {
	for _, r := range list {
		text := object.Step{Verb: object.Add, Object: r}.String()
		switch {
		case r.Shared() || r.Pref == 32766 && r.Table == object.MainTable && !r.Selects() || r.Pref == 32767 && r.Table == 253 && !r.Selects():
			continue
		case r.Other || r.L3mdev || r.Table == object.LocalTable || r.Pref == 0 || r.Type != "" && !slices.Contains(conf.RuleTypes, r.Type) || r.Mark == 0 && r.Mask != 0:
			head.Note(text + ": has no counterpart")
			continue
		}
		d := f.Add("RoutingPolicyRule", nowhere)
		set := func(key, value string, given bool) {
			if given {
				d.Set(key, value, nowhere)
			}
		}
		mark := fmt.Sprintf("0x%x", r.Mark)
		if r.Mask != 0 {
			mark += fmt.Sprintf("/0x%x", r.Mask)
		}
		set("Priority", utoa(r.Pref), true)
		set("Family", "ipv6", r.IPv6 && !r.From.IsValid() && !r.To.IsValid())
		set("InvertRule", "yes", r.Not)
		set("From", r.From.String(), r.From.IsValid())
		set("To", r.To.String(), r.To.IsValid())
		set("FirewallMark", mark, r.Mark != 0)
		set("IncomingInterface", r.In, r.In != "")
		set("OutgoingInterface", r.Out, r.Out != "")
		set("User", r.UIDs.String(), !r.UIDs.IsZero())
		set("IPProtocol", utoa(uint32(r.IPProtocol)), r.IPProtocol != 0)
		set("SourcePort", r.SourcePorts.String(), !r.SourcePorts.IsZero())
		set("DestinationPort", r.DestinationPorts.String(), !r.DestinationPorts.IsZero())
		set("Table", utoa(r.Table), r.Table != 0)
		set("SuppressPrefixLength", utoa(r.SuppressPrefixLength-1), r.SuppressPrefixLength != 0)
		set("Type", r.Type, r.Type != "")
	}
}
