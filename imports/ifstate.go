package imports

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"rdgen/problem"
	"rdgen/runtime/object"
)

// ifState reads the configuration of IfState, of its first form (interfaces are a list) and
// of its second (a mapping).
func (r *reader) ifstate(file string) error {
	data, err := r.open(file)
	if err != nil {
		return err
	}
	doc, err := yamlFile(file, data)
	if err != nil {
		return err
	}
	return doc.each(func(key string, of value) error {
		if key != "namespaces" {
			return r.ifstatePart(r.netns.String(), key, of)
		}
		return of.each(func(name string, inside value) error {
			r.namespaces = append(r.namespaces, name)
			return inside.each(func(key string, of value) error { return r.ifstatePart(name, key, of) })
		})
	})
}

// ifstatePart reads a part of what is said of a namespace.
func (r *reader) ifstatePart(netns, key string, of value) error {
	switch key {
	case "interfaces":
		if of.Kind == yaml.SequenceNode {
			return of.list(func(v value) error { return r.ifstateLink(netns, v.is("name"), v) })
		}
		return of.each(func(name string, v value) error { return r.ifstateLink(netns, name, v) })
	case "routing":
		return of.each(func(what string, list value) error {
			switch what {
			case "routes":
				return list.list(func(v value) error { return r.ifstateRoute(netns, v) })
			case "rules":
				return list.list(func(v value) error { return r.ifstateRule(netns, v) })
			}
			r.left = append(r.left, lineNote(list.at(), "routing: "+what+": "+list.inLine()+" has no counterpart"))
			return nil
		})
	case "sysctl":
		return of.each(func(link string, v value) error { return r.ifstateSysctl(netns, link, v) })
	}
	r.left = append(r.left, lineNote(of.at(), key+": "+of.inLine()+" has no counterpart"))
	return nil
}

// ifstateSysctl reads the variables of one link, of all, or of the default.
func (r *reader) ifstateSysctl(netns, link string, v value) error {
	return v.each(func(family string, list value) error {
		if list.Kind != yaml.MappingNode {
			r.left = append(r.left, lineNote(list.at(), "sysctl: "+family+": "+list.inLine()+" has no counterpart"))
			return nil
		}
		return list.each(func(name string, of value) error {
			text, err := of.text()
			path := "net/" + family + "/conf/" + link + "/" + name
			if path == "net/ipv4/conf/all/forwarding" {
				path = "net/ipv4/ip_forward" // which is the same
			}
			r.sysctls = append(r.sysctls, sysctl{of.at(), netns, path, text})
			return err
		})
	})
}

// ifstateLink reads one link.
func (r *reader) ifstateLink(netns, name string, v value) error {
	if name == "" {
		return v.fail("an interface needs name:")
	}
	l, err := r.link(v.at(), netns, name)
	if err != nil {
		return err
	}
	if attributes, ok := v.get("link"); ok {
		if kind := attributes.is("kind"); kind != "" && kind != "physical" && l.kind == "" && name != "lo" {
			l.become(attributes.at(), map[bool]string{true: attributes.is("tun_type"), false: kind}[kind == "tun" && attributes.is("tun_type") != ""])
		}
	}
	if object.HasOuter(l.kind) { // where nothing else is said
		l.outer = &netns
	}
	return v.each(func(key string, of value) error {
		switch key {
		case "name", "identify":
			return nil
		case "addresses":
			return of.list(func(a value) error {
				prefix, err := prefixOf(a.at(), a.Value, "")
				l.set(a.at(), "Address", prefix)
				return err
			})
		case "link":
			return of.each(func(key string, v value) error { return r.ifstateAttribute(l, key, v) })
		case "neighbours":
			return of.list(l.ifstateNeighbour)
		case "wireguard":
			return of.each(func(key string, v value) error { return l.ifstateWireGuard(key, v) })
		case "sysctl":
			return r.ifstateSysctl(netns, name, of)
		}
		l.other(key, of)
		return nil
	})
}

