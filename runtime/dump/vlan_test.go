package dump

import (
	"strings"
	"testing"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// The VLANs of ports and bridges are sections, but those that each new port has.
func TestVLANs(t *testing.T) {
	id, err := domain.ParseID("t1")
	if err != nil {
		t.Fatal(err)
	}
	usual := object.BridgeVLAN{ID: 1, PVID: true, Untagged: true}
	tagged := func(ids ...uint16) (list []object.BridgeVLAN) {
		for _, id := range ids {
			list = append(list, object.BridgeVLAN{ID: id})
		}
		return list
	}
	for _, c := range []struct {
		name  string
		usual uint16
		vlans []object.BridgeVLAN
		want  string // of the port
	}{
		{"as new", 1, []object.BridgeVLAN{usual}, "[Link eth4]\nBridge=br0\n"},
		{"trunk", 1, append(tagged(20, 21, 22, 30), usual),
			"[Link eth4]\nBridge=br0\n\n[BridgeVLAN]\nDevice=eth4\nVLAN=20-22 30\nEgressUntagged=1\nPVID=1\n"},
		{"in another", 0, []object.BridgeVLAN{{ID: 10, PVID: true, Untagged: true}},
			"[Link eth4]\nBridge=br0\n\n[BridgeVLAN]\nDevice=eth4\nEgressUntagged=10\nPVID=10\n"},
		{"with a tag, but its own", 0, []object.BridgeVLAN{{ID: 10, PVID: true}}, "[Link eth4]\nBridge=br0\n\n[BridgeVLAN]\nDevice=eth4\nPVID=10\n"},
		{"in none", 1, nil, "[Link eth4]\nBridge=br0\n# is not in VLAN 1, in which each new port is: DefaultPVID=none in the bridge's section says so of all\n"},
	} {
		s := &State{ID: id, Links: []Link{
			{Link: rtnl.Link{Name: "br0", Kind: "bridge", Index: 6, Up: true, Options: object.Options{VLANFiltering: true, DefaultPVID: c.usual}}},
			{Link: rtnl.Link{Name: "eth4", Index: 4, MTU: 1500, Up: true}, Bridge: "br0", VLANs: c.vlans, UsualVLAN: c.usual},
		}}
		text, err := File(s).Text(conf.Machine())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.HasSuffix(string(text), c.want) {
			t.Errorf("%s: %s\nwant at its end\n%s", c.name, text, c.want)
		}
	}
}
