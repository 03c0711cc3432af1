package nat

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Filter is a chain that sees what is forwarded, with those that it jumps to.
type Filter struct {
	// Family and Table are the table's name, Legacy whether it is one of iptables-legacy.
	Family, Table string
	Legacy        bool
	// Chain is where packets come in.
	Chain  string
	drops  bool // what none of its rules speaks of
	chains map[string][]rule
}

var families = map[nftables.TableFamily]string{nftables.TableFamilyINet: "inet", nftables.TableFamilyIPv4: "ip", nftables.TableFamilyIPv6: "ip6"}

// Filters returns the chains that what is forwarded comes to: accepted by one, a packet still
// has to pass all others. Tables of rdomain itself are left out.
func Filters() (list []Filter, err error) {
	pl, err := here()
	if err != nil {
		return nil, err
	}
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	chains, err := c.ListChains()
	if err != nil {
		return nil, err
	}
	for _, ch := range chains {
		family, ok := families[ch.Table.Family]
		if !ok || ch.Hooknum == nil || *ch.Hooknum != *nftables.ChainHookForward || strings.HasPrefix(ch.Table.Name, "rdomain/") {
			continue
		}
		f := Filter{Family: family, Table: ch.Table.Name, Chain: ch.Name, drops: ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop}
		if f.chains, err = rules(c, pl, ch.Table, chains); err != nil {
			return nil, fmt.Errorf("table %s %s: %w", f.Family, f.Table, err)
		}
		list = append(list, f)
	}
	old, err := legacy(pl)
	return append(list, old...), err
}

// rules reads the rules of a table's chains.
func rules(c *nftables.Conn, pl place, t *nftables.Table, chains []*nftables.Chain) (map[string][]rule, error) {
	out, sets, used := map[string][]rule{}, map[string]set{}, map[string]bool{}
	for _, ch := range chains {
		if ch.Table.Name != t.Name || ch.Table.Family != t.Family {
			continue
		}
		list, err := c.GetRules(t, ch)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		out[ch.Name] = nil
		for _, r := range list {
			out[ch.Name] = append(out[ch.Name], func(p Packet) outcome { return pl.judge(r.Exprs, sets, p) })
			for _, e := range r.Exprs {
				if l, ok := e.(*expr.Lookup); ok {
					used[l.SetName] = true
				}
			}
		}
	}
	if len(used) == 0 {
		return out, nil
	}
	all, err := c.GetSets(t)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if !used[s.Name] {
			continue
		}
		list, err := c.GetSetElements(s)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		sets[s.Name] = set{s.Interval, list}
	}
	return out, nil
}

// here reads what is the same for all packets in the calling thread's namespace.
func here() (place, error) {
	pl := place{index: map[string]uint32{}, uplink: map[bool]string{}}
	links, err := net.Interfaces()
	for _, l := range links {
		pl.index[l.Name] = uint32(l.Index)
	}
	// The kernel lists the best route of a network first.
	four, _ := os.ReadFile("/proc/thread-self/net/route")
	for line := range strings.Lines(string(four)) {
		if w := strings.Fields(line); len(w) > 7 && w[1] == "00000000" && w[7] == "00000000" && pl.uplink[false] == "" {
			pl.uplink[false] = w[0]
		}
	}
	six, _ := os.ReadFile("/proc/thread-self/net/ipv6_route")
	for line := range strings.Lines(string(six)) {
		if w := strings.Fields(line); len(w) == 10 && strings.Trim(w[0], "0") == "" && w[1] == "00" && w[9] != "lo" && pl.uplink[true] == "" {
			pl.uplink[true] = w[9]
		}
	}
	return pl, err
}

// Drops reports whether a packet is dropped, as far as that can be said of one of which
// neither ports nor the other side's address are known.
func (f Filter) Drops(p Packet) bool {
	if f.Family == "ip" && p.IPv6 || f.Family == "ip6" && !p.IPv6 {
		return false
	}
	v := walk(f.chains, f.Chain, p, false, 0)
	return v == dropped || v == goOn && f.drops
}

// String is the chain's name for a person.
func (f Filter) String() string {
	s := fmt.Sprintf("chain %s of table %s %s", f.Chain, f.Family, f.Table)
	if f.Legacy {
		s += " (iptables-legacy)"
	}
	return s
}

// Passes returns the commands by which packets like p would pass, in the words of what made the
// table: the first of a connection, and the answers.
func (f Filter) Passes(p Packet, first, answers bool) string {
	way, back, direction := "i", "o", "in"
	if p.In {
		way, back, direction = "o", "i", "out"
	}
	// What was switched off leaves chains behind, and its command changes nothing.
	comesTo := func(chain string) bool { return comes(f.chains, f.Chain, p, chain, 0) }
	tool := map[string]string{"ip": "iptables", "ip6": "ip6tables"}[f.Family]
	if f.Legacy {
		tool += "-legacy"
	}
	command := tool + " -I FORWARD -%s %s%s -j ACCEPT"
	state := " -m conntrack --ctstate RELATED,ESTABLISHED"
	switch {
	case f.Table == "firewalld":
		return "firewall-cmd --zone=trusted --add-interface=" + p.Link
	case comesTo("ufw-user-forward") || comesTo("ufw6-user-forward"):
		return "ufw route allow " + direction + " on " + p.Link
	case tool != "" && f.Chain == "FORWARD" && comesTo("DOCKER-USER"):
		command = tool + " -I DOCKER-USER -%s %s%s -j ACCEPT"
	case tool == "" || f.Chain != "FORWARD" || f.Table != "filter" && !f.Legacy:
		command = fmt.Sprintf("nft 'insert rule %s %s %s %%sifname \"%%s\"%%s accept'", f.Family, f.Table, f.Chain)
		state = " ct state established,related"
	case f.Table != "filter":
		command = tool + " -t " + f.Table + strings.TrimPrefix(command, tool)
	}
	var list []string
	if first {
		list = append(list, fmt.Sprintf(command, way, p.Link, ""))
	}
	if answers {
		list = append(list, fmt.Sprintf(command, back, p.Link, state))
	}
	return strings.Join(list, "; ")
}