// ifstateNeighbour reads an address whose hardware address is known.
func (l *link) ifstateNeighbour(of value) error {
	address, mac := of.is("dst"), of.is("lladdr")
	if address == "" || mac == "" || len(of.Content) != 4 && !(len(of.Content) == 6 && of.is("state") == "permanent") {
		l.other("neighbours", of)
		return nil
	}
	l.more = append(l.more, section{of.at(), "Neighbor", []item{{of.at(), "Address", address}, {of.at(), "LinkLayerAddress", mac}}})
	return nil
}

// ifstateWords are attributes of links, less their kind and "_", that are a key of [Link].
var ifstateWords = map[string]string{"mtu": "MTUBytes", "address": "MACAddress", "vlan_id": "Id", "vxlan_id": "VNI", "vxlan_local": "Local",
	"vxlan_local6": "Local", "vxlan_group": "Remote", "vxlan_group6": "Remote", "vxlan_port": "DestinationPort", "vxlan_ttl": "TTL", "geneve_id": "Id",
	"geneve_remote": "Remote", "geneve_remote6": "Remote", "geneve_port": "DestinationPort", "xfrm_if_id": "InterfaceId", "macvlan_mode": "Mode",
	"macvtap_mode": "Mode", "ipvlan_mode": "Mode", "ip6tnl_mode": "Mode", "tun_owner": "User", "tun_group": "Group"}

// ifstateTunnels are attributes that all tunnels have, behind the name of their kind.
var ifstateTunnels = map[string]string{"local": "Local", "remote": "Remote", "ttl": "TTL", "ikey": "Key", "key": "Key"}

// ifstateAttribute reads one attribute of a link.
func (r *reader) ifstateAttribute(l *link, key string, v value) error {
	text, err := v.text()
	if err != nil {
		l.other(key, v)
		return nil
	}
	at := v.at()
	family, rest, _ := strings.Cut(key, "_")
	switch {
	case key == "state" && text == "up", key == "kind", key == "tun_type", strings.HasSuffix(key, "_okey"):
	case key == "link" || key == "vxlan_link" || key == "xfrm_link" || rest == "link" && family != "br":
		l.parent = text
	case key == "link_netns" || key == "bind_netns" || key == "peer_netns":
		if text == "" { // the namespace that IfState runs in
			text = r.netns.String()
		}
		l.outer = &text
	case key == "master":
		l.master = text
	case key == "peer":
		l.peer = text
	case key == "vrf_table":
		l.setTable(v.at(), text)
	case key == "vxlan_learning":
		l.set(at, "MacLearning", yesNo(text))
	case key == "vlan_protocol":
		if text = strings.ToLower(strings.Replace(text, "0x88a8", "802.1ad", 1)); text != "802.1q" && text != "0x8100" {
			l.set(at, "Protocol", text)
		}
	case family == "bond" && l.bondOption(at, bondKey(rest), text, "ms"):
	case ifstateWords[key] != "":
		l.set(at, ifstateWords[key], text)
	case ifstateTunnels[rest] != "" && family == l.kind:
		l.set(at, ifstateTunnels[rest], text)
	default:
		l.other(key, v)
	}
	return nil
}

// ifstateWireGuard reads what a wireguard link has of its own.
func (l *link) ifstateWireGuard(key string, v value) error {
	switch key {
	case "private_key":
		l.ifstateSecret(v, func(path string) { l.set(v.at(), "PrivateKeyFile", path) }, func() { l.secretFile(v.at(), v.before()) })
	case "listen_port":
		l.set(v.at(), "ListenPort", v.Value)
	case "fwmark":
		l.mark(v.at(), v.Value)
	case "peers":
		if v.Kind == yaml.SequenceNode {
			return v.list(func(of value) error { return l.ifstatePeer(of.is("public_key"), of) })
		}
		return v.each(func(public string, of value) error { return l.ifstatePeer(public, of) })
	default:
		l.other(key, v)
	}
	return nil
}

