package imports

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// vlans is what ifupdown says of the VLANs of a bridge, or of a port.
type vlans struct {
	at problem.Pos
	// aware: the bridge forwards by VLAN.
	aware bool
	// vids come and go with a tag, pvid and access without one; access is the only one of its port.
	vids, pvid, access string
	// tagged: what has no tag is dropped.
	tagged bool
}

// vlanOption reads an option, and reports whether it is one of VLANs.
func (l *link) vlanOption(o item) bool {
	switch value := strings.Join(strings.Fields(strings.ReplaceAll(o.value, ",", " ")), " "); o.key {
	case "bridge-vlan-aware":
		l.vlans.aware = yesNo(value) == "yes"
	case "bridge-vids":
		l.vlans.vids = value
	case "bridge-pvid":
		l.vlans.pvid = value
	case "bridge-access":
		l.vlans.access = value
	case "bridge-allow-untagged":
		l.vlans.tagged = yesNo(value) == "no"
	default:
		return false
	}
	l.vlans.at = o.at
	return true
}

// tagged returns the section [BridgeVLAN] of a port, or of a bridge, that keeps VLANs apart. A port
// has those of its bridge where it says none, as ifupdown2 has it, and untagged those of VLAN 1.
func (a *assembly) tagged(l *link) (s section, ok bool) {
	bridge := l
	if l.kind != "bridge" {
		bridge = a.find(l.netns, l.master)
	}
	if bridge == nil || bridge.kind != "bridge" || !bridge.vlans.aware {
		if l.vlans.at != (problem.Pos{}) && !l.vlans.aware && l.vlans != (vlans{at: l.vlans.at}) {
			l.note(l.vlans.at, "VLANs of a port are for a bridge with bridge-vlan-aware yes")
		}
		return s, false
	}
	vids, pvid := l.vlans.vids, l.vlans.pvid
	if vids == "" {
		vids = bridge.vlans.vids
	}
	if pvid == "" {
		pvid = bridge.vlans.pvid
	}
	switch {
	case l.vlans.access != "":
		vids, pvid = "", l.vlans.access
	case l.vlans.tagged:
		pvid = ""
	case pvid == "":
		pvid = "1"
	}
	if l == bridge { // what is made on it has its VLAN
		for _, above := range a.links {
			if id := valueOf(above.keys, "Id"); above.netns == l.netns && above.parent == l.name && above.kind == "vlan" && !slices.Contains(strings.Fields(vids), id) {
				vids = strings.TrimSpace(vids + " " + id)
			}
		}
	}
	at := l.vlans.at
	if at == (problem.Pos{}) {
		at = bridge.vlans.at
	}
	s = section{at: at, name: "BridgeVLAN"}
	if vids != "" {
		s.keys = append(s.keys, item{at, "VLAN", vids})
	}
	if pvid != "" {
		s.keys = append(s.keys, item{at, "PVID", pvid}, item{at, "EgressUntagged", pvid})
	}
	return s, len(s.keys) > 0
}
