package conf

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

func (p *parser) link(s section) error {
	name, err := domain.ParseLink(strings.TrimPrefix(s.header, "Link "))
	if err != nil {
		return p.fail(s.line, "%v", err)
	}
	l := Link{Line: s.line, Name: name}
	p.once = map[place]int{}
	for _, k := range s.keys {
		if k.name == "Kind" { // it says what the other keys may be
			if err := common["Kind"].read(p, &l, k); err != nil {
				return err
			}
		}
	}
	allowed := common.and(kinds[l.Kind])
	for _, k := range s.keys {
		if _, ok := allowed[k.name]; !ok {
			return p.fail(k.line, "%s= is for %s", k.name, kindsWith(k.name))
		}
	}
	if l.lines, err = allowed.read(p, &l, s.keys); err != nil {
		return err
	}
	l.defaults()
	if err := p.together(&l); err != nil {
		return err
	}
	p.file.Links = append(p.file.Links, l)
	return nil
}

// maxAltName is ALTIFNAMSIZ less the closing NUL (include/uapi/linux/if.h).
const maxAltName = 127

// altName reads names that the link has besides its own.
func (p *parser) altName(l *Link, k key) error {
	for name := range strings.FieldsSeq(k.value) {
		if _, err := domain.ParseNetns(name); err != nil || len(name) > maxAltName { // letters, digits, "_", "." and "-"
			return p.fail(k.line, "AlternativeName=%s: expected names of at most %d letters, digits, \"_\", \".\" and \"-\"%s", clip(name), maxAltName, commentHint(k.value))
		}
		a := object.AltName{Netns: p.file.Domain.Netns, Dev: l.Name.String(), Name: name}
		if first := p.again([2]any{"altname", name}, k.line); first != 0 {
			return p.fail(k.line, "AlternativeName=%s stands twice, first in line %d", name, first)
		}
		p.file.Objects = append(p.file.Objects, Object{k.line, a})
	}
	return nil
}

// Inner returns the link's first address of a family, the zero one if it has none.
func (l Link) Inner(is4 bool) netip.Addr {
	for _, a := range l.Addresses {
		if a.Prefix.Addr().Is4() == is4 {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// Masquerades returns the families that are masqueraded, true for IPv6.
func (l Link) Masquerades() (families []bool) {
	for _, v6 := range []bool{false, true} {
		switch l.Masquerade {
		case "both", object.Family(v6):
			families = append(families, v6)
		case "yes":
			if hasFamily(l.Addresses, !v6) {
				families = append(families, v6)
			}
		}
	}
	return families
}

func hasFamily(list []Address, is4 bool) bool {
	return slices.ContainsFunc(list, func(a Address) bool { return a.Prefix.Addr().Is4() == is4 })
}

// peerRoute reads a network that the outer domain reaches by the link.
func (p *parser) peerRoute(list *[]Address, k key) error {
	prefix, err := p.network(k)
	if err != nil {
		return err
	}
	at := place{k.name, prefix}
	if first := p.once[at]; first != 0 {
		return p.fail(k.line, "%s=%s stands twice, first in line %d", k.name, prefix, first)
	}
	p.once[at] = k.line
	*list = append(*list, Address{Line: k.line, Prefix: prefix})
	return nil
}

func (p *parser) mac(k key) (string, error) {
	mac, err := net.ParseMAC(k.value)
	if err != nil || len(mac) != 6 || len(k.value) != 17 {
		return "", p.fail(k.line, "%s=%s: expected six bytes, such as 02:00:5e:10:00:01", k.name, clip(k.value))
	}
	if mac[0]&1 != 0 || slices.Max(mac) == 0 {
		return "", p.fail(k.line, "%s=%s: expected the address of one host; the first byte must be even", k.name, k.value)
	}
	return mac.String(), nil
}

// number reads a number from low to high.
func number[N uint8 | uint16 | uint32](low, high uint64) func(*parser, key) (N, error) {
	return func(p *parser, k key) (N, error) {
		n, err := strconv.ParseUint(k.value, 10, 32)
		if err != nil || n < low || n > high {
			return 0, p.fail(k.line, "%s=%s: expected a number from %d to %d%s", k.name, clip(k.value), low, high, commentHint(k.value))
		}
		return N(n), nil
	}
}

// oneOf reads one of some words.
func oneOf(words ...string) func(*parser, key) (string, error) {
	return func(p *parser, k key) (string, error) {
		if !slices.Contains(words, k.value) {
			return "", p.fail(k.line, "%s=%s: expected one of %s", k.name, clip(k.value), strings.Join(words, ", "))
		}
		return k.value, nil
	}
}

// names looks at the names of links together: no two of them may be wanted in one
// namespace.
func (p *parser) names() error {
	f := p.file
	inside, outside := map[domain.LinkName]int{}, map[domain.ID]map[domain.LinkName]int{}
	if f.Kind == VRF {
		inside[f.Domain.VRF] = max(f.KindLine, 1)
		if f.Domain.Netns.IsZero() {
			outside[domain.ID{}] = inside // the other ends are in the same namespace
		}
	}
	outside[p.id] = inside
	for _, l := range f.Links {
		if l.Name.String() == "lo" && (f.Kind == VRF || l.Kind != "" || l.lines["AlternativeName"] != 0 || l.MTU != 0 || l.MAC != "" || !l.Bridge.IsZero()) {
			return p.fail(l.Line, "lo belongs to its namespace; it can be given addresses in a netns, nothing else")
		}
		if outside[l.Outer.ID] == nil {
			outside[l.Outer.ID] = map[domain.LinkName]int{}
		}
		for _, n := range []struct {
			in   map[domain.LinkName]int
			name domain.LinkName
			line int
		}{{inside, l.Name, l.Line}, {outside[l.Outer.ID], l.Peer, l.lines["Peer"]}} {
			if n.name.IsZero() {
				continue
			}
			if first := n.in[n.name]; first != 0 {
				return p.fail(n.line, "link %s stands twice, first in line %d", n.name, first)
			}
			n.in[n.name] = n.line
		}
	}
	return nil
}
