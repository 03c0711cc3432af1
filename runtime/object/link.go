package object

import (
	"net/netip"

	"rdgen/runtime/domain"
)

// Link is a network link that rdomain makes.
type Link struct {
	// Netns is the namespace of the link, "" the one that rdomain runs in.
	Netns domain.NetnsName `json:"netns,omitzero"`
	Name  string           `json:"name"`
	// Kind is the kernel's name of the kind: vrf, veth, vlan, ...; a tap is
	// called so here, and "tun" by the kernel.
	Kind string `json:"kind"`
	// Outer is the namespace of the link's other side, "" the one that
	// rdomain runs in: of a veth's other end, of the link below, of the
	// packets that carry what goes through a tunnel. It is Netns for a link
	// without another side.
	Outer domain.NetnsName `json:"outer,omitzero"`
	// Peer is the other end of a veth.
	Peer string `json:"peer,omitempty"`
	// Parent is the link below, in Outer: that of one that IsAbove; the link or VRF that
	// a tunnel's packets leave by.
	Parent string `json:"parent,omitempty"`
	// MTU in bytes and MAC are what the link is made with; zero leaves them
	// to the kernel.
	MTU uint32 `json:"mtu,omitempty"`
	MAC string `json:"mac,omitempty"`
	Options
}

// Options are the properties of a link that depend on its kind. All of them are
// the kernel's to report, so that a link can be compared with what is wanted.
type Options struct {
	// Table is the routing table of a VRF.
	Table uint32 `json:"table,omitempty"`
	// ID is the number of a vlan (1 to 4094), of a vxlan or geneve (VNI, 24 bits), or
	// of an xfrm (if_id).
	ID uint32 `json:"id,omitempty"`
	// Protocol of a vlan's tags: "" for 802.1q, or "802.1ad".
	Protocol string `json:"protocol,omitempty"`
	// Mode of a macvlan or macvtap (bridge, private, vepa, passthru), ipvlan (l2, l3,
	// l3s), ip6tnl (any, ip6ip6, ipip6) or bond, in the words of ip(8).
	Mode string `json:"mode,omitempty"`
	// Local and Remote are the outer addresses of a tunnel.
	Local  netip.Addr `json:"local,omitzero"`
	Remote netip.Addr `json:"remote,omitzero"`
	// TTL of a tunnel's packets; 0 inherits it or leaves it to the kernel.
	TTL uint8 `json:"ttl,omitempty"`
	// GREKey is that of a gre tunnel or a vti, in both directions; Keyed tells 0 from
	// none.
	GREKey uint32 `json:"key,omitempty"`
	Keyed  bool   `json:"keyed,omitempty"`
	// Port is the destination port of a vxlan or geneve.
	Port uint16 `json:"port,omitempty"`
	// NoLearning: a vxlan does not learn addresses from what it receives.
	NoLearning bool `json:"no_learning,omitempty"`
	// ChannelPort is that of a macsec's secure channel, which with its hardware address names
	// it. Encrypt: what it sends cannot be read.
	ChannelPort uint16 `json:"channel_port,omitempty"`
	Encrypt     bool   `json:"encrypt,omitempty"`
	Bond
	// VLANFiltering: a bridge forwards a frame only to ports of its VLAN. A new port of such
	// a bridge is in DefaultPVID; 0 is none.
	VLANFiltering bool   `json:"vlan_filtering,omitempty"`
	DefaultPVID   uint16 `json:"default_pvid,omitempty"`
	// User and Group may open a tun or tap, by name or number; "" is nobody
	// but root.
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
	// MultiQueue, PacketInfo and VNetHeader are those of a tun or tap.
	MultiQueue bool `json:"multi_queue,omitempty"`
	PacketInfo bool `json:"packet_info,omitempty"`
	VNetHeader bool `json:"vnet_header,omitempty"`
}

// IsTunnel reports whether a kind is an IP tunnel whose outer namespace is the
// one that it is made in: it must be made there, and moved.
func IsTunnel(kind string) bool {
	switch kind {
	case "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl", "vti", "vti6", "xfrm":
		return true
	}
	return false
}

// IsAbove reports whether links of a kind sit on another link, and go with it.
func IsAbove(kind string) bool {
	switch kind {
	case "vlan", "macvlan", "macvtap", "ipvlan", "macsec":
		return true
	}
	return false
}

// HasOuter reports whether links of a kind have another side.
func HasOuter(kind string) bool {
	switch kind {
	case "veth", "vxlan", "geneve", "wireguard":
		return true
	}
	return IsTunnel(kind) || IsAbove(kind)
}

// AvoidsVRF reports whether the packets of a kind of tunnel do not travel through a VRF. The
// kernel looks those of some up in the main table, whatever link it is given (geneve_get_v4_rt,
// vti_xmit), and drops what an xfrm gets through one (seen on 6.1, 6.12 and 7.2).
func AvoidsVRF(kind string) bool {
	switch kind {
	case "geneve", "vti", "vti6", "xfrm":
		return true
	}
	return false
}

// Key is the name.
func (l Link) Key() Key { return Key{"link", l.Netns, l.Name} }

// On is the link itself.
func (l Link) On() string { return l.Name }

