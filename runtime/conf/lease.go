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

// Asked are the families of which the link has an address by DHCP, true for IPv6.
func (l Link) Asked() (families []bool) {
	if l.DHCP {
		families = append(families, false)
	}
	if l.DHCP6 {
		families = append(families, true)
	}
	return families
}

// Asks reports whether a link of the file has an address by DHCP.
func (f *File) Asks() bool {
	return slices.ContainsFunc(f.Links, func(l Link) bool { return len(l.Asked()) > 0 })
}

// Tended reports whether there is work on a domain that is up, besides keeping it as it was
// made: leases, and endpoints that are looked up again.
func (f *File) Tended() bool {
	return f.Asks() || slices.ContainsFunc(f.Links, func(l Link) bool { return l.ReResolve > 0 })
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
		for _, v6 := range link.Asked() {
			if l, ok := link.Leased(leases, v6, now); ok {
				c.lease(&c.Links[i], l, now, len(f.DNS) > 0)
			}
		}
	}
	return &c
}

// lease adds what a lease gives a link; resolved: the file has resolvers of its own.
func (f *File) lease(link *Link, l object.Lease, now int64, resolved bool) {
	line := link.LineOf("DHCP")
	if !slices.ContainsFunc(link.Addresses, func(a Address) bool { return a.Prefix == l.Address }) {
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

// Leased returns the lease that the link has of a family; ok is false if there is none.
func (l Link) Leased(leases []object.Lease, v6 bool, now int64) (lease object.Lease, ok bool) {
	at := slices.IndexFunc(leases, func(o object.Lease) bool { return o.Link == l.Name.String() && o.Is6() == v6 && o.Holds(now) })
	if at < 0 {
		return object.Lease{}, false
	}
	return leases[at], slices.Contains(l.Asked(), v6)
}
