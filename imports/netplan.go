package imports

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// netplan reads a file of netplan(5), or a folder of them.
func (r *reader) netplan(file string) error {
	files, err := r.folder(file, ".yaml", ".yml")
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasSuffix(f, ".yml") && f != file {
			r.noteIn(problem.Pos{File: f}, "is left out: netplan reads files that end in .yaml")
			continue
		}
		data, err := r.open(f)
		if err != nil {
			return err
		}
		doc, err := yamlFile(f, data)
		if err != nil {
			return err
		}
		network, ok := doc.get("network")
		if !ok {
			return doc.fail("expected network:")
		}
		if err := network.each(r.netplanKind); err != nil {
			return err
		}
	}
	return nil
}

// netplanKinds are the words that netplan has for kinds of links. Of tunnels mode: says it.
var netplanKinds = map[string]string{"ethernets": "", "vlans": "vlan", "bridges": "bridge", "vrfs": "vrf", "tunnels": "", "dummy-devices": "dummy",
	"virtual-ethernets": "veth", "bonds": "bond", "wifis": "wifi", "modems": "modem"}

// netplanKind reads all links of a kind.
func (r *reader) netplanKind(kind string, links value) error {
	ours, ok := netplanKinds[kind]
	switch {
	case kind == "version" || kind == "renderer":
		return nil
	case !ok:
		r.left = append(r.left, lineNote(links.at(), kind+": "+links.inLine()+" has no counterpart"))
		return nil
	}
	return links.each(func(name string, of value) error {
		if kind == "renderer" || name == "renderer" {
			return nil
		}
		if set := of.is("set-name"); set != "" {
			name = set
		}
		l, err := r.link(of.at(), r.netns.String(), name)
		if err != nil {
			return err
		}
		if kind == "tunnels" {
			ours = of.is("mode")
		}
		if ours != "" && l.kind == "" {
			l.become(of.at(), ours)
		}
		if match, ok := of.get("match"); ok && of.is("set-name") == "" && match.is("name") != name {
			l.note(match.at(), "match: "+match.inLine()+": which link that is, is not known; the section has to have its name")
		}
		return of.each(func(key string, v value) error { return r.netplanKey(l, kind, key, v) })
	})
}

// netplanWords are keys of netplan that are a key of [Link].
var netplanWords = map[string]string{"mtu": "MTUBytes", "macaddress": "MACAddress", "local": "Local", "remote": "Remote", "ttl": "TTL"}

// netplanKey reads one key of a link.
func (r *reader) netplanKey(l *link, kind, key string, v value) error {
	switch key {
	case "match", "set-name", "renderer", "optional", "optional-addresses", "mode", "critical", "ignore-carrier":
		return nil // how the link is found, and who waits for it
	case "addresses":
		return v.list(func(a value) error { return l.netplanAddress(a) })
	case "routes":
		return v.list(func(of value) error { return r.netplanRoute(l, of) })
	case "routing-policy":
		return v.list(func(of value) error { return r.netplanRule(l, of) })
	case "interfaces":
		return v.list(func(of value) error { return r.netplanMember(l, kind, of) })
	case "nameservers":
		return v.each(func(what string, list value) error {
			ours := map[string]string{"addresses": "DNS", "search": "Domains"}[what]
			if ours == "" {
				l.other("nameservers: "+what, list)
				return nil
			}
			return list.list(func(of value) error {
				text, err := of.text()
				l.dns = append(l.dns, item{of.at(), ours, text})
				return err
			})
		})
	case "peers":
		return v.list(func(of value) error { return r.netplanPeer(l, of) })
	case "keys":
		return v.each(l.netplanKeys)
	case "parameters":
		if l.kind == "bond" {
			return v.each(func(key string, of value) error {
				if !l.bondOption(of.at(), bondKey(key), of.Value, "ms") {
					l.other("parameters: "+key, of)
				}
				return nil
			})
		}
	}
	text, err := v.text()
	if err != nil {
		l.other(key, v)
		return nil
	}
	return r.netplanValue(l, key, text, v)
}

// netplanValue reads a key that has one word.
func (r *reader) netplanValue(l *link, key, text string, v value) error {
	at := v.at()
	switch key {
	case "id":
		l.set(at, map[string]string{"vxlan": "VNI"}[l.kind]+map[bool]string{true: "Id"}[l.kind != "vxlan"], text)
	case "link":
		l.parent = text
	case "peer":
		l.peer = text
	case "table":
		l.setTable(v.at(), text)
	case "port":
		l.set(at, map[bool]string{true: "ListenPort", false: "DestinationPort"}[l.kind == "wireguard"], text)
	case "key":
		if l.kind == "wireguard" {
			return l.netplanKeys("private", v)
		}
		l.set(at, "Key", text)
	case "mark":
		l.mark(at, text)
	case "mac-learning":
		l.set(at, "MacLearning", yesNo(text))
	case "dhcp4", "dhcp6":
		if yesNo(text) == "yes" {
			l.lease(at, "ipv"+key[4:])
		}
	case "accept-ra":
		l.set(at, "IPv6AcceptRA", yesNo(text))
	case "gateway4", "gateway6":
		return r.route(&route{at: at, netns: l.netns, dev: l.name, of: l}, "default", false, []item{{at, "Gateway", text}})
	default:
		if netplanWords[key] == "" {
			l.other(key, v)
			return nil
		}
		l.set(at, netplanWords[key], text)
	}
	return nil
}

