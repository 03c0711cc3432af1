package object

import "net/netip"

// Lease is what a DHCP server gave a link. All of it is checked: a server is anybody on the
// link.
type Lease struct {
	Link    string       `json:"link"`
	Address netip.Prefix `json:"address"`
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

// Is6 reports whether it is a lease of DHCPv6.
func (l Lease) Is6() bool { return l.Address.Addr().Is6() }

// Holds reports whether the lease has not ended at a time.
func (l Lease) Holds(now int64) bool { return l.End == 0 || now < l.End }
