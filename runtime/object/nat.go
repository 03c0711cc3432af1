package object

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

// NAT is a table of nftables in an outer namespace, by which the packets of one domain
// leave it, and those for the domain's published ports get in.
type NAT struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	// Table is its name, of family inet.
	Table string `json:"table"`
	// Rules are a [NATRule] a line. A line that is none says that the table was changed.
	Rules string `json:"rules"`
}

// NATTable returns the name of a domain's table. An ID may have an "@", which no
// table's name has, and has no "/".
func NATTable(d domain.Domain) string {
	return "rdomain/" + strings.ReplaceAll(d.ID(), "@", "/")
}

// NATRule is what a table does for a link, the other end of a domain's, and a family.
type NATRule struct {
	// What is one of:
	//
	//	masquerade  what comes in by the link gets the address of the link it leaves by
	//	publish     what is for Listen goes to Connect
	//	guard       no connection is forwarded to Connect's address but what is published
	//	answers     no connection is forwarded from the link
	What string
	Link string
	IPv6 bool
	// Protocol is tcp or udp. Listen has no address where each of the namespace's own is
	// meant, but those of its loopback.
	Protocol        string
	Listen, Connect netip.AddrPort
}

// Family is the name of a family in nft(8) and in files.
func Family(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ipv4"
}

// String is the line of a rule.
func (r NATRule) String() string {
	s := r.What + " " + r.Link + " " + Family(r.IPv6)
	switch r.What {
	case "publish":
		listen := "*"
		if r.Listen.Addr().IsValid() {
			listen = r.Listen.Addr().String()
		}
		s += fmt.Sprintf(" %s %s %d %s", r.Protocol, listen, r.Listen.Port(), r.Connect)
	case "guard":
		s += " " + r.Connect.Addr().String()
	}
	return s
}

// NATRules returns the rules, and whether the table has no others.
func (n NAT) NATRules() (list []NATRule, known bool) {
	for line := range strings.Lines(n.Rules) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] == "#" {
			return nil, false
		}
		r := NATRule{What: f[0], Link: f[1], IPv6: f[2] == Family(true)}
		switch {
		case r.What == "publish" && len(f) == 7:
			r.Protocol = f[3]
			port, _ := strconv.ParseUint(f[5], 10, 16)
			listen, _ := netip.ParseAddr(f[4])
			r.Listen = netip.AddrPortFrom(listen, uint16(port))
			r.Connect, _ = netip.ParseAddrPort(f[6])
		case r.What == "guard" && len(f) == 4:
			to, _ := netip.ParseAddr(f[3])
			r.Connect = netip.AddrPortFrom(to, 0)
		}
		list = append(list, r)
	}
	return list, true
}

// NATChains are the chains that a table may have, and how each begins in nft(8).
var NATChains = [][2]string{
	{"prerouting", "type nat hook prerouting priority dstnat;"}, {"output", "type nat hook output priority -100;"},
	{"forward", "type filter hook forward priority filter;"}, {"postrouting", "type nat hook postrouting priority srcnat;"},
}

// In returns the rule in the words of nft(8), as it is in a chain; "" if it is not there.
func (r NATRule) In(chain string) string {
	family := "meta nfproto " + Family(r.IPv6) + " "
	ip := map[bool]string{false: "ip", true: "ip6"}[r.IPv6]
	switch r.What + " " + chain {
	case "masquerade postrouting":
		return fmt.Sprintf("iifname %q %smasquerade", r.Link, family)
	case "answers forward":
		return fmt.Sprintf("iifname %q %sct state new drop", r.Link, family)
	case "guard forward":
		return fmt.Sprintf("oifname %q %s daddr %s ct state new ct status & dnat == 0 drop", r.Link, ip, r.Connect.Addr())
	case "publish prerouting", "publish output":
		to := fmt.Sprintf("%s daddr %s", ip, r.Listen.Addr())
		if !r.Listen.Addr().IsValid() {
			loopback := map[bool]string{false: "127.0.0.0/8", true: "::1"}[r.IPv6]
			to = fmt.Sprintf("fib daddr type local %s daddr != %s", ip, loopback)
		}
		return fmt.Sprintf("%s%s %s dport %d dnat %s to %s", family, to, r.Protocol, r.Listen.Port(), ip, r.Connect)
	}
	return ""
}

// Key is the table.
func (n NAT) Key() Key { return Key{"nat", n.Netns, n.Table} }

// On is no link: the table names links that need not exist.
func (n NAT) On() string { return "" }

func (n NAT) command(v Verb) []string {
	script := "delete table inet " + n.Table
	if v != Delete {
		add := "table inet " + n.Table + " {"
		rules, _ := n.NATRules()
		for _, c := range NATChains {
			text := ""
			for _, r := range rules {
				if rule := r.In(c[0]); rule != "" {
					text += " " + rule + ";"
				}
			}
			if text != "" {
				add += fmt.Sprintf(" chain %s { %s%s };", c[0], c[1], text)
			}
		}
		if add += " }"; v == Replace {
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
