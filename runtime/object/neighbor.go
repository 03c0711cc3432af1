package object

import (
	"net/netip"

	"rdgen/runtime/domain"
)

// Neighbor is a permanent entry of a link's table of neighbours.
type Neighbor struct {
	Netns   domain.NetnsName `json:"netns,omitzero"`
	Dev     string           `json:"dev"`
	Address netip.Addr       `json:"address"`
	// MAC is the neighbour's hardware address, in lower case with colons.
	MAC string `json:"mac"`
}

// Key is the link and the address.
func (n Neighbor) Key() Key { return Key{"neighbor", n.Netns, n.Dev + " " + n.Address.String()} }

// On is the link.
func (n Neighbor) On() string { return n.Dev }

// NeedsIPv4 reports whether the entry goes with the last IPv4 address of its link.
func (n Neighbor) NeedsIPv4() bool { return n.Address.Is4() }

func (n Neighbor) command(v Verb) []string {
	w := in(n.Netns, "neighbor", string(v), n.Address.String())
	if v != Delete {
		w = append(w, "lladdr", n.MAC)
	}
	w = append(w, "dev", n.Dev)
	if v != Delete {
		w = append(w, "nud", "permanent")
	}
	return w
}