func (l Link) command(v Verb) []string {
	switch {
	case v == Delete:
		return in(l.Netns, "link", "delete", l.Name)
	case l.Kind == "tun" || l.Kind == "tap":
		return l.tuntap()
	case !HasOuter(l.Kind) || l.Outer == l.Netns:
		return l.attributes(append(in(l.Netns, "link", string(v)), l.below()...))
	case IsTunnel(l.Kind):
		// Its packets travel in the namespace in which it is made.
		w := l.attributes(append(in(l.Outer, "link", string(v)), l.below()...))
		w = append(append(w, "&&"), in(l.Outer, "link", "set", l.Name, "netns")...)
		return append(w, netnsWord(l.Netns))
	}
	// From outside, so that the other side is there and nothing is ever
	// moved: moving a link costs the kernel a grace period.
	w := append(in(l.Outer, "link", string(v)), l.below()...)
	return l.attributes(append(w, "netns", netnsWord(l.Netns)))
}

// netnsWord is what ip(8) takes for a namespace: its name, or a path to the
// one of the shell.
func netnsWord(netns domain.NetnsName) string {
	if netns.IsZero() {
		return "/proc/$$/ns/net"
	}
	return netns.String()
}

// below are the words between "add" and the rest.
func (l Link) below() []string {
	if l.Parent == "" || IsTunnel(l.Kind) || l.Kind == "vxlan" {
		return []string{l.Name}
	}
	return []string{"link", l.Parent, "name", l.Name}
}

func (l Link) attributes(w []string) []string {
	if l.MAC != "" {
		w = append(w, "address", l.MAC)
	}
	if l.MTU != 0 {
		w = append(w, "mtu", utoa(l.MTU))
	}
	w = append(w, "type", l.Kind)
	number := func(word string, v uint32) {
		if v != 0 {
			w = append(w, word, utoa(v))
		}
	}
	address := func(word string, a netip.Addr) {
		if a.IsValid() {
			w = append(w, word, a.String())
		}
	}
	number("table", l.Table)
	if l.Peer != "" {
		w = append(w, "peer", "name", l.Peer)
	}
	if l.Protocol != "" {
		w = append(w, "protocol", l.Protocol)
	}
	if l.Kind != "xfrm" {
		number("id", l.ID)
	}
	if l.Mode != "" {
		w = append(w, "mode", l.Mode)
	}
	address("local", l.Local)
	if l.Remote.IsMulticast() {
		address("group", l.Remote)
	} else {
		address("remote", l.Remote)
	}
	if l.Parent != "" && (IsTunnel(l.Kind) || l.Kind == "vxlan") {
		w = append(w, "dev", l.Parent)
	}
	switch l.Kind {
	case "xfrm":
		number("if_id", l.ID)
	case "ip6gre", "ip6gretap", "ip6tnl":
		number("hoplimit", uint32(l.TTL))
	default:
		number("ttl", uint32(l.TTL))
	}
	if l.Keyed {
		w = append(w, "key", utoa(l.GREKey))
	}
	number("dstport", uint32(l.Port))
	if l.NoLearning {
		w = append(w, "nolearning")
	}
	if l.Kind == "macsec" {
		w = append(w, "port", utoa(uint32(l.ChannelPort)), "encrypt", onOff(l.Encrypt))
	}
	if l.Kind == "bond" {
		w = append(w, l.Bond.words()...)
	}
	if l.Kind == "bridge" && l.VLANFiltering {
		w = append(w, "vlan_filtering", "1", "vlan_default_pvid", utoa(uint32(l.DefaultPVID)))
	}
	return w
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (l Link) tuntap() []string {
	w := append(in(l.Netns, "tuntap", "add", l.Name), "mode", l.Kind)
	if l.User != "" {
		w = append(w, "user", l.User)
	}
	if l.Group != "" {
		w = append(w, "group", l.Group)
	}
	for _, f := range []struct {
		set  bool
		word string
	}{{l.PacketInfo, "pi"}, {l.VNetHeader, "vnet_hdr"}, {l.MultiQueue, "multi_queue"}} {
		if f.set {
			w = append(w, f.word)
		}
	}
	return w
}

// Setting is one property of a link that can be changed while it exists.
type Setting struct {
	Netns domain.NetnsName
	Link  string
	// What is "up", "down", "name", "mtu", "address" (the hardware address),
	// "master", "nomaster" or "netns"; Value is empty for those without one. With a Kind
	// it is a property of that kind.
	What  string
	Value string
	Kind  string
	// To is the namespace of "netns", zero for the one that rdomain runs in.
	To domain.NetnsName
}

// Key is the link and what is set.
func (s Setting) Key() Key { return Key{"setting", s.Netns, s.Link + " " + s.What} }

// On is the link.
func (s Setting) On() string { return s.Link }

func (s Setting) command(Verb) []string {
	w := in(s.Netns, "link", "set", s.Link)
	if s.Kind != "" {
		w = append(w, "type", s.Kind)
	}
	w = append(w, s.What)
	switch {
	case s.What == "netns":
		return append(w, netnsWord(s.To))
	case s.Value != "":
		return append(w, s.Value)
	}
	return w
}
