package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// byHand is a namespace with all that dump can say, made by ip(8).
const byHand = `
ip netns add blue; ip -n blue link set lo up
ip link add veth-b type veth peer name eth0 netns blue; ip link set veth-b up; ip address add 10.0.0.1/24 dev veth-b
ip -n blue address add 10.0.0.2/24 dev eth0; ip -n blue address add 2001:db8::2/64 dev eth0 nodad; ip -n blue link set eth0 mtu 1400 up
ip -n blue link add br0 type bridge; ip -n blue link set br0 up; ip -n blue address add 10.1.0.1/24 dev br0; ip -n blue address add fe80::53/64 dev br0 nodad
ip -n blue link add vx0 type vxlan id 5 remote 10.0.0.9 dstport 4790; ip -n blue link set vx0 master br0 up
ip link add lan0 type bridge; ip link set lan0 up
ip link add link lan0 name mv0 netns blue type macvlan mode private; ip -n blue link set mv0 up
ip -n blue link add pa type veth peer name pb; ip -n blue link set pa up; ip -n blue link set pb master br0 up
ip -n blue tuntap add tap0 mode tap user 0; ip -n blue link set tap0 up
ip -n blue route add default via 10.0.0.1; ip -n blue route add 10.9.0.0/16 via 10.0.0.1 metric 5 table 100
ip -n blue -6 route add default via 2001:db8::1; ip -n blue route add blackhole 10.8.0.0/16
ip -n blue route add 10.7.0.0/16 via 10.0.0.1 proto 186; ip -n blue address add 10.6.0.1 peer 10.6.0.2/32 dev br0
ip -n blue route add 10.5.0.0/16 nexthop via 10.0.0.1 weight 2 nexthop via 10.1.0.2; ip -n blue rule add uidrange 5-9 ipproto 17 dport 53 table 100 pref 502
ip -n blue rule add from 10.0.0.2 table 100 pref 500; ip -n blue -6 rule add iif eth0 prohibit pref 501
ip -n blue route add local 10.66.0.0/16 dev lo; ip -n blue -6 route add local fd06::/64 dev eth0; ip -n blue route add local 10.67.0.0/16 dev lo table 100
ip -n blue route add blackhole 10.68.0.0/16 table local
ip -n blue route add unreachable 10.69.0.0/16 table 77; ip -n blue -6 route add prohibit fd69::/64 table 78
ip -n blue link property add dev br0 altname lan-of-the-house
ip -n blue neighbor add 10.0.0.77 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
ip netns exec blue sysctl -qw net.ipv4.ip_forward=1`

