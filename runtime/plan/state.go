// Package plan compares what a domain's file wants with what the kernel has, and
// says what to do: a list of steps (package object). It touches nothing; the same
// file, state and record give the same plan.
package plan

import (
	"net/netip"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// State is what the kernel has, as far as one domain is concerned.
type State struct {
	// Exists reports whether the domain's namespace exists; it is true where
	// the domain lives in the namespace that rdomain runs in. ID is its
	// identity.
	Exists bool
	ID     netns.ID
	// Stale reports whether the namespace's name is a left-over file.
	Stale bool
	// Inside are links of the domain's namespace, by name: at least those that
	// the file or the record names, and lo.
	Inside map[string]LinkState
	// Outside are links of the namespace that rdomain runs in, by name: at
	// least the other ends, and links that are to be moved in. It is the same
	// map as Inside where the domain lives there.
	Outside map[string]LinkState
	// Renamed are the names that recorded links have now, by the name that
	// they are recorded and found in Inside under.
	Renamed map[string]string
	// Others are links of third namespaces, by namespace and name.
	Others map[domain.NetnsName]map[string]LinkState
	// IDs are the identities of third namespaces, by name.
	IDs map[domain.NetnsName]netns.ID
	// Outers are the domains that links have their other side in; the zero ID
	// is the default domain's.
	Outers map[domain.ID]Outer
	// Routes are those of the tables that the file and the record name, in the
	// domain's namespace; each Dev is filled in where the link is in Inside.
	Routes []rtnl.Route
	// VRFs are all VRFs of the domain's namespace, Rules its rules, both only
	// read for a VRF.
	VRFs  []rtnl.Link
	Rules []object.Rule
	// Before are steps that will be done first, for domains that this one
	// requires; empty but to print what would be done.
	Before []object.Step
	// OuterRules are the rules of namespaces in which a wireguard link's
	// packets are marked, by namespace.
	OuterRules map[domain.NetnsName][]object.Rule
	// Objects are what else links in Inside have, of kinds and links that the file
	// or the record names one of, and the NAT tables in outer namespaces.
	Objects map[object.Key]object.Object
	// WireGuard are the wireguard links of the domain's namespace, by name.
	WireGuard map[string]WireGuard
	// Keys are the fingerprints of the secrets, by where they are.
	Keys map[object.Secret]Fingerprint
	// Sysctls are the values of variables in the domain's namespace, by path
	// below /proc/sys; what does not exist is not there.
	Sysctls map[string]string
	// Files are the texts of resolver files that exist, by path; Dir reports
	// whether the directory of the namespace's exists, and Nsswitch is the
	// machine's own /etc/nsswitch.conf, "" without one.
	Files    map[string]string
	Dir      bool
	Nsswitch string
	// Ruleset is what nft would list of the tables of the file's firewall, Firewall what
	// it lists of those and of the recorded ones in the domain's namespace.
	Ruleset, Firewall string
	// Forwards reports of outer namespaces with a NAT table whether they forward;
	// Advertised are links of those whose routes would go with that.
	Forwards   map[object.Forwarding]bool
	Advertised map[domain.NetnsName][]string
	// Listeners are what programs of those listen at.
	Listeners map[domain.NetnsName][]Listener
	// Users and Groups are the numbers of the names that the file has.
	Users, Groups map[string]string
	// IPv6 reports whether the kernel has IPv6 and new links may use it.
	IPv6 bool
	// Pinned is the ifindex in the pinned program, 0 without one.
	Pinned uint32
}

// LinkState is a link with its addresses and, for one that may be taken, its routes.
type LinkState struct {
	rtnl.Link
	// MasterName and MasterKind are those of Master, of a link that may be
	// taken.
	MasterName, MasterKind string
	Addresses              []rtnl.Address
	Routes                 []rtnl.Route
}

// Listener is a program's socket.
type Listener struct {
	// Protocol is tcp or udp.
	Protocol string
	At       netip.AddrPort
}

// Outer is a domain that is the other side of links.
type Outer struct {
	Domain domain.Domain
	// Table is that of its VRF.
	Table uint32
	// Accept reports whether an unbound UDP socket of its namespace gets what
	// arrives in a VRF (net.ipv4.udp_l3mdev_accept).
	Accept bool
}

// Fingerprint stands for a secret: the SHA-256 of its bytes. It tells whether
// two secrets are the same, and nothing else.
type Fingerprint [32]byte

// WireGuard is what the kernel says of a wireguard link.
type WireGuard struct {
	Key   Fingerprint
	Port  uint16
	Mark  uint32
	Peers map[string]Peer
}

// Peer is what the kernel says of a peer.
type Peer struct {
	// Preshared is zero without a preshared key.
	Preshared Fingerprint
	// Endpoint is invalid where there is none. It may have changed since it was set,
	// as the peer moves about.
	Endpoint netip.AddrPort
	// AllowedIPs are sorted, with commas.
	AllowedIPs string
	Keepalive  uint16
}

// At returns the links of a namespace; in is that of the domain.
func (s *State) At(netns, in domain.NetnsName) map[string]LinkState {
	switch netns {
	case in:
		return s.Inside
	case domain.NetnsName{}:
		return s.Outside
	}
	return s.Others[netns]
}

// Plan is what is to be done for a domain.
type Plan struct {
	Steps []object.Step
	// Taken are the links that the steps move in or enslave, as they are now.
	Taken []object.Taken
	// Record is what there is to record before the first step is done: the
	// old record without what is gone or was replaced by others.
	Record *record.Record
	// Partial: the steps are the beginning of what is to be done.
	Partial bool
}

// CutAtUnknown cuts the plan before the first sysctl whose old value cannot be read yet.
// Its namespace or link is made first; then the rest is planned, with a value to restore.
// old is the record that the plan was made from: what it says of links that are gone is
// kept for the rest of the plan.
func (p *Plan) CutAtUnknown(old *record.Record) {
	at := slices.IndexFunc(p.Steps, func(s object.Step) bool {
		_, ok := s.Object.(object.Sysctl)
		return ok && s.Old == nil
	})
	if at <= 0 {
		return
	}
	p.Steps, p.Partial = p.Steps[:at], true
	for _, e := range old.Entries {
		if _, ok := e.Object.(object.Link); ok && p.Record.Find(e.Object.Key()) == nil {
			p.Record.Put(e)
		}
	}
}

// planner carries what all parts of a plan look at.
type planner struct {
	f    *conf.File
	have *State
	old  *record.Record
	plan *Plan
	// in is the domain's namespace, zero for the one that rdomain runs in.
	in domain.NetnsName
}

func (p *planner) add(line int, verb object.Verb, thing object.Object) {
	p.plan.Steps = append(p.plan.Steps, object.Step{Verb: verb, Object: thing, Line: line})
}

// change sets a property of a link that exists, remembering what it was.
func (p *planner) change(line int, s object.Setting, old string) {
	was := s
	was.Value = old
	p.plan.Steps = append(p.plan.Steps, object.Step{Verb: object.Set, Object: s, Old: was, Line: line})
}

// set changes a thing that is there, remembering what it was.
func (p *planner) set(line int, verb object.Verb, thing, old object.Object) {
	p.plan.Steps = append(p.plan.Steps, object.Step{Verb: verb, Object: thing, Old: old, Line: line})
}

func (p *planner) fail(line int, msg string) *problem.Error {
	return Conflict(p.f.At(line), "%s", msg)
}

// Conflict returns the error for a contradiction between the file and the kernel that
// is not for rdomain to resolve. Trying again may help: a link may come late.
func Conflict(at problem.Pos, format string, args ...any) *problem.Error {
	e := problem.New(at, format, args...)
	e.Temporary = true
	return e
}
