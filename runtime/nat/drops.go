package nat

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Filter is a table that drops forwarded packets unless a rule of it lets them pass.
type Filter struct {
	// Family and Table are its name, Chain is where it drops.
	Family, Table, Chain string
	// chains are the names of its chains, and names what its rules compare with.
	chains map[string]bool
	names  [][]byte
}

var families = map[nftables.TableFamily]string{nftables.TableFamilyINet: "inet", nftables.TableFamilyIPv4: "ip", nftables.TableFamilyIPv6: "ip6"}

// Filters returns the tables that drop what is forwarded: by the policy of a chain, or
// by its last rule. Accepted by one table, a packet still has to pass all others. Those
// of iptables-legacy are not seen.
func Filters() (list []Filter, err error) {
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
		if !ok || ch.Hooknum == nil || *ch.Hooknum != *nftables.ChainHookForward {
			continue
		}
		rules, err := c.GetRules(ch.Table, ch)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if !drops(ch, rules) {
			continue
		}
		f := Filter{Family: family, Table: ch.Table.Name, Chain: ch.Name, chains: map[string]bool{}}
		for _, other := range chains {
			if other.Table.Name != f.Table || other.Table.Family != ch.Table.Family {
				continue
			}
			f.chains[other.Name] = true
			rules, err := c.GetRules(ch.Table, other)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			f.compares(rules)
		}
		list = append(list, f)
	}
	return list, nil
}

// drops reports whether a chain drops what no rule of it speaks of.
func drops(ch *nftables.Chain, rules []*nftables.Rule) bool {
	if ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop {
		return true
	}
	if len(rules) == 0 {
		return false
	}
	for _, e := range rules[len(rules)-1].Exprs {
		switch e := e.(type) {
		case *expr.Counter, *expr.Log, *expr.Limit:
		case *expr.Reject:
			return true
		case *expr.Target:
			return e.Name == "REJECT"
		case *expr.Verdict:
			return e.Kind == expr.VerdictDrop
		default: // it has a condition
			return false
		}
	}
	return false
}

func (f *Filter) compares(rules []*nftables.Rule) {
	for _, r := range rules {
		for _, e := range r.Exprs {
			if c, ok := e.(*expr.Cmp); ok && c.Op == expr.CmpOpEq {
				f.names = append(f.names, c.Data)
			}
		}
	}
}

// Drops reports whether a table drops what comes in by a link: no rule of it names that.
func (f Filter) Drops(link string, v6 bool) bool {
	if f.Family == "ip" && v6 || f.Family == "ip6" && !v6 {
		return false
	}
	for _, name := range f.names {
		if string(bytes.TrimRight(name, "\x00")) == link {
			return false
		}
	}
	return true
}

// Passes returns the commands by which what comes in by a link, or goes out by it, and the
// answers would pass: in the words of what made the table.
func (f Filter) Passes(link string, out bool) string {
	to, back := "i", "o"
	direction := "in"
	if out {
		to, back, direction = "o", "i", "out"
	}
	has := func(prefix string) bool {
		for name := range f.chains {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}
	tool := map[string]string{"ip": "iptables", "ip6": "ip6tables"}[f.Family]
	both := func(chain string) string {
		return fmt.Sprintf("%s -I %s -%s %s -j ACCEPT; %[1]s -I %[2]s -%[5]s %[4]s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", tool, chain, to, link, back)
	}
	switch {
	case f.Table == "firewalld":
		return "firewall-cmd --zone=trusted --add-interface=" + link
	case tool != "" && f.Chain == "FORWARD" && has("ufw"):
		return "ufw route allow " + direction + " on " + link
	case tool != "" && f.Chain == "FORWARD" && has("DOCKER-USER"):
		return both("DOCKER-USER")
	case tool != "" && f.Chain == "FORWARD" && f.Table == "filter":
		return both("FORWARD")
	}
	rule := fmt.Sprintf("nft 'insert rule %s %s %s", f.Family, f.Table, f.Chain)
	return fmt.Sprintf(`%s %sifname "%s" accept'; %[1]s %[4]sifname "%[3]s" ct state established,related accept'`, rule, to, link, back)
}
