package object

import "rdgen/runtime/domain"

// Netns is a named network namespace, a file in /run/netns.
type Netns struct {
	Name domain.NetnsName `json:"name"`
}

// Key is the name.
func (n Netns) Key() Key { return Key{Kind: "netns", Netns: n.Name} }

// On is no link.
func (n Netns) On() string { return "" }

func (n Netns) command(v Verb) []string { return []string{"ip", "netns", string(v), n.Name.String()} }
