package conf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

// reader reads the value of one key into a link.
type reader func(*parser, *Link, key) error

// common are the keys of every [Link]; those of kinds come on top.
var common = map[string]reader{
	"Kind": func(p *parser, l *Link, k key) error {
		if l.Kind = k.value; !slices.Contains(LinkKinds, l.Kind) {
			return p.fail(k.line, "Kind=%s: expected one of %s, or no Kind= for a link that exists already",
				clip(k.value), strings.Join(LinkKinds, ", "))
		}
		return nil
	},
	"Address": func(p *parser, l *Link, k key) error { return p.address(&l.Addresses, k) },
	"MTUBytes": func(p *parser, l *Link, k key) (err error) {
		l.MTU, err = p.number(k, 68, 65535)
		return err
	},
	"MACAddress": func(p *parser, l *Link, k key) (err error) {
		l.MAC, err = p.mac(k)
		return err
	},
	"Bridge": func(p *parser, l *Link, k key) (err error) {
		l.Bridge, err = p.name(k)
		return err
	},
}

// repeated are the keys that may stand more than once in a section.
var repeated = map[string]bool{"Address": true, "PeerAddress": true, "PeerRoute": true, "AllowedIPs": true, "Requires": true,
	"RequiresLink": true, "DNS": true}

func outer(p *parser, l *Link, k key) (err error) {
	l.Outer, err = p.ref(k)
	return err
}

func parent(p *parser, l *Link, k key) (err error) {
	l.Parent, err = p.name(k)
	return err
}

// addressOf reads an outer address of a tunnel of one family, or of both where
// bits is 0.
func addressOf(to func(*Link) *netip.Addr, bits int, multicast bool) reader {
	example := map[int]string{0: "192.0.2.1 or 2001:db8::1", 32: "192.0.2.1", 128: "2001:db8::1"}[bits]
	return func(p *parser, l *Link, k key) error {
		a, err := netip.ParseAddr(k.value)
		if err != nil || a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || bits != 0 && a.BitLen() != bits ||
			a.IsMulticast() && !multicast {
			return p.fail(k.line, "%s=%s: expected an address, such as %s%s", k.name, clip(k.value), example, commentHint(k.value))
		}
		*to(l) = a
		return nil
	}
}

func local(l *Link) *netip.Addr  { return &l.Local }
func remote(l *Link) *netip.Addr { return &l.Remote }

func ttl(p *parser, l *Link, k key) error {
	n, err := p.number(k, 0, 255)
	l.TTL = uint8(n)
	return err
}

func greKey(p *parser, l *Link, k key) (err error) {
	l.GREKey, err = p.number(k, 0, 1<<32-1)
	l.Keyed = true
	return err
}

// mode reads Mode=, whose words are written as systemd.netdev(5) writes them,
// in any case.
func mode(words ...string) reader {
	return func(p *parser, l *Link, k key) error {
		if l.Mode = strings.ToLower(k.value); !slices.Contains(words, l.Mode) {
			return p.fail(k.line, "Mode=%s: expected one of %s", clip(k.value), strings.Join(words, ", "))
		}
		return nil
	}
}

func flag(to func(*Link) *bool) reader {
	return func(p *parser, l *Link, k key) (err error) {
		*to(l), err = p.yes(k)
		return err
	}
}

