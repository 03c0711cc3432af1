package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/netns"
	"rdgen/runtime/rtnl"
	"rdgen/test/sandbox"
)

const private = `[Domain]
Description=a bit of everything
TimeoutSec=0
[Link veth0]
Kind=veth
Peer=veth-private
Address=10.0.0.2/30
Address=2001:db8::2/64
PeerAddress=10.0.0.1/30
MTUBytes=1400
MACAddress=02:00:5e:10:00:01
[Link br0]
Kind=bridge
[Link lo]
Address=10.9.9.9/32
[Route]
Destination=default
Gateway=10.0.0.1
[Route]
Destination=10.66.0.0/16
Type=unreachable
Metric=5
[Route]
Destination=2001:db8:1::/48
Gateway=2001:db8::1
Device=veth0
[Route]
Destination=10.67.0.0/16
Device=veth0
Table=7
`

func TestUpIsIdempotentAndDownLeavesNothing(t *testing.T) {
	start(t)
	file(t, "private", private)
	before := snapshot(t)
	quiet(t, "up", "private")
	up := snapshot(t)
	quiet(t, "up", "private")
	if got := snapshot(t); got != up {
		t.Errorf("the second up changes something: %s", cmp.Diff(up, got))
	}
	says(t, 0, "", "", "up", "-n", "private")
	says(t, 0, "", "", "check", "private")
	// The file is not needed to go down, and what it says by then is not what
	// is removed.
	file(t, "private", "[Nonsense]")
	quiet(t, "down", "private")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves something: %s", cmp.Diff(before, got))
	}
	quiet(t, "down", "private")
}

// Whatever is changed behind its back, up repairs, and check says it before.
func TestUpConverges(t *testing.T) {
	start(t)
	file(t, "private", private)
	quiet(t, "up", "private")
	want := snapshot(t)
	for _, c := range []struct{ damage, check string }{
		{"ip -n private address delete 2001:db8::2/64 dev veth0",
			"ip -n private address add 2001:db8::2/64 dev veth0\n"},
		{"ip -n private address delete 10.0.0.2/30 dev veth0", "ip -n private address add 10.0.0.2/30 dev veth0\n" +
			"ip -n private route add default via 10.0.0.1\n" +
			"ip -n private route add 10.67.0.0/16 dev veth0 table 7\n"},
		{"ip -n private link set lo down", "# private: lo is down in netns private: nothing inside can reach itself\n" +
			"ip -n private link set lo up\n"},
		{"ip -n private link set veth0 mtu 1300", "-ip -n private link set veth0 mtu 1300\nip -n private link set veth0 mtu 1400\n"},
		{"ip address delete 10.0.0.1/30 dev veth-private", "ip address add 10.0.0.1/30 dev veth-private\n"},
		{"ip -n private route replace default via 10.0.0.1 mtu 1200",
			"-ip -n private route add default via 10.0.0.1 dev veth0 mtu 1200\nip -n private route add default via 10.0.0.1\n"},
		{"ip -n private route delete unreachable 10.66.0.0/16", "ip -n private route add unreachable 10.66.0.0/16 metric 5\n"},
		{"ip -n private link delete br0", "ip -n private link add br0 type bridge\nip -n private link set br0 up\n"},
		{"ip link delete veth-private", ""},
		{"ip netns delete private", ""},
		// A process that is left inside keeps the namespace and its links alive.
		{"ip netns exec private sleep 1000 >/dev/null 2>&1 & echo $! >/run/sleep; " +
			"until ip netns pids private | grep -q .; do :; done; ip netns delete private", ""},
		{"umount /run/netns/private", ""},
		{"rm /run/rdomain/private.lock", ""},
	} {
		sandbox.Sh(t, c.damage)
		if c.check != "" {
			says(t, 1, diff("private", c.check), "", "check", "private")
		}
		quiet(t, "up", "private")
		if got := snapshot(t); got != want {
			t.Errorf("up after %q: %s", c.damage, cmp.Diff(want, got))
		}
		says(t, 0, "", "", "check", "private")
	}
	sandbox.Sh(t, `kill $(cat /run/sleep); rm /run/sleep`)
	quiet(t, "down", "private")
}

// waits is what is said of a lock that another rdomain holds for more than a second.
var waits = regexp.MustCompile(`(?m)^rdomain: note: waiting for the lock .*\n`)

// diff is what check prints: words, and lines of a diff; a line without a sign is
// one that is missing.
func diff(id, lines string) string {
	out, head := "", "--- "+id+" as it is\n+++ /etc/rdomain/"+id+".conf\n"
	for line := range strings.Lines(lines) {
		if line[0] != '#' {
			out, head = out+head, ""
			if line[0] != '-' {
				line = "+" + line
			}
		}
		out += line
	}
	return out
}

