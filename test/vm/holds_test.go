package vm

import (
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// wayIn is how a process gets into a VRF, for attack.sh.
type wayIn struct {
	name    string
	prepare string // before it
	start   string // starts the program attacker, and returns
	stop    string // ends it; else it is killed
	at      string // has a command run in the namespace that the VRF is in
	holds   bool
}

const nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups "

// Two ways in are tried on every kernel that the test is run on. What theirs joined, the
// kernel leaves again later, and that would be seen: so it comes after ours.
var (
	ours   = wayIn{name: "rdexec", start: "rdexec -v mgmt -u nobody -- attacker &", holds: true}
	theirs = wayIn{name: "ip vrf exec", start: "ip vrf exec mgmt " + nobody + "attacker &"}
)

var waysInOpenRC = []wayIn{
	{name: "rdexec -c", start: "inside-cgroup /held attacker &", holds: true},
	{name: "ip vrf exec inside", start: "rdexec -v mgmt -- ip vrf exec mgmt " + nobody + "attacker &", holds: true},
	{name: "inside ip vrf exec", start: "ip vrf exec mgmt rdexec -v mgmt -u nobody -- attacker &", holds: true},
	{name: "a grandchild", start: `rdexec -v mgmt -u nobody -- sh -c '"$@" & wait' sh attacker &`, holds: true},
	{name: "a service of OpenRC", start: "rc-service attack start", stop: "kill $(cat /run/test/inside.pid); rc-service -q attack zap", holds: true},
	{name: "a run script of s6", start: "s6-supervise /srv/scan/attack-s6 &", stop: "s6-svc -dx /srv/scan/attack-s6", holds: true},
	{name: "made again", prepare: "rdomain down mgmt; rdomain up mgmt", start: "rdexec -v mgmt -u nobody -- attacker &", holds: true},
	{name: "inside while it is made again", start: `rm -f /run/test/again; rdexec -v mgmt -u nobody -- sh -c 'echo entered >>/run/test/inside; await test -e /run/test/again; exec attacker' &
		await grep -q entered /run/test/inside; ip link del mgmt; rdomain up mgmt; touch /run/test/again`, holds: true},
}

// It takes the VRFs of the machine away.
var wayInside = wayIn{name: "inside a namespace", at: "nsenter --net=/run/netns/t1", start: "rdexec -n t1 -v mgmt -u nobody -- attacker &", holds: true}

var waysInSystemd = []wayIn{
	{name: "a unit with a user", start: "systemctl start attack", stop: "systemctl stop attack", holds: true},
	{name: "the first command of a unit", start: "systemctl start --no-block attack-first", stop: "systemctl stop attack-first", holds: true},
	{name: "DynamicUser=", start: "systemctl start attack-dynamic", stop: "systemctl stop attack-dynamic", holds: true},
	{name: "sockets of a socket unit", start: "systemctl start attack-given.socket attack-given.service",
		stop: "systemctl stop attack-given.socket attack-given.service", holds: true},
}

// native allows no calls of 32 bits.
var native = wayIn{name: "a unit with SystemCallArchitectures=native", start: "systemctl start attack-native", stop: "systemctl stop attack-native", holds: true}

// bound are a unit and the sockets of a socket unit that are bound without rdgen.
func bound(how, unit string) []wayIn {
	given := "attack-given-" + unit + ".socket attack-given-" + unit + ".service"
	return []wayIn{
		{name: how, start: "systemctl start attack-" + unit, stop: "systemctl stop attack-" + unit},
		{name: "sockets of a socket unit, by " + how, start: "systemctl start " + given, stop: "systemctl stop " + given},
	}
}

// TestVRFHolds: whatever an ordinary user in a VRF calls, nothing leaves it and
// nothing enters it; the same tries in what ip vrf exec starts succeed. With
// RDGEN_TEST_ALL each way in is tried on each kernel, in all ways of the probe.
func TestVRFHolds(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		putNetworks(t, m)
		m.Sh(t, script(t, "attack-openrc"))
		t.Run("members", func(t *testing.T) { testMembers(t, m) })
		t.Run("taken out", func(t *testing.T) { testTakenOut(t, m) })
		if need.All() || m.System.Release == "trixie" {
			testWaysIn(t, m, slices.Concat([]wayIn{ours}, waysInOpenRC, []wayIn{theirs, wayInside}))
			return
		}
		testWaysIn(t, m, []wayIn{ours, theirs})
	})
}

