package imports

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// ifaceKeys are options of interfaces(5) that are a key of [Link].
var ifaceKeys = map[string]string{
	"mtu": "MTUBytes", "tunnel-local": "Local", "tunnel-remote": "Remote", "tunnel-ttl": "TTL", "tunnel-key": "Key",
	"vxlan-id": "VNI", "vxlan-local": "Local", "vxlan-remote": "Remote", "vxlan-dstport": "DestinationPort", "vxlan-ttl": "TTL",
	"vlan-id": "Id", "geneve-id": "Id", "geneve-remote": "Remote", "geneve-dstport": "DestinationPort", "xfrm-if-id": "InterfaceId",
	"ipvlan-mode": "Mode", "macvlan-mode": "Mode",
}

// ifaceKinds are options of which one says what kind the link is.
var ifaceKinds = map[string]string{"vrf-table": "vrf", "vlan-id": "vlan", "vlan-raw-device": "vlan", "vxlan-id": "vxlan", "bridge-ports": "bridge",
	"bond-members": "bond", "bond-slaves": "bond", "slaves": "bond", "veth-peer-name": "veth", "macvlan-parent": "macvlan", "ipvlan-parent": "ipvlan",
	"wireguard-config-path": "wireguard"}

// implied says nothing that a domain does not do anyway.
var implied = map[string]string{"bridge-stp": "off", "bridge-ports": "none", "vxlan-learning": "on", "vlan-protocol": "802.1q"}

// iface reads one stanza.
func (r *reader) iface(s stanza) error {
	if s.name == "mapping" {
		for _, o := range s.options {
			r.left = append(r.left, lineNote(o.at, o.key+" "+o.value+" has no counterpart"))
		}
		return nil
	}
	name, _, _ := strings.Cut(s.name, ":") // an alias is one more address
	l, err := r.link(s.at, r.netns.String(), name)
	if err != nil {
		return err
	}
	r.kindOf(l, s)
	for _, o := range s.options {
		if err := r.option(l, s, o); err != nil {
			return err
		}
	}
	return nil
}

// kindOf finds what kind of link a stanza is of: by link-type, by its options, by its name.
func (r *reader) kindOf(l *link, s stanza) {
	has := func(key string) item {
		i := slices.IndexFunc(s.options, func(o item) bool { return o.key == key })
		if i < 0 {
			return item{}
		}
		return s.options[i]
	}
	use := has("link-type")
	switch mode := has("tunnel-mode"); {
	case use.value != "" && use.value != "tunnel" && use.value != "gre-tunnel":
		l.become(use.at, use.value)
	case mode.value != "":
		l.become(mode.at, mode.value)
	case slices.ContainsFunc(s.options, func(o item) bool { return o.key == "use" && o.value == "wireguard" }):
		l.become(s.at, "wireguard")
	default:
		for _, o := range s.options {
			if kind := ifaceKinds[o.key]; kind != "" && l.kind == "" {
				l.become(o.at, kind)
			}
		}
	}
	parent, id, dotted := strings.Cut(l.name, ".")
	if dotted && l.kind == "" && strings.Trim(id, "0123456789") == "" {
		l.become(s.at, "vlan")
	}
	if l.kind == "vlan" {
		if raw := has("vlan-raw-device"); raw.value == "" && dotted {
			l.parent = parent
		}
		if !dotted {
			id = strings.TrimLeft(l.name, "vlan")
		}
		if has("vlan-id").value == "" && valueOf(l.keys, "Id") == "" {
			l.set(s.at, "Id", strings.TrimLeft(id, "0"))
		}
	}
	if l.kind == "wireguard" && has("wireguard-config-path").value == "" && valueOf(l.keys, "ConfigFile") == "" {
		l.set(s.at, "ConfigFile", "/etc/wireguard/"+l.name+".conf")
	}
}

// option reads one option of a link.
func (r *reader) option(l *link, s stanza, o item) error {
	switch o.key {
	case "address", "gateway":
		return r.ifaceAddress(l, s, o)
	case "netmask", "link-type", "tunnel-mode", "use", "family", "metric": // read with others
	case "network", "pointopoint": // the one is in the address, the other read with it
	case "method":
		return l.method(o)
	case "link-address":
		l.set(o.at, "MACAddress", strings.TrimPrefix(o.value, "ether "))
	case "vrf-member":
		l.master = o.value
	case "vrf-table":
		if l.setTable(o.at, o.value); o.value == "auto" {
			return problem.New(o.at, "vrf-table auto: ifupdown2 chooses the table; write its number, which `ip -d link show %s` has", l.name)
		}
	case "vlan-raw-device", "tunnel-dev", "vxlan-physdev", "macvlan-parent", "ipvlan-parent":
		l.parent = o.value
	case "veth-peer-name":
		l.peer = o.value
	case "requires":
		r.requires(l, o)
	case "dns-nameservers":
		l.dns = append(l.dns, item{o.at, "DNS", o.value})
	case "dns-search":
		l.dns = append(l.dns, item{o.at, "Domains", o.value})
	case "wireguard-config-path":
		l.set(o.at, "ConfigFile", o.value)
		l.note(o.at, "each AllowedIPs of that file is a route here; Table = off in its [Interface] leaves them out")
	case "accept-ra":
		l.set(o.at, "IPv6AcceptRA", map[bool]string{true: "no", false: "yes"}[o.value == "0"])
	case "post-up", "pre-up", "pre-down", "post-down":
		return r.command(o.at, r.netns.String(), l, o.key, o.value)
	case "bridge-ports":
		return r.ports(l, o)
	case "bond-members", "bond-slaves", "slaves":
		return r.ports(l, o)
	default:
		return l.plain(o)
	}
	return nil
}

