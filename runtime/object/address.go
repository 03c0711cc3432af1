package object

import (
	"net/netip"

	"rdgen/runtime/domain"
)

// Address is an address of a link, with all that is needed to give it to the
// link again after a move has taken it away.
type Address struct {
	Netns  domain.NetnsName `json:"netns,omitzero"`
	Dev    string           `json:"dev"`
	Prefix netip.Prefix     `json:"prefix"`
	// Peer is the far address of a point-to-point address, whose prefix
	// length is then Peer's.
	Peer      netip.Prefix `json:"peer,omitzero"`
	Broadcast netip.Addr   `json:"broadcast,omitzero"`
	Label     string       `json:"label,omitempty"`
	Scope     uint8        `json:"scope,omitempty"`
	Metric    uint32       `json:"metric,omitempty"`
	// Flags are IFA_F_*, those alone that can be set.
	Flags uint32 `json:"flags,omitempty"`
	// Valid and Preferred are lifetimes in seconds; 0 stands for forever.
	Valid     uint32 `json:"valid,omitempty"`
	Preferred uint32 `json:"preferred,omitempty"`
}

// NewAddress returns an address as ip(8) makes it: 127.0.0.0/8 has the scope of
// the host.
func NewAddress(netns domain.NetnsName, dev string, p netip.Prefix) Address {
	a := Address{Netns: netns, Dev: dev, Prefix: p}
	a.Scope = a.usualScope()
	return a
}

// usualScope is the RT_SCOPE_* that ip(8) gives an address: host (254) for an
// IPv4 loopback address, global (0) for others.
func (a Address) usualScope() uint8 {
	if a.Prefix.Addr().Is4() && a.Prefix.Addr().IsLoopback() {
		return 254
	}
	return 0
}

// Key is the link, the address with its length, and the far one.
func (a Address) Key() Key {
	return Key{"address", a.Netns, a.Dev + " " + a.Prefix.String() + " " + a.Peer.String()}
}

// On is the link.
func (a Address) On() string { return a.Dev }

func (a Address) command(v Verb) []string {
	w := in(a.Netns, "address", string(v))
	if a.Peer.IsValid() {
		w = append(w, a.Prefix.Addr().String(), "peer", a.Peer.String())
	} else {
		w = append(w, a.Prefix.String())
	}
	if v == Delete {
		return append(w, "dev", a.Dev)
	}
	if a.Broadcast.IsValid() {
		w = append(w, "broadcast", a.Broadcast.String())
	}
	if a.Label != "" && a.Label != a.Dev {
		w = append(w, "label", a.Label)
	}
	if a.Scope != a.usualScope() {
		w = append(w, "scope", scopeName(a.Scope))
	}
	if a.Metric != 0 {
		w = append(w, "metric", utoa(a.Metric))
	}
	w = append(w, "dev", a.Dev)
	if a.Valid != 0 {
		w = append(w, "valid_lft", utoa(a.Valid), "preferred_lft", utoa(a.Preferred))
	}
	for _, f := range addressFlags {
		if a.Flags&f.bit != 0 {
			w = append(w, f.name)
		}
	}
	return w
}

// AddressFlags is the set of IFA_F_* flags (include/uapi/linux/if_addr.h) that
// a caller of the kernel may set; the others are states.
const AddressFlags = 0x02 | 0x10 | 0x100 | 0x200 | 0x400

var addressFlags = []struct {
	bit  uint32
	name string
}{
	{0x02, "nodad"}, {0x10, "home"}, {0x100, "mngtmpaddr"}, {0x200, "noprefixroute"}, {0x400, "autojoin"},
}
