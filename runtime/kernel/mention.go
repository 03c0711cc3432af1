package kernel

import (
	"path"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// mentions are what a file and a record speak of: only that is asked of the kernel.
type mentions struct {
	in domain.NetnsName
	// links are by namespace.
	links  map[domain.NetnsName][]string
	tables map[uint32]bool
	vrf    domain.LinkName
	// paths are those of sysctls.
	paths []string
	// on are links by the kind of object that they may have.
	on         map[string][]string
	rules      bool
	outerRules []domain.NetnsName
	wireguard  []string
	// files is the folder of the resolver files, "" where there are none to be read.
	files string
	// tables of nft are asked for by name.
	firewall []string
	nat      []object.NAT
}

func (s *Session) mentioned(f *conf.File, r *record.Record) *mentions {
	m := &mentions{in: s.Netns, links: map[domain.NetnsName][]string{}, tables: map[uint32]bool{}, on: map[string][]string{},
		vrf: r.Domain.VRF}
	m.link(s.Netns, "lo")
	if f != nil {
		m.file(f, s.Inputs.Outers)
		m.nat = plan.WantedNAT(f, s.Inputs.Outers)
		m.object(object.Firewall{Tables: s.Inputs.ruleset})
	}
	m.link(s.Netns, m.vrf.String())
	for _, e := range r.Entries {
		m.object(e.Object)
	}
	return m
}

func (m *mentions) link(netns domain.NetnsName, names ...string) {
	m.links[netns] = append(m.links[netns], names...)
}

func (m *mentions) table(table uint32) {
	if table == 0 {
		table = object.MainTable
	}
	m.tables[table] = true
}

func (m *mentions) rulesOf(netns domain.NetnsName) {
	if netns == m.in {
		m.rules = true
	} else if !slices.Contains(m.outerRules, netns) {
		m.outerRules = append(m.outerRules, netns)
	}
}

// object notes what an object that is recorded or wanted speaks of.
func (m *mentions) object(o object.Object) {
	switch t := o.(type) {
	case object.Link:
		m.link(t.Netns, t.Name)
		m.link(t.Outer, t.Peer)
		if t.Kind == "wireguard" {
			m.wireguard = append(m.wireguard, t.Name)
		}
	case object.Taken:
		m.link(m.in, t.Name)
		m.link(t.From, t.Name, t.Master)
		for _, route := range t.Routes {
			m.table(route.Table)
		}
	case object.Route:
		m.table(t.Table)
	case object.Rule:
		m.rulesOf(t.Netns)
	case object.Sysctl:
		m.paths = append(m.paths, t.Path)
	case object.WireGuardPeer:
		m.link(m.in, t.Link)
		m.wireguard = append(m.wireguard, t.Link)
	case object.File:
		m.files = path.Dir(t.Path)
	case object.NAT:
		m.nat = append(m.nat, t)
	case object.Firewall:
		m.firewall = append(m.firewall, t.Names()...)
	default:
		if k := o.Key(); o.On() != "" {
			m.link(k.Netns, o.On())
			m.on[k.Kind] = append(m.on[k.Kind], o.On())
		}
	}
}

func (m *mentions) file(f *conf.File, outers map[domain.ID]plan.Outer) {
	m.vrf = f.Domain.VRF
	for _, l := range f.Links {
		m.link(m.in, l.Name.String(), l.Bridge.String())
		if l.Kind == "" {
			if l.Name.String() != "lo" {
				m.link(domain.NetnsName{}, l.Name.String())
			}
			continue
		}
		if !object.HasOuter(l.Kind) {
			continue
		}
		outer := outers[l.Outer.ID].Domain
		m.link(outer.Netns, l.Peer.String(), l.PeerBridge.String(), l.Parent.String(), outer.VRF.String())
		if l.Kind == "wireguard" {
			m.wireguard = append(m.wireguard, l.Name.String())
			if !outer.VRF.IsZero() {
				m.rulesOf(outer.Netns)
			}
		}
	}
	rules, routes := f.Returns()
	for _, route := range slices.Concat(f.Routes, routes) {
		if route.Table == 0 && f.Kind == conf.VRF {
			continue // the VRF's own
		}
		m.table(route.Table)
	}
	if f.Kind == conf.VRF {
		m.table(f.Table)
	}
	for _, s := range f.Sysctls {
		m.object(s.Sysctl)
	}
	for _, o := range f.Objects {
		m.object(o.Object)
	}
	m.rules = m.rules || len(f.Rules)+len(rules) > 0
	if f.HasResolver() {
		m.files = f.Domain.Etc()
	}
}
