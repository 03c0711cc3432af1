package object

// Property is one that a kind of link can change while it exists, in the words of ip(8).
type Property struct{ Key, What, Value string }

// ChangesMode reports whether a link of a kind can change its mode while it exists. A macvlan
// has its parent for itself with passthru, or never.
func ChangesMode(kind, from, to string) bool {
	return (kind == "macvlan" || kind == "macvtap") && from != "passthru" && to != "passthru"
}

// Changeable returns those of a kind, with the key of the file that says each. One without
// a value is left as it is.
func (o Options) Changeable(kind string) []Property {
	switch kind {
	case "bond":
	case "macvlan", "macvtap":
		return []Property{{"Mode", "mode", o.Mode}}
	case "macsec":
		return []Property{{"Encrypt", "encrypt", onOff(o.Encrypt)}}
	case "bridge":
		list := []Property{{"VLANFiltering", "vlan_filtering", "0"}, {"DefaultPVID", "vlan_default_pvid", ""}}
		if o.VLANFiltering {
			list[0].Value, list[1].Value = "1", utoa(uint32(o.DefaultPVID))
		}
		return list
	default:
		return nil
	}
	hash := o.Hash
	if hash == "" {
		hash = "layer2"
	}
	return []Property{{"MIIMonitorSec", "miimon", utoa(o.Monitor)}, {"TransmitHashPolicy", "xmit_hash_policy", hash}}
}