// The commands that up -n prints make the same as up does.
func TestPrintedCommandsDoTheSame(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	file(t, "private", private+"[Link eth7]\nAddress=10.77.0.9/24\n")
	before := snapshot(t)
	script, stderr, code := rdomain("up", "-n", "private")
	if code != 0 || stderr != "" {
		t.Fatalf("up -n = %d, %s", code, stderr)
	}
	if got := snapshot(t); got != before {
		t.Errorf("up -n changes something: %s", cmp.Diff(before, got))
	}
	quiet(t, "up", "private")
	ours := state(t, "private")
	quiet(t, "down", "private")
	sandbox.Sh(t, script)
	theirs := state(t, "private")
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("ip makes (-) and rdomain up makes (+):\n%s\nby\n%s", diff, script)
	}
	sandbox.Sh(t, `ip -n private link set eth7 netns $$; ip link delete veth-private; ip netns delete private
		ip address add 10.77.0.2/24 broadcast + dev eth7`)
}

// state is what ip(8) says of a namespace and of the links outside.
func state(t *testing.T, name string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, c := range []string{"-d link", "addr", "route show table all", "-6 route show table all", "rule", "-6 rule"} {
		for _, where := range []string{"", "-n " + name + " "} {
			out, err := exec.Command("sh", "-c", "ip -j "+where+c).Output()
			if err != nil {
				t.Fatalf("ip -j %s%s: %v", where, c, err)
			}
			var list []map[string]any
			if err := json.Unmarshal(out, &list); err != nil {
				t.Fatalf("ip -j %s%s: %v in %s", where, c, err, out)
			}
			all[where+c] = plain(list)
		}
	}
	return all
}

