package object

import "net/netip"

// Protocol is by which a link is given something.
type Protocol string

// Those that there are. Of router advertisements it is the resolvers alone: addresses and
// routes are the kernel's work.
const (
	DHCP    Protocol = "DHCP"
	DHCP6   Protocol = "DHCPv6"
	Routers Protocol = "router advertisements"
)

// Server is who answers.
func (p Protocol) Server() string {
	if p == Routers {
		return "router"
	}
	return string(p) + " server"
}

// Lease is what a DHCP server, or a router, gave a link. All of it is checked: a server is
// anybody on the link.
type Lease struct {
	Link string `json:"link"`
	// Address is none in what a router says.
	Address netip.Prefix `json:"address,omitzero"`
	Server  netip.Addr   `json:"server,omitzero"`
	// ServerID is how a server of DHCPv6 calls itself, in hexadecimal digits.
	ServerID string       `json:"server_id,omitempty"`
	Routes   []LeaseRoute `json:"routes,omitempty"`
	DNS      []netip.Addr `json:"dns,omitempty"`
	Search   []string     `json:"search,omitempty"`
	// Renew and End are when the lease is to be renewed and when it ends, in seconds of the
	// machine's uptime, which no setting of the clock changes. End is 0 for never.
	Renew int64 `json:"renew"`
	End   int64 `json:"end,omitempty"`
}

// LeaseRoute is a route of a lease. Without a gateway it is to the link itself.
type LeaseRoute struct {
	Destination netip.Prefix `json:"destination"`
	Gateway     netip.Addr   `json:"gateway,omitzero"`
}

// Protocol is by which it came.
func (l Lease) Protocol() Protocol {
	switch a := l.Address.Addr(); {
	case a.Is6():
		return DHCP6
	case a.Is4():
		return DHCP
	}
	return Routers
}

// Holds reports whether the lease has not ended at a time.
func (l Lease) Holds(now int64) bool { return l.End == 0 || now < l.End }
