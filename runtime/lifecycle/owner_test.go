package lifecycle

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// TestLater: which links up does not wait for and leaves to their owners, and what is left
// out with them.
func TestLater(t *testing.T) {
	link := func(index int, up bool, master int, addresses ...string) plan.LinkState {
		l := plan.LinkState{Link: rtnl.Link{Name: "t0", Index: index, Up: up, Master: master}}
		for _, a := range addresses {
			l.Addresses = append(l.Addresses, rtnl.Address{Address: object.Address{Prefix: netip.MustParsePrefix(a)}})
		}
		return l
	}
	taken := &record.Record{Entries: []record.Entry{{Object: object.Taken{Name: "t0"}, Made: record.Identity{Index: 7}}}}
	const vrf, netns = "[Domain]\nKind=vrf\nTable=10\n", "[Domain]\n"
	for _, c := range []struct {
		name, domain, key string
		now               *plan.LinkState
		r                 *record.Record
		later             bool
	}{
		{"not there", netns, "RequiredForOnline=no", nil, nil, true},
		{"not there, of a VRF", vrf, "RequiredForOnline=no", nil, nil, true},
		{"required", netns, "RequiredForOnline=yes", nil, nil, false},
		{"no address", netns, "RequiredForOnline=no", new(link(7, true, 0)), nil, true},
		{"no address, of a VRF", vrf, "RequiredForOnline=no", new(link(7, true, 0)), nil, true},
		{"one that is the kernel's", vrf, "RequiredForOnline=no", new(link(7, true, 0, "fe80::1/64")), nil, true},
		{"not up", vrf, "RequiredForOnline=no", new(link(7, false, 0, "10.8.0.2/24")), nil, true},
		{"an address", vrf, "RequiredForOnline=no", new(link(7, true, 0, "10.8.0.2/24")), nil, false},
		{"a member", vrf, "RequiredForOnline=no", new(link(7, true, 3)), nil, false},
		{"taken out of the VRF by somebody", vrf, "RequiredForOnline=no", new(link(7, true, 0)), taken, false},
		{"another than the one that was taken", vrf, "RequiredForOnline=no", new(link(8, true, 0)), taken, true},
		{"the file has its address", vrf, "RequiredForOnline=no\nAddress=10.8.0.2/24", new(link(7, false, 0)), nil, false},
		{"required, no address", vrf, "RequiredForOnline=yes", new(link(7, true, 0)), nil, false},
	} {
		id, _ := domain.ParseID("d")
		f, err := conf.Parse("d", id, []byte(c.domain+"[Link t0]\n"+c.key+"\n[Link e0]\nAddress=10.7.0.2/24\n[Link v0]\nKind=vlan\nParent=t0\nId=5\n"+
			"[Route]\nDestination=default\nDevice=t0\n[Route]\nDestination=10.1.0.0/16\nGateway=10.7.0.1\n[Route]\nDestination=10.2.0.0/16\nGateway=10.8.0.1\n"+
			"[Route]\nDestination=10.3.0.0/16\nType=unreachable\n[Neighbor]\nDevice=e0\nAddress=10.7.0.1\nLinkLayerAddress=02:00:00:00:00:01\n"+
			"[Neighbor]\nDevice=t0\nAddress=10.8.0.1\nLinkLayerAddress=02:00:00:00:00:01\n[Sysctl]\nnet.ipv4.conf.t0.forwarding=1\nnet.ipv4.conf.e0.forwarding=1\n"), fstest.MapFS{})
		if err != nil {
			t.Fatal(err)
		}
		have := &plan.State{Inside: map[string]plan.LinkState{"e0": {}}, Outside: map[string]plan.LinkState{}}
		if f.Kind == conf.VRF {
			have.Outside = have.Inside
		}
		if c.now != nil {
			have.Outside["t0"] = *c.now
		}
		if c.r == nil {
			c.r = &record.Record{}
		}
		got := strings.Join(later(f, have, c.r), " ")
		if got != map[bool]string{true: "t0"}[c.later] {
			t.Errorf("%s: left to its owner: %q; want %v", c.name, got, c.later)
		}
		if !c.later {
			continue
		}
		rest := without(f, []string{"t0"})
		if len(rest.Links) != 1 || len(rest.Routes) != 2 || len(rest.Objects) != 1 || len(rest.Sysctls) != 1 {
			t.Errorf("%s: without it %d links, %d routes, %d neighbours and %d variables are left; want 1, 2, 1, 1",
				c.name, len(rest.Links), len(rest.Routes), len(rest.Objects), len(rest.Sysctls))
		}
	}
}