// plain reads an option that is a key, or nothing.
func (l *link) plain(o item) error {
	key := ifaceKeys[o.key]
	switch {
	case key != "" && (l.kind != "" || key == "MTUBytes"):
		for word := range strings.FieldsSeq(o.value) {
			l.set(o.at, key, word)
		}
	case strings.HasPrefix(o.key, "bond-") && l.bondOption(o.at, bondKey(strings.TrimPrefix(o.key, "bond-")), o.value, "ms"):
	case l.vlanOption(o):
	case o.key == "vxlan-learning":
		l.set(o.at, "MacLearning", map[bool]string{true: "yes", false: "no"}[o.value == "on" || o.value == "yes"])
	case o.key == "vlan-protocol":
		l.set(o.at, "Protocol", strings.ToLower(o.value))
	case implied[o.key] != "" && implied[o.key] == o.value:
	default:
		l.note(o.at, o.key+" "+o.value+": has no counterpart")
	}
	return nil
}

// ifaceAddress reads an address with the mask that stands beside it, or a gateway.
func (r *reader) ifaceAddress(l *link, s stanza, o item) error {
	if o.key == "gateway" {
		keys := []item{{o.at, "Gateway", o.value}}
		metric := slices.IndexFunc(s.options, func(o item) bool { return o.key == "metric" })
		if metric >= 0 {
			keys = append(keys, item{s.options[metric].at, "Metric", s.options[metric].value})
		}
		return r.route(&route{at: o.at, netns: r.netns.String(), dev: l.name, of: l}, "default", false, keys)
	}
	mask := ""
	for _, other := range s.options {
		if other.key == "netmask" {
			mask = other.value
		}
	}
	words := strings.Fields(o.value)
	if len(words) == 0 {
		return problem.New(o.at, "address has no value")
	}
	for _, other := range s.options {
		if other.key == "pointopoint" {
			own, _, _ := strings.Cut(words[0], "/")
			l.more = append(l.more, section{o.at, "Address", []item{{o.at, "Address", own}, {other.at, "Peer", other.value}}})
			return nil
		}
	}
	prefix, err := prefixOf(o.at, words[0], mask)
	if err == nil {
		l.set(o.at, "Address", prefix)
	}
	return err
}

// method reads what stands behind the family.
func (l *link) method(o item) error {
	switch o.value {
	case "inet dhcp":
		l.lease(o.at, "ipv4")
	case "inet6 dhcp":
		l.lease(o.at, "ipv6")
	case "inet6 auto":
		l.set(o.at, "IPv6AcceptRA", "yes")
	case "inet static", "inet6 static", "inet manual", "inet6 manual", "inet loopback", "inet6 loopback":
	default:
		l.note(o.at, "method "+o.value+": has no counterpart")
	}
	return nil
}

// lease has the link ask for an address of one family, or of one more.
func (l *link) lease(at problem.Pos, family string) {
	for i, k := range l.keys {
		if k.key == "DHCP" {
			if k.value != family {
				l.keys[i].value = "yes"
			}
			return
		}
	}
	l.set(at, "DHCP", family)
}

// requires reads what a VRF waits for. The order of links is rdomain's.
func (r *reader) requires(l *link, o item) {
	if l.kind != "vrf" {
		return
	}
	for word := range strings.FieldsSeq(o.value) {
		l.set(o.at, "RequiresLink", word)
	}
}

// ports makes links the ports of a bridge, or the members of a bond.
func (r *reader) ports(l *link, o item) error {
	for word := range strings.FieldsSeq(o.value) {
		switch {
		case word == "none":
			continue
		case strings.ContainsAny(word, "*[]/") || word == "regex" || word == "glob" || word == "all":
			l.note(o.at, o.key+" "+o.value+": a pattern has no counterpart; name the links")
			return nil
		}
		port, err := r.link(o.at, l.netns, word)
		if err != nil {
			return err
		}
		port.master = l.name
	}
	return nil
}
