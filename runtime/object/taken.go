package object

import "rdgen/runtime/domain"

// Taken is a link that existed and was moved in or enslaved, as it was before, so
// that it can be given back. Only records have it; the steps that take it are
// Settings.
type Taken struct {
	// Netns is the namespace that it was taken into, or is a member of a VRF in.
	Netns domain.NetnsName `json:"netns,omitzero"`
	Name  string           `json:"name"`
	// From is the namespace it came from: zero for the one that rdomain runs in.
	From domain.NetnsName `json:"from,omitzero"`
	Up   bool             `json:"up,omitempty"`
	MTU  uint32           `json:"mtu"`
	MAC  string           `json:"mac,omitempty"`
	// Master is the bridge or VRF that it was a member of, "" for none.
	Master string `json:"master,omitempty"`
	// Addresses and Routes are those that it had, and has in the domain too.
	Addresses []Address `json:"addresses,omitempty"`
	Routes    []Route   `json:"routes,omitempty"`
}

// Key is the link's name in the domain.
func (t Taken) Key() Key { return Key{"taken", t.Netns, t.Name} }

// On is no link: it is one.
func (t Taken) On() string { return "" }

func (t Taken) command(Verb) []string { return []string{"#", "rdomain takes link", t.Name} }
