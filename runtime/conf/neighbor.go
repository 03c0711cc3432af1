package conf

import (
	"net/netip"

	"rdgen/runtime/object"
)

// neighborFields are the keys of [Neighbor].
var neighborFields = fields[object.Neighbor]{
	"Device": once(func(p *parser, n *object.Neighbor, k key) error {
		name, err := p.device(k)
		n.Dev = name.String()
		return err
	}),
	"Address": once(func(p *parser, n *object.Neighbor, k key) (err error) {
		n.Address, err = netip.ParseAddr(k.value)
		if a := n.Address; err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
			return p.fail(k.line, "Address=%s: expected the address of a host, such as 10.0.0.1 or 2001:db8::1%s",
				clip(k.value), commentHint(k.value))
		}
		return nil
	}),
	"LinkLayerAddress": set(func(n *object.Neighbor) *string { return &n.MAC }, (*parser).mac),
}

// neighbor reads a section [Neighbor].
func (p *parser) neighbor(s section) error {
	n := object.Neighbor{Netns: p.file.Domain.Netns}
	if _, err := neighborFields.read(p, &n, s.keys); err != nil {
		return err
	}
	if n.Dev == "" || !n.Address.IsValid() || n.MAC == "" {
		return p.fail(s.line, "a neighbour needs Device=, Address= and LinkLayerAddress=")
	}
	if first := p.again(n.Key(), s.line); first != 0 {
		return p.fail(s.line, "neighbour %s stands twice, first in line %d", n.Address, first)
	}
	p.file.Objects = append(p.file.Objects, Object{s.line, n})
	return nil
}
