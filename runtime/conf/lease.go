package conf

import (
	"slices"

	"rdgen/runtime/object"
)

// LeaseMetric is the metric of a lease's routes: one of the file comes before it.
const LeaseMetric = 1024

// noDHCP are kinds of link that have no hardware address, or one that others have too.
var noDHCP = map[string]bool{"gre": true, "ip6gre": true, "ipip": true, "sit": true, "tun": true, "wireguard": true, "ipvlan": true, "dummy": true}

func (p *parser) dhcp(k key) (bool, error) {
	switch k.value {
	case "ipv4":
		return true, nil
	case "no":
		return false, nil
	}
	return false, p.fail(k.line, "DHCP=%s: expected ipv4 or no", clip(k.value))
}

// Asks reports whether a link of the file has its address by DHCP.
func (f *File) Asks() bool {
	return slices.ContainsFunc(f.Links, func(l Link) bool { return l.DHCP })
}

// HasResolver reports whether the domain has resolver files of its own: where DHCP= is,
// also before there is a lease.
func (f *File) HasResolver() bool { return len(f.DNS) > 0 || f.Asks() }

// With returns the file with what leases provide for it, of those that hold at a time in
// seconds of the machine's uptime. The file's own resolvers come instead of those of a
// lease.
func (f *File) With(leases []object.Lease, now int64) *File {
	c := *f
	c.Links, c.Routes = slices.Clone(f.Links), slices.Clip(f.Routes)
	c.DNS, c.Search = slices.Clip(f.DNS), slices.Clip(f.Search)
	for i, link := range c.Links {
		at := slices.IndexFunc(leases, func(l object.Lease) bool { return l.Link == link.Name.String() && l.Holds(now) })
		if !link.DHCP || at < 0 {
			continue
		}
		l, line := leases[at], link.LineOf("DHCP")
		if !slices.ContainsFunc(link.Addresses, func(a Address) bool { return a.Prefix == l.Address }) {
			given := Address{Line: line, Prefix: l.Address}
			if l.End != 0 {
				given.Valid = uint32(l.End - now)
			}
			c.Links[i].Addresses = append(slices.Clip(link.Addresses), given)
		}
		for _, r := range l.Routes {
			c.Routes = append(c.Routes, Route{Line: line, Destination: r.Destination, Gateway: r.Gateway, Device: link.Name, Metric: LeaseMetric,
				Type: "unicast", Source: l.Address.Addr(), OnLink: r.Gateway.IsValid() && !l.Address.Contains(r.Gateway)})
		}
		if len(f.DNS) > 0 {
			continue
		}
		for _, a := range l.DNS {
			if !slices.ContainsFunc(c.DNS, func(o Server) bool { return o.Addr == a }) && len(c.DNS) < mostLeased {
				c.DNS, c.DNSLine = append(c.DNS, Server{line, a}), line
			}
		}
		for _, name := range l.Search {
			if !slices.Contains(c.Search, name) && len(c.Search) < mostSearched {
				c.Search = append(c.Search, name)
			}
		}
	}
	return &c
}

// What resolvers take (resolv.conf(5)).
const mostLeased, mostSearched = 3, 6

// Leased returns the address that a lease gives a link, with what is left of its time; ok
// is false if there is none.
func (l Link) Leased(leases []object.Lease, now int64) (lease object.Lease, ok bool) {
	at := slices.IndexFunc(leases, func(o object.Lease) bool { return o.Link == l.Name.String() && o.Holds(now) })
	if at < 0 {
		return object.Lease{}, false
	}
	return leases[at], l.DHCP
}
