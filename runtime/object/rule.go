package object

import (
	"net/netip"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

// Rule is a rule of the routing policy database.
type Rule struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	IPv6  bool             `json:"ipv6,omitempty"`
	Pref  uint32           `json:"pref"`
	// Not inverts the selectors.
	Not bool `json:"not,omitempty"`
	// From, To, Mark, In and Out select packets; zero selects all.
	From netip.Prefix `json:"from,omitzero"`
	To   netip.Prefix `json:"to,omitzero"`
	Mark uint32       `json:"mark,omitempty"`
	// Mask is that of Mark; 0 stands for all bits.
	Mask uint32 `json:"mask,omitempty"`
	In   string `json:"in,omitempty"`
	Out  string `json:"out,omitempty"`
	// UIDs are the numbers of the users whose sockets send the packets, IPProtocol is the
	// number of what is in them (6 for TCP), and the ports are those of that.
	UIDs             Range `json:"uids,omitzero"`
	IPProtocol       uint8 `json:"ip_protocol,omitempty"`
	SourcePorts      Range `json:"source_ports,omitzero"`
	DestinationPorts Range `json:"destination_ports,omitzero"`
	// L3mdev: the rule applies to packets of a VRF; the table is the VRF's.
	L3mdev bool `json:"l3mdev,omitempty"`
	// Table is 0 where the rule has none.
	Table uint32 `json:"table,omitempty"`
	// SuppressPrefixLength ignores a found route whose prefix has at most so
	// many bits less one: 0 is not given, 1 ignores default routes.
	SuppressPrefixLength uint32 `json:"suppress,omitempty"`
	// Type is "" for a lookup in Table; unreachable, blackhole or prohibit.
	Type     string `json:"type,omitempty"`
	Protocol uint8  `json:"protocol,omitempty"`
	// Other is true for a rule with any other selector or action; it is only
	// set by reading, and such a rule is never one of ours.
	Other bool `json:"-"`
}

// Range is numbers from First up to, and without, End. The zero Range is none.
type Range struct {
	First uint32 `json:"first"`
	End   uint32 `json:"end"`
}

// IsZero reports whether it is none.
func (r Range) IsZero() bool { return r.End == 0 }

// Last returns the last number.
func (r Range) Last() uint32 { return r.End - 1 }

// String returns it as FIRST-LAST, or as a number if it is one.
func (r Range) String() string {
	if r.First == r.Last() {
		return utoa(r.First)
	}
	return utoa(r.First) + "-" + utoa(r.Last())
}

// Shared reports whether the rule is one of those that all VRFs of a namespace
// share: the lookup in a VRF's table, its end, that for what a VRF's sockets send
// elsewhere, and that of the local table. No domain's file can ask for such a rule.
func (r Rule) Shared() bool {
	return r.marked() || (r.L3mdev || r.Table == LocalTable) && !r.Other && !r.Selects()
}

// marked reports whether the rule is for all that has domain.VRFMark.
func (r Rule) marked() bool {
	return r.Same(Rule{IPv6: r.IPv6, Netns: r.Netns, Pref: r.Pref, Mark: domain.VRFMark, Mask: domain.VRFMark, Type: "unreachable"})
}

// Selects reports whether the rule is for some packets only.
func (r Rule) Selects() bool {
	return r.Not || r.From.IsValid() || r.To.IsValid() || r.Mark != 0 || r.Mask != 0 || r.In != "" || r.Out != "" ||
		!r.UIDs.IsZero() || r.IPProtocol != 0 || !r.SourcePorts.IsZero() || !r.DestinationPorts.IsZero()
}

func (r Rule) command(v Verb) []string {
	var w []string
	if r.IPv6 {
		w = []string{"-6"}
	}
	w = append(w, "rule", string(v), "pref", utoa(r.Pref))
	if r.Not {
		w = append(w, "not")
	}
	if r.From.IsValid() {
		w = append(w, "from", r.From.String())
	}
	if r.To.IsValid() {
		w = append(w, "to", r.To.String())
	}
	if r.Mark != 0 || r.Mask != 0 {
		mark := hex(r.Mark)
		if r.Mask != 0 {
			mark += "/" + hex(r.Mask)
		}
		w = append(w, "fwmark", mark)
	}
	if r.In != "" {
		w = append(w, "iif", r.In)
	}
	if r.Out != "" {
		w = append(w, "oif", r.Out)
	}
	if r.L3mdev {
		w = append(w, "l3mdev")
	}
	w = append(w, r.flow()...)
	if r.Table != 0 {
		w = append(w, "table", tableName(r.Table))
	}
	if r.SuppressPrefixLength != 0 {
		w = append(w, "suppress_prefixlength", utoa(r.SuppressPrefixLength-1))
	}
	if r.Type != "" {
		w = append(w, r.Type)
	}
	if r.Protocol != 0 && v != Delete {
		w = append(w, "protocol", protocolName(r.Protocol))
	}
	return in(r.Netns, w...)
}

// flow returns the words for what is in the packets, and who sends it. The protocol is a
// number: ip(8) knows names only where there is /etc/protocols.
func (r Rule) flow() (w []string) {
	if !r.UIDs.IsZero() {
		w = append(w, "uidrange", utoa(r.UIDs.First)+"-"+utoa(r.UIDs.Last()))
	}
	if r.IPProtocol != 0 {
		w = append(w, "ipproto", utoa(uint32(r.IPProtocol)))
	}
	if !r.SourcePorts.IsZero() {
		w = append(w, "sport", r.SourcePorts.String())
	}
	if !r.DestinationPorts.IsZero() {
		w = append(w, "dport", r.DestinationPorts.String())
	}
	return w
}

// Key is all of it but who made it, as Same has it.
func (r Rule) Key() Key {
	return Key{"rule", r.Netns, strings.Join(r.command(Delete), " ")}
}

// On is no link: a rule stays when its link is deleted.
func (r Rule) On() string { return "" }

// Same reports whether two rules do the same, whoever made them.
func (r Rule) Same(o Rule) bool {
	r.Protocol, o.Protocol = 0, 0
	return r == o
}

func hex(n uint32) string { return "0x" + strconv.FormatUint(uint64(n), 16) }
