package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rdgen/runtime/lifecycle"

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

// check and reload look at what the file says: what somebody removed is put back, and what
// somebody added is left alone, in silence.
func TestWhatOthersAdd(t *testing.T) {
	start(t)
	file(t, "private", reloads)
	quiet(t, "up", "private")
	added := func() string {
		return sandbox.Sh(t, `ip -n private -o address show dev v to 10.8.0.0/16 | wc -l; ip -n private route show default; ip -n private link show v | grep -o 'mtu [0-9]*'`)
	}
	sandbox.Sh(t, `ip -n private address add 10.8.0.1/24 dev v; ip -n private route add default via 10.0.0.7; ip -n private link set v mtu 1400`)
	want := added()
	says(t, 0, "", "", "check", "private")
	quiet(t, "reload", "private")
	if got := added(); got != want || !strings.Contains(want, "1400") || !strings.Contains(want, "10.0.0.7") {
		t.Errorf("reload leaves %q of what was added, %q", got, want)
	}
	sandbox.Sh(t, `ip -n private neighbor delete 10.0.0.9 dev v`)
	says(t, 1, "--- private as it is\n+++ /etc/rdomain/private.conf\n+ip -n private neighbor add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v nud permanent\n", "", "check", "private")
	quiet(t, "reload", "private")
	says(t, 0, "", "", "check", "private")
	quiet(t, "down", "private")
}

// before is what TestPrintedReload edits.
const before = `[Link veth0]
Kind=veth
Peer=veth-private
Address=192.0.2.2/30
PeerAddress=192.0.2.1/30
[Link br0]
Kind=bridge
Address=10.3.0.1/24
[Link br1]
Kind=bridge
[Link eth7]
[Sysctl]
net.ipv4.conf.br0.forwarding=1
[Route]
Destination=default
Gateway=192.0.2.1
[Route]
Destination=10.31.0.0/16
Gateway=10.3.0.9
Device=br0
[Route]
Destination=10.34.0.0/16
MultiPathRoute=10.3.0.7 3
MultiPathRoute=192.0.2.1@veth0
[Route]
Destination=2001:db8:34::/48
MultiPathRoute=fe80::7@br0
MultiPathRoute=fe80::9@veth0
[Neighbor]
Device=br0
Address=10.3.0.9
LinkLayerAddress=02:00:00:00:00:09
[RoutingPolicyRule]
Priority=101
Family=both
FirewallMark=16
Table=7
`