// plain takes out of ip's answer what differs from run to run: numbers, hardware
// addresses that the kernel chose, states that take a moment, and what the
// kernel makes of them.
func plain(list []map[string]any) []string {
	var lines []string
	for _, m := range list {
		for _, k := range []string{"ifindex", "link_index", "link_netnsid", "link_netns", "operstate", "flags", "link",
			"linkinfo", "permaddr", "inet6_addr_gen_mode", "address", "qdisc"} {
			delete(m, k)
		}
		if infos, ok := m["addr_info"].([]any); ok {
			var kept []any
			for _, i := range infos {
				info := i.(map[string]any)
				delete(info, "tentative")
				if info["scope"] != "link" {
					kept = append(kept, info)
				}
			}
			m["addr_info"] = kept
		}
		text, _ := json.Marshal(m)
		line := string(text)
		// The kernel's own routes to an address come when it is no longer tentative.
		if !strings.Contains(line, "fe80:") && !strings.Contains(line, "ff00::") && m["table"] != "local" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestForeignIsUsedNotOwned(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip netns add foreign; ip -n foreign link add br9 type bridge`)
	before := snapshot(t)
	quiet(t, "up", "foreign")
	if got := snapshot(t); got != before {
		t.Errorf("up of a foreign namespace changes something: %s", cmp.Diff(before, got))
	}
	says(t, 1, "# foreign: lo is down in netns foreign: nothing inside can reach itself\n", "", "check", "foreign")
	says(t, 0, "", "rdomain: note: foreign: it was made by somebody else; left alone\n", "down", "foreign")
	if got := snapshot(t); got != before {
		t.Errorf("down of a foreign namespace changes something: %s", cmp.Diff(before, got))
	}
	// With a file, what the file adds is ours and nothing else.
	file(t, "foreign", "[Link veth0]\nKind=veth\nPeer=vf\nAddress=10.1.0.1/24\n[Link br9]\nKind=bridge\nAddress=10.2.0.1/24\n"+
		"[Route]\nDestination=10.3.0.0/16\nGateway=10.2.0.2\n")
	quiet(t, "up", "foreign")
	quiet(t, "down", "foreign")
	sandbox.Sh(t, `ip -n foreign link set br9 down; ip -n foreign link set lo down
		ip -n foreign address flush dev lo`) // up sets them up
	if got := snapshot(t); got != before {
		t.Errorf("down with a file changes what is foreign: %s", cmp.Diff(before, got))
	}
	file(t, "foreign", "[Domain]\nManaged=no\n")
	quiet(t, "up", "foreign")
	quiet(t, "down", "foreign")
	if got := snapshot(t); got != before {
		t.Errorf("Managed=no changes something: %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, `ip netns delete foreign`)
}

// What has the name of something of ours but is another thing stays.
func TestDownLeavesWhatIsAnother(t *testing.T) {
	start(t)
	file(t, "x", "[Link br0]\nKind=bridge\n")
	quiet(t, "up", "x")
	sandbox.Sh(t, `ip -n x link delete br0; ip -n x link add br0 type bridge; ip netns attach y $$ 2>/dev/null || true
		mount --bind /run/netns/x /run/x 2>/dev/null || true; ip netns delete y 2>/dev/null || true`)
	_, stderr, code := rdomain("down", "x")
	if want := "rdomain: note: x: link br0 is another one than was made; left alone\n"; code != 0 || stderr != want {
		t.Errorf("down = %d, %q; want %q", code, stderr, want)
	}
	// The namespace was deleted, and somebody made another one. The old one is
	// kept alive, or the new one could get its number.
	quiet(t, "up", "x")
	old, err := netns.OpenPath("/run/netns/x")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	sandbox.Sh(t, `ip netns delete x; ip netns add x; ip -n x link add br0 type bridge`)
	theirs := state(t, "x")
	_, stderr, code = rdomain("down", "x")
	if want := "rdomain: note: x: namespace x is another one than was made; left alone\n"; code != 0 || stderr != want {
		t.Errorf("down = %d, %q; want %q", code, stderr, want)
	}
	if diff := cmp.Diff(theirs, state(t, "x")); diff != "" {
		t.Errorf("down changes another namespace: %s", diff)
	}
	// Nor does up make it ours.
	sandbox.Sh(t, `ip netns delete x`)
	quiet(t, "up", "x")
	mine, err := netns.OpenPath("/run/netns/x")
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	sandbox.Sh(t, `ip netns delete x; ip netns add x; ip -n x link set lo up`)
	quiet(t, "up", "x")
	quiet(t, "down", "x")
	sandbox.Sh(t, `ip netns exec x true; ip netns delete x`)
}

// A step that fails takes back all that this up did, also where a part was up
// before, and says which line it was.
func TestAllOrNothing(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	bad := private + "[Link eth7]\nAddress=10.77.0.9/24\n[Route]\nDestination=10.99.1.0/24\nGateway=192.0.2.1\n"
	file(t, "private", bad)
	before := snapshot(t)
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/private.conf:33: ip -n private route add 10.99.1.0/24 via 192.0.2.1: "+
		"network is unreachable (Nexthop has invalid gateway)\n", "up", "private")
	if got := snapshot(t); got != before {
		t.Errorf("a failed up leaves something: %s", cmp.Diff(before, got))
	}
	file(t, "private", private)
	quiet(t, "up", "private")
	up := snapshot(t)
	file(t, "private", strings.Replace(bad, "MTUBytes=1400", "MTUBytes=1401", 1))
	if _, _, code := rdomain("up", "private"); code != 111 {
		t.Errorf("up = %d; want 111", code)
	}
	if got := snapshot(t); got != up {
		t.Errorf("a failed up changes what was up: %s", cmp.Diff(up, got))
	}
	quiet(t, "down", "private")
}

func TestConflictsChangeNothing(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip link add taken type bridge; ip netns add half; ip -n half link add veth0 type bridge`)
	before := snapshot(t)
	for _, c := range []struct{ id, text, want string }{
		{"a", "[Link veth0]\nKind=veth\nPeer=taken\n",
			"/etc/rdomain/a.conf:1: the other end, taken, exists already, as a bridge that belongs to another link"},
		{"half", "[Link veth0]\nKind=veth\nPeer=vh\n", "/etc/rdomain/half.conf:1: link veth0 exists already, as a bridge; want a veth"},
		{"a", "[Domain]\nTimeoutSec=0\n[Link eth99]\n", "/etc/rdomain/a.conf:3: there is no link eth99, inside or outside; Kind= would make one"},
	} {
		file(t, c.id, c.text)
		says(t, 111, "", "rdomain: fatal: "+c.want+"\n", "up", c.id)
		if got := snapshot(t); got != before {
			t.Errorf("%s changes something: %s", c.want, cmp.Diff(before, got))
		}
	}
	sandbox.Sh(t, `ip netns delete half; ip link delete taken`)
}

func TestBadFilesAndNamesChangeNothing(t *testing.T) {
	start(t)
	before := snapshot(t)
	file(t, "typo", "[Domain]\nKind=netns\n\n[Link veth0]\nKind=veth\nPeer=v\nAdress=10.0.0.1/24\n")
	file(t, "one", "[Domain]\nKind=vrf\nName=red\nTable=5\nNetns=t1\n")
	file(t, "two", "[Domain]\nKind=vrf\nName=red\nTable=6\nNetns=t1\n")
	for _, c := range []struct{ args, want string }{
		{"up typo", `fatal: /etc/rdomain/typo.conf:7: unknown key Adress= in section [Link]; did you mean Address?`},
		{"check typo", `fatal: /etc/rdomain/typo.conf:7: unknown key Adress= in section [Link]; did you mean Address?`},
		{"up red@t1", `fatal: /etc/rdomain/two.conf:1: defines vrf red in netns t1, as /etc/rdomain/one.conf does; one of them must go`},
		{"up blue@t1", "fatal: blue@t1: no file defines vrf blue in netns t1, and it does not exist\n" +
			"rdomain: hint: write /etc/rdomain/blue@t1.conf with the two lines\nrdomain: hint: [Domain]\nrdomain: hint: Table=10"},
		{"up a/b", `fatal: netns name "a/b" contains "/"; letters, digits, "_", "." and "-" are allowed`},
		{"up red%d", `fatal: netns name "red%d" contains "%"; letters, digits, "_", "." and "-" are allowed`},
		{"up -x a", "fatal: unknown option \"-x\"\nrdomain: hint: rdomain --help shows what is possible"},
		{"down", "fatal: no NAME given\nrdomain: hint: rdomain --help shows what is possible"},
		{"fly", `fatal: no verb "fly"; expected up, down, reload, confirm, check, list, dump, ps, identify, exec, session or watch`},
		{"check --self", "fatal: check --self needs -n NETNS, -v VRF or both\nrdomain: hint: rdomain --help shows what is possible"},
	} {
		says(t, 100, "", "rdomain: "+c.want+"\n", strings.Fields(c.args)...)
	}
	if got := snapshot(t); got != before {
		t.Errorf("something changed: %s", cmp.Diff(before, got))
	}
	// The error of one domain does not stop the others.
	if _, _, code := rdomain("up", "typo", "fine"); code != 100 {
		t.Errorf("up typo fine = %d; want 100", code)
	}
	says(t, 0, "", "", "check", "fine")
	quiet(t, "down", "typo", "fine")
}

func TestReload(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	before := snapshot(t)
	file(t, "private", private+"[Link eth7]\n")
	quiet(t, "up", "private")
	inode := sandbox.Sh(t, `stat -Lc %i /run/netns/private; ip -n private -o link show veth0 | cut -d: -f1`)
	edited := strings.NewReplacer("Address=2001:db8::2/64\n", "Address=2001:db8:5::2/64\n", "Address=10.9.9.9/32", "Address=10.9.9.8/32",
		"Destination=10.66.0.0/16", "Destination=10.77.0.0/16", "[Link br0]\nKind=bridge\n", "",
		"Gateway=2001:db8::1", "Gateway=2001:db8:5::1").Replace(private)
	file(t, "private", edited)
	if _, _, code := rdomain("check", "private"); code != 1 {
		t.Errorf("check after an edit = %d; want 1", code)
	}
	quiet(t, "reload", "private")
	says(t, 0, "", "", "check", "private")
	reloaded := state(t, "private")
	if got := sandbox.Sh(t, `stat -Lc %i /run/netns/private; ip -n private -o link show veth0 | cut -d: -f1`); got != inode {
		t.Errorf("namespace and link were made again: %s, before %s", got, inode)
	}
	quiet(t, "down", "private")
	if got := snapshot(t); got != before {
		t.Errorf("down after reload leaves something: %s", cmp.Diff(before, got))
	}
	quiet(t, "up", "private")
	if diff := cmp.Diff(state(t, "private"), reloaded); diff != "" {
		t.Errorf("up makes (-), reload makes (+):\n%s", diff)
	}
	// Another name is another namespace; so it is made.
	file(t, "private", strings.Replace(edited, "[Domain]", "[Domain]\nName=other", 1))
	if _, stderr, code := rdomain("up", "private"); code != 111 || !strings.Contains(stderr, "reload it") {
		t.Errorf("up with another Name= = %d, %s; want to be told to reload", code, stderr)
	}
	quiet(t, "reload", "private")
	sandbox.Sh(t, `ip netns exec other true; ! ip netns exec private true 2>/dev/null`)
	quiet(t, "down", "private")
}

// A VRF without the kernel's module fails with a sentence about it, and nothing
// is left: not even the namespace that was made for it.
func TestVRFWithoutModule(t *testing.T) {
	start(t)
	before := snapshot(t)
	file(t, "red", "[Domain]\nKind=vrf\nTable=10\n")
	file(t, "mgmt@t1", "[Domain]\nTable=10\n")
	if hasVRF() {
		// With the module it works, and nothing is left but the kernel's rule.
		quiet(t, "up", "red", "mgmt@t1")
		quiet(t, "down", "red", "mgmt@t1", "t1")
		quiet(t, "up", "red")
		sandbox.Sh(t, `ip link delete red`)
		quiet(t, "down", "red")
		sandbox.Sh(t, withoutKernelRules)
		if got := snapshot(t); got != before {
			t.Errorf("something is left: %s", cmp.Diff(before, got))
		}
		return
	}
	hint := "rdomain: hint: modprobe vrf, in a container on its host; if there is no such module, boot a kernel with CONFIG_NET_VRF\n"
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/red.conf:1: ip link add red type vrf table 10: "+
		"the kernel has no vrf module: operation not supported (Unknown device type)\n"+hint, "up", "red")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/mgmt@t1.conf:1: ip -n t1 link add mgmt type vrf table 10: "+
		"the kernel has no vrf module: operation not supported (Unknown device type)\n"+hint, "up", "mgmt@t1")
	if got := snapshot(t); got != before {
		t.Errorf("something is left: %s", cmp.Diff(before, got))
	}
	file(t, "red", "[Domain]\nKind=vrf\n")
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/red.conf:1: a vrf needs Table=, a number from 1 to 4294967295 but 253 to 255; "+
		"Table=11 is free\n", "up", "red")
	// A namespace that was up before stays.
	upEmpty(t, "t1")
	was := snapshot(t)
	if _, _, code := rdomain("up", "mgmt@t1"); code != 111 {
		t.Errorf("up mgmt@t1 = %d; want 111", code)
	}
	if got := snapshot(t); got != was {
		t.Errorf("a namespace that was up is changed: %s", cmp.Diff(was, got))
	}
	quiet(t, "down", "t1")
}

