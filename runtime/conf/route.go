package conf

import (
	"net/netip"
	"slices"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// routeSection is what a section [Route] says, before Gateway= says which default route
// its Destination= is.
type routeSection struct {
	Route
	destination string
}

// routeFields are the keys of [Route].
var routeFields = fields[routeSection]{
	"Destination": once(func(_ *parser, r *routeSection, k key) error {
		r.destination = k.value
		return nil
	}),
	"Gateway": once(func(p *parser, r *routeSection, k key) (err error) {
		r.Gateway, err = netip.ParseAddr(k.value)
		if err != nil || r.Gateway.Zone() != "" || r.Gateway.Is4In6() || r.Gateway.IsUnspecified() {
			return p.fail(k.line, "Gateway=%s: expected an address, such as 10.0.0.1 or 2001:db8::1%s", clip(k.value), commentHint(k.value))
		}
		return nil
	}),
	"MultiPathRoute": list((*parser).hop),
	"GatewayOnLink":  set(func(r *routeSection) *bool { return &r.OnLink }, (*parser).yes),
	"Device":         set(func(r *routeSection) *domain.LinkName { return &r.Device }, (*parser).device),
	"Metric":         set(func(r *routeSection) *uint32 { return &r.Metric }, number[uint32](0, 1<<32-1)),
	"Table": once(func(p *parser, r *routeSection, k key) (err error) {
		if p.file.Kind == VRF {
			return p.fail(k.line, "Table= is not for a vrf's routes: they are in the vrf's own table")
		}
		r.Table, err = p.anyTable(k)
		return err
	}),
	"PreferredSource": once(func(p *parser, r *routeSection, k key) (err error) {
		r.Source, err = netip.ParseAddr(k.value)
		if err != nil || r.Source.Zone() != "" || r.Source.Is4In6() || r.Source.IsUnspecified() || r.Source.IsMulticast() {
			return p.fail(k.line, "PreferredSource=%s: expected an address of the domain, such as 10.0.0.2 or 2001:db8::2%s",
				clip(k.value), commentHint(k.value))
		}
		return nil
	}),
	"MTUBytes": set(func(r *routeSection) *uint32 { return &r.MTU }, number[uint32](68, 65535)),
	"Type":     set(func(r *routeSection) *string { return &r.Type }, oneOf(RouteTypes...)),
}

func (p *parser) route(s section) error {
	r := routeSection{Route: Route{Line: s.line, Type: "unicast"}}
	lines, err := routeFields.read(p, &r, s.keys)
	if err != nil {
		return err
	}
	if err := p.destination(&r.Route, r.destination, lines); err != nil {
		return err
	}
	if err := p.localRoute(&r.Route, lines["Type"]); err != nil {
		return err
	}
	p.file.Routes = append(p.file.Routes, r.Route)
	return p.routeTwice(r.Route)
}

// localRoute fills in what a route of Type=local has if the file does not say it, as
// ip-route(8) does: the loopback, and the table of local routes. In a VRF nothing answers by
// such a route: Linux looks in the local table whether a source is its own (__ip_dev_find).
func (p *parser) localRoute(r *Route, line int) error {
	switch {
	case r.Type != "local":
		return nil
	case p.file.Kind == VRF:
		return p.fail(line, "Type=local is not for a vrf: Linux gets what is sent to such an address there, and sends no answer from it")
	case r.Device.IsZero():
		r.Device = loopback
	}
	if r.Table == 0 {
		r.Table = lastReserved
	}
	return nil
}

var loopback, _ = domain.ParseLink("lo")

// device reads a link that the file names, and that it may not make.
func (p *parser) device(k key) (domain.LinkName, error) {
	name, err := p.name(k)
	if err == nil {
		p.file.Devices = append(p.file.Devices, Device{k.line, name})
	}
	return name, err
}

// destination reads Destination= when the gateway is known, which says which
// default route is meant, and looks at the keys together.
func (p *parser) destination(r *Route, s string, lines map[string]int) error {
	line := max(lines["Destination"], r.Line)
	switch {
	case s == "":
		return p.fail(r.Line, "a route needs Destination=, an address with length or default")
	case s == "default" && (r.Gateway.Is6() || r.Source.Is6() || len(r.Hops) > 0 && r.Hops[0].Gateway.Is6()):
		s = "::/0"
	case s == "default":
		s = "0.0.0.0/0"
	}
	var err error
	r.Destination, err = netip.ParsePrefix(s)
	d := r.Destination
	switch {
	case err != nil || d.Addr().Is4In6():
		return p.fail(line, "Destination=%s: expected default or NETWORK/LENGTH, such as 10.1.0.0/16%s", clip(s),
			commentHint(s))
	case d != d.Masked():
		return p.fail(line, "Destination=%s: has bits set behind the length; expected %s", d, d.Masked())
	case r.Gateway.Is4() && d.Addr().Is6():
		return p.fail(lines["Gateway"], "Gateway=%s: expected an address of the same family as Destination=%s", r.Gateway, d)
	case r.Gateway.IsLinkLocalUnicast() && r.Gateway.Is6() && r.Device.IsZero():
		return p.fail(lines["Gateway"], "Gateway=%s needs Device=: such an address is on every link", r.Gateway)
	case r.Type == "unicast" && !r.Gateway.IsValid() && r.Device.IsZero() && len(r.Hops) == 0:
		return p.fail(r.Line, "a route needs Gateway=, MultiPathRoute= or Device=, or another Type=")
	case r.Type != "unicast" && r.Gateway.IsValid():
		return p.fail(lines["Gateway"], "Gateway= is not for Type=%s", r.Type)
	case r.Source.IsValid() && r.Source.Is4() != d.Addr().Is4():
		return p.fail(lines["PreferredSource"], "PreferredSource=%s: expected an address of the same family as Destination=%s", r.Source, d)
	case r.OnLink && (!r.Gateway.IsValid() || r.Device.IsZero()):
		return p.fail(lines["GatewayOnLink"], "GatewayOnLink= needs Gateway= and Device=")
	}
	if err := p.hops(r, lines); err != nil {
		return err
	}
	for _, name := range []string{"Device", "PreferredSource", "MTUBytes", "MultiPathRoute"} {
		if r.Type != "unicast" && lines[name] != 0 && (r.Type != "local" || name[0] == 'M') {
			return p.fail(lines[name], "%s= is not for Type=%s", name, r.Type)
		}
	}
	return nil
}

// hop reads ADDRESS[@LINK] [WEIGHT], one of several gateways.
func (p *parser) hop(r *routeSection, k key) (err error) {
	words := strings.Fields(k.value)
	bad := p.fail(k.line, "MultiPathRoute=%s: expected ADDRESS[@LINK] [WEIGHT], such as 10.0.0.1 or fe80::1@eth0 20, with a weight from 1 to 256%s",
		clip(k.value), commentHint(k.value))
	address, link, named := strings.Cut(words[0], "@")
	h := object.Hop{Weight: 1}
	h.Gateway, err = netip.ParseAddr(address)
	if err != nil || len(words) > 2 || h.Gateway.Zone() != "" || h.Gateway.Is4In6() || h.Gateway.IsUnspecified() {
		return bad
	}
	if len(words) == 2 {
		if h.Weight, err = number[uint32](1, 256)(p, key{k.line, k.name, words[1]}); err != nil {
			return bad
		}
	}
	if named {
		name, err := p.device(key{k.line, k.name, link})
		if err != nil {
			return err
		}
		h.Dev = name.String()
	}
	if slices.ContainsFunc(r.Hops, func(o object.Hop) bool { return o.Gateway == h.Gateway && o.Dev == h.Dev }) {
		return p.fail(k.line, "MultiPathRoute=%s stands twice; a weight says which has a larger share", words[0])
	}
	r.Hops = append(r.Hops, h)
	return nil
}

// hops looks at several gateways together.
func (p *parser) hops(r *Route, lines map[string]int) error {
	line := lines["MultiPathRoute"]
	if line == 0 {
		return nil
	}
	for _, name := range []string{"Gateway", "Device", "GatewayOnLink"} {
		if lines[name] != 0 {
			return p.fail(lines[name], "%s= and MultiPathRoute= exclude each other", name)
		}
	}
	if len(r.Hops) == 1 {
		return p.fail(line, "MultiPathRoute= is for several gateways, each in a line; write Gateway= for one")
	}
	for _, h := range r.Hops {
		switch {
		case h.Gateway.Is4() && r.Destination.Addr().Is6():
			return p.fail(line, "MultiPathRoute=%s: expected an address of the same family as Destination=%s", h.Gateway, r.Destination)
		case h.Gateway.Is6() && h.Gateway.IsLinkLocalUnicast() && h.Dev == "":
			return p.fail(line, "MultiPathRoute=%s needs @LINK: such an address is on every link", h.Gateway)
		}
	}
	return nil
}

// routeKey is what the kernel tells two routes apart by.
type routeKey struct {
	destination   netip.Prefix
	metric, table uint32
}

func (p *parser) routeTwice(r Route) error {
	key := routeKey{r.Destination, r.metric(), r.Table}
	if first := p.routes[key]; first != 0 {
		return p.fail(r.Line, "route to %s stands twice, first in line %d; a Metric= would tell them apart",
			r.Destination, first)
	}
	p.routes[key] = r.Line
	return nil
}

// metric is the metric that the kernel gives the route: 0 means 1024 in IPv6
// (IP6_RT_PRIO_USER).
func (r Route) metric() uint32 {
	if r.Metric == 0 && r.Destination.Addr().Is6() {
		return 1024
	}
	return r.Metric
}
