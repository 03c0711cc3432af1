package object

import (
	"strconv"

	"rdgen/runtime/domain"
)

// BridgeVLAN is a VLAN of a bridge's port, or of the bridge itself.
type BridgeVLAN struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	Dev   string           `json:"dev"`
	ID    uint16           `json:"id"`
	// PVID: it is that of frames that come without a tag. Untagged: its frames leave
	// without one.
	PVID     bool `json:"pvid,omitempty"`
	Untagged bool `json:"untagged,omitempty"`
	// Self: Dev is the bridge.
	Self bool `json:"self,omitempty"`
}

// Key is the link and the number.
func (b BridgeVLAN) Key() Key {
	return Key{"bridgevlan", b.Netns, b.Dev + " " + strconv.Itoa(int(b.ID))}
}

// On is the link.
func (b BridgeVLAN) On() string { return b.Dev }

func (b BridgeVLAN) command(v Verb) []string {
	w := []string{"bridge"}
	if !b.Netns.IsZero() {
		w = append(w, "-n", b.Netns.String())
	}
	verb := Add
	if v == Delete {
		verb = v
	}
	w = append(w, "vlan", string(verb), "dev", b.Dev, "vid", strconv.Itoa(int(b.ID)))
	for _, f := range []struct {
		set  bool
		word string
	}{{b.PVID && v != Delete, "pvid"}, {b.Untagged && v != Delete, "untagged"}, {b.Self, "self"}} {
		if f.set {
			w = append(w, f.word)
		}
	}
	return w
}