// What reload -n prints says each thing once, can be executed, and makes what reload
// makes: after it check is silent. Steps that remove a link were printed twice once, and
// another Kind= was an error, because up's steps were planned as if nothing had gone.
func TestPrintedReload(t *testing.T) {
	for _, c := range []struct {
		name, old, new, run string
		// recorded: that a link is taken, or what another name has, is in the record, which
		// ip does not change; reload looks after it once more.
		recorded bool
	}{
		{"Peer", "Peer=veth-private", "Peer=veth-x", "", false},
		{"Kind", "br1]\nKind=bridge", "br1]\nKind=veth\nPeer=br1-x", "", false},
		{"Kind of the one with addresses", "br0]\nKind=bridge", "br0]\nKind=veth\nPeer=br0-x", "", false},
		{"taken link renamed", "", "", "ip -n private link set eth7 down; ip -n private link set eth7 name foo0", false},
		{"taken link renamed and Peer", "Peer=veth-private", "Peer=veth-x", "ip -n private link set eth7 down; ip -n private link set eth7 name foo0", false},
		{"taken link renamed and not wanted", "[Link eth7]\n", "", "ip -n private link set eth7 down; ip -n private link set eth7 name foo0", true},
		{"link removed", "[Link br1]\nKind=bridge\n", "", "", false},
		{"taken link removed", "[Link eth7]\n", "", "", true},
		{"address", "Address=10.3.0.1/24", "Address=10.3.0.2/24", "", false},
		{"the last address of a route's link", "Address=192.0.2.2/30\n", "Address=192.0.2.2/29\n", "", false},
		{"route", "Gateway=10.3.0.9", "Gateway=10.3.0.8", "", false},
		{"share of a gateway", "10.3.0.7 3", "10.3.0.7 4", "", false},
		{"one of two gateways", "MultiPathRoute=fe80::7@br0\nMultiPathRoute=fe80::9@veth0", "Gateway=fe80::9\nDevice=veth0", "", false},
		{"route removed", "[Route]\nDestination=default\nGateway=192.0.2.1\n", "", "", false},
		{"Outer", "Peer=veth-private", "Peer=veth-private\nOuter=other", "", false},
		{"Name", "[Link veth0]", "[Domain]\nName=second\n[Link veth0]", "", true},
		{"variable", "forwarding=1", "forwarding=0", "", false},
		{"variable removed", "net.ipv4.conf.br0.forwarding=1\n", "", "", false},
		{"neighbor", "00:09\n", "00:0a\n", "", false},
		{"neighbor elsewhere", "Address=10.3.0.9\n", "Address=10.3.0.7\n", "", false},
		{"rule", "FirewallMark=16", "FirewallMark=17", "", false},
		{"rule of one family", "Family=both", "Family=ipv6", "", false},
		{"nothing", "", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			start(t)
			hardware(t, "eth7")
			file(t, "other", "")
			quiet(t, "up", "other")
			file(t, "private", before)
			quiet(t, "up", "private")
			edited := strings.Replace(before, c.old, c.new, 1)
			if c.old != "" && edited == before {
				t.Fatalf("there is no %q to edit", c.old)
			}
			if c.run != "" {
				sandbox.Sh(t, c.run)
			}
			file(t, "private", edited)
			script, stderr, code := rdomain("reload", "-n", "private")
			if code != 0 || stderr != "" || (script == "") != (c.name == "nothing") {
				t.Fatalf("reload -n = %d, %q, %q", code, script, stderr)
			}
			once(t, "reload -n", strings.Split(strings.TrimSpace(script), "\n"))
			out, stderr, _ := rdomain("check", "--json", "private")
			var reports []lifecycle.Report
			if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports) != 1 {
				t.Fatalf("check --json = %v in %s, %s", err, out, stderr)
			}
			once(t, "diff of check", reports[0].Diff)
			if got := strings.Join(append(reports[0].Missing, ""), "\n"); got != script {
				t.Errorf("check misses\n%s\nreload -n prints\n%s", got, script)
			}
			for _, line := range reports[0].Diff {
				if c.name == "Peer" && strings.HasPrefix(line, "-") && strings.Contains(line, "veth-x") {
					t.Errorf("check says that there is %s", line)
				}
			}
			sh := exec.Command("sh", "-ex")
			sh.Stdin = strings.NewReader(script)
			if said, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("sh -ex: %v\n%s", err, said)
			}
			if !c.recorded {
				says(t, 0, "", "", "check", "private")
				says(t, 0, "", "", "reload", "-n", "private")
			}
			quiet(t, "reload", "private")
			says(t, 0, "", "", "check", "private")
			// What ip made is nobody's, so down does not wait until it is gone.
			sandbox.Sh(t, `for l in veth-x br0-x br1-x; do ip link delete $l 2>/dev/null || true; done`)
			if _, stderr, code := rdomain("down", "private", "other"); code != 0 {
				t.Errorf("down = %d, %s", code, stderr)
			}
			if c.name == "Name" { // all of it was made by ip alone
				sandbox.Sh(t, `ip -n second link set eth7 netns $$; ip link delete veth-private; ip netns delete second`)
			}
		})
	}
}

// once complains about lines that there are twice.
func once(t *testing.T, of string, lines []string) {
	t.Helper()
	for i, line := range lines {
		if slices.Contains(lines[:i], line) {
			t.Errorf("%s has twice: %s\nin\n%s", of, line, strings.Join(lines, "\n"))
		}
	}
}