func TestStaleNameIsRepaired(t *testing.T) {
	start(t)
	sandbox.Sh(t, `mkdir -p /run/netns; unshare -m --propagation slave ip netns add stale`)
	if out := sandbox.Sh(t, `stat -c %s /run/netns/stale; ip netns exec stale true 2>&1 || echo $?`); !strings.Contains(out, "255") {
		t.Fatalf("this kernel leaves no stale name: %s", out)
	}
	out, _, code := rdomain("check", "stale")
	if code != 1 || !strings.Contains(out, "is a left-over file, not a network namespace") {
		t.Errorf("check = %d, %s", code, out)
	}
	upEmpty(t, "stale")
	sandbox.Sh(t, `ip netns exec stale true`)
	quiet(t, "down", "stale")
	// One that somebody else is just making becomes theirs, not ours.
	sandbox.Sh(t, `: >/run/netns/young`)
	done := make(chan string)
	go func() {
		_, stderr, code := rdomain("up", "young")
		done <- fmt.Sprint(code, " ", stderr)
	}()
	// rdomain has seen the file when it holds iproute2's lock and waits.
	sandbox.Sh(t, `while flock -n /run/netns true; do :; done; unshare -n mount --bind /proc/self/ns/net /run/netns/young`)
	if got := <-done; !strings.HasPrefix(got, "0 ") {
		t.Errorf("up while somebody makes the namespace = %s; want 0", got)
	}
	says(t, 0, "", "rdomain: note: young: it was made by somebody else; left alone\n", "down", "young")
	sandbox.Sh(t, `ip netns exec young true; ip netns delete young`)
}