func owner(to func(*Link) *string) reader {
	return func(p *parser, l *Link, k key) error {
		if !isOwner(k.value) {
			return p.fail(k.line, "%s=%s: expected a name or a number%s", k.name, clip(k.value), commentHint(k.value))
		}
		*to(l) = k.value
		return nil
	}
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

func tunnel(bits int) map[string]reader {
	return map[string]reader{"Outer": outer, "Parent": parent, "Local": addressOf(local, bits, false),
		"Remote": addressOf(remote, bits, false), "TTL": ttl}
}

func gre(bits int) map[string]reader {
	m := tunnel(bits)
	m["Key"] = greKey
	return m
}

func tuntap() map[string]reader {
	return map[string]reader{
		"User":       owner(func(l *Link) *string { return &l.User }),
		"Group":      owner(func(l *Link) *string { return &l.Group }),
		"MultiQueue": flag(func(l *Link) *bool { return &l.MultiQueue }),
		"PacketInfo": flag(func(l *Link) *bool { return &l.PacketInfo }),
		"VNetHeader": flag(func(l *Link) *bool { return &l.VNetHeader }),
	}
}

// kinds are the keys that only some kinds of link have.
var kinds = map[string]map[string]reader{
	"veth": {
		"Outer": outer,
		"Peer": func(p *parser, l *Link, k key) (err error) {
			l.Peer, err = p.name(k)
			return err
		},
		"PeerAddress": func(p *parser, l *Link, k key) error { return p.address(&l.PeerAddresses, k) },
		"PeerRoute":   func(p *parser, l *Link, k key) error { return p.peerRoute(&l.PeerRoutes, k) },
		"PeerBridge": func(p *parser, l *Link, k key) (err error) {
			l.PeerBridge, err = p.name(k)
			return err
		},
	},
	"vlan": {
		"Outer": outer, "Parent": parent,
		"Id": func(p *parser, l *Link, k key) (err error) {
			l.ID, err = p.number(k, 1, 4094)
			return err
		},
		"Protocol": func(p *parser, l *Link, k key) error {
			switch k.value {
			case "802.1q":
			case "802.1ad":
				l.Protocol = k.value
			default:
				return p.fail(k.line, "Protocol=%s: expected 802.1q or 802.1ad", clip(k.value))
			}
			return nil
		},
	},
	"macvlan": {"Outer": outer, "Parent": parent, "Mode": mode("bridge", "private", "vepa", "passthru")},
	"ipvlan":  {"Outer": outer, "Parent": parent, "Mode": mode("l2", "l3", "l3s")},
	"vxlan": {
		"Outer": outer, "Parent": parent, "Local": addressOf(local, 0, false), "Remote": addressOf(remote, 0, true), "TTL": ttl,
		"VNI": func(p *parser, l *Link, k key) (err error) {
			l.ID, err = p.number(k, 0, 1<<24-1)
			return err
		},
		"DestinationPort": func(p *parser, l *Link, k key) error {
			n, err := p.number(k, 1, 65535)
			l.Port = uint16(n)
			return err
		},
		"MacLearning": func(p *parser, l *Link, k key) error {
			yes, err := p.yes(k)
			l.NoLearning = !yes
			return err
		},
	},
	"gre": gre(32), "gretap": gre(32), "ip6gre": gre(128), "ipip": tunnel(32), "sit": tunnel(32),
	"tun": tuntap(), "tap": tuntap(),
	"wireguard": {
		"Outer": outer,
		"PrivateKeyFile": func(p *parser, l *Link, k key) (err error) {
			l.KeyFile, err = p.keyFile(k)
			return err
		},
		"ListenPort": func(p *parser, l *Link, k key) error {
			n, err := p.number(k, 1, 65535)
			l.ListenPort = uint16(n)
			return err
		},
		"FirewallMark": func(p *parser, l *Link, k key) (err error) {
			l.Mark, err = p.number(k, 1, 1<<32-1)
			return err
		},
	},
}

// needed are the keys without which a kind cannot be made, and what they say.
var needed = map[string][][2]string{
	"veth":      {{"Peer", "the name of the end that stays outside"}},
	"vlan":      {{"Parent", "the link below"}, {"Id", "its number, 1 to 4094"}},
	"macvlan":   {{"Parent", "the link below"}},
	"ipvlan":    {{"Parent", "the link below"}},
	"vxlan":     {{"VNI", "its number, 0 to 16777215"}},
	"wireguard": {{"PrivateKeyFile", "the path of its private key"}},
}

// readers returns the keys of a kind.
func readers(kind, name string) (reader, bool) {
	if r, ok := kinds[kind][name]; ok {
		return r, true
	}
	r, ok := common[name]
	return r, ok
}

// kindsWith returns the kinds that have a key, as words of Kind=.
func kindsWith(name string) string {
	var list []string
	for _, kind := range LinkKinds {
		if _, ok := kinds[kind][name]; ok {
			list = append(list, kind)
		}
	}
	if n := len(list) - 1; n > 0 {
		return strings.Join(list[:n], ", ") + " or " + list[n]
	}
	return strings.Join(list, "")
}

// linkKeys returns all keys of [Link].
func linkKeys() map[string]bool {
	all := map[string]bool{}
	for name := range common {
		all[name] = repeated[name]
	}
	for _, m := range kinds {
		for name := range m {
			all[name] = repeated[name]
		}
	}
	return all
}

// defaults fills in what a kind has if the file does not say it.
func (l *Link) defaults() {
	given := func(name string) bool { return l.lines[name] != 0 }
	switch l.Kind {
	case "macvlan":
		if !given("Mode") {
			l.Mode = "bridge"
		}
	case "ipvlan":
		if !given("Mode") {
			l.Mode = "l2"
		}
	case "vxlan":
		if !given("DestinationPort") {
			l.Port = 4789
		}
	case "gre", "gretap", "ip6gre", "ipip", "sit":
		if !given("TTL") {
			l.TTL = 64
		}
	}
}

// together looks at keys that must fit each other.
func (p *parser) together(l *Link) error {
	for _, n := range needed[l.Kind] {
		if l.lines[n[0]] == 0 {
			return p.fail(l.Line, "a %s needs %s=, %s", l.Kind, n[0], n[1])
		}
	}
	switch l.Kind {
	case "gre", "gretap", "ip6gre", "ipip", "sit":
		if !l.Local.IsValid() && !l.Remote.IsValid() {
			return p.fail(l.Line, "a %s needs Local= or Remote=, an address of the outer domain", l.Kind)
		}
	case "vxlan":
		if l.Local.IsValid() && l.Remote.IsValid() && l.Local.Is4() != l.Remote.Is4() {
			return p.fail(l.lines["Remote"], "Remote=%s: expected an address of the same family as Local=%s", l.Remote, l.Local)
		}
		if l.Remote.IsMulticast() && l.Parent.IsZero() {
			return p.fail(l.lines["Remote"], "Remote=%s is a group, which needs Parent=, the link to reach it by", l.Remote)
		}
	}
	for _, r := range l.PeerRoutes {
		if !l.Inner(r.Prefix.Addr().Is4()).IsValid() || !hasFamily(l.PeerAddresses, r.Prefix.Addr().Is4()) {
			return p.fail(r.Line, "PeerRoute=%s needs an Address= and a PeerAddress= of its family: it leads from the one to the other", r.Prefix)
		}
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
