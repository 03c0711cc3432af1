// Package nat makes, reads and removes the tables of nftables by which a domain's packets
// leave another one and get in, in the calling thread's network namespace. nft(8) is not needed.
package nat

import (
	"errors"
	"io/fs"
	"reflect"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"rdgen/runtime/object"
)

// Set makes a table, in one transaction. With replace the one of its name goes in the same
// one; without, there may be none: the error matches [fs.ErrExist].
func Set(n object.NAT, replace bool) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	t := &nftables.Table{Name: n.Table, Family: nftables.TableFamilyINet}
	if replace {
		c.AddTable(t)
		c.DelTable(t)
	}
	c.CreateTable(t)
	rules, _ := n.NATRules()
	for _, ch := range chains(t) {
		list := inChain(rules, ch.Name)
		if len(list) == 0 {
			continue
		}
		c.AddChain(ch)
		for _, e := range list {
			c.AddRule(&nftables.Rule{Table: t, Chain: ch, Exprs: e})
		}
	}
	return c.Flush()
}

// chains are those that a table may have, in the order of [object.NATChains].
func chains(t *nftables.Table) []*nftables.Chain {
	accept := nftables.ChainPolicyAccept
	list := []*nftables.Chain{
		{Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest},
		{Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest},
		{Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter},
		{Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource},
	}
	for i, c := range list {
		c.Name, c.Table, c.Policy = object.NATChains[i][0], t, &accept
	}
	return list
}

// Delete removes a table. That there is none is no error.
func Delete(n object.NAT) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	c.DelTable(&nftables.Table{Name: n.Table, Family: nftables.TableFamilyINet})
	if err = c.Flush(); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Read returns a table as it is, and whether there is one: the first of those, of one name,
// that the kernel has, or one that says that it was changed.
func Read(these []object.NAT) (object.NAT, bool, error) {
	n := these[0]
	c, err := nftables.New()
	if err != nil {
		return n, false, err
	}
	t, err := c.ListTableOfFamily(n.Table, nftables.TableFamilyINet)
	if errors.Is(err, fs.ErrNotExist) {
		return n, false, nil
	}
	if err != nil {
		return n, false, err
	}
	found, used := map[string][][]expr.Any{}, uint32(0)
	for _, ch := range chains(t) {
		rules, err := c.GetRules(t, ch)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, false, err
		}
		for _, r := range rules {
			found[ch.Name] = append(found[ch.Name], r.Exprs)
		}
		if len(rules) > 0 {
			used++
		}
	}
	// The library has the number of chains in the other byte order.
	if t.Flags == 0 && (t.Use == used || t.Use == used<<24) {
		for _, n := range these {
			if is(n, found) {
				return n, true, nil
			}
		}
	}
	n.Rules = "# changed\n"
	return n, true, nil
}

// is reports whether a table has what was found in it.
func is(n object.NAT, found map[string][][]expr.Any) bool {
	rules, known := n.NATRules()
	for _, c := range object.NATChains {
		want := inChain(rules, c[0])
		if len(want) != len(found[c[0]]) || len(want) > 0 && !reflect.DeepEqual(want, found[c[0]]) {
			return false
		}
	}
	return known
}
