package imports

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// networkd reads a .netdev or .network file, or a folder of them, with their drop-ins: first
// what makes links, then what they have.
func (r *reader) networkd(file string) error {
	files, err := r.folder(file, ".link", ".netdev", ".network")
	if err != nil {
		return err
	}
	for _, ends := range []string{".netdev", ".network"} {
		for _, f := range files {
			if !strings.HasSuffix(f, ends) {
				continue
			}
			if info, err := fs.Stat(r.root, strings.TrimPrefix(f, "/")); err == nil && (info.Size() == 0 || info.Mode()&fs.ModeDevice != 0) {
				r.noteIn(problem.Pos{File: f}, "is empty or /dev/null, which has networkd leave it out")
				continue
			}
			list, err := r.withDropIns(f)
			if err == nil && ends == ".netdev" {
				err = r.netdev(f, list)
			} else if err == nil {
				err = r.networkFile(f, list)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, f := range files {
		switch {
		case strings.HasSuffix(f, ".link"):
			r.noteIn(problem.Pos{File: f}, "has no counterpart: udev reads it, for names and properties of links")
		case !strings.HasSuffix(f, ".netdev") && !strings.HasSuffix(f, ".network"):
			return problem.New(problem.Pos{File: f}, "expected a file whose name ends in .netdev or .network, or a folder")
		}
	}
	return nil
}

// withDropIns reads a file, and NAME.d/*.conf behind it.
func (r *reader) withDropIns(file string) (list []section, err error) {
	found, err := fs.Glob(r.root, strings.TrimPrefix(file, "/")+".d/*.conf")
	if err != nil {
		return nil, problem.New(problem.Pos{File: file}, "%w", err)
	}
	slices.Sort(found)
	for _, name := range append([]string{file}, found...) {
		name = "/" + strings.TrimPrefix(name, "/")
		data, err := r.open(name)
		if err != nil {
			return nil, err
		}
		more, err := sections(name, string(data))
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// netdevKeys are the keys of a .netdev that are ours too, by section.
var netdevKeys = map[string][]string{
	"VLAN": {"Id", "Protocol"}, "MACVLAN": {"Mode"}, "MACVTAP": {"Mode"}, "IPVLAN": {"Mode"},
	"VXLAN": {"VNI", "Local", "Remote", "DestinationPort", "TTL", "MacLearning"}, "GENEVE": {"Id", "Remote", "DestinationPort", "TTL"},
	"Tunnel": {"Local", "Remote", "TTL", "Key", "Mode"}, "Xfrm": {"InterfaceId"}, "MACsec": {"Port", "Encrypt"},
	"Tun": {"User", "Group", "MultiQueue", "PacketInfo", "VNetHeader"}, "Tap": {"User", "Group", "MultiQueue", "PacketInfo", "VNetHeader"},
	"WireGuard": {"PrivateKeyFile", "ListenPort", "FirewallMark"},
}

// netdevNames are other words for keys of ours, by section and key.
var netdevNames = map[string]string{"VXLAN.Id": "VNI", "VXLAN.Group": "Remote", "VXLAN.PortRange": "", "Tunnel.InputKey": "Key"}

// yesNo spells a truth value as a domain's file does.
func yesNo(value string) string {
	switch strings.ToLower(value) {
	case "yes", "true", "on", "1":
		return "yes"
	case "no", "false", "off", "0":
		return "no"
	}
	return value
}

var truths = []string{"MacLearning", "MultiQueue", "PacketInfo", "VNetHeader", "GatewayOnLink", "InvertRule", "Encrypt"}

// netdev reads what makes a link.
func (r *reader) netdev(file string, list []section) error {
	at := problem.Pos{File: file}
	var l *link
	for _, s := range list {
		if s.name != "NetDev" || s.only("Name") == "" && l != nil {
			continue
		}
		name, kind := s.only("Name"), s.only("Kind")
		if name == "" || kind == "" {
			return problem.New(s.at, "a netdev needs Name= and Kind=")
		}
		var err error
		if first := r.matched["netdev "+name]; first != "" && first != file {
			return problem.New(s.at, "%s makes %s, too, and networkd reads the first file alone; take one away", first, name)
		}
		r.matched["netdev "+name] = file
		if l, err = r.link(s.at, r.netns.String(), name); err != nil {
			return err
		}
		l.become(s.at, kind)
	}
	if l == nil {
		return problem.New(at, "has no section [NetDev]")
	}
	for _, s := range list {
		if s.name == "WireGuardPeer" {
			l.peers = append(l.peers, nil)
		}
		for _, k := range s.keys {
			if err := r.netdevKey(l, s.name, k); err != nil {
				return err
			}
		}
		if s.name == "WireGuardPeer" && valueOf(l.peers[len(l.peers)-1], "PublicKey") == "" {
			return problem.New(s.at, "a peer needs PublicKey=")
		}
	}
	return nil
}

// netdevKey reads one line.
func (r *reader) netdevKey(l *link, section string, k item) error {
	key := k.key
	if ours, ok := netdevNames[section+"."+key]; ok {
		key = ours
	}
	value := k.value
	if slices.Contains(truths, key) {
		value = yesNo(value)
	}
	switch {
	case k.value == "" || section == "Match":
	case section == "NetDev" && (key == "Name" || key == "Kind"):
	case section == "NetDev" && (key == "MTUBytes" || key == "MACAddress"):
		l.set(k.at, key, value)
	case section == "NetDev" && key == "Description":
		if l.kind == "vrf" {
			l.set(k.at, key, value)
		}
	case section == "VRF" && (key == "Table" || key == "TableId"):
		l.setTable(k.at, value)
	case section == "Peer" && key == "Name":
		l.peer = value
	case section == "WireGuard" && key == "PrivateKey":
		l.secretFile(k.at, ini)
	case section == "WireGuardPeer":
		return l.wireGuardPeer(k)
	case section == "Bridge" && key == "STP" && yesNo(value) == "no", section == "Tunnel" && key == "Independent":
	case section == "WireGuard" && key == "FirewallMark":
		l.mark(k.at, value)
	case section == "Bond" && l.bondOption(k.at, key, value, ""):
	case slices.Contains(netdevKeys[section], key) && l.kind != "":
		if key == "Local" && (value == "any" || strings.HasPrefix(value, "dhcp") || strings.HasPrefix(value, "ipv")) {
			break
		}
		l.set(k.at, key, value)
	default:
		l.note(k.at, "["+section+"] "+k.key+"="+k.value+" has no counterpart")
	}
	return nil
}

// wireGuardPeer reads a line of a peer.
func (l *link) wireGuardPeer(k item) error {
	switch k.key {
	case "AllowedIPs":
		_, err := l.allow(k.at, k.value)
		return err
	case "PresharedKey":
		l.presharedFile(k.at, ini)
	case "PublicKey", "PresharedKeyFile", "Endpoint":
		l.peer1().add(k.at, k.key, k.value)
	case "PersistentKeepalive":
		if k.value != "off" && k.value != "0" {
			l.peer1().add(k.at, k.key, k.value)
		}
	default:
		l.peer1().add(k.at, "", lineText("WireGuardPeer", k))
	}
	return nil
}

func lineText(section string, k item) string {
	return shown("[" + section + "] " + k.key + "=" + k.value + " has no counterpart")
}

// networkFile reads what a link has. A file that matches links by a pattern says nothing of
// one link.
func (r *reader) networkFile(file string, list []section) error {
	name, at := "", problem.Pos{File: file}
	for _, s := range list {
		if s.name == "Match" && s.only("Name") != "" {
			name, at = s.only("Name"), s.at
		}
	}
	if name == "" || strings.ContainsAny(name, "*?[] !") {
		r.left = append(r.left, lineNote(at, path.Base(file)+" matches no link by its one name; say Name= for each in a copy"))
		return nil
	}
	if first := r.matched[name]; first != "" {
		r.noteIn(at, first+" matches "+name+", too, and networkd reads the first file alone; this one is left out")
		return nil
	}
	r.matched[name] = file
	l, err := r.link(at, r.netns.String(), name)
	if err != nil {
		return err
	}
	for _, s := range list {
		switch s.name {
		case "Match":
			for _, k := range s.keys {
				if k.key != "Name" {
					l.note(k.at, "[Match] "+k.key+"="+k.value+": the link is found by its name alone")
				}
			}
		case "Route":
			err = r.networkRoute(l, s)
		case "RoutingPolicyRule":
			err = r.networkRule(l, s)
		case "Address":
			err = l.networkAddress(s)
		case "Neighbor":
			l.more = append(l.more, s)
		default:
			for _, k := range s.keys {
				if err = r.networkKey(l, s.name, k); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stacked are the keys of [Network] that name links above this one.
var stacked = []string{"VLAN", "MACVLAN", "MACVTAP", "IPVLAN", "MACsec", "VXLAN", "Tunnel", "Xfrm"}

// networkKey reads one line of [Network] or [Link].
func (r *reader) networkKey(l *link, section string, k item) error {
	value := k.value
	switch {
	case value == "":
		r.takeBack(l, k.key)
	case section == "Link" && (k.key == "MTUBytes" || k.key == "MACAddress"):
		l.set(k.at, k.key, value)
	case section == "Link" && (k.key == "RequiredForOnline" || k.key == "RequiredFamilyForOnline"):
	case section != "Network":
		l.note(k.at, "["+section+"] "+k.key+"="+value+" has no counterpart")
	case slices.Contains(stacked, k.key):
		above, err := r.link(k.at, l.netns, value)
		if err != nil {
			return err
		}
		above.parent = l.name
	case k.key == "VRF" || k.key == "Bridge" || k.key == "Bond":
		l.master = value
	default:
		return r.networkOwn(l, k)
	}
	return nil
}

// takeBack takes back what stands before, as an empty value does.
func (r *reader) takeBack(l *link, key string) {
	same := func(o item) bool { return o.key == key }
	l.keys = slices.DeleteFunc(l.keys, same)
	l.dns = slices.DeleteFunc(l.dns, same)
	if key == "Gateway" {
		r.routes = slices.DeleteFunc(r.routes, func(o *route) bool { return o.plain && o.of == l })
	}
}

// networkOwn reads a line of [Network] that is of the link itself.
func (r *reader) networkOwn(l *link, k item) error {
	switch k.key {
	case "Address":
		prefix, err := prefixOf(k.at, k.value, "")
		l.set(k.at, k.key, prefix)
		return err
	case "Gateway":
		return r.route(&route{at: k.at, netns: l.netns, dev: l.name, of: l, plain: true}, "default", false, []item{{k.at, "Gateway", k.value}})
	case "DNS", "Domains":
		l.dns = append(l.dns, item{k.at, k.key, k.value})
	case "DHCP":
		if family := yesNo(k.value); family == "yes" || family == "ipv4" || family == "ipv6" {
			l.set(k.at, "DHCP", family)
		}
	case "IPv6AcceptRA":
		l.set(k.at, k.key, yesNo(k.value))
	case "IPv4Forwarding", "IPv6Forwarding", "IPForward":
		r.forwards(l, k)
	case "ConfigureWithoutCarrier", "KeepMaster", "Description":
	default:
		l.note(k.at, "["+"Network"+"] "+k.key+"="+k.value+" has no counterpart")
	}
	return nil
}

// forwards reads the switches for forwarding, which are the namespace's.
func (r *reader) forwards(l *link, k item) {
	value := map[string]string{"yes": "1", "no": "0"}[yesNo(k.value)]
	if value == "" || k.key == "IPForward" {
		value = "1"
	}
	for _, v := range []struct{ key, name string }{{"IPv4Forwarding", "net.ipv4.ip_forward"}, {"IPv6Forwarding", "net.ipv6.conf.all.forwarding"}} {
		family := strings.ToLower(v.key[:4])
		if k.key == v.key || k.key == "IPForward" && (yesNo(k.value) == "yes" || k.value == family) {
			r.sysctls = append(r.sysctls, sysctl{k.at, l.netns, v.name, value})
		}
	}
}