// TestVRFHoldsUnits is TestVRFHolds for units of systemd.
func TestVRFHoldsUnits(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		putNetworks(t, m)
		m.Sh(t, script(t, "attack-systemd"))
		// Sockets that the process opens itself take the newest kernel 22 to 36 s of processor
		// for each way in, the oldest 4.
		if !need.All() {
			if m.System.Release == "bookworm" {
				testWaysIn(t, m, waysInSystemd[:3])
				return
			}
			testWaysIn(t, m, waysInSystemd[3:])
			return
		}
		ways := slices.Concat([]wayIn{ours}, waysInSystemd, []wayIn{native, theirs}, bound("BPFProgram= and the pin", "pinned"))
		if m.System.Release == "forky" { // systemd 260
			ways = slices.Concat(ways, bound("BindNetworkInterface=", "bound"))
		}
		testWaysIn(t, m, ways)
	})
}

// putNetworks makes the networks and the VRFs of TestVRFHolds.
func putNetworks(t *testing.T, m *Machine) {
	t.Helper()
	putPrograms(t, m, "scoped", "inside-cgroup")
	m.Put(t, "/usr/local/bin/links", 0o755, []byte("#!/bin/sh\nset -eu\n"+guest.Network+"lan_and_world eth1\n"+script(t, "third")))
	// A host tells that it left a group when the program is gone, and once more up to a
	// second later: it would be taken for the next program's. A link has the number that
	// counts when it is made.
	m.Sh(t, "sysctl -qw net.ipv4.igmp_qrv=1 net.ipv6.mld_qrv=1")
	m.Sh(t, guest.Network+script(t, "two", "third")+"at= in=\n"+script(t, "three"))
}

// testWaysIn prints tables of what came of each way in.
func testWaysIn(t *testing.T, m *Machine, ways []wayIn) {
	var list []outcome
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) { list = append(list, testWayIn(t, m, w)) })
	}
	held := slices.DeleteFunc(slices.Clone(list), func(o outcome) bool {
		return !ways[slices.IndexFunc(ways, func(w wayIn) bool { return w.name == o.name })].holds
	})
	t.Log(summary(strings.TrimSpace(m.Sh(t, "uname -r")), list) + grid("all that hold", held))
	for _, o := range list {
		if o.name == theirs.name {
			t.Log(grid(o.name, []outcome{o}))
		}
	}
}

func testWayIn(t *testing.T, m *Machine, w wayIn) outcome {
	if w.stop == "" {
		w.stop = "kill $(cat /run/test/inside.pid)"
	}
	if w.at != "" {
		w.prepare = script(t, "three-inside") + setting("at", w.at) + "in=@t1\n" + script(t, "three")
	}
	tries, few := 3000, ""
	if !need.All() && w.name != ours.name && w.name != theirs.name {
		tries, few = 700, "few"
	}
	if strings.HasPrefix(w.name, "sockets of") { // of two transports
		tries /= 2
	}
	m.Sh(t, w.prepare)
	text := m.Sh(t, setting("few", few)+setting("start", w.start)+setting("stop", w.stop)+setting("at", w.at)+script(t, "attack"))
	o := judge(t, w.name, text, tries, w.holds)
	if w.holds && o.told != 0 || w.name == theirs.name && o.told == 0 {
		t.Errorf("calls of 32 bits joined groups elsewhere that %d packets told of\n%s", o.told, text)
	}
	return o
}

// The links of a VRF work for what is in it, also those that were added by hand since.
func testMembers(t *testing.T, m *Machine) {
	m.Sh(t, guest.Network+script(t, "members"))
}
