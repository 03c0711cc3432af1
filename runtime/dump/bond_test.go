package dump

import (
	"strings"
	"testing"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// A bond and its members have sections that make them; one that no file can have is noted.
func TestBond(t *testing.T) {
	id, err := domain.ParseID("t1")
	if err != nil {
		t.Fatal(err)
	}
	netns, err := domain.ParseNetns("t1")
	if err != nil {
		t.Fatal(err)
	}
	d := domain.Domain{Netns: netns}
	for _, c := range []struct {
		name string
		mode string
		object.Bond
		want string
	}{
		{"plain", "active-backup", object.Bond{Monitor: 100}, "Kind=bond\nMode=active-backup\nMTUBytes=9000\n"},
		{"not looked at", "balance-rr", object.Bond{}, "Kind=bond\nMode=balance-rr\nMIIMonitorSec=0ms\n"},
		{"LACP", "802.3ad", object.Bond{Monitor: 50, Hash: "layer3+4", FastLACP: true},
			"Kind=bond\nMode=802.3ad\nMIIMonitorSec=50ms\nTransmitHashPolicy=layer3+4\nLACPTransmitRate=fast\n"},
		{"a rate that is not used", "balance-rr", object.Bond{Monitor: 100, FastLACP: true}, "Kind=bond\nMode=balance-rr\nMTUBytes=9000\n"},
		{"LACP, not looked at", "802.3ad", object.Bond{}, "# Mode=802.3ad without MIIMonitorSec= has no counterpart: somebody else has to make it\n"},
	} {
		s := &State{ID: id, Domain: d, Links: []Link{
			{Link: rtnl.Link{Name: "eth4", Index: 4, MTU: 9000, Up: true, MAC: "02:00:00:00:00:01"}, Bridge: "lag0", Bonded: true},
			{Link: rtnl.Link{Name: "lag0", Kind: "bond", Index: 6, MTU: 9000, Up: true, Options: object.Options{Mode: c.mode, Bond: c.Bond}}},
		}}
		text, err := File(s).Text(conf.Machine())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(string(text), "[Link eth4]\nBond=lag0\n") || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %s\nwant in it\n%s", c.name, text, c.want)
		}
	}
}
