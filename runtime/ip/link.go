package ip

import (
	"strconv"
)

// Link is a network link that rdomain makes.
type Link struct {
	// Netns is the namespace of the link, "" the one that rdomain runs in.
	Netns string `json:"netns,omitempty"`
	Name  string `json:"name"`
	// Kind is vrf, veth, dummy or bridge.
	Kind string `json:"kind"`
	// Table is the routing table of a VRF.
	Table uint32 `json:"table,omitempty"`
	// Peer is the other end of a veth, in the namespace that rdomain runs in.
	Peer string `json:"peer,omitempty"`
	// MTU in bytes and MAC are what the link is made with; zero leaves them
	// to the kernel.
	MTU uint32 `json:"mtu,omitempty"`
	MAC string `json:"mac,omitempty"`
}

func (l Link) command(v Verb) []string {
	if v == Delete {
		return in(l.Netns, "link", "delete", l.Name)
	}
	if l.Kind == "veth" && l.Netns != "" {
		return l.vethCommand()
	}
	return append(in(l.Netns, "link", string(v), l.Name), l.attributes()...)
}

func (l Link) attributes() []string {
	var w []string
	if l.MAC != "" {
		w = append(w, "address", l.MAC)
	}
	if l.MTU != 0 {
		w = append(w, "mtu", strconv.Itoa(int(l.MTU)))
	}
	w = append(w, "type", l.Kind)
	if l.Kind == "vrf" {
		w = append(w, "table", utoa(l.Table))
	}
	if l.Peer != "" {
		w = append(w, "peer", "name", l.Peer)
	}
	return w
}

// vethCommand makes the pair from outside, so that the other end is made where
// rdomain runs and neither end is ever moved: moving a link costs the kernel a
// grace period.
func (l Link) vethCommand() []string {
	return append([]string{"ip", "link", "add", l.Name, "netns", l.Netns}, l.attributes()...)
}

// Setting is one property of a link that can be changed while it exists.
type Setting struct {
	Netns string `json:"netns,omitempty"`
	Link  string `json:"link"`
	// Key is "up", "down", "mtu", "address" (the hardware address), "master",
	// "nomaster" or "netns"; Value is empty for those without one. "" for
	// "netns" means the namespace that rdomain runs in.
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

func (s Setting) command(Verb) []string {
	w := append(in(s.Netns, "link", "set", s.Link), s.Key)
	switch {
	case s.Key == "netns" && s.Value == "":
		return append(w, "/proc/$$/ns/net")
	case s.Value != "":
		return append(w, s.Value)
	}
	return w
}