// Two hundred rdomains at once, on overlapping names, end as if they had come
// one after the other: afterwards what was last asked for is there.
func TestParallel(t *testing.T) {
	start(t)
	before := snapshot(t)
	var names []string
	for i := range 20 {
		name := fmt.Sprintf("p%d", i)
		names = append(names, name)
		file(t, name, fmt.Sprintf("[Link veth0]\nKind=veth\nPeer=vp%d\nAddress=10.5.%d.2/30\nPeerAddress=10.5.%d.1/30\n"+
			"[Route]\nDestination=default\nGateway=10.5.%d.1\n", i, i, i, i))
	}
	var wg sync.WaitGroup
	gate := make(chan struct{}, 16)
	for i := range 200 {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			verb := "up"
			if i%2 == 1 {
				verb = "down"
			}
			some := []string{verb}
			for range 1 + rand.IntN(3) {
				some = append(some, names[rand.IntN(len(names))])
			}
			out, stderr, code := rdomain(some...)
			stderr = waits.ReplaceAllString(stderr, "") // on a machine that has much else to do
			if code != 0 || out+stderr != "" {
				t.Errorf("rdomain %v = %d, %q, %q", some, code, out, stderr)
			}
		})
	}
	wg.Wait()
	quiet(t, append([]string{"up"}, names...)...)
	quiet(t, append([]string{"check"}, names...)...)
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("/run/netns/*")
	if n := strings.Count(string(mounts), " /run/netns/p"); n != len(names) || len(files) != len(names) {
		t.Errorf("%d mounts and %d names for %d namespaces", n, len(files), len(names))
	}
	quiet(t, append([]string{"down"}, names...)...)
	if got := snapshot(t); got != before {
		t.Errorf("something is left: %s", cmp.Diff(before, got))
	}
	if entries, _ := os.ReadDir("/run/rdomain"); len(entries) != 0 {
		t.Errorf("files are left: %v", entries)
	}
}

