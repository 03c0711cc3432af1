package dump

import (
	"net/netip"
	"strings"
	"testing"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// A route of Type=local that somebody made is a section; what no file can have is noted, and
// what Linux makes itself is neither.
func TestLocalRoutes(t *testing.T) {
	id, err := domain.ParseID("t1")
	if err != nil {
		t.Fatal(err)
	}
	vrf, err := domain.ParseVRF("t1")
	if err != nil {
		t.Fatal(err)
	}
	route := func(to, kind, dev string, table uint32, protocol uint8) rtnl.Route {
		return rtnl.Route{Route: object.Route{Destination: netip.MustParsePrefix(to), Type: kind, Dev: dev, Table: table, Protocol: protocol}}
	}
	const head = "Kind=netns\n"
	for _, c := range []struct {
		name string
		domain.Domain
		rtnl.Route
		want string // at the end
	}{
		{"on the loopback", domain.Domain{}, route("10.66.0.0/16", "local", "lo", 255, protocolBoot), head + "\n[Route]\nDestination=10.66.0.0/16\nType=local\n"},
		{"on a link", domain.Domain{}, route("fd06::/64", "local", "eth0", 255, protocolStatic),
			head + "\n[Route]\nDestination=fd06::/64\nDevice=eth0\nType=local\n"},
		{"in another table", domain.Domain{}, route("0.0.0.0/0", "local", "lo", 100, protocolBoot),
			head + "\n[Route]\nDestination=0.0.0.0/0\nType=local\nTable=100\n"},
		{"in the main table", domain.Domain{}, route("10.66.0.0/16", "local", "lo", object.MainTable, protocolBoot),
			head + "\n[Route]\nDestination=10.66.0.0/16\nType=local\nTable=254\n"},
		{"of an address", domain.Domain{}, route("10.0.0.2/32", "local", "eth0", 255, object.ProtocolKernel), head},
		{"of multicast, Linux 5.10", domain.Domain{}, route("ff00::/8", "unicast", "eth0", 255, protocolBoot), head},
		{"of another type", domain.Domain{}, route("10.66.0.0/16", "blackhole", "", 255, protocolBoot),
			head + "# ip route add blackhole 10.66.0.0/16 table 255: has no counterpart\n"},
		{"of a VRF", domain.Domain{VRF: vrf}, route("10.66.0.0/16", "local", "eth0", 7, protocolBoot),
			"Table=7\n# ip route add local 10.66.0.0/16 dev eth0 table 7: has no counterpart\n"},
	} {
		s := &State{ID: id, Domain: c.Domain, Table: 7, Routes: []rtnl.Route{c.Route}}
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