// TestDump: the file of a namespace that somebody made by hand has rdomain make no step, and
// when it is gone, the same again.
func TestDump(t *testing.T) {
	start(t)
	need.Tools(t, need.Sh, "ip")
	sandbox.Sh(t, "set -e"+byHand)
	t.Cleanup(func() {
		sandbox.Sh(t, "ip netns del blue 2>/dev/null || :; ip link del lan0; ip link del veth-b 2>/dev/null || :; rm -rf /etc/netns")
	})
	text, stderr, code := rdomain("dump", "blue")
	if code != 0 || stderr != "" {
		t.Fatalf("dump: %d %s", code, stderr)
	}
	for _, line := range []string{"[Link eth0]", "Address=fe80::53/64", "PeerAddress=10.0.0.1/24", "MTUBytes=1400", "PeerBridge=br0", "Table=100", "Type=blackhole",
		"Family=ipv6", "net/ipv4/ip_forward=1", "LinkLayerAddress=02:00:00:00:00:01", "Peer=10.6.0.2/32", "DestinationPort=4790", "AlternativeName=lan-of-the-house", "MultiPathRoute=10.0.0.1@eth0 2", "DestinationPort=53", "User=5-9", "User=0", "Mode=private"} {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if !strings.Contains(text, "# ip route add 10.7.0.0/16 via 10.0.0.1 dev eth0 protocol 186: is somebody else's") {
		t.Errorf("the route of a daemon is not noted:\n%s", text)
	}
	for _, section := range []string{"10.66.0.0/16\nType=local\n", "fd06::/64\nDevice=eth0\nType=local\n", "10.67.0.0/16\nType=local\nTable=100\n",
		"10.69.0.0/16\nType=unreachable\nTable=77\n", "fd69::/64\nType=prohibit\nTable=78\n"} { // to which no rule leads
		if !strings.Contains(text, "[Route]\nDestination="+section) {
			t.Errorf("there is no route to %s", section)
		}
	}
	if strings.Contains(text, "127.0.0.0/8") || strings.Contains(text, "ff00::") || !strings.Contains(text, "# ip route add blackhole 10.68.0.0/16 table 255: has no counterpart") {
		t.Errorf("of the local table, not only what somebody made is there:\n%s", text)
	}
	file(t, "blue", text)
	unchanged(t, "blue")
	// It goes, and comes again as it was.
	sandbox.Sh(t, "ip netns del blue; while ip link show veth-b >/dev/null 2>&1; do :; done")
	quiet(t, "up", "blue")
	again, _, _ := rdomain("dump", "blue")
	if diff := cmp.Diff(normal(t, "blue", text), normal(t, "blue", again)); diff != "" {
		t.Errorf("what is made again differs: -was +is\n%s", diff)
	}
	quiet(t, "down", "blue")
	if _, stderr, code := rdomain("dump", "blue"); code == 0 || !strings.Contains(stderr, "netns blue does not exist") {
		t.Errorf("dump of nothing: %d %s", code, stderr)
	}
}

// unchanged sees to it that up would do nothing, that it does nothing, and that check has
// nothing to say.
func unchanged(t *testing.T, id string) {
	t.Helper()
	for _, args := range [][]string{{"up", "-n", id}, {"reload", "-n", id}, {"up", id}, {"check", id}} {
		if out, stderr, code := rdomain(args...); code != 0 || out != "" {
			t.Errorf("rdomain %s: %d\n%s%s", strings.Join(args, " "), code, out, stderr)
		}
	}
}

// normal is what a file says, as lines in the order of the alphabet. What a file need not say
// is not in them.
func normal(t *testing.T, id, text string) []string {
	t.Helper()
	name, err := domain.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	f, err := conf.Parse(id, name, []byte(text), conf.Machine())
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, l := range f.Links {
		say("link %s %s peer %s parent %s outer %s bridge %s %s %+v", l.Name, l.Kind, l.Peer, l.Parent, l.Outer.ID, l.Bridge, l.PeerBridge, l.Options)
		for _, a := range l.Addresses {
			say("address %s %s %s", l.Name, a.Prefix, a.Peer)
		}
		for _, a := range l.PeerAddresses {
			say("peer address %s %s", l.Name, a.Prefix)
		}
		for _, p := range l.Peers {
			slices.SortFunc(p.AllowedIPs, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })
			say("wireguard %s %s %s %s %d", l.Name, p.PublicKey, p.Endpoint, p.AllowedIPs, p.Keepalive)
		}
		if l.MAC != "" {
			say("mac %s %s", l.Name, l.MAC)
		}
	}
	for _, r := range f.Routes {
		if r.Line = 0; r.Gateway.IsValid() {
			r.Device = domain.LinkName{} // the kernel finds it, and dump says it
		}
		say("route %+v", r)
	}
	for _, r := range f.Rules {
		for _, v6 := range []bool{false, true} {
			if one := r.Rule; v6 && r.IPv6 || !v6 && r.IPv4 {
				one.IPv6 = v6
				say("rule %+v", one)
			}
		}
	}
	for _, s := range f.Sysctls {
		say("variable %s=%s", s.Path, s.Value)
	}
	for _, o := range f.Objects {
		say("object %+v", o.Object)
	}
	slices.Sort(lines)
	return lines
}

