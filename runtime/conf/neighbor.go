package conf

import (
	"net/netip"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// neighbor reads a section [Neighbor].
func (p *parser) neighbor(s section) error {
	n := object.Neighbor{Netns: p.file.Domain.Netns}
	for _, k := range s.keys {
		var err error
		switch k.name {
		case "Device":
			n.Dev, err = p.nameString(k)
			if dev, e := domain.ParseLink(n.Dev); e == nil {
				p.file.Devices = append(p.file.Devices, Device{k.line, dev})
			}
		case "Address":
			n.Address, err = netip.ParseAddr(k.value)
			if a := n.Address; err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
				err = p.fail(k.line, "Address=%s: expected the address of a host, such as 10.0.0.1 or 2001:db8::1%s",
					clip(k.value), commentHint(k.value))
			}
		case "LinkLayerAddress":
			n.MAC, err = p.mac(k)
		}
		if err != nil {
			return err
		}
	}
	if n.Dev == "" || !n.Address.IsValid() || n.MAC == "" {
		return p.fail(s.line, "a neighbour needs Device=, Address= and LinkLayerAddress=")
	}
	for _, other := range p.file.Objects {
		if other.Key() == n.Key() {
			return p.fail(s.line, "neighbour %s stands twice, first in line %d", n.Address, other.Line)
		}
	}
	p.file.Objects = append(p.file.Objects, Object{s.line, n})
	return nil
}
