package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/lifecycle"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// firewalled is a namespace that lets in one port.
const firewalled = `[Domain]
Firewall=/etc/rdomain/k.nft
[Sysctl]
net.ipv4.ip_forward=1
[Link veth0]
Kind=veth
Peer=veth-k
Address=10.7.0.2/30
PeerAddress=10.7.0.1/30
[Route]
Destination=default
Gateway=10.7.0.1
`

const ruleset = `#!/usr/sbin/nft -f
table inet filter {
	set seen {
		type ipv4_addr
		flags dynamic, timeout
		timeout 1h
	}
	chain input {
		type filter hook input priority 0; policy drop;
		iif lo accept
		iifname "veth0" tcp dport { 80, 443 } counter update @seen { ip saddr } accept
	}
}
table ip extra {
	chain output {
		type filter hook output priority 0;
		meta skuid 7 drop
	}
}
`

// nftables skips a test where there is no nft, and writes the ruleset.
func nftables(t *testing.T, text string) {
	t.Helper()
	need.Tools(t, need.Root, "nft")
	if err := os.WriteFile("/etc/rdomain/k.nft", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tables are those of namespace k.
func tables(t *testing.T) string {
	t.Helper()
	return sandbox.Sh(t, `ip netns exec k nft -s list ruleset`)
}

// A ruleset is in the namespace before a link of it is up, is left alone by a second up,
// and is replaced by reload, of which check shows the lines; others' tables and what
// packets put into a set are no difference; what is printed makes the same.
func TestFirewall(t *testing.T) {
	start(t)
	nftables(t, ruleset)
	file(t, "k", firewalled)
	script, _, code := rdomain("up", "-n", "k")
	const first = "ip netns add k\nip netns exec k nft -f /etc/rdomain/k.nft\nip -n k link set lo up\n"
	if code != 0 || !strings.HasPrefix(strings.ReplaceAll(script, "ip netns exec k sysctl -qw net/ipv4/ip_forward=1\n", ""), first) {
		t.Errorf("up -n = %d, %s\nwant first %s", code, script, first)
	}
	quiet(t, "up", "k")
	made := tables(t)
	quiet(t, "up", "k")
	says(t, 0, "", "", "up", "-n", "k")
	says(t, 0, "", "", "check", "k")
	if !strings.Contains(made, "policy drop") || !strings.Contains(made, "table ip extra") {
		t.Errorf("loaded is\n%s", made)
	}
	sandbox.Sh(t, `ip netns exec k nft add element inet filter seen { 10.7.0.1 }; ip netns exec k nft add table inet others`)
	says(t, 0, "", "", "check", "k")

	nftables(t, strings.Replace(strings.Split(ruleset, "table ip extra")[0], "80, 443", "80", 1))
	out, stderr, code := rdomain("check", "k")
	for _, line := range []string{"\n table inet filter {\n", "\n-\t\tiifname \"veth0\" tcp dport { 80, 443 } counter", "\n+\t\tiifname \"veth0\" tcp dport 80 counter", "\n-table ip extra {\n"} {
		if code != 1 || !strings.Contains("\n"+out, line) || strings.Contains(out, "others") {
			t.Errorf("check = %d, %s%s\nwant %q", code, out, stderr, line)
		}
	}
	index := sandbox.Sh(t, `ip -n k -o link show veth0 | cut -d: -f1`)
	quiet(t, "reload", "k")
	says(t, 0, "", "", "check", "k")
	if got := tables(t); !strings.Contains(got, "table inet others") || strings.Contains(got, "extra") || strings.Contains(got, "443") || index != sandbox.Sh(t, `ip -n k -o link show veth0 | cut -d: -f1`) {
		t.Errorf("after reload:\n%s", got)
	}
	// Changed by hand, it is put right by up too.
	sandbox.Sh(t, `ip netns exec k nft delete table inet filter`)
	if _, _, code := rdomain("check", "k"); code != 1 {
		t.Errorf("check without a ruleset = %d", code)
	}
	quiet(t, "up", "k")
	says(t, 0, "", "", "check", "k")
	// Without the line it goes.
	file(t, "k", strings.Replace(firewalled, "Firewall=/etc/rdomain/k.nft\n", "", 1))
	quiet(t, "reload", "k")
	if got := tables(t); got != "table inet others {\n}\n" {
		t.Errorf("without Firewall= there is\n%s", got)
	}
	quiet(t, "down", "k")

	nftables(t, ruleset)
	file(t, "k", firewalled)
	sandbox.Sh(t, script)
	if got := tables(t); got != made {
		t.Errorf("the printed commands make (-rdomain +printed): %s", cmp.Diff(made, got))
	}
	sandbox.Sh(t, `ip link delete veth-k; ip netns delete k`)
}

// What is wrong with a ruleset is said with its line, and nothing is made, or changed.
func TestFirewallRefused(t *testing.T) {
	start(t)
	file(t, "k", firewalled)
	need.Tools(t, need.Root, "nft")
	before := snapshot(t)
	for _, c := range []struct{ script, want string }{
		{``, "/etc/rdomain/k.conf:2: Firewall=/etc/rdomain/k.nft: no such file or directory"},
		{`: >k.nft`, "/etc/rdomain/k.nft: makes no table; without a ruleset, leave out Firewall= (/etc/rdomain/k.conf:2)"},
		{`printf 'table inet a {\n\tchain b { drop; drap; }\n}\n' >k.nft`, "/etc/rdomain/k.nft:2: nft: "},
		{`printf 'table inet a {\n\tchain b {\n\t\tiif veth0 drop\n\t}\n}\n' >k.nft`, "/etc/rdomain/k.nft:3: nft: Interface does not exist"},
		{`printf 'table inet a { }\n' >k.nft; chmod 666 k.nft`, "/etc/rdomain/k.conf:2: Firewall=/etc/rdomain/k.nft: /etc/rdomain/k.nft can be written by everybody, who decide what is let in; chmod o-w /etc/rdomain/k.nft"},
		{`chmod 644 k.nft; chown 7 k.nft`, "/etc/rdomain/k.conf:2: Firewall=/etc/rdomain/k.nft: /etc/rdomain/k.nft belongs to user 7, who decides what is let in; chown root /etc/rdomain/k.nft"},
		{`rm k.nft; mkfifo k.nft`, "/etc/rdomain/k.conf:2: Firewall=/etc/rdomain/k.nft: is not a regular file"},
	} {
		sandbox.Sh(t, `cd /etc/rdomain; `+c.script)
		for _, args := range [][]string{{"up", "k"}, {"up", "-n", "k"}, {"check", "k"}} {
			out, stderr, code := rdomain(args...)
			if code != 100 || out != "" || !strings.HasPrefix(stderr, "rdomain: fatal: "+c.want) {
				t.Errorf("%s: %v = %d, %q, %s\nwant %s", c.script, args, code, out, stderr, c.want)
			}
		}
		if got := snapshot(t); got != before {
			t.Errorf("something is left: %s", cmp.Diff(before, got))
		}
	}
	sandbox.Sh(t, `rm /etc/rdomain/k.nft`)
	// A reload with a ruleset that is wrong leaves what there is.
	nftables(t, ruleset)
	quiet(t, "up", "k")
	made := tables(t)
	nftables(t, "flush ruleset\n"+strings.Replace(ruleset, "policy drop", "policy drap", 1))
	if _, stderr, code := rdomain("reload", "k"); code != 100 || !strings.Contains(stderr, "/etc/rdomain/k.nft:10: nft: ") {
		t.Errorf("reload = %d, %s", code, stderr)
	}
	if got := tables(t); got != made {
		t.Errorf("a reload that failed changes: %s", cmp.Diff(made, got))
	}
	quiet(t, "down", "k") // which does not need the file
}

// Without nft nothing is made, and what is up can be taken down.
func TestFirewallWithoutNft(t *testing.T) {
	start(t)
	nftables(t, ruleset)
	file(t, "k", firewalled)
	path := os.Getenv("PATH")
	hide := func(t *testing.T) {
		if sandbox.Sh(t, `for d in /usr/sbin /sbin /usr/local/sbin; do [ ! -x $d/nft ] || echo $d; done`) != "" {
			sandbox.Sh(t, `for d in /usr/sbin /usr/local/sbin; do [ ! -x $d/nft ] || mount --bind /dev/null $d/nft; done`)
		}
		t.Setenv("PATH", "/usr/bin:/bin:/run/bin")
	}
	t.Run("up", func(t *testing.T) {
		hide(t)
		before := snapshot(t)
		says(t, 111, "", "rdomain: fatal: /etc/rdomain/k.conf:2: Firewall=/etc/rdomain/k.nft: nft is not installed\n"+
			"rdomain: hint: install it: the package is nftables\n", "up", "k")
		if got := snapshot(t); got != before {
			t.Errorf("something is left: %s", cmp.Diff(before, got))
		}
		sandbox.Sh(t, `for d in /usr/sbin /usr/local/sbin; do umount $d/nft 2>/dev/null || true; done`)
	})
	t.Setenv("PATH", path)
	quiet(t, "up", "k")
	t.Run("down", func(t *testing.T) {
		hide(t)
		quiet(t, "down", "k")
		sandbox.Sh(t, `for d in /usr/sbin /usr/local/sbin; do umount $d/nft 2>/dev/null || true; done`)
	})
}

// In a namespace that somebody else made, a table of the same name is not taken over, and
// down takes back what was loaded and nothing else.
func TestFirewallBesideOthers(t *testing.T) {
	start(t)
	nftables(t, ruleset)
	file(t, "k", firewalled)
	sandbox.Sh(t, `ip netns add k; ip netns exec k nft add table inet filter`)
	_, stderr, code := rdomain("up", "k")
	if want := "rdomain: fatal: /etc/rdomain/k.conf:2: table inet filter exists already in netns k, and is another one than /etc/rdomain/k.nft has; delete it or rename one\n"; code != 111 || stderr != want {
		t.Errorf("up = %d, %s\nwant %s", code, stderr, want)
	}
	sandbox.Sh(t, `ip netns exec k nft 'delete table inet filter; add table inet others'`)
	quiet(t, "up", "k")
	says(t, 0, "", "", "check", "k")
	// A step that fails takes the ruleset back.
	nftables(t, strings.Replace(ruleset, "443", "444", 1))
	made := tables(t)
	file(t, "k", firewalled+"[Route]\nDestination=10.9.0.0/16\nGateway=10.99.0.1\n")
	if _, stderr, code := rdomain("up", "k"); code != 111 || !strings.Contains(stderr, "k.conf:13: ") {
		t.Errorf("up = %d, %s", code, stderr)
	}
	if got := tables(t); got != made {
		t.Errorf("what was taken back is (-want +got): %s", cmp.Diff(made, got))
	}
	file(t, "k", firewalled)
	quiet(t, "up", "k")
	quiet(t, "down", "k")
	if got := tables(t); got != "table inet others {\n}\n" {
		t.Errorf("down leaves\n%s", got)
	}
	// What somebody changed since is not taken away in silence.
	quiet(t, "up", "k")
	sandbox.Sh(t, `ip netns exec k nft add rule ip extra output meta skuid 8 drop`)
	says(t, 0, "", "rdomain: note: k: the ruleset of /etc/rdomain/k.nft in netns k was changed since it was loaded; left alone\n", "down", "k")
	if got := tables(t); !strings.Contains(got, "meta skuid 8 drop") {
		t.Errorf("down leaves\n%s", got)
	}
	sandbox.Sh(t, `ip netns delete k`)
}

// The ruleset of docs/domains.md is one.
func TestFirewallPage(t *testing.T) {
	start(t)
	page, err := os.ReadFile("../../docs/domains.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "\n    table inet filter")
	text, _, _ = strings.Cut(text, "\n\n")
	nftables(t, "table inet filter"+text+"\n")
	file(t, "k", firewalled)
	quiet(t, "up", "k")
	says(t, 0, "", "", "check", "k")
	if got := tables(t); !strings.Contains(got, "policy drop") {
		t.Errorf("loaded is\n%s", got)
	}
	quiet(t, "down", "k")
}

// Who is not root sees that there is a domain with a ruleset.
func TestFirewallNotRoot(t *testing.T) {
	start(t)
	nftables(t, ruleset)
	file(t, "k", firewalled)
	out, code := asNobody(t, "list")
	if want := "ID  KIND   STATE    TABLE  LINKS\nk   netns  unknown  -      (only root can look inside)\n"; out != want || code != 0 {
		t.Errorf("rdomain list as nobody = %d, %q; want %q", code, out, want)
	}
}

// The JSON of check has the same difference.
func TestFirewallJSON(t *testing.T) {
	start(t)
	nftables(t, ruleset)
	file(t, "k", firewalled)
	quiet(t, "up", "k")
	sandbox.Sh(t, `ip netns exec k nft delete table ip extra`)
	out, _, _ := rdomain("check", "--json", "k")
	var reports []lifecycle.Report
	if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports) != 1 || len(reports[0].Missing) != 1 ||
		reports[0].Missing[0] != "{ echo 'add table inet filter; delete table inet filter; add table ip extra; delete table ip extra; '; cat /etc/rdomain/k.nft; } | ip netns exec k nft -f -" {
		t.Errorf("check --json = %v, %s", err, out)
	}
	sandbox.Sh(t, reports[0].Missing[0])
	says(t, 0, "", "", "check", "k")
	quiet(t, "down", "k")
}
