package conf

import (
	"slices"

	"rdgen/runtime/object"
)

// LeaseMetric is the metric of a lease's routes: one of the file comes before it.
const LeaseMetric = 1024

// noDHCP are kinds of link that have no hardware address, or one that others have too.
var noDHCP = map[string]bool{"gre": true, "ip6gre": true, "ipip": true, "sit": true, "tun": true, "wireguard": true, "ipvlan": true, "dummy": true}

func (p *parser) dhcp(l *Link, k key) error {
	if _, err := oneOf("yes", "ipv4", "ipv6", "no")(p, k); err != nil {
		return err
	}
	l.DHCP, l.DHCP6 = k.value == "yes" || k.value == "ipv4", k.value == "yes" || k.value == "ipv6"
	return nil
}

// Asked are the protocols by which the link is given something.
func (l Link) Asked() (list []object.Protocol) {
	if l.DHCP {
		list = append(list, object.DHCP)
	}
	if l.DHCP6 {
		list = append(list, object.DHCP6)
	}
	if l.AcceptRA == "yes" {
		list = append(list, object.Routers)
	}
	return list
}

// AskedAt is the line that asks for a protocol.
func (l Link) AskedAt(by object.Protocol) int {
	if by == object.Routers {
		return l.LineOf("IPv6AcceptRA")
	}
	return l.LineOf("DHCP")
}

// Asks reports whether a link of the file is given something by the network.
func (f *File) Asks() bool {
	return slices.ContainsFunc(f.Links, func(l Link) bool { return len(l.Asked()) > 0 })
}

// Tended reports whether there is work on a domain that is up, besides keeping it as it was
// made: leases, and endpoints that are looked up again.
func (f *File) Tended() bool {
	return f.Asks() || slices.ContainsFunc(f.Links, func(l Link) bool { return l.ReResolve > 0 })
}

// HasResolver reports whether the domain has resolver files of its own: where DHCP= is,
// also before there is a lease, and where routers are listened to.
func (f *File) HasResolver() bool { return len(f.DNS) > 0 || f.Asks() }

// With returns the file with what leases provide for it, of those that hold at a time in
// seconds of the machine's uptime. The file's own resolvers come instead of those of a
// lease.
func (f *File) With(leases []object.Lease, now int64) *File {
	c := *f
	c.Links, c.Routes = slices.Clone(f.Links), slices.Clip(f.Routes)
	c.DNS, c.Search = slices.Clip(f.DNS), slices.Clip(f.Search)
	for i, link := range c.Links {
		for _, by := range link.Asked() {
			if l, ok := link.Leased(leases, by, now); ok {
				c.lease(&c.Links[i], l, now, len(f.DNS) > 0)
			}
		}
	}
	return &c
}

// lease adds what a lease gives a link; resolved: the file has resolvers of its own.
func (f *File) lease(link *Link, l object.Lease, now int64, resolved bool) {
	line := link.AskedAt(l.Protocol())
	if l.Address.IsValid() && !slices.ContainsFunc(link.Addresses, func(a Address) bool { return a.Prefix == l.Address }) {
		given := Address{Line: line, Prefix: l.Address}
		if l.End != 0 {
			given.Valid = uint32(l.End - now)
		}
		link.Addresses = append(slices.Clone(link.Addresses), given)
	}
	for _, r := range l.Routes {
		f.Routes = append(f.Routes, Route{Line: line, Destination: r.Destination, Gateway: r.Gateway, Device: link.Name, Metric: LeaseMetric,
			Type: "unicast", Source: l.Address.Addr(), OnLink: r.Gateway.IsValid() && !l.Address.Contains(r.Gateway)})
	}
	if resolved {
		return
	}
	for _, a := range l.DNS {
		if !slices.ContainsFunc(f.DNS, func(o Server) bool { return o.Addr == a }) && len(f.DNS) < mostLeased {
			f.DNS, f.DNSLine = append(f.DNS, Server{line, a}), line
		}
	}
	for _, name := range l.Search {
		if !slices.Contains(f.Search, name) && len(f.Search) < mostSearched {
			f.Search = append(f.Search, name)
		}
	}
}

// What resolvers take (resolv.conf(5)).
const mostLeased, mostSearched = 3, 6

// Leased returns what the link has by a protocol; ok is false if there is nothing.
func (l Link) Leased(leases []object.Lease, by object.Protocol, now int64) (lease object.Lease, ok bool) {
	at := slices.IndexFunc(leases, func(o object.Lease) bool { return o.Link == l.Name.String() && o.Protocol() == by && o.Holds(now) })
	if at < 0 {
		return object.Lease{}, false
	}
	return leases[at], slices.Contains(l.Asked(), by)
}
