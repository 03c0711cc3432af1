package main

import (
	"os"
	"strings"
	"testing"

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

// What a file names was read as it is now when a change was taken back, which so was not taken
// back: the ruleset, of all things, that locks out.
func TestTryTakesBackWhatIsNamed(t *testing.T) {
	start(t)
	provide(t, "1")
	file(t, "a", named)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	was := given(t)
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
	said.Close()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if got := given(t); got != was {
		t.Errorf("taken back is\n%s\nand it was\n%s", got, was)
	}
}

// The watch, woken by any change, loaded the ruleset that somebody was editing, and stopped to
// keep a domain whose key, or whose file, was removed.
func TestWatchKeepsWhatIsNamed(t *testing.T) {
	start(t)
	provide(t, "1")
	file(t, "a", named)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	was := given(t)
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
	if text, want := said.String(), "nft -f /etc/rdomain/k.nft, and 1 more, with /etc/rdomain/k.nft as it was when a was brought up\n"; !strings.Contains(text, want) {
		t.Errorf("it said %s\nwant %s", text, want)
	}
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
	provide(t, "1")
	file(t, "a", named)
	quiet(t, "up", "a")
	t.Cleanup(func() { quiet(t, "down", "a") })
	was := given(t)
	if err := os.WriteFile("/run/rdomain/a.was", []byte(named), 0o600); err != nil {
		t.Fatal(err)
	}
	file(t, "a", strings.Replace(named, "10.7.0.2/24", "10.8.0.2/24", 1))
	cmd, said := trying(t, "reload", "--try", "1000", "a")
	if got := given(t); got == was {
		t.Errorf("on trial, there is\n%s", got)
	}
	said.Close()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if got := given(t); got != was {
		t.Errorf("taken back is\n%s\nand it was\n%s", got, was)
	}
}
