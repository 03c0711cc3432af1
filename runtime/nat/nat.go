// Package nat makes, reads and removes the tables of nftables by which a domain's packets
// leave another one, in the calling thread's network namespace. nft(8) is not needed.
package nat

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"rdgen/runtime/object"
)

// chain is the name of a table's one chain.
const chain = "postrouting"

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
	accept := nftables.ChainPolicyAccept
	ch := c.AddChain(&nftables.Chain{Name: chain, Table: t, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPostrouting,
		Priority: nftables.ChainPriorityNATSource, Policy: &accept})
	for _, m := range n.Masquerades() {
		c.AddRule(&nftables.Rule{Table: t, Chain: ch, Exprs: masquerade(m)})
	}
	return c.Flush()
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

// masquerade is a rule as the kernel has it.
func masquerade(m object.Masquerade) []expr.Any {
	family := byte(unix.NFPROTO_IPV4)
	if m.IPv6 {
		family = unix.NFPROTO_IPV6
	}
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, m.Link)
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: name},
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{family}},
		&expr.Masq{},
	}
}

// Read returns a table as it is, and whether there is one. A rule that the kernel has and
// that is none of those that are known is a line with its number.
func Read(n object.NAT, known []object.Masquerade) (object.NAT, bool, error) {
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
	rules, err := c.GetRules(t, &nftables.Chain{Name: chain, Table: t})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n, false, err
	}
	var b strings.Builder
	for _, r := range rules {
		line := fmt.Sprintf("# rule %d", r.Handle)
		for _, m := range known {
			if reflect.DeepEqual(r.Exprs, masquerade(m)) {
				line = m.String()
			}
		}
		b.WriteString(line + "\n")
	}
	if t.Use != 1 && t.Use != 1<<24 { // the library has it in the other byte order
		b.WriteString("# more chains\n")
	}
	if t.Flags != 0 {
		b.WriteString("# flags\n") // dormant
	}
	n.Rules = b.String()
	return n, true, nil
}
