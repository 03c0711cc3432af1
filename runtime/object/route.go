package object

import (
	"fmt"
	"net/netip"
	"slices"

	"rdgen/runtime/domain"
)

// Route is a route. Its Destination is never zero: 0.0.0.0/0 and ::/0 stand for
// the two default routes.
type Route struct {
	Netns       domain.NetnsName `json:"netns,omitzero"`
	Destination netip.Prefix     `json:"destination"`
	// Type is unicast, local, unreachable, blackhole, prohibit or throw.
	Type string `json:"type"`
	// Gateway of an IPv4 route may be of IPv6. Hops come instead of Gateway and Dev.
	Gateway netip.Addr `json:"gateway,omitzero"`
	Hops    Hops       `json:"hops,omitempty"`
	Dev     string     `json:"dev,omitempty"`
	Source  netip.Addr `json:"source,omitzero"`
	// Table is never 0; 254 is main.
	Table  uint32 `json:"table"`
	Metric uint32 `json:"metric,omitempty"`
	// Protocol is RTPROT_*; 0 stands for boot, as ip(8) has it.
	Protocol uint8 `json:"protocol,omitempty"`
	// Scope is RT_SCOPE_* of an IPv4 route: 0 global, 253 link, 254 host.
	Scope  uint8  `json:"scope,omitempty"`
	MTU    uint32 `json:"mtu,omitempty"`
	OnLink bool   `json:"onlink,omitempty"`
	// Other says in words what else the route has that rdomain cannot make
	// again, such as an encapsulation; it is only set by reading.
	Other string `json:"-"`
}

// MainTable is the number of the table called main, LocalTable that of the one called local,
// which has a namespace's own addresses.
const MainTable, LocalTable = 254, 255

// ProtocolKernel is RTPROT_KERNEL (include/uapi/linux/rtnetlink.h): routes and
// rules with it are left alone by systemd-networkd, which deletes others'.
const ProtocolKernel = 2

// protocolBoot is RTPROT_BOOT, which ip(8) gives to what it makes.
const protocolBoot = 3

// Key is what the kernel tells two routes of a namespace apart by when one is
// added: a second one with the same key is refused, or replaces the first.
func (r Route) Key() Key {
	metric := r.Metric
	if metric == 0 && r.Destination.Addr().Is6() {
		metric = 1024 // IP6_RT_PRIO_USER, net/ipv6/route.c
	}
	return Key{"route", r.Netns, fmt.Sprintf("%s table %d metric %d", r.Destination, r.Table, metric)}
}

// Uses reports whether the route leads through a link.
func (r Route) Uses(link string) bool {
	return r.Dev == link || slices.ContainsFunc(r.Hops.List(), func(h Hop) bool { return h.Dev == link })
}

// On is the link that it leads to, "" where the kernel finds it by the gateway.
func (r Route) On() string { return r.Dev }

func (r Route) command(v Verb) []string {
	var w []string
	if r.Destination.Addr().Is6() {
		w = []string{"-6"}
	}
	w = append(w, "route", string(v))
	if r.Type != "unicast" {
		w = append(w, r.Type)
	}
	if r.Destination.Bits() == 0 {
		w = append(w, "default")
	} else {
		w = append(w, r.Destination.String())
	}
	if r.Gateway.IsValid() {
		w = append(w, via(r.Gateway, r.Destination.Addr())...)
	}
	if r.Dev != "" {
		w = append(w, "dev", r.Dev)
	}
	if r.Table != MainTable {
		w = append(w, "table", utoa(r.Table))
	}
	if r.Metric != 0 {
		w = append(w, "metric", utoa(r.Metric))
	}
	if r.Source.IsValid() {
		w = append(w, "src", r.Source.String())
	}
	if r.Protocol != 0 && r.Protocol != protocolBoot {
		w = append(w, "protocol", protocolName(r.Protocol))
	}
	if r.scopeIsUnusual() {
		w = append(w, "scope", scopeName(r.Scope))
	}
	if r.MTU != 0 {
		w = append(w, "mtu", utoa(r.MTU))
	}
	if r.OnLink {
		w = append(w, "onlink")
	}
	return in(r.Netns, append(w, r.Hops.words(r.Destination.Addr())...)...)
}

// scopeIsUnusual reports whether the scope is not the one that ip(8) derives
// from the rest: link without a gateway, global otherwise.
func (r Route) scopeIsUnusual() bool {
	return r.Destination.Addr().Is4() && r.Type == "unicast" && r.Scope != r.UsualScope()
}

// UsualScope is the RT_SCOPE_* that ip(8) gives an IPv4 route: host (254) for a local
// one, link (253) for a unicast route without a gateway, global (0) for others.
func (r Route) UsualScope() uint8 {
	switch {
	case r.Destination.Addr().Is6():
	case r.Type == "local":
		return 254
	case r.Type == "unicast" && !r.Gateway.IsValid() && r.Hops == "":
		return 253
	}
	return 0
}
