package conf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// common are the keys of every [Link]; those of kinds come on top.
var common = fields[Link]{
	"Kind": once(func(p *parser, l *Link, k key) error {
		if l.Kind = k.value; !slices.Contains(LinkKinds, l.Kind) {
			return p.fail(k.line, "Kind=%s: expected one of %s, or no Kind= for a link that exists already",
				clip(k.value), strings.Join(LinkKinds, ", "))
		}
		return nil
	}),
	"Address":         list(func(p *parser, l *Link, k key) error { return p.address(&l.Addresses, k) }),
	"DHCP":            once((*parser).dhcp),
	"IPv6AcceptRA":    set(func(l *Link) *string { return &l.AcceptRA }, oneOf("yes", "no")),
	"MTUBytes":        set(func(l *Link) *uint32 { return &l.MTU }, number[uint32](68, 65535)),
	"MACAddress":      set(func(l *Link) *string { return &l.MAC }, (*parser).mac),
	"AlternativeName": list((*parser).altName),
	"Bond": once(func(p *parser, l *Link, k key) (err error) {
		l.Bonded = true
		l.Bridge, err = p.name(k)
		return err
	}),
	"Bridge": set(func(l *Link) *domain.LinkName { return &l.Bridge }, (*parser).name),
}

// Keys that several kinds have.
var (
	outer  = set(func(l *Link) *Ref { return &l.Outer }, (*parser).ref)
	parent = set(func(l *Link) *domain.LinkName { return &l.Parent }, (*parser).name)
	ttl    = set(func(l *Link) *uint8 { return &l.TTL }, number[uint8](0, 255))
	port   = set(func(l *Link) *uint16 { return &l.Port }, number[uint16](1, 65535))
)

// linkID is the number of a link, whose key has its own name for each kind.
func linkID(low, high uint64) field[Link] {
	return set(func(l *Link) *uint32 { return &l.ID }, number[uint32](low, high))
}

// tunnelKey is the number that packets of a tunnel carry, or are looked up by.
func tunnelKey(low uint64) field[Link] {
	return once(func(p *parser, l *Link, k key) (err error) {
		l.GREKey, err = number[uint32](low, 1<<32-1)(p, k)
		l.Keyed = true
		return err
	})
}

// addressOf reads an outer address of a tunnel of one family, or of both where
// bits is 0.
func addressOf(part func(*Link) *netip.Addr, bits int, multicast bool) field[Link] {
	example := map[int]string{0: "192.0.2.1 or 2001:db8::1", 32: "192.0.2.1", 128: "2001:db8::1"}[bits]
	return set(part, func(p *parser, k key) (netip.Addr, error) {
		a, err := netip.ParseAddr(k.value)
		if err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || bits != 0 && a.BitLen() != bits ||
			a.IsMulticast() && !multicast {
			return a, p.fail(k.line, "%s=%s: expected an address, such as %s%s", k.name, clip(k.value), example, commentHint(k.value))
		}
		return a, nil
	})
}

func local(l *Link) *netip.Addr  { return &l.Local }
func remote(l *Link) *netip.Addr { return &l.Remote }

// mode reads Mode=, whose words are written as systemd.netdev(5) writes them,
// in any case.
func mode(words ...string) field[Link] {
	return set(func(l *Link) *string { return &l.Mode }, func(p *parser, k key) (string, error) {
		if word := strings.ToLower(k.value); slices.Contains(words, word) {
			return word, nil
		}
		return oneOf(words...)(p, k)
	})
}

func flag(part func(*Link) *bool) field[Link] { return set(part, (*parser).yes) }

func owner(part func(*Link) *string) field[Link] {
	return set(part, func(p *parser, k key) (string, error) {
		if !isOwner(k.value) {
			return "", p.fail(k.line, "%s=%s: expected a name or a number%s", k.name, clip(k.value), commentHint(k.value))
		}
		return k.value, nil
	})
}

// isOwner reports whether s can be the name or number of a user or group.
func isOwner(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && (i == 0 || c != '-' && c != '.') && c != '_' {
			return false
		}
	}
	if s[0] >= '0' && s[0] <= '9' {
		n, err := strconv.ParseUint(s, 10, 32)
		return err == nil && n < 1<<32-1 && strconv.FormatUint(n, 10) == s
	}
	return len(s) <= 32
}