// TestImports: what rdgen import prints is made, dump of that says the same, and up with what
// it says changes nothing. What this kernel cannot make, or waits for a router, is planned:
// the machines make it.
func TestImports(t *testing.T) {
	start(t)
	need.Tools(t, need.Sh, "ip")
	able := map[string]bool{"": true, "veth": true, "tun": true, "tap": true}
	for kind, words := range map[string]string{"bridge": "type bridge", vlanBridge: "type bridge vlan_filtering 1", "vxlan": "type vxlan id 5 dstport 4789 remote 10.0.0.1",
		"macvlan": "link probe0 type macvlan", "dummy": "type dummy", "vlan": "link probe0 type vlan id 5", "wireguard": "type wireguard", "vrf": "type vrf table 10",
		"gre": "type gre remote 10.0.0.1", "sit": "type sit remote 10.0.0.1", "ipip": "type ipip remote 10.0.0.1"} {
		able[kind] = makes(words)
	}
	cases, _ := filepath.Glob("../../imports/testdata/*.txtar")
	made, total := map[string]int{}, map[string]int{}
	for _, c := range cases {
		name := strings.TrimSuffix(filepath.Base(c), ".txtar")
		a, err := txtar.ParseFile(c)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range a.Files {
			if id, ok := strings.CutPrefix(f.Name, "out/"); ok {
				files[strings.TrimSuffix(id, ".conf")] = string(f.Data)
			}
		}
		if len(files) == 0 {
			continue
		}
		format := importFormat(name)
		t.Run(name, func(t *testing.T) {
			if imported(t, files, able) {
				made[format]++
			}
			if !needsServer(files) {
				total[format]++
			}
		})
	}
	for format, least := range map[string]int{"ifupdown-ng": 5, "ifupdown2": 5, "ifstate": 5, "netplan": 5, "networkd": 5, "wg-quick": 0} {
		if total[format] < 10 || made[format] < least {
			t.Errorf("%s: %d files of 10 are there, %d of %d were made", format, total[format], made[format], least)
		}
	}
}

// vlanBridge is a bridge that keeps VLANs apart.
const vlanBridge = "bridge with VLANs"

// importFormat is what program reads the files of a case: the longest word that its name
// begins with.
func importFormat(name string) string {
	for _, f := range []string{"ifupdown-ng", "ifupdown2", "ifupdown", "ifstate", "netplan", "networkd", "wg-quick"} {
		if strings.HasPrefix(name, f+"-") {
			return f
		}
	}
	return ""
}

// needsServer reports whether a domain needs a server, a router, or a provider's file.
func needsServer(files map[string]string) bool {
	for _, text := range files {
		for _, word := range []string{"\nDHCP=", "\nIPv6AcceptRA=yes", "\nConfigFile="} {
			if strings.Contains(text, word) {
				return true
			}
		}
	}
	return false
}

// imported makes the domains of a case, or plans them, and reports which.
func imported(t *testing.T, files map[string]string, able map[string]bool) (made bool) {
	made = !needsServer(files)
	exist := map[string]bool{}
	for id, text := range files {
		name, _ := domain.ParseID(id)
		f, err := conf.Parse(id, name, []byte(text), conf.Machine())
		if err != nil {
			t.Fatal(err)
		}
		made = made && (f.Kind == conf.Netns || able["vrf"])
		for _, l := range f.Links {
			made = made && able[l.Kind] && (!l.VLANFiltering || able[vlanBridge])
			if l.Kind == "" && l.Name.String() != "lo" {
				exist[l.Name.String()] = true
			}
			if p := l.Parent.String(); p != "" && l.Outer.ID.IsZero() {
				exist[p] = true
			}
		}
		for _, l := range f.RequiresLinks {
			exist[l.Name.String()] = true
		}
		for _, l := range f.Links { // what the file makes is not there before
			if l.Kind != "" {
				delete(exist, l.Name.String())
			}
		}
	}
	for id, text := range files {
		file(t, id, text)
	}
	links, n := "set -e\n", 0
	for name := range exist {
		links += fmt.Sprintf("ip link add %s type veth peer name far%d; ip link set far%d up; ip link set %s up\n", name, n, n, name)
		n++
	}
	sandbox.Sh(t, links)
	t.Cleanup(func() {
		for id := range files {
			os.Remove("/etc/rdomain/" + id + ".conf")
		}
		gone := "set -e\n"
		for i := range n {
			gone += fmt.Sprintf("ip link del far%d\n", i)
		}
		sandbox.Sh(t, gone)
		os.RemoveAll("/etc/netns")
	})
	if !made {
		for id := range files {
			if _, stderr, code := rdomain("up", "-n", id); code != 0 && !strings.Contains(stderr, "/etc/wireguard/") {
				t.Errorf("up -n %s: %d %s", id, code, stderr)
			}
		}
		return false
	}
	quiet(t, "up", "--all")
	dumps := map[string]string{}
	for id, text := range files {
		out, stderr, code := rdomain("dump", id)
		if code != 0 {
			t.Fatalf("dump %s: %s", id, stderr)
		}
		if diff := cmp.Diff(normal(t, id, text), normal(t, id, out)); diff != "" {
			t.Errorf("%s: -imported +dumped\n%s", id, diff)
		}
		dumps[id] = out
	}
	for id, text := range dumps {
		file(t, id, text)
		unchanged(t, id)
	}
	quiet(t, "down", "--all")
	return true
}
