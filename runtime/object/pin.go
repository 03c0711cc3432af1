package object

import "rdgen/runtime/domain"

// Pin is the program of a VRF, pinned in the BPF file system for an init system
// that attaches it by itself.
type Pin struct{ domain.Domain }

// Key is the VRF's ID, by which it is pinned.
func (p Pin) Key() Key { return Key{Kind: "pin", Name: p.ID()} }

// On is no link: a pin stays when its VRF is deleted.
func (p Pin) On() string { return "" }

func (p Pin) command(v Verb) []string {
	if v == Delete {
		return []string{"#", "rdomain unpins", p.Pin()}
	}
	return []string{"#", "rdomain pins the program of vrf", p.VRF.String(), "at", p.Pin()}
}
