// Package dump writes the file of a domain that the kernel has: what somebody made by hand,
// so that rdomain makes it again. It touches nothing: state in, text out. Secrets are in
// neither.
package dump

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/draft"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// State is what the kernel has of a domain.
type State struct {
	ID     domain.ID
	Domain domain.Domain
	// Table is that of a VRF.
	Table  uint32
	Links  []Link
	Routes []rtnl.Route
	Rules  []object.Rule
	// Sysctls are variables that are not what a new namespace has.
	Sysctls []object.Sysctl
	// DNS and Search are those of the domain's own file.
	DNS    []netip.Addr
	Search []string
	// Notes are what else is there.
	Notes []string
}

// Link is a link of a domain, with what it refers to by number found by name.
type Link struct {
	rtnl.Link
	Addresses []rtnl.Address
	Neighbors []object.Neighbor
	// Taken: rdomain took it, and did not make it.
	Taken bool
	// Bridge is the one that it is a port of. Outer is the domain of its other side, "" for the
	// default one; Parent is the link below. Bonded: Bridge is a bond.
	Bridge, Outer, Parent string
	Bonded                bool
	// VLANs are those of a port of a bridge that keeps them apart, or of such a bridge; UsualVLAN
	// is what a new one has, 0 for none.
	VLANs     []object.BridgeVLAN
	UsualVLAN uint16
	// Peer is a veth's other end, PeerBridge its bridge.
	Peer, PeerBridge string
	PeerAddresses    []rtnl.Address
	// AcceptRA is IPv6AcceptRA=, "" for what a new namespace has. GivenMAC: its hardware address
	// is the one of the domain's own file.
	AcceptRA string
	GivenMAC bool
	// Notes are what else it has.
	Notes []string
	// Lost says why its other side cannot be named, "" if it can.
	Lost string
	WireGuard
}

// WireGuard is what a wireguard link has, without its keys.
type WireGuard struct {
	// KeyFile is the file that the domain's own file names, "" without one.
	KeyFile string
	Port    uint16
	Mark    uint32
	Peers   []Peer
}

// Peer is a peer of a wireguard link. KeyFile is the file of its preshared key, as the
// domain's own file has it; Preshared that there is one.
type Peer struct {
	PublicKey, Endpoint, KeyFile string
	Preshared                    bool
	AllowedIPs                   []netip.Prefix
	Keepalive                    uint16
}

// nowhere is the place of what no file says.
var nowhere problem.Pos

// File returns the file of the domain.
func File(s *State) *draft.File {
	f := &draft.File{ID: s.ID}
	head := f.Add("Domain", nowhere)
	if s.Domain.VRF.IsZero() {
		head.Set("Kind", "netns", nowhere)
	} else {
		head.Set("Kind", "vrf", nowhere)
		head.Set("Table", utoa(s.Table), nowhere)
	}
	for _, a := range s.DNS {
		head.Set("DNS", a.String(), nowhere)
	}
	if len(s.Search) > 0 {
		head.Set("Domains", strings.Join(s.Search, " "), nowhere)
	}
	for _, n := range s.Notes {
		head.Note(n)
	}
	for _, l := range s.Links {
		link(f, s, l)
	}
	for _, l := range s.Links {
		vlans(f, l)
	}
	for _, l := range s.Links {
		for _, n := range l.Neighbors {
			section := f.Add("Neighbor", nowhere)
			section.Set("Device", l.Name, nowhere)
			section.Set("Address", n.Address.String(), nowhere)
			section.Set("LinkLayerAddress", n.MAC, nowhere)
		}
	}
	for _, r := range s.Routes {
		route(f, head, s, r)
	}
	rules(f, head, s.Rules)
	for _, v := range s.Sysctls {
		f.Section("Sysctl", nowhere).Set(v.Path, v.Value, nowhere)
	}
	return f
}

