package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// named is a domain whose file names all that is in other files: a ruleset, a
// user and a table.
const named = `[Domain]
Firewall=/etc/rdomain/k.nft
[Link v0]
Kind=veth
Peer=v-tried
Address=10.7.0.2/24
[RoutingPolicyRule]
Priority=77
User=someone
Table=other
`

// provide writes what named names; each differs with n.
func provide(t *testing.T, n string) {
	t.Helper()
	need.Tools(t, need.Root, "nft")
	sandbox.Sh(t, `n=`+n+`
		cd /etc/rdomain
		echo "define port = 800$n" >port.nft
		printf 'include "/etc/rdomain/port.nft"\ntable inet filter {\n\tset known {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t\telements = { 10.7.0.%s }\n\t}\n' $n >k.nft
		printf '\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t\ttcp dport $port accept\n\t}\n}\n' >>k.nft
		printf 'someone:x:700%s:\n' $n >/etc/passwd
		mkdir -p /etc/iproute2/rt_tables.d; echo 80$n other >/etc/iproute2/rt_tables.d/other.conf`)
	t.Cleanup(func() { sandbox.Sh(t, `rm -rf /etc/passwd /etc/iproute2/rt_tables.d`) })
}

// given is what the domain a has of that.
func given(t *testing.T) string {
	t.Helper()
	return sandbox.Sh(t, `ip netns exec a nft -s list ruleset
		ip -n a route show; ip -n a -N rule show pref 77`)
}

// upNamed brings the domain a up, and returns what it has of that.
func upNamed(t *testing.T) (has string) {
	t.Helper()
	provide(t, "1")
	file(t, "a", named)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	return given(t)
}

// What a file names was read as it is now when a change was taken back, which so was not taken
// back: the ruleset, of all things, that locks out.
func TestTryTakesBackWhatIsNamed(t *testing.T) {
	start(t)
	was := upNamed(t)
	for _, part := range []string{"8001", "10.7.0.1", "7001", "lookup 801"} {
		if !strings.Contains(was, part) {
			t.Fatalf("brought up, there is no %s in\n%s", part, was)
		}
	}
	provide(t, "2")
	if _, _, code := rdomain("check", "a"); code != 1 {
		t.Errorf("check, of other files = %d", code)
	}
	cmd, said := trying(t, "reload", "--try", "1000", "a")
	now := given(t)
	for _, part := range []string{"8002", "10.7.0.2", "7002", "lookup 802"} {
		if !strings.Contains(now, part) {
			t.Fatalf("on trial, there is no %s in\n%s", part, now)
		}
	}
	sandbox.Sh(t, `rm -r /etc/passwd /etc/iproute2/rt_tables.d /etc/rdomain/*`)
	interrupt(cmd, said)
	if got := given(t); got != was {
		t.Errorf("taken back is\n%s\nand it was\n%s", got, was)
	}
}

// What the domain of a trial requires is brought up before it, and was not taken back with it.
func TestTryTakesBackWhatIsRequired(t *testing.T) {
	start(t)
	const b, c = "[Link b0]\nKind=bridge\nAddress=10.6.0.1/24\n", "[Domain]\nRequires=c\n"
	file(t, "a", strings.Replace(tried, "[Domain]\n", "[Domain]\nRequires=b\n", 1))
	file(t, "b", c+b)
	file(t, "c", b)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a", "b", "c") })
	before := snapshot(t)
	for _, id := range []string{"b", "c"} {
		text, _ := os.ReadFile("/etc/rdomain/" + id + ".conf")
		file(t, id, string(text)+"Address=10.6.9.1/24\n")
	}
	cmd, said := trying(t, "reload", "--try", "1000", "a")
	sandbox.Sh(t, `for n in b c; do ip -n $n address show dev b0 | grep -q 10.6.9.1; done`)
	interrupt(cmd, said)
	if after := snapshot(t); after != before {
		t.Errorf("taken back (-was +is): %s", cmp.Diff(before, after))
	}
}

// A change that another file does not allow was taken back with the same error again.
func TestTryTakesBackWhatIsRefused(t *testing.T) {
	start(t)
	need.Tools(t, need.Root, "nft")
	const text = "[Link v0]\nKind=veth\nPeer=v-k\nAddress=10.7.1.2/30\nPeerAddress=10.7.1.1/30\n[Publish]\nListen=8080\n"
	other := strings.NewReplacer("v-k", "v-m", "10.7.1", "10.7.2").Replace(text)
	file(t, "k", text)
	file(t, "m", strings.Replace(other, "8080", "8081", 1))
	quiet(t, "up", "k", "m")
	before := snapshot(t)
	file(t, "m", other)
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/m.conf:6: Listen=8080 is published already, in /etc/rdomain/k.conf:6\n"+
		"rdomain: hint: take another port, or give each an address of its own\n"+
		"rdomain: fatal: not all domains came up, so all of them are taken back\n", "reload", "--try", "1000", "m")
	if after := snapshot(t); after != before {
		t.Errorf("taken back (-was +is): %s", cmp.Diff(before, after))
	}
	quiet(t, "down", "k", "m")
}