func tunnel(bits int) fields[Link] {
	return fields[Link]{"Outer": outer, "Parent": parent, "Local": addressOf(local, bits, false),
		"Remote": addressOf(remote, bits, false), "TTL": ttl}
}

func gre(bits int) fields[Link] { return tunnel(bits).and(fields[Link]{"Key": tunnelKey(0)}) }

// vti returns the keys of a tunnel whose packets IPsec carries, by policies with its key
// as their mark. It has no TTL.
func vti(bits int) fields[Link] {
	return fields[Link]{"Outer": outer, "Parent": parent, "Local": addressOf(local, bits, false),
		"Remote": addressOf(remote, bits, false), "Key": tunnelKey(1)}
}

// macvlan returns the keys of a macvlan, or of one that a program reads by a device file.
func macvlan() fields[Link] {
	return fields[Link]{"Outer": outer, "Parent": parent, "Mode": mode("bridge", "private", "vepa", "passthru")}
}

func tuntap() fields[Link] {
	return fields[Link]{
		"User":       owner(func(l *Link) *string { return &l.User }),
		"Group":      owner(func(l *Link) *string { return &l.Group }),
		"MultiQueue": flag(func(l *Link) *bool { return &l.MultiQueue }),
		"PacketInfo": flag(func(l *Link) *bool { return &l.PacketInfo }),
		"VNetHeader": flag(func(l *Link) *bool { return &l.VNetHeader }),
	}
}

// kinds are the keys that only some kinds of link have; "" are links that exist.
var kinds = map[string]fields[Link]{
	"": {
		"RequiredForOnline": once(func(p *parser, l *Link, k key) error {
			yes, err := p.yes(k)
			l.Later = !yes
			return err
		}),
	},
	"veth": {
		"Outer":       outer,
		"Peer":        set(func(l *Link) *domain.LinkName { return &l.Peer }, (*parser).name),
		"PeerAddress": list(func(p *parser, l *Link, k key) error { return p.address(&l.PeerAddresses, k) }),
		"PeerRoute":   list(func(p *parser, l *Link, k key) error { return p.peerRoute(&l.PeerRoutes, k) }),
		"Masquerade":  set(func(l *Link) *string { return &l.Masquerade }, oneOf("yes", "ipv4", "ipv6", "both", "no")),
		"PeerBridge":  set(func(l *Link) *domain.LinkName { return &l.PeerBridge }, (*parser).name),
	},
	"vlan": {
		"Outer": outer, "Parent": parent,
		"Id": linkID(1, 4094),
		"Protocol": once(func(p *parser, l *Link, k key) error {
			switch k.value {
			case "802.1q":
			case "802.1ad":
				l.Protocol = k.value
			default:
				return p.fail(k.line, "Protocol=%s: expected 802.1q or 802.1ad", clip(k.value))
			}
			return nil
		}),
	},
	"macvlan": macvlan(), "macvtap": macvlan(),
	"ipvlan": {"Outer": outer, "Parent": parent, "Mode": mode("l2", "l3", "l3s")},
	"bond":   bond(),
	"bridge": {
		"VLANFiltering": flag(func(l *Link) *bool { return &l.VLANFiltering }),
		"DefaultPVID": once(func(p *parser, l *Link, k key) (err error) {
			if k.value != "none" {
				l.DefaultPVID, err = number[uint16](1, 4094)(p, k)
			}
			return err
		}),
	},
	"vxlan": {
		"Outer": outer, "Parent": parent, "Local": addressOf(local, 0, false), "Remote": addressOf(remote, 0, true), "TTL": ttl,
		"VNI": linkID(0, 1<<24-1), "DestinationPort": port,
		"MacLearning": once(func(p *parser, l *Link, k key) error {
			yes, err := p.yes(k)
			l.NoLearning = !yes
			return err
		}),
	},
	"geneve": {"Outer": outer, "Remote": addressOf(remote, 0, false), "TTL": ttl, "Id": linkID(0, 1<<24-1), "DestinationPort": port},
	"gre":    gre(32), "gretap": gre(32), "ip6gre": gre(128), "ip6gretap": gre(128), "ipip": tunnel(32), "sit": tunnel(32),
	"ip6tnl": tunnel(128).and(fields[Link]{"Mode": mode("any", "ip6ip6", "ipip6")}), "vti": vti(32), "vti6": vti(128),
	"xfrm": {"Outer": outer, "Parent": parent, "InterfaceId": linkID(1, 1<<32-1)},
	"tun":  tuntap(), "tap": tuntap(),
	"macsec": {
		"Outer": outer, "Parent": parent,
		"Port":    set(func(l *Link) *uint16 { return &l.ChannelPort }, number[uint16](1, 65535)),
		"Encrypt": flag(func(l *Link) *bool { return &l.Encrypt }),
	},
	"wireguard": {
		"Outer":          outer,
		"PrivateKeyFile": set(func(l *Link) *object.Secret { return &l.KeyFile }, (*parser).keyFile),
		"ConfigFile":     set(func(l *Link) *string { return &l.ConfigFile }, (*parser).configFile),
		"ReResolveSec":   set(func(l *Link) *uint32 { return &l.ReResolve }, number[uint32](0, 86400)),
		"ListenPort":     set(func(l *Link) *uint16 { return &l.ListenPort }, number[uint16](1, 65535)),
		"FirewallMark":   set(func(l *Link) *uint32 { return &l.Mark }, number[uint32](1, 1<<32-1)),
	},
}