func TestMovedLinkKeepsWhatItHas(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	before := snapshot(t)
	file(t, "hw", "[Link eth7]\nAddress=10.78.0.1/24\nMTUBytes=1300\nMACAddress=02:00:00:00:00:99\n")
	quiet(t, "up", "hw")
	inside := sandbox.Sh(t, `ip -n hw address show eth7; ip -n hw route; ip -n hw -6 route`)
	for _, want := range []string{"10.77.0.2/24 brd 10.77.0.255", "2001:db8:77::2/64", "10.78.0.1/24", "mtu 1300",
		"02:00:00:00:00:99", "10.99.0.0/16 via 10.77.0.1 dev eth7 metric 50", "2001:db8:99::/48 via 2001:db8:77::1 dev eth7"} {
		if !strings.Contains(inside, want) {
			t.Errorf("inside there is no %q:\n%s", want, inside)
		}
	}
	quiet(t, "down", "hw")
	if got := snapshot(t); got != before {
		t.Errorf("the link comes back as another: %s", cmp.Diff(before, got))
	}
	if mac := sandbox.Sh(t, `cat /sys/class/net/eth7/address 2>/dev/null || ip -o link show eth7`); !strings.Contains(mac, "02:00:00:00:00:07") {
		t.Errorf("eth7 comes back with %s", mac)
	}
	// A route that could not be given back is a reason not to take the link.
	sandbox.Sh(t, `ip route add 10.98.0.0/16 nexthop via 10.77.0.1 dev eth7 nexthop via 10.77.0.3 dev eth7
		ip route add 10.97.0.0/16 via 10.77.0.1 dev eth7 rtt 100ms`)
	_, stderr, code := rdomain("up", "hw")
	if code != 111 || !strings.Contains(stderr, "/etc/rdomain/hw.conf:1: link eth7 has a route to 10.9") {
		t.Errorf("up = %d, %s; want a refusal because of a route", code, stderr)
	}
	sandbox.Sh(t, `ip route delete 10.98.0.0/16; ip route delete 10.97.0.0/16`)
}

// Links that others put into the namespace are spoken of before they go.
func TestDownSpeaksOfStrangers(t *testing.T) {
	start(t)
	upEmpty(t, "s")
	sandbox.Sh(t, `ip -n s link add br5 type bridge`)
	says(t, 0, "", "rdomain: note: s: link br5 in netns s was not made by rdomain; it goes with the namespace, "+
		"or back to the first one if it is hardware\n", "down", "s")
}

func TestListed(t *testing.T) {
	start(t)
	file(t, "a", "[Link veth0]\nKind=veth\nPeer=va\n")
	file(t, "b", "[Link br0]\nKind=bridge\n")
	file(t, "c", "oops")
	file(t, "v", "[Domain]\nKind=vrf\nTable=12\n")
	quiet(t, "up", "a", "b")
	upEmpty(t, "z")
	sandbox.Sh(t, `ip -n b link delete br0; ip netns add f`)
	says(t, 0, `ID  KIND   STATE    TABLE  LINKS
a   netns  up       -      veth0
b   netns  partial  -      -
c   -      error    -      (/etc/rdomain/c.conf:1: expected KEY=VALUE, found "oops")
f   netns  foreign  -      -
v   vrf    down     12     -
z   netns  up       -      -
`, "", "list")
	out, _, code := rdomain("list", "--json")
	var entries []struct{ ID, State string }
	if err := json.Unmarshal([]byte(out), &entries); err != nil || code != 0 || len(entries) != 6 || entries[1].State != "partial" {
		t.Errorf("list --json = %d, %v, %+v", code, err, entries)
	}
	quiet(t, "down", "a", "b", "z")
	sandbox.Sh(t, `ip netns delete f`)
}