// link writes the section of a link.
func link(f *draft.File, s *State, l Link) {
	if l.Name == "lo" && !slices.ContainsFunc(l.Addresses, usual) {
		return
	}
	d := f.Add("Link "+l.Name, nowhere)
	made := l.Name != "lo" && !l.Taken && l.Kind != ""
	switch {
	case made && !slices.Contains(conf.LinkKinds, l.Kind):
		d.Note("rdomain makes no link of kind " + l.Kind + ": somebody else has to make it")
		made = false
	case made && l.Kind == "bond" && l.Mode == "802.3ad" && l.Monitor == 0:
		d.Note("Mode=802.3ad without MIIMonitorSec= has no counterpart: somebody else has to make it")
		made = false
	case made && l.Lost != "":
		d.Note("of kind " + l.Kind + ", but " + l.Lost + ": somebody else has to make it")
		made = false
	case made && object.IsTunnel(l.Kind) && l.Kind != "xfrm" && !l.Local.IsValid() && !l.Remote.IsValid():
		d.Note("a " + l.Kind + " without an outer address has no counterpart: somebody else has to make it")
		made = false
	}
	if made {
		kind(f, d, l)
	}
	if l.Bonded {
		member(d, l)
		return
	}
	if l.Bridge != "" {
		d.Set("Bridge", l.Bridge, nowhere)
	}
	if l.MTU != usualMTU(l) && l.Name != "lo" && usualMTU(l) != 0 {
		d.Set("MTUBytes", utoa(l.MTU), nowhere)
	}
	for _, alt := range l.AltNames {
		if _, err := domain.ParseNetns(alt); err == nil && l.Name != "lo" {
			d.Set("AlternativeName", alt, nowhere)
		} else {
			d.Note("the alternative name " + alt + " has no counterpart")
		}
	}
	addresses(f, d, "Address", l.Name, l.Addresses)
	if l.AcceptRA != "" {
		d.Set("IPv6AcceptRA", l.AcceptRA, nowhere)
	}
	switch {
	case l.GivenMAC:
		d.Set("MACAddress", l.MAC, nowhere)
	case made && len(l.MAC) == len("00:00:00:00:00:00") && !object.IsTunnel(l.Kind) && l.Kind != "vlan" && l.Kind != "ipvlan":
		d.Note("MACAddress=" + l.MAC + ", if somebody chose it: the kernel does not say")
	}
	if made && l.Kind == "bond" {
		d.Note("what else a bond can have, such as a primary member or ARP monitoring, is not taken over: ip -d link show " + l.Name + " says it")
	}
	for _, n := range l.Notes {
		d.Note(n)
	}
	if !l.Up && l.Name != "lo" {
		d.Note("is down; rdomain sets it up")
	}
	if made && l.Kind == "wireguard" {
		wireGuard(f, d, s, l)
	}
}

// Unusual returns those of some addresses that not each lo, or VRF that rdomain makes, has.
func Unusual(list []rtnl.Address) []rtnl.Address {
	return slices.DeleteFunc(list, func(a rtnl.Address) bool { return a.Own || !usual(a) })
}

// usual reports whether an address is not one that each lo has.
func usual(a rtnl.Address) bool {
	return a.Prefix != netip.MustParsePrefix("127.0.0.1/8") && a.Prefix != netip.MustParsePrefix("::1/128")
}

// usualMTU is the MTU that the kernel gives a link, 0 where that depends on another one.
func usualMTU(l Link) uint32 {
	switch l.Kind {
	case "", "veth", "dummy", "tun", "tap", "bond":
		return 1500
	case "wireguard":
		return 1420
	}
	return 0
}

// addresses writes those addresses that nobody gives again.
func addresses(f *draft.File, d *draft.Section, key, link string, list []rtnl.Address) {
	for _, a := range list {
		text := a.Prefix.String()
		switch {
		case a.Own || !usual(a):
		case a.Valid != 0:
			d.Note(fmt.Sprintf("%s=%s is not for ever: DHCP= or IPv6AcceptRA= asks for one", key, text))
		case a.Peer.IsValid():
			p := f.Add("Address", nowhere)
			p.Set("Device", link, nowhere)
			p.Set("Address", text, nowhere)
			p.Set("Peer", a.Peer.String(), nowhere)
		default:
			d.Set(key, text, nowhere)
			if a.Metric != 0 || a.Flags != 0 {
				d.Note(fmt.Sprintf("%s has a metric or flags, which have no counterpart", text))
			}
		}
	}
}

