package conf

import (
	"slices"
	"strings"

	"rdgen/runtime/object"
)

// vlanSection is what a section [BridgeVLAN] says.
type vlanSection struct {
	line          int
	device        key
	all, untagged []uint16
	pvid          uint16
}

// vlanFields are the keys of [BridgeVLAN].
var vlanFields = fields[vlanSection]{
	"Device":         set(func(v *vlanSection) *key { return &v.device }, asWritten),
	"VLAN":           list(func(p *parser, v *vlanSection, k key) error { return p.vlans(&v.all, k) }),
	"EgressUntagged": list(func(p *parser, v *vlanSection, k key) error { return p.vlans(&v.untagged, k) }),
	"PVID":           set(func(v *vlanSection) *uint16 { return &v.pvid }, number[uint16](1, 4094)),
}

// vlans reads numbers and ranges of VLANs.
func (p *parser) vlans(list *[]uint16, k key) error {
	for word := range strings.FieldsSeq(k.value) {
		r, ok := numbers(word, 1, 4094)
		if !ok {
			return p.fail(k.line, "%s=%s: expected numbers from 1 to 4094, or two with a dash, such as 10 20-29%s", k.name, clip(word), commentHint(k.value))
		}
		for n := r.First; n < r.End; n++ {
			*list = append(*list, uint16(n))
		}
	}
	return nil
}

// bridgeVLAN reads a section [BridgeVLAN].
func (p *parser) bridgeVLAN(s section) error {
	v := vlanSection{line: s.line}
	if _, err := vlanFields.read(p, &v, s.keys); err != nil {
		return err
	}
	if v.device.line == 0 || len(v.all)+len(v.untagged) == 0 && v.pvid == 0 {
		return p.fail(s.line, "a section [BridgeVLAN] needs Device=, a port or a bridge, and VLAN=, PVID= or EgressUntagged=")
	}
	p.vlanSections = append(p.vlanSections, v)
	return nil
}

// tagged gives the VLANs of sections [BridgeVLAN] to ports and bridges.
func (p *parser) tagged() error {
	links := p.file.Links
	link := func(name string) *Link {
		if i := slices.IndexFunc(links, func(l Link) bool { return l.Name.String() == name }); i >= 0 {
			return &links[i]
		}
		return nil
	}
	lines := map[string]int{}
	for _, v := range p.vlanSections {
		l := link(v.device.value)
		switch {
		case l == nil:
			return p.fail(v.device.line, "Device=%s: there is no [Link] of that name", clip(v.device.value))
		case l.Kind != "bridge" && (l.Bridge.IsZero() || l.Bonded):
			return p.fail(v.device.line, "Device=%s: expected a port of a bridge, which has Bridge=, or a bridge", l.Name)
		case lines[v.device.value] != 0:
			return p.fail(v.line, "section [BridgeVLAN] of %s stands twice, first in line %d", l.Name, lines[v.device.value])
		}
		lines[v.device.value] = v.line
		bridge := l
		if l.Kind != "bridge" {
			bridge = link(l.Bridge.String())
		}
		if bridge != nil && bridge.Kind == "bridge" && !bridge.VLANFiltering {
			return p.fail(v.line, "bridge %s forwards to all ports, whatever the VLAN, without VLANFiltering=yes in its section (line %d)", bridge.Name, bridge.Line)
		}
		ids := append(slices.Concat(v.all, v.untagged), v.pvid)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			if id != 0 {
				p.file.Objects = append(p.file.Objects, Object{v.line, object.BridgeVLAN{Netns: p.file.Domain.Netns, Dev: l.Name.String(), ID: id,
					PVID: id == v.pvid, Untagged: slices.Contains(v.untagged, id), Self: l.Kind == "bridge"}})
			}
		}
	}
	return nil
}