// netplanAddress reads an address; one with options is a mapping.
func (l *link) netplanAddress(v value) error {
	if v.Content != nil {
		return v.each(func(address string, options value) error {
			prefix, err := prefixOf(v.at(), address, "")
			l.set(v.at(), "Address", prefix)
			l.note(v.at(), "options of "+address+": "+options.inLine()+" have no counterpart")
			return err
		})
	}
	prefix, err := prefixOf(v.at(), v.Value, "")
	l.set(v.at(), "Address", prefix)
	return err
}

// netplanMember makes a link a member of a bridge, a bond or a VRF.
func (r *reader) netplanMember(l *link, kind string, of value) error {
	name, err := of.text()
	if err != nil {
		return err
	}
	if kind != "bridges" && kind != "vrfs" && kind != "bonds" {
		l.other("interfaces", of)
		return nil
	}
	member, err := r.link(of.at(), l.netns, name)
	if err == nil {
		member.master = l.name
	}
	return err
}

// netplanRoute reads a route.
func (r *reader) netplanRoute(l *link, of value) error {
	to := &route{at: of.at(), netns: l.netns, dev: l.name, of: l}
	if l.kind == "vrf" {
		to.vrf, to.dev = l.name, ""
	}
	destination, left := "", false
	var keys []item
	err := of.each(func(key string, v value) error {
		text, err := v.text()
		switch key {
		case "to":
			destination = text
		case "table":
			if l.kind != "vrf" {
				to.table = text
			}
		case "via", "metric", "from", "mtu", "type":
			ours := map[string]string{"via": "Gateway", "metric": "Metric", "from": "PreferredSource", "mtu": "MTUBytes", "type": "Type"}[key]
			if key == "type" && text != "unicast" {
				to.dev = ""
			}
			keys = append(keys, item{v.at(), ours, text})
		case "on-link":
			if yesNo(text) == "yes" {
				keys = append(keys, item{v.at(), "GatewayOnLink", "yes"})
			}
		case "scope":
			left = text != "link" && text != "global"
		default:
			left = true
		}
		return err
	})
	if err != nil {
		return err
	}
	if left {
		l.other("routes", of)
		return nil
	}
	if destination == "" {
		return of.fail("a route needs to:")
	}
	return r.route(to, destination, false, keys)
}

// netplanRule reads a rule.
func (r *reader) netplanRule(l *link, of value) error {
	to, left := &rule{at: of.at(), netns: l.netns}, false
	err := of.each(func(key string, v value) error {
		text, err := v.text()
		ours := map[string]string{"from": "From", "to": "To", "priority": "Priority", "mark": "FirewallMark"}[key]
		switch {
		case err != nil:
		case key == "table":
			to.table = text
		case ours == "From" || ours == "To":
			text, err = networkOf(v.at(), text)
			to.set(v.at(), ours, text)
		case ours != "":
			to.set(v.at(), ours, text)
		default:
			left = true
		}
		return err
	})
	if err != nil {
		return err
	}
	if to.table == "" && l.kind == "vrf" {
		to.table = l.table
	}
	if left || to.table == "" {
		l.other("routing-policy", of)
		return nil
	}
	r.addRule(to, false)
	return nil
}

// netplanKeys reads the key of a wireguard link: a key, or the path of its file.
func (l *link) netplanKeys(what string, v value) error {
	text, err := v.text()
	switch {
	case err != nil:
	case what != "private":
		l.note(v.at(), what+": has no counterpart")
	case strings.HasPrefix(text, "/"):
		l.set(v.at(), "PrivateKeyFile", text)
	default:
		l.secretFile(v.at(), v.before())
	}
	return err
}

// netplanPeer reads a peer of a wireguard link.
func (r *reader) netplanPeer(l *link, of value) error {
	l.peers = append(l.peers, nil)
	err := of.each(func(key string, v value) error {
		switch key {
		case "keys":
			return v.each(func(what string, k value) error {
				text, err := k.text()
				switch {
				case err != nil:
				case what == "public":
					l.peer1().add(k.at(), "PublicKey", text)
				case strings.HasPrefix(text, "/"):
					l.peer1().add(k.at(), "PresharedKeyFile", text)
				default:
					l.presharedFile(k.at(), k.before())
				}
				return err
			})
		case "allowed-ips":
			var words []string
			err := v.list(func(a value) error { words = append(words, a.Value); return nil })
			if err == nil {
				_, err = l.allow(v.at(), strings.Join(words, ","))
			}
			return err
		}
		text, err := v.text()
		if err != nil {
			return err
		}
		if ours := map[string]string{"endpoint": "Endpoint", "keepalive": "PersistentKeepalive"}[key]; ours != "" {
			l.peer1().add(v.at(), ours, text)
		} else {
			l.peer1().add(v.at(), "", shown(key+": "+text+" has no counterpart"))
		}
		return nil
	})
	last := l.peers[len(l.peers)-1]
	if err == nil && !slices.ContainsFunc(last, func(k item) bool { return k.key == "PublicKey" }) {
		return of.fail("a peer needs keys: with public:")
	}
	return err
}
