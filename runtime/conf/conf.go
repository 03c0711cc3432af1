// Package conf reads and writes the files of routing domains,
// /etc/rdomain/ID.conf (rdomain.conf(5)). A file means one thing or is refused
// with its name, the line, and what was expected there.
package conf

import (
	"fmt"
	"net/netip"
	"strings"

	"rdgen/runtime/domain"
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
	Links   []Link
	Routes  []Route
	// KindLine is the line of [Domain], 0 without one.
	KindLine int
}

// Link is a section [Link NAME].
type Link struct {
	Line int
	Name domain.Link
	// Kind is one of LinkKinds, or "" for a link that exists already.
	Kind string
	Peer domain.Link
	// Addresses of the link, and of the other end of a veth.
	Addresses, PeerAddresses []Address
	// MTU in bytes, 0 if it is not given; MAC in lower case with colons.
	MTU uint32
	MAC string
	// lines of the keys that may be wrong in company.
	peerLine, mtuLine, macLine int
}

// Address is one address and the line that it stands in.
type Address struct {
	Line   int
	Prefix netip.Prefix
}

// Route is a section [Route].
type Route struct {
	Line        int
	Destination netip.Prefix
	Gateway     netip.Addr
	Device      domain.Link
	Metric      uint32
	// Table is 0 where it is not given: main, or the VRF's.
	Table uint32
	Type  string
}

// LinkKinds are the kinds of link that can be made.
var LinkKinds = []string{"veth", "dummy", "bridge"}

// RouteTypes are the types of route that can be made.
var RouteTypes = []string{"unicast", "unreachable", "blackhole", "prohibit"}

// Error is what is wrong with a file, and where.
type Error struct {
	Path string
	// Line is 0 where the whole file is meant.
	Line int
	Msg  string
}

// Error returns PATH:LINE: MSG.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
}

// MissingTable is the error for a VRF whose file names no table. The caller may
// know one that is free.
type MissingTable struct{ At Error }

// Error returns PATH:LINE: MSG.
func (e *MissingTable) Error() string { return e.At.Error() }

// String writes the file out in its canonical form, which Parse reads as an
// equal File.
func (f *File) String() string {
	var b strings.Builder
	line := func(key string, value any) {
		if s := fmt.Sprint(value); s != "" && s != "0" {
			fmt.Fprintf(&b, "%s=%s\n", key, s)
		}
	}
	fmt.Fprintf(&b, "[Domain]\nKind=%s\n", f.Kind)
	if f.Kind == VRF {
		line("Table", f.Table)
		line("Netns", f.Domain.Netns)
		line("Name", f.Domain.VRF)
	} else {
		line("Name", f.Domain.Netns)
	}
	line("Description", f.Description)
	if !f.Managed {
		line("Managed", "no")
	}
	for _, l := range f.Links {
		fmt.Fprintf(&b, "\n[Link %s]\n", l.Name)
		line("Kind", l.Kind)
		line("Peer", l.Peer)
		for _, a := range l.Addresses {
			line("Address", a.Prefix)
		}
		for _, a := range l.PeerAddresses {
			line("PeerAddress", a.Prefix)
		}
		line("MTUBytes", l.MTU)
		line("MACAddress", l.MAC)
	}
	for _, r := range f.Routes {
		fmt.Fprintf(&b, "\n[Route]\nDestination=%s\n", r.Destination)
		if r.Gateway.IsValid() {
			line("Gateway", r.Gateway)
		}
		line("Device", r.Device)
		line("Metric", r.Metric)
		line("Table", r.Table)
		line("Type", r.Type)
	}
	return b.String()
}
