package object

import (
	"fmt"
	"strings"

	"rdgen/runtime/domain"
)

// NAT is a table of nftables in an outer namespace, by which the packets of one domain
// leave it.
type NAT struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	// Table is its name, of family inet.
	Table string `json:"table"`
	// Rules are those of its one chain, a [Masquerade] a line. A line that is none is one
	// that somebody else made.
	Rules string `json:"rules"`
}

// NATTable returns the name of a domain's table. An ID may have an "@", which no
// table's name has, and has no "/".
func NATTable(d domain.Domain) string {
	return "rdomain/" + strings.ReplaceAll(d.ID(), "@", "/")
}

// Masquerade is a rule: what comes in by a link gets the address of the link by which
// it leaves.
type Masquerade struct {
	Link string
	IPv6 bool
}

const masquerade = "iifname %q meta nfproto %s masquerade"

// String is the rule in the words of nft(8).
func (m Masquerade) String() string { return fmt.Sprintf(masquerade, m.Link, Family(m.IPv6)) }

// Family is the name of a family in nft(8) and in files.
func Family(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ipv4"
}

// Masquerades returns the rules.
func (n NAT) Masquerades() (list []Masquerade) {
	for line := range strings.Lines(n.Rules) {
		var link, family string
		if _, err := fmt.Sscanf(line, masquerade, &link, &family); err == nil {
			list = append(list, Masquerade{link, family == Family(true)})
		}
	}
	return list
}

// Key is the table.
func (n NAT) Key() Key { return Key{"nat", n.Netns, n.Table} }

// On is no link: the table names links that need not exist.
func (n NAT) On() string { return "" }

func (n NAT) command(v Verb) []string {
	script := "delete table inet " + n.Table
	if v != Delete {
		rules := strings.ReplaceAll(n.Rules, "\n", "; ")
		add := fmt.Sprintf("table inet %s { chain postrouting { type nat hook postrouting priority srcnat; %s}; }", n.Table, rules)
		if v == Replace {
			add = fmt.Sprintf("add table inet %s; %s; ", n.Table, script) + add
		}
		script = add
	}
	return inside(n.Netns, "nft", quoteShell(script))
}

// Forwarding is that a namespace forwards packets of one family between its links. All
// domains that need it share it, and the last one gives it back.
type Forwarding struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	IPv6  bool             `json:"ipv6,omitempty"`
}

// Key is the family.
func (f Forwarding) Key() Key { return Key{"forwarding", f.Netns, Family(f.IPv6)} }

// On is no link.
func (f Forwarding) On() string { return "" }

// Path is the variable's below /proc/sys.
func (f Forwarding) Path() string {
	if f.IPv6 {
		return "net/ipv6/conf/all/forwarding"
	}
	return "net/ipv4/ip_forward"
}

func (f Forwarding) command(v Verb) []string {
	if v == Delete {
		return []string{"#", f.Path(), "is", "given", "back,", "unless", "another", "domain", "needs", "it"}
	}
	return inside(f.Netns, "sysctl", "-qw", f.Path()+"=1")
}

// inside is a command line of a program in a namespace, or in the caller's.
func inside(netns domain.NetnsName, words ...string) []string {
	if netns.IsZero() {
		return words
	}
	return append([]string{"ip", "netns", "exec", netns.String()}, words...)
}