// needed are the keys without which a kind cannot be made, and what they say.
var needed = map[string][][2]string{
	"veth":    {{"Peer", "the name of the end that stays outside"}},
	"vlan":    {{"Parent", "the link below"}, {"Id", "its number, 1 to 4094"}},
	"macvlan": {{"Parent", "the link below"}},
	"macvtap": {{"Parent", "the link below"}},
	"ipvlan":  {{"Parent", "the link below"}},
	"vxlan":   {{"VNI", "its number, 0 to 16777215"}},
	"geneve":  {{"Id", "its number, 0 to 16777215"}, {"Remote", "the address of its other end"}},
	"xfrm":    {{"InterfaceId", "the if_id of the IPsec policies that use it"}},
	"macsec":  {{"Parent", "the link below"}, {"Encrypt", "yes, or no where others may read what is sent and not change it"}},
}

// kindsWith returns the kinds that have a key, as words of Kind=.
func kindsWith(name string) string {
	if _, ok := kinds[""][name]; ok {
		return "a link that exists already, without Kind="
	}
	var list []string
	for _, kind := range LinkKinds {
		if _, ok := kinds[kind][name]; ok {
			list = append(list, kind)
		}
	}
	if n := len(list) - 1; n > 0 {
		return "Kind=" + strings.Join(list[:n], ", ") + " or " + list[n]
	}
	return "Kind=" + strings.Join(list, "")
}

// linkKeys returns all keys of [Link].
func linkKeys() map[string]bool {
	all := common
	for _, f := range kinds {
		all = all.and(f)
	}
	return all.names()
}

// defaults fills in what a kind has if the file does not say it.
func (l *Link) defaults() {
	given := func(name string) bool { return l.lines[name] != 0 }
	if mode := map[string]string{"macvlan": "bridge", "macvtap": "bridge", "ipvlan": "l2", "ip6tnl": "any", "bond": "balance-rr"}[l.Kind]; !given("Mode") {
		l.Mode = mode
	}
	if port := map[string]uint16{"vxlan": 4789, "geneve": 6081}[l.Kind]; !given("DestinationPort") {
		l.Port = port
	}
	if l.Kind == "macsec" && !given("Port") {
		l.ChannelPort = 1
	}
	if l.Kind == "bond" && !given("MIIMonitorSec") {
		l.Monitor = 100
	}
	if _, hasTTL := kinds[l.Kind]["TTL"]; hasTTL && object.IsTunnel(l.Kind) && !given("TTL") {
		l.TTL = 64
	}
}

