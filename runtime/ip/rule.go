package ip

// Rule is a rule of the routing policy database.
type Rule struct {
	Netns string `json:"netns,omitempty"`
	IPv6  bool   `json:"ipv6,omitempty"`
	Pref  uint32 `json:"pref"`
	// L3mdev: the rule applies to packets of a VRF; the table is the VRF's.
	L3mdev bool `json:"l3mdev,omitempty"`
	// Table is 0 where the rule has none.
	Table       uint32 `json:"table,omitempty"`
	Unreachable bool   `json:"unreachable,omitempty"`
	Protocol    uint8  `json:"protocol,omitempty"`
	// Other is true for a rule with any other selector or action; it is only
	// set by reading, and such a rule is never one of ours.
	Other bool `json:"-"`
}

func (r Rule) command(v Verb) []string {
	var w []string
	if r.IPv6 {
		w = []string{"-6"}
	}
	w = append(w, "rule", string(v), "pref", utoa(r.Pref))
	if r.L3mdev {
		w = append(w, "l3mdev")
	}
	if r.Table != 0 {
		w = append(w, "table", tableName(r.Table))
	}
	if r.Unreachable {
		w = append(w, "unreachable")
	}
	if r.Protocol != 0 && v != Delete {
		w = append(w, "protocol", protocolName(r.Protocol))
	}
	return in(r.Netns, w...)
}

// Same reports whether two rules do the same, whoever made them.
func (r Rule) Same(o Rule) bool {
	r.Protocol, o.Protocol = 0, 0
	return r == o
}