// The program that is executed is in the domain, has no descriptor of ours, and
// is the process that was started.
func TestExecAndIdentify(t *testing.T) {
	start(t)
	upEmpty(t, "e")
	// What this process was given by its own parent is not ours to close.
	const descriptors = `ls /proc/$$/fd`
	given := strings.Fields(sandbox.Sh(t, descriptors))
	out, stderr, code := rdomain("exec", "e", "--", "sh", "-c", descriptors+`; stat -Lc %i /proc/self/ns/net /run/netns/e | uniq | wc -l`)
	found := strings.Fields(out)
	if code != 0 || len(found) < 4 || found[len(found)-1] != "1" {
		t.Fatalf("exec = %d, %q, %s; want one namespace", code, out, stderr)
	}
	for _, fd := range found[:len(found)-1] {
		if !slices.Contains(given, fd) {
			t.Errorf("the program has descriptor %s, which this process did not give it: %q", fd, out)
		}
	}
	says(t, 0, "", "", "exec", "e", "sh", "-c", `exec rdomain check --self -n e`)
	if _, _, code := rdomain("check", "--self", "-n", "e"); code == 0 {
		t.Error("check --self -n e = 0 outside of e")
	}
	if _, _, code := rdomain("exec", "e", "--", "/nonexistent"); code != 127 {
		t.Errorf("exec of nothing = %d; want 127", code)
	}
	if _, _, code := rdomain("exec", "e", "--", "/etc/rdomain"); code != 126 {
		t.Errorf("exec of a directory = %d; want 126", code)
	}
	if _, stderr, code := rdomain("exec", "absent", "true"); code != 111 {
		t.Errorf("exec in no domain = %d, %s; want 111", code, stderr)
	}
	cmd := exec.Command(bin, "exec", "e", "--", "sh", "-c", "echo ready; read x")
	in, _ := cmd.StdinPipe()
	ready, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	pid := fmt.Sprint(cmd.Process.Pid)
	inUserNS := false // it may not look at cgroups' programs
	for id, want := range map[string]string{pid: "e\n", fmt.Sprint(os.Getpid()): ""} {
		out, stderr, code := rdomain("identify", id)
		inUserNS = inUserNS || strings.Contains(stderr, "unable to say in which vrf")
		if !inUserNS && (code != 0 || out != want || stderr != "") || inUserNS && (code != 111 || out != "") {
			t.Errorf("identify %s = %d, %q, %s; want %q", id, code, out, stderr, want)
		}
	}
	out, _, code = rdomain("ps", "e")
	if got, want := strings.Join(strings.Fields(out), " "), "ID PID COMMAND e "+pid+" sh"; code != 0 && !unreadable() || got != want {
		t.Errorf("ps e = %d, %q; want %q", code, got, want)
	}
	in.Close()
	_ = cmd.Wait()
	if _, stderr, code := rdomain("identify", pid); code != 111 || !strings.Contains(stderr, "there is no process "+pid) {
		t.Errorf("identify of no process = %d, %s", code, stderr)
	}
	quiet(t, "down", "e")
}

// What rdexec keeps for the namespace goes with it; nothing else does.
func TestDownRemovesTheDirectoryOfLinks(t *testing.T) {
	start(t)
	upEmpty(t, "l")
	sandbox.Sh(t, `echo precious >/etc/precious; d=/run/rdomain/etc/l; mkdir -p $d/.host/etc /run/rdomain/etc/other
		ln -s .host/etc/precious $d/precious; ln -s /etc/rdomain $d/.host/dir; ln -s / $d/root`)
	quiet(t, "down", "l")
	sandbox.Sh(t, `test ! -e /run/rdomain/etc/l; grep -q precious /etc/precious; test -d /run/rdomain/etc/other; rm -r /run/rdomain/etc`)
	// A mount in it, as a service sees one there, is not crossed.
	upEmpty(t, "l")
	sandbox.Sh(t, `mkdir -p /run/rdomain/etc/l/.host/etc; mount --bind /etc /run/rdomain/etc/l/.host/etc`)
	if _, stderr, code := rdomain("down", "l"); code != 111 || !strings.Contains(stderr, "remove /run/rdomain/etc/l") {
		t.Errorf("down with a mount in the directory = %d, %s; want 111", code, stderr)
	}
	sandbox.Sh(t, `grep -q precious /etc/precious; umount /run/rdomain/etc/l/.host/etc
		rm -r /run/rdomain/etc/l/.host/etc; ln -s precious /etc/link; mount --bind /etc /run/rdomain/etc/l/.host`)
	if _, stderr, code := rdomain("down", "l"); code != 111 || !strings.Contains(stderr, "remove /run/rdomain/etc/l") {
		t.Errorf("down with a mount in the directory = %d, %s; want 111", code, stderr)
	}
	sandbox.Sh(t, `test -L /etc/link; umount /run/rdomain/etc/l/.host; rm /etc/link /etc/precious`)
	quiet(t, "down", "l")
	sandbox.Sh(t, `test ! -e /run/rdomain/etc/l; rm -r /run/rdomain/etc`)
}