// The watch, woken by any change, loaded the ruleset that somebody was editing, and stopped to
// keep a domain whose key, or whose file, was removed.
func TestWatchKeepsWhatIsNamed(t *testing.T) {
	start(t)
	was := upNamed(t)
	said := watching(t)
	again := func(what string) {
		t.Helper()
		sandbox.Sh(t, `ip -n a link set v0 down`)
		awaitTrue(t, said, "ip -n a link show up dev v0 | grep -q v0")
		awaitTrue(t, said, "ip -n a route show | grep -q v0")
		if got := given(t); got != was {
			t.Errorf("%s: it has\n%s\nand was\n%s%s", what, got, was, said)
		}
	}
	again("as it was")
	provide(t, "2")
	again("with other files")
	sandbox.Sh(t, `ip netns exec a nft flush ruleset`)
	again("without its ruleset")
	awaitSaid(t, said, "nft -f /etc/rdomain/k.nft, and 1 more, with /etc/rdomain/k.nft as it was when a was brought up\n")
	sandbox.Sh(t, `rm -r /etc/passwd /etc/iproute2/rt_tables.d /etc/rdomain/*`)
	again("without files")
	sandbox.Sh(t, `ip -n a rule delete pref 77; ip -n a link delete v0`)
	awaitTrue(t, said, "ip -n a rule show pref 77 | grep -q 77")
	again("made again")
	if info, err := os.Stat("/run/rdomain/a.was"); err != nil || info.Mode() != 0o600 {
		t.Errorf("a.was: %v, %v", info.Mode(), err)
	}
}

// An older rdomain wrote down the text of the domain's file alone.
func TestTryAfterUpgrade(t *testing.T) {
	start(t)
	was := upNamed(t)
	if err := os.WriteFile("/run/rdomain/a.was", []byte(named), 0o600); err != nil {
		t.Fatal(err)
	}
	file(t, "a", strings.Replace(named, "10.7.0.2/24", "10.8.0.2/24", 1))
	cmd, said := trying(t, "reload", "--try", "1000", "a")
	if got := given(t); got == was {
		t.Errorf("on trial, there is\n%s", got)
	}
	interrupt(cmd, said)
	if got := given(t); got != was {
		t.Errorf("taken back is\n%s\nand it was\n%s", got, was)
	}
}

// What a newer rdomain wrote down was passed over where it is what a domain was brought up with,
// and the watch took what the file says by now. It is left as it is, whichever file it is, and
// said once; and reload mends what can be mended.
func TestNewerState(t *testing.T) {
	start(t)
	const text = "[Link v0]\nKind=veth\nPeer=v-new\nAddress=10.7.0.2/24\n"
	const edited = "[Link v0]\nKind=veth\nPeer=v-new\nAddress=10.8.0.2/24\n"
	file(t, "a", text)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	file(t, "a", edited)
	said := watching(t)
	for _, c := range []struct{ name, version, newer, error, hint string }{
		{"a.json", `"version":2`, `"version":3`, "it is of version 3, and this rdomain knows 2; the one that wrote it can take the domain down",
			"it says what to take down, and nothing else does: put the file back, or remove by hand\n" +
				"rdomain: hint: what was made (ip netns, ip link, ip rule, ip route), and then /run/rdomain/a.json"},
		{"a.was", `"version":1`, `"version":2`, "it is of version 2, and this rdomain knows 1",
			"it says what a was brought up with; rdomain reload a brings it up with what its file says now"},
	} {
		path := "/run/rdomain/" + c.name
		ours, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(ours), c.version) {
			t.Fatalf("%s: %v, %s", path, err, ours)
		}
		newer := strings.Replace(string(ours), c.version, c.newer, 1)
		if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
			t.Fatal(err)
		}
		message := path + ": cannot be read: " + c.error + "\nrdomain: hint: " + c.hint + "\n"
		if _, stderr, code := rdomain("reload", "--try", "1000", "a"); code != 100 || !strings.HasSuffix(stderr, message) {
			t.Errorf("reload --try = %d, %q; want 100, %q", code, stderr, message)
		}
		sandbox.Sh(t, "ip -n a link set v0 down")
		awaitSaid(t, said, "rdomain: fatal: "+message)
		sandbox.Sh(t, "ip -n a address show dev v0 | grep -q 10.7.0.2; ! ip -n a link show up dev v0 | grep v0")
		if now, err := os.ReadFile(path); err != nil || string(now) != newer {
			t.Errorf("%s: %v; it is\n%s\nand was\n%s", path, err, now, newer)
		}
		if c.name == "a.json" {
			if err := os.WriteFile(path, ours, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	quiet(t, "reload", "a")
	sandbox.Sh(t, "ip -n a link set v0 down")
	awaitTrue(t, said, "ip -n a link show up dev v0 | grep -q v0")
	sandbox.Sh(t, "ip -n a address show dev v0 | grep -q 10.8.0.2")
}
