package main

import (
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

// reloads has one link, which stays, so what goes with a reload does not go with it.
const reloads = `[Link v]
Kind=bridge
Address=10.0.0.1/24
[Neighbor]
Device=v
Address=10.0.0.9
LinkLayerAddress=02:00:00:00:00:09
[RoutingPolicyRule]
Priority=101
Family=both
FirewallMark=16
Table=7
`

// Of a rule of both families, reload removes the one that Family= no longer has, and
// leaves the other alone. The record once had both as one, so the IPv6 one stayed.
func TestReloadRemovesTheRuleOfAFamily(t *testing.T) {
	start(t)
	rules := func() (v4, v6 bool) {
		has := func(family string) bool {
			return strings.Contains(sandbox.Sh(t, `ip -n private -`+family+` rule`), "fwmark 0x10 lookup 7")
		}
		return has("4"), has("6")
	}
	for _, c := range []struct {
		family string
		v4, v6 bool
	}{{"both", true, true}, {"ipv4", true, false}, {"both", true, true}, {"ipv6", false, true}} {
		file(t, "private", strings.Replace(reloads, "Family=both", "Family="+c.family, 1))
		verb := "reload"
		if c.v4 && c.v6 {
			verb = "up"
		}
		quiet(t, verb, "private")
		says(t, 0, "", "", "check", "private")
		if v4, v6 := rules(); v4 != c.v4 || v6 != c.v6 {
			t.Errorf("with Family=%s there is a rule of IPv4: %v, of IPv6: %v; want %v, %v", c.family, v4, v6, c.v4, c.v6)
		}
	}
	quiet(t, "down", "private")
}

// A neighbour whose LinkLayerAddress= is edited is replaced, and stays one that rdomain
// made: it goes when its section goes. The replaced one was in no record once.
func TestReplacedNeighborIsStillOurs(t *testing.T) {
	start(t)
	neighbors := func() string {
		return strings.TrimSpace(sandbox.Sh(t, `ip -n private neighbor show nud permanent dev v`))
	}
	file(t, "private", reloads)
	quiet(t, "up", "private")
	file(t, "private", strings.Replace(reloads, ":00:09", ":00:0a", 1))
	quiet(t, "reload", "private")
	if got, want := neighbors(), "10.0.0.9 lladdr 02:00:00:00:00:0a PERMANENT"; got != want {
		t.Fatalf("after the edit: %q; want %q", got, want)
	}
	before, _, _ := strings.Cut(reloads, "[Neighbor]")
	file(t, "private", before)
	quiet(t, "reload", "private")
	if got := neighbors(); got != "" {
		t.Errorf("without [Neighbor] there is still %q; want nothing", got)
	}
	quiet(t, "down", "private")
}
