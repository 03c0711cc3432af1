// Package conf reads the files of routing domains,
// /etc/rdomain/ID.conf (rdomain.conf(5)). A file means one thing or is refused
// with its name, the line, and what was expected there.
package conf

import (
	"errors"
	"io/fs"
	"net/netip"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// Dir is where the files are.
const Dir = "/etc/rdomain"

// Path returns the file of the domain called id.
func Path(id domain.ID) string { return Dir + "/" + id.String() + ".conf" }

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 1 << 20

// Kind says what a domain is.
type Kind string

// The kinds of a domain.
const (
	Netns Kind = "netns"
	VRF   Kind = "vrf"
)

// File is what a domain's file says.
type File struct {
	// Path is the file's name, for messages.
	Path string
	Kind Kind
	// Domain is the namespace, or the VRF and the namespace that it lives in.
	Domain domain.Domain
	// Table is a VRF's routing table. It is 0 only where Managed is false.
	Table       uint32
	Description string
	// Managed is false if somebody else makes the domain.
	Managed bool
	// Requires are domains that are brought up before, RequiresLinks links
	// of the namespace that rdomain runs in that are waited for.
	Requires      []Ref
	RequiresLinks []Device
	// Timeout is how many seconds up waits for what others make.
	Timeout uint32
	// DNS and Search are for the resolver files of the domain.
	DNS     []Server
	Search  []string
	DNSLine int
	// Firewall is the path of a ruleset of nft(8) for a namespace, or "".
	Firewall     string
	FirewallLine int
	// AllowUsers and AllowGroups are the names or numbers of those who may run programs in it
	// as themselves.
	AllowUsers, AllowGroups []string
	Sysctls                 []Sysctl
	Links                   []Link
	Routes                  []Route
	Rules                   []Rule
	// Publishes are the published ports.
	Publishes []Publish
	// Objects are what sections ask for that has only to be there.
	Objects []Object
	// Loose says who besides root can write the file, and what to do; "" if nobody.
	Loose string
	// Text is the file as [Read] found it.
	Text []byte
	// Root is the root of the machine that the file was read on: what it names is read there.
	Root fs.FS
	// KindLine is the line of [Domain], 0 without one.
	KindLine int
	// Devices are the links that routes and neighbours name.
	Devices []Device
}

// Ref is a domain that a file names, and the line that it stands in.
type Ref struct {
	Line int
	ID   domain.ID
}

// Device is a link that a file names, and the line that it stands in.
type Device struct {
	Line int
	Name domain.LinkName
}

// Server is the address of a resolver.
type Server struct {
	Line int
	Addr netip.Addr
}

// Sysctl is a line of [Sysctl].
type Sysctl struct {
	Line int
	object.Sysctl
}

// Object is an object, and the line of the section that asks for it.
type Object struct {
	Line int
	object.Object
}

// Link is a section [Link NAME].
type Link struct {
	Line int
	Name domain.LinkName
	// Kind is one of LinkKinds, or "" for a link that exists already.
	Kind string
	// Peer is the other end of a veth.
	Peer domain.LinkName
	// Parent is the link below; the zero Link where it has none.
	Parent domain.LinkName
	// Outer is the domain of the link's other side, zero for the default one.
	Outer Ref
	// Bridge and PeerBridge are the bridges that the link, and a veth's other
	// end, are ports of.
	Bridge, PeerBridge domain.LinkName
	// Bonded: Bridge is a bond, of which the link is a member.
	Bonded bool
	// Addresses of the link, and of the other end of a veth.
	Addresses, PeerAddresses []Address
	// PeerRoutes are networks that the outer domain of a veth reaches by the link,
	// through its first address of their family.
	PeerRoutes []Address
	// Masquerade says of which families what comes in by a veth's other end leaves the
	// outer domain with an address of that.
	Masquerade string
	// DHCP and DHCP6: a lease of an IPv4 and an IPv6 address is asked for.
	DHCP, DHCP6 bool
	// AcceptRA says whether the kernel takes what routers advertise: "yes", "no", or "" for
	// what it does by default. It stands in Sysctls too.
	AcceptRA string
	// Later: up does not wait for the link, which somebody makes when he can
	// (RequiredForOnline=no).
	Later bool
	// MTU in bytes, 0 if it is not given; MAC in lower case with colons.
	MTU uint32
	MAC string
	// Options are those of the kind, with the defaults filled in.
	object.Options
	WireGuard
	// lines has the line of each key that is given once.
	lines map[string]int
}

// LineOf returns the line in which a key of the section stands, or that of the
// section itself.
func (l Link) LineOf(key string) int { return max(l.lines[key], l.Line) }

// PortKey is the key that says what the link is a port of.
func (l Link) PortKey() string {
	if l.Bonded {
		return "Bond"
	}
	return "Bridge"
}

// WireGuard is what a wireguard link has of its own.
type WireGuard struct {
	KeyFile object.Secret
	// ConfigFile is the path of a file of wg-quick(8), or "". What it says is not here:
	// see [File.Keys].
	ConfigFile string
	// ListenPort is 0 where the kernel chooses.
	ListenPort uint16
	// ReResolve is how often, in seconds, the names of endpoints are looked up again, 0 for never.
	ReResolve uint32
	Mark      uint32
	Peers     []Peer
}

// Peer is a section [WireGuardPeer NAME].
type Peer struct {
	Line int
	// PublicKey is in base64.
	PublicKey        string
	PresharedKeyFile object.Secret
	// Endpoint is HOST:PORT, or "".
	Endpoint   string
	AllowedIPs []netip.Prefix
	// Keepalive is in seconds, 0 for none.
	Keepalive uint16
	lines     map[string]int
}

// LineOf returns the line in which a key of the section stands, or that of the
// section itself.
func (p Peer) LineOf(key string) int { return max(p.lines[key], p.Line) }

// Address is one address and the line that it stands in.
type Address struct {
	Line   int
	Prefix netip.Prefix
	// Peer is the far address of a point-to-point address, with the length of its network;
	// Prefix is one host then.
	Peer netip.Prefix
	// Valid is for how many seconds a lease gives it, 0 for ever.
	Valid uint32
}

// Route is a section [Route].
type Route struct {
	Line        int
	Destination netip.Prefix
	Gateway     netip.Addr
	// Hops are several gateways, instead of Gateway and Device.
	Hops   []object.Hop
	Device domain.LinkName
	Metric uint32
	// Table is 0 where it is not given: main, or the VRF's.
	Table uint32
	Type  string
	// OnLink: the gateway is reached through Device though no address says so.
	OnLink bool
	Source netip.Addr
	MTU    uint32
}

// Rule is a section [RoutingPolicyRule]; it stands for one rule, or for one of
// each family.
type Rule struct {
	Line       int
	IPv4, IPv6 bool
	// User is the name of the user whose packets it is for, "" where Rule has the number
	// or it is for all.
	User     string
	userLine int
	object.Rule
}

// LinkKinds are the kinds of link that can be made.
var LinkKinds = []string{"veth", "vlan", "macvlan", "macvtap", "ipvlan", "bridge", "bond", "dummy", "vxlan", "geneve",
	"gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl", "vti", "vti6", "xfrm", "tun", "tap", "macsec", "wireguard"}

// RouteTypes are the types of route that can be made.
var RouteTypes = []string{"unicast", "local", "unreachable", "blackhole", "prohibit", "throw"}

// RuleTypes are the types of rule that can be made; the first looks a table up.
var RuleTypes = []string{"table", "unreachable", "blackhole", "prohibit"}

// ErrNoTable is matched by the error for a VRF whose file names no table. The caller
// may know one that is free.
var ErrNoTable = errors.New("a vrf needs Table=, a number from 1 to 4294967295 but 253 to 255")

// Reaches reports whether an address is that of a link's other end, or in the link's network.
func (a Address) Reaches(b netip.Addr) bool {
	return a.Prefix.Contains(b) || a.Peer.IsValid() && a.Peer.Contains(b)
}

// Network is what the link leads to by the address.
func (a Address) Network() netip.Prefix {
	if a.Peer.IsValid() {
		return a.Peer
	}
	return a.Prefix
}

// At returns the place of a line of the file.
func (f *File) At(line int) problem.Pos { return problem.Pos{File: f.Path, Line: line} }