// together looks at keys that must fit each other.
func (p *parser) together(l *Link) error {
	for _, n := range needed[l.Kind] {
		if l.lines[n[0]] == 0 {
			return p.fail(l.Line, "Kind=%s needs %s=, %s", l.Kind, n[0], n[1])
		}
	}
	if object.IsTunnel(l.Kind) && l.Kind != "xfrm" && !l.Local.IsValid() && !l.Remote.IsValid() {
		return p.fail(l.Line, "Kind=%s needs Local= or Remote=, an address of the outer domain", l.Kind)
	}
	if l.Kind == "vxlan" {
		if l.Local.IsValid() && l.Remote.IsValid() && l.Local.Is4() != l.Remote.Is4() {
			return p.fail(l.lines["Remote"], "Remote=%s: expected an address of the same family as Local=%s", l.Remote, l.Local)
		}
		if l.Remote.IsMulticast() && l.Parent.IsZero() {
			return p.fail(l.lines["Remote"], "Remote=%s is a group, which needs Parent=, the link to reach it by", l.Remote)
		}
	}
	if l.Kind == "bridge" && !l.VLANFiltering && l.lines["DefaultPVID"] != 0 {
		return p.fail(l.lines["DefaultPVID"], "DefaultPVID= needs VLANFiltering=yes")
	}
	if err := p.bonded(l); err != nil {
		return err
	}
	if l.Kind == "wireguard" && l.KeyFile == "" && l.ConfigFile == "" {
		return p.fail(l.Line, "Kind=wireguard needs PrivateKeyFile=, the path of its private key, or ConfigFile=, a file of wg-quick")
	}
	for _, name := range []string{"PrivateKeyFile", "ListenPort", "FirewallMark"} {
		if l.ConfigFile != "" && l.lines[name] != 0 {
			return p.fail(l.lines[name], "%s= and ConfigFile= exclude each other: that file has it", name)
		}
	}
	if (l.DHCP || l.DHCP6) && (noDHCP[l.Kind] || l.Name.String() == "lo") {
		return p.fail(l.lines["DHCP"], "DHCP= is for a link with an Ethernet address of its own")
	}
	if l.Later && l.Name.String() == "lo" {
		return p.fail(l.lines["RequiredForOnline"], "RequiredForOnline= is for a link that somebody makes; lo comes with the namespace")
	}
	if l.AcceptRA != "" && l.Name.String() == "lo" {
		return p.fail(l.lines["IPv6AcceptRA"], "IPv6AcceptRA= is for a link to other hosts")
	}
	for _, r := range l.PeerRoutes {
		if !l.Inner(r.Prefix.Addr().Is4()).IsValid() || !hasFamily(l.PeerAddresses, r.Prefix.Addr().Is4()) {
			return p.fail(r.Line, "PeerRoute=%s needs an Address= and a PeerAddress= of its family: it leads from the one to the other", r.Prefix)
		}
	}
	if l.Masquerade == "yes" && len(l.Addresses) == 0 {
		return p.fail(l.lines["Masquerade"], "Masquerade=yes is for the families of Address=, and there is none; say ipv4, ipv6 or both")
	}
	if l.lines["PeerBridge"] != 0 && len(l.Masquerades()) > 0 {
		return p.fail(l.lines["PeerBridge"], "PeerBridge= and Masquerade= exclude each other: a port of a bridge forwards to the bridge")
	}
	if l.lines["PeerBridge"] != 0 && len(l.PeerAddresses) > 0 {
		return p.fail(l.lines["PeerBridge"], "PeerBridge= and PeerAddress= exclude each other: a port of a bridge has no addresses")
	}
	return nil
}

func (p *parser) name(k key) (domain.LinkName, error) {
	n, err := domain.ParseLink(k.value)
	if err != nil {
		return n, p.fail(k.line, "%v", err)
	}
	return n, nil
}

func (p *parser) ref(k key) (Ref, error) {
	id, err := domain.ParseID(k.value)
	if err != nil {
		return Ref{}, p.fail(k.line, "%s=%s: %v", k.name, clip(k.value), err)
	}
	return Ref{k.line, id}, nil
}

func (p *parser) yes(k key) (bool, error) {
	if k.value != "yes" && k.value != "no" {
		return false, p.fail(k.line, "%s=%s: expected yes or no", k.name, clip(k.value))
	}
	return k.value == "yes", nil
}