// Other links come and go while lists are read; no list is ever incomplete.
func TestListsUnderChange(t *testing.T) {
	start(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				sandbox.Sh(t, `for i in 1 2 3 4 5 6 7 8; do ip link add c$i type bridge; done
					for i in 1 2 3 4 5 6 7 8; do ip link delete c$i; done`)
			}
		}
	})
	c, err := rtnl.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2000 {
		links, err := c.Links("")
		if err != nil {
			t.Error(err)
			break
		}
		if !slices.ContainsFunc(links, func(l rtnl.Link) bool { return l.Name == "lo" }) {
			t.Errorf("a list without lo: %v", links)
			break
		}
	}
	close(stop)
	wg.Wait()
}

// The kernel gives the inode number of a namespace again at once. down deleted somebody
// else's that had got it; the cookie tells the two apart.
func TestDownLeavesWhatHasTheSameNumber(t *testing.T) {
	start(t)
	file(t, "x", "[Link br0]\nKind=bridge\n")
	quiet(t, "up", "x")
	was, err := netns.Lookup("x")
	if err != nil {
		t.Fatal(err)
	}
	sandbox.Sh(t, `ip netns delete x; ip netns add x; ip -n x link add br0 type bridge`)
	// The kernel does not always; what is recorded is what would be.
	now, err := netns.Lookup("x")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/run/rdomain/x.json")
	if err != nil {
		t.Fatal(err)
	}
	same := strings.ReplaceAll(string(text), fmt.Sprintf(`"ino":%d`, was.Ino), fmt.Sprintf(`"ino":%d`, now.Ino))
	if !strings.Contains(same, `"cookie":`) {
		t.Fatalf("no cookie is recorded:\n%s", text)
	}
	if err := os.WriteFile("/run/rdomain/x.json", []byte(same), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, 0, "", "rdomain: note: x: namespace x is another one than was made; left alone\n", "down", "x")
	sandbox.Sh(t, `ip -n x link show br0; ip netns delete x`)
}

// An up that was killed before it gave the name had made nothing that has it.
func TestDownLeavesWhatGotTheNameMeanwhile(t *testing.T) {
	start(t)
	for n := 1; ; n++ {
		if _, was := killAt(t, n, "up", "x"); !was {
			t.Fatal("nothing is recorded before the name is given")
		}
		_, named := os.Lstat("/run/netns/x")
		if _, recorded := os.Stat("/run/rdomain/x.json"); recorded == nil && named != nil {
			break
		}
		_, _, _ = rdomain("down", "x")
	}
	sandbox.Sh(t, `ip netns add x`)
	says(t, 0, "", "rdomain: note: x: namespace x is another one than was made; left alone\n", "down", "x")
	sandbox.Sh(t, `ip netns exec x true; ip netns delete x`)
}

// A symbolic link in /run/netns may lead to the default domain. No verb follows it.
func TestSymbolicLinkIsRefused(t *testing.T) {
	start(t)
	sandbox.Sh(t, `mkdir -p /run/netns; ln -s /proc/1/ns/net /run/netns/red`)
	for _, with := range []string{"", "[Link br0]\nKind=bridge\n", "[Domain]\nManaged=no\n"} {
		if with != "" {
			file(t, "red", with)
		}
		for _, args := range []string{"up red", "up -n red", "reload red", "check red", "exec red true", "check --self -n red", "down red"} {
			if out, stderr, code := rdomain(strings.Fields(args)...); code < 100 || !strings.Contains(stderr, "symbolic link") {
				t.Errorf("with %q: rdomain %s = %d, %q, %q; want it refused", with, args, code, out, stderr)
			}
		}
	}
	if out, _, _ := rdomain("list"); !strings.Contains(out, "error") || !strings.Contains(out, "symbolic link") {
		t.Errorf("list says\n%s", out)
	}
	sandbox.Sh(t, `rm /run/netns/red`)
}

// What is mounted inside of a domain's mount namespace is not there outside: up was
// done by half.
func TestUpInsideOfADomainIsRefused(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip netns add q`)
	before := snapshot(t)
	for _, verb := range []string{"up", "reload", "down"} {
		out, err := exec.Command("ip", "netns", "exec", "q", bin, verb, "inner").CombinedOutput()
		if want := "rdomain: fatal: this is inside of netns q"; err == nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s inside of q: %v, %s; want %s", verb, err, out, want)
		}
	}
	if got := snapshot(t); got != before {
		t.Errorf("it leaves %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, `ip netns delete q`)
}