// ifstateSecret reads a key, or what names its file: !include PATH.
func (l *link) ifstateSecret(v value, file func(string), key func()) {
	if v.Tag == "!include" {
		file(v.Value)
		return
	}
	key()
}

func (l *link) ifstatePeer(public string, of value) error {
	if public == "" {
		return of.fail("a peer needs public_key:")
	}
	l.peers = append(l.peers, []item{{of.at(), "PublicKey", public}})
	return of.each(func(key string, v value) error {
		p := l.peer1()
		switch key {
		case "public_key":
		case "preshared_key":
			l.ifstateSecret(v, func(path string) { p.add(v.at(), "PresharedKeyFile", path) }, func() { l.presharedFile(v.at(), v.before()) })
		case "endpoint":
			p.add(v.at(), "Endpoint", v.Value)
		case "persistent_keepalive_interval", "persistent_keepalive":
			p.add(v.at(), "PersistentKeepalive", v.Value)
		case "allowedips", "allowed_ips":
			var words []string
			if err := v.list(func(a value) error { words = append(words, a.Value); return nil }); err != nil {
				return err
			}
			_, err := l.allow(v.at(), strings.Join(words, ","))
			return err
		default:
			p.add(v.at(), "", shown(key+": "+v.inLine()+" has no counterpart"))
		}
		return nil
	})
}

// ifstateRoute reads a route.
func (r *reader) ifstateRoute(netns string, of value) error {
	to := &route{at: of.at(), netns: netns}
	destination, other := "", ""
	var keys []item
	err := of.each(func(key string, v value) error {
		text, err := v.text()
		switch key {
		case "to":
			destination = text
		case "dev":
			to.dev = text
		case "table":
			to.table = text
		case "via", "preference", "src", "type", "metric":
			ours := map[string]string{"via": "Gateway", "preference": "Metric", "metric": "Metric", "src": "PreferredSource", "type": "Type"}[key]
			keys = append(keys, item{v.at(), ours, text})
		case "onlink":
			keys = append(keys, item{v.at(), "GatewayOnLink", yesNo(text)})
		case "proto", "scope":
		default:
			other = key
		}
		return err
	})
	if err == nil && destination == "" {
		err = of.fail("a route needs to:")
	}
	if err != nil {
		return err
	}
	if other != "" {
		r.noteIn(of.at(), "route "+of.inLine()+" has no counterpart")
		return nil
	}
	return r.route(to, destination, false, keys)
}

// noteIn notes what is of no link.
func (r *reader) noteIn(at problem.Pos, text string) { r.left = append(r.left, lineNote(at, text)) }

// ifstateRule reads a rule.
func (r *reader) ifstateRule(netns string, of value) error {
	to, other := &rule{at: of.at(), netns: netns}, false
	err := of.each(func(key string, v value) error {
		text, err := v.text()
		ours := map[string]string{"from": "From", "to": "To", "priority": "Priority", "fwmark": "FirewallMark", "iif": "IncomingInterface",
			"oif": "OutgoingInterface", "ipproto": "IPProtocol", "sport": "SourcePort", "dport": "DestinationPort"}[key]
		switch {
		case err != nil:
		case key == "table":
			to.table = text
		case key == "action":
			if text != "lookup" && text != "to_table" {
				to.set(v.at(), "Type", text)
			}
		case ours == "From" || ours == "To":
			text, err = networkOf(v.at(), text)
			to.set(v.at(), ours, text)
		case ours != "":
			to.set(v.at(), ours, text)
		case key != "proto":
			other = true
		}
		return err
	})
	if err == nil && other {
		r.noteIn(of.at(), "rule "+of.inLine()+" has no counterpart")
		return nil
	}
	if err == nil {
		r.addRule(to, false)
	}
	return err
}
