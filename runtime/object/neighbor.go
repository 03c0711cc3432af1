package object

import "net/netip"

// Neighbor is a permanent entry of a link's table of neighbours.
type Neighbor struct {
	Netns   string     `json:"netns,omitempty"`
	Dev     string     `json:"dev"`
	Address netip.Addr `json:"address"`
	// MAC is the neighbour's hardware address, in lower case with colons.
	MAC string `json:"mac"`
}

// Key is what the kernel tells two neighbours of a namespace apart by.
func (n Neighbor) Key() string { return n.Dev + " " + n.Address.String() }

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