// kind writes what a kind of link has.
func kind(f *draft.File, d *draft.Section, l Link) {
	set := func(key, value string, given bool) {
		if given {
			d.Set(key, value, nowhere)
		}
	}
	set("Kind", l.Kind, true)
	set("Peer", l.Peer, l.Peer != "")
	set("Parent", l.Parent, l.Parent != "")
	set("Outer", l.Outer, l.Outer != "")
	set("PeerBridge", l.PeerBridge, l.PeerBridge != "")
	addresses(f, d, "PeerAddress", l.Peer, l.PeerAddresses)
	set("Protocol", l.Protocol, l.Protocol != "")
	set("Mode", l.Mode, l.Mode != "" && (object.IsAbove(l.Kind) || l.Kind == "ip6tnl"))
	set("Local", l.Local.String(), l.Local.IsValid())
	set("Remote", l.Remote.String(), l.Remote.IsValid())
	set(numberKey[l.Kind], utoa(l.ID), numberKey[l.Kind] != "")
	set("Key", utoa(l.GREKey), l.Keyed)
	switch {
	case l.Kind == "vxlan" || l.Kind == "geneve":
		set("TTL", utoa(uint32(l.TTL)), l.TTL != 0)
	case object.IsTunnel(l.Kind) && l.Kind != "vti" && l.Kind != "vti6" && l.Kind != "xfrm":
		set("TTL", utoa(uint32(l.TTL)), l.TTL != 64)
	}
	set("DestinationPort", utoa(uint32(l.Options.Port)), l.Options.Port != 0 && l.Options.Port != usualPort[l.Kind])
	set("MacLearning", "no", l.NoLearning)
	if l.Kind == "bridge" && l.VLANFiltering {
		set("VLANFiltering", "yes", true)
		set("DefaultPVID", utoa(uint32(l.DefaultPVID)), l.DefaultPVID != 0)
	}
	if l.Kind == "bond" {
		bond(d, l)
	}
	if l.Kind == "macsec" {
		macsec(d, l)
	}
	set("User", l.User, l.User != "")
	set("Group", l.Group, l.Group != "")
	set("MultiQueue", "yes", l.MultiQueue)
	set("PacketInfo", "yes", l.PacketInfo)
	set("VNetHeader", "yes", l.VNetHeader)
}

// macsec writes what a macsec has. Its keys are not asked for.
func macsec(d *draft.Section, l Link) {
	if l.ChannelPort != 1 {
		d.Set("Port", utoa(uint32(l.ChannelPort)), nowhere)
	}
	d.Set("Encrypt", map[bool]string{true: "yes", false: "no"}[l.Encrypt], nowhere)
	d.Note("its keys are not taken over: wpa_supplicant agrees on them again, or ip macsec adds them")
}

// numberKey is the key of a link's number, usualPort what DestinationPort= is without it.
var (
	numberKey = map[string]string{"vlan": "Id", "vxlan": "VNI", "geneve": "Id", "xfrm": "InterfaceId"}
	usualPort = map[string]uint16{"vxlan": 4789, "geneve": 6081}
)

// wireGuard writes what a wireguard link has of its own, and its peers.
func wireGuard(f *draft.File, d *draft.Section, s *State, l Link) {
	show := "wg show " + l.Name
	if n := s.Domain.Netns; !n.IsZero() {
		show = "ip netns exec " + n.String() + " " + show
	}
	if l.KeyFile == "" {
		l.KeyFile = "/etc/wireguard/" + l.Name + ".key"
		d.Note(fmt.Sprintf("the key is not taken over; this does it: (umask 077; %s private-key >%s)", show, l.KeyFile))
	}
	d.Set("PrivateKeyFile", l.KeyFile, nowhere)
	if l.WireGuard.Port != 0 {
		d.Set("ListenPort", utoa(uint32(l.WireGuard.Port)), nowhere)
	}
	if l.Mark != 0 {
		d.Set("FirewallMark", utoa(l.Mark), nowhere)
	}
	for i, p := range l.Peers {
		e := f.Add("WireGuardPeer "+l.Name, nowhere)
		e.Set("PublicKey", p.PublicKey, nowhere)
		if p.Preshared && p.KeyFile == "" {
			p.KeyFile = fmt.Sprintf("/etc/wireguard/%s.psk%d", l.Name, i+1)
			e.Note(fmt.Sprintf("the key is not taken over; this does it: (umask 077; %s preshared-keys | sed -n 's|^%s\\t||p' >%s)", show, p.PublicKey, p.KeyFile))
		}
		if p.Preshared {
			e.Set("PresharedKeyFile", p.KeyFile, nowhere)
		}
		if p.Endpoint != "" {
			e.Set("Endpoint", p.Endpoint, nowhere)
		}
		for _, a := range p.AllowedIPs {
			e.Set("AllowedIPs", a.String(), nowhere)
		}
		if p.Keepalive != 0 {
			e.Set("PersistentKeepalive", utoa(uint32(p.Keepalive)), nowhere)
		}
	}
}

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
