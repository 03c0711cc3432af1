package vm

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"rdgen/test/guest"
)

// lan40 is the service's address where its link is moved to nowhere.
const lan40 = "10.20.30.40:7000"

// isolated are the ways in which people isolate a service.
var isolated = []served{
	{name: "in the default domain", address: lan40},
	inVRF("in a VRF", "rdexec -v mgmt --"),
	{name: "in a namespace with a macvlan", address: "10.20.30.41:7000", up: `rdomain up t1
		ip link add link eth1 name mv0 netns t1 type macvlan mode bridge
		ip -n t1 address add 10.20.30.41/24 dev mv0; ip -n t1 link set mv0 up`, in: "rdexec -n t1 --", down: "rdomain down t1"},
	{name: "in a namespace behind a veth", address: "10.99.0.2:7000", up: `rdomain up t1; sysctl -qw net.ipv4.ip_forward=1
		ip link add v0 type veth peer name v1 netns t1; ip address add 10.99.0.1/24 dev v0; ip link set v0 up
		ip -n t1 address add 10.99.0.2/24 dev v1; ip -n t1 link set v1 up; ip -n t1 route add default via 10.99.0.1`,
		in: "rdexec -n t1 --", down: "rdomain down t1; sysctl -qw net.ipv4.ip_forward=0"},
	{name: "behind a netfilter rule for its cgroup", address: lan40, up: `mkdir -p /sys/fs/cgroup/fenced
		nft add table inet fence
		nft add chain inet fence out '{ type filter hook output priority 0; }'
		nft add chain inet fence in '{ type filter hook input priority 0; }'
		nft add rule inet fence out socket cgroupv2 level 1 '"fenced"' oifname != eth1 drop
		nft add rule inet fence in socket cgroupv2 level 1 '"fenced"' iifname != eth1 drop`,
		in: `sh -c 'echo 0 >$(cg)/fenced/cgroup.procs; exec "$@"' sh`, down: "nft delete table inet fence; await rmdir $(cg)/fenced"},
}

func inVRF(name, in string) served {
	return served{name: name, address: lan40, up: "rdomain up mgmt", in: in, down: "rdomain down mgmt"}
}

// boundWays are ways to bind a service to a VRF; the first does no more, by the same program
// as the second.
var boundWays = []served{
	inVRF("in a VRF where rdexec binds it, and no more", "rdexec -v mgmt -- probe let-go"),
	inVRF("in a VRF", "rdexec -v mgmt --"),
	inVRF("in a VRF that `ip vrf exec` binds to, which does not hold", "ip vrf exec mgmt"),
	{name: "in the default domain", address: lan40},
}

// byHand makes a namespace web behind a cable to the host, and a table with RULES.
const byHand = `ip netns add web; ip -n web link set lo up; sysctl -qw net.ipv4.ip_forward=1
		ip link add veth-web type veth peer name veth0 netns web; ip address add 10.9.0.1/30 dev veth-web; ip link set veth-web up
		ip -n web address add 10.9.0.2/30 dev veth0; ip -n web link set veth0 up; ip -n web route add default via 10.9.0.1
		nft -f - <<'E'
		table inet by-hand {
		RULES
		}
E`

// byHandDown takes that back.
const byHandDown = `nft delete table inet by-hand; ip netns delete web; await sh -c '! ip link show veth-web 2>/dev/null'; sysctl -qw net.ipv4.ip_forward=0`

// web is a domain's file with the same, and more lines.
const web = "printf '[Link veth0]\\nKind=veth\\nPeer=veth-web\\nAddress=10.9.0.2/30\\nPeerAddress=10.9.0.1/30\\nLINE[Route]\\nDestination=default\\nGateway=10.9.0.1\\nMORE' >/etc/rdomain/web.conf; rdomain up web"

const webDown = "rdomain down web; rm /etc/rdomain/web.conf"

// published are a port's ways into a namespace, and natted those out of one: first by rules
// that say the same as rdomain's, written by hand.
var published = []served{
	{name: "published by the same rules, by hand", address: lan40, up: strings.Replace(byHand, "RULES", `chain prerouting { type nat hook prerouting priority dstnat; ip daddr 10.20.30.40 tcp dport 7000 dnat ip to 10.9.0.2:7000; }
		chain output { type nat hook output priority -100; ip daddr 10.20.30.40 tcp dport 7000 dnat ip to 10.9.0.2:7000; }
		chain forward { type filter hook forward priority filter; oifname "veth-web" ip daddr 10.9.0.2 ct state new ct status & dnat == 0 drop; iifname "veth-web" meta nfproto ipv4 ct state new drop; }`, 1),
		in: "ip netns exec web", down: byHandDown},
	{name: "published by `[Publish]`", address: lan40, up: strings.NewReplacer("LINE", "", "MORE", `[Publish]\nListen=10.20.30.40:7000\nConnect=7000\n`).Replace(web),
		in: "rdexec -n web --", down: webDown},
}

var natted = []served{
	{name: "asked through the same rules, by hand", address: "10.20.30.1:7000", in: "ip netns exec lan", from: "web",
		up: strings.Replace(byHand, "RULES", `chain postrouting { type nat hook postrouting priority srcnat; iifname "veth-web" meta nfproto ipv4 masquerade; }`, 1), down: byHandDown},
	{name: "asked through `Masquerade=ipv4`", address: "10.20.30.1:7000", in: "ip netns exec lan", from: "web",
		up: strings.NewReplacer("LINE", `Masquerade=ipv4\n`, "MORE", "").Replace(web), down: webDown},
}

// units are those of systemd, which must be 260, and rdexec beside them.
var units = []served{
	{name: "a unit with `BindNetworkInterface=`, which does not hold", address: lan40, up: "rdomain up mgmt", unit: "serve-bound", down: "rdomain down mgmt"},
	{name: "a unit with rdgen's drop-in", address: lan40, unit: "serve-held", down: "systemctl stop rdomain@mgmt"},
	inVRF("started by rdexec", "rdexec -v mgmt --"),
	inVRF("started by `ip vrf exec`, which does not hold", "ip vrf exec mgmt"),
	{name: "a unit in the default domain", address: lan40, unit: "serve"},
}

// BenchmarkDomains measures what a domain costs, and prints the tables of
// docs/performance.md.
func BenchmarkDomains(b *testing.B) {
	b.Run("enter", func(b *testing.B) {
		benchEnter(b, benchMachine(b, System{Release: "trixie", Init: OpenRC}))
	})
	b.Run("openrc", func(b *testing.B) {
		benchOpenRC(b, benchMachine(b, System{Release: "trixie", Init: OpenRC, Timed: true}))
	})
	// Here the clock counts instructions of the guest, of the kernel and of both
	// ends together: the same run gives the same figures on a busy host.
	b.Run("path", func(b *testing.B) {
		benchPath(b, benchMachine(b, System{Release: "trixie", Init: OpenRC, Timed: true}), isolated)
	})
	b.Run("bound", func(b *testing.B) {
		benchRounds(b, benchMachine(b, System{Release: "trixie", Init: OpenRC, Timed: true}), boundWays)
	})
	b.Run("nat", func(b *testing.B) {
		m := benchMachine(b, System{Release: "trixie", Init: OpenRC, Timed: true})
		// A connection is remembered for two minutes after its end, by a clock that counts
		// instructions. A machine of 1 GB has places for some 8,000, and drops what would be
		// one more; each of the two tables makes 8,512.
		m.Sh(b, "modprobe nf_conntrack; echo 65536 >/sys/module/nf_conntrack/parameters/hashsize; sysctl -qw net.netfilter.nf_conntrack_max=65536")
		for _, ways := range [][]served{published, natted} {
			benchRounds(b, m, ways)
			fmt.Printf("connections remembered, and the most: %s\n", strings.Join(strings.Fields(m.Sh(b, "sysctl -n net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max")), " of "))
		}
	})
	b.Run("units", func(b *testing.B) {
		m := benchMachine(b, System{Release: "forky", Init: Systemd, Timed: true})
		m.Sh(b, script(b, "serve-systemd"))
		benchRounds(b, m, units)
	})
}

// TestCost: a service in a VRF answers, and costs about what one does that a netfilter rule
// keeps to its link, which fails open. The machine counts instructions, so no load shows.
func TestCost(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC, Timed: true}}, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "two"))
		vrf, fence := isolated[1].measure(t, m), isolated[4].measure(t, m)
		t.Logf("of the netfilter rule: a request %.3f, a connection %.3f", vrf.request/fence.request, vrf.connection/fence.connection)
		if vrf.request > 1.1*fence.request || vrf.connection > 1.1*fence.connection {
			t.Errorf("instructions in a VRF: %+v; behind a netfilter rule %+v", vrf, fence)
		}
	})
}

func benchMachine(b *testing.B, s System) *Machine {
	m := Boot(b, s)
	m.Install(b)
	m.PutProbe(b)
	m.Sh(b, guest.Network+script(b, "two"))
	b.ResetTimer()
	return m
}

// number is what a command in the guest prints alone.
func number(b testing.TB, m *Machine, command string) float64 {
	b.Helper()
	n, err := strconv.ParseFloat(strings.TrimSpace(m.Sh(b, command)), 64)
	if err != nil {
		b.Fatalf("%s: %v", command, err)
	}
	return n
}

// benchEnter runs rdexec and what people use today in turns, and prints medians.
func benchEnter(b *testing.B, m *Machine) {
	m.Sh(b, "rdomain up mgmt t1; mkdir -p /etc/netns/t2; echo nameserver 192.0.2.53 >/etc/netns/t2/resolv.conf; rdomain up t2")
	table := newTable("what", "against", "ours", "theirs", "ratio")
	for _, c := range []struct{ ours, theirs string }{
		{"rdexec -v mgmt -- /bin/true", "ip vrf exec mgmt /bin/true"},
		{"rdexec -n t1 -- /bin/true", "ip netns exec t1 /bin/true"},
		{"rdexec -n t2 -- /bin/true", "ip netns exec t2 /bin/true"},
	} {
		var ours, theirs float64
		out := m.Sh(b, "probe times 100 "+c.ours+" vs "+c.theirs)
		if _, err := fmt.Sscan(out, &ours, &theirs); err != nil {
			b.Fatalf("%q: %v", out, err)
		}
		table.row(c.ours, c.theirs, milli(ours), milli(theirs), fmt.Sprintf("%.2f", ours/theirs))
		b.ReportMetric(ours/theirs, strings.Join(strings.Fields(c.ours)[1:3], "_")+"_ratio")
	}
	table.print()
}

// benchOpenRC restarts one service without a domain and in each kind of one, in
// turns, and prints medians.
func benchOpenRC(b *testing.B, m *Machine) {
	m.Put(b, "/etc/init.d/tick", 0o755, []byte("#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1000\ncommand_background=yes\npidfile=/run/$RC_SVCNAME.pid\n"))
	m.Sh(b, script(b, "bench-openrc"))
	table := newTable("what", "against", "ours", "theirs", "ratio")
	const theirs = "rc-service -q tick.none restart"
	for _, ours := range []string{
		"rc-service -q tick.netns restart",
		"rc-service -q tick.vrf restart",
		"rc-service -q tick.both restart",
	} {
		var with, without float64
		out := m.Sh(b, "exec </dev/null; probe times 25 "+ours+" vs "+theirs)
		if _, err := fmt.Sscan(out, &with, &without); err != nil {
			b.Fatalf("%q: %v", out, err)
		}
		table.row(ours, theirs, milli(with), milli(without), fmt.Sprintf("%.2f", with/without))
		b.ReportMetric(with/without, strings.Fields(ours)[2]+"_ratio")
	}
	table.print()
}

// served is a way in which people isolate a service, which is reached from the host lan: in
// is what stands before its command, or unit is the unit of systemd that it is. from is another
// namespace that asks.
type served struct{ name, address, up, in, down, unit, from string }

// cost is of one request and of one connection.
type cost struct{ request, connection float64 }

// measure starts the service, asks it, and stops it.
func (c served) measure(b testing.TB, m *Machine) cost {
	// With MPTCP, which package net asks for, ip vrf exec does not bind the service.
	start := "\nexport GODEBUG=multipathtcp=0\n" + c.in + " probe serve 0.0.0.0:7000 >/dev/null 2>&1 & echo $! >/run/test/pid"
	stop := "kill $(cat /run/test/pid)"
	if c.unit != "" {
		start, stop = "\nsystemctl start "+c.unit, "systemctl stop "+c.unit
	}
	m.Sh(b, c.up+start)
	ask := "ip netns exec " + cmp.Or(c.from, "lan") + " probe "
	m.Sh(b, "await "+ask+"requests "+c.address+" 1")
	// What else the kernel does in the meantime only adds.
	least := func(command string) float64 {
		n := number(b, m, command)
		for range 2 {
			n = min(n, number(b, m, command))
		}
		return n
	}
	did := cost{least(ask + "requests " + c.address + " 500"), least(ask + "connections " + c.address + " 100")}
	m.Sh(b, stop+"; await sh -c '! ss -Htln | grep -q :7000'\n"+c.down)
	return did
}

// benchPath measures one service in each of the ways, in the order given; the first is what
// the others are compared with.
func benchPath(b *testing.B, m *Machine, ways []served) {
	table := newTable("the service is", "requests a second", "instructions a request", "ratio", "instructions a connection", "ratio")
	var first cost
	for _, c := range ways {
		did := c.measure(b, m)
		if first.request == 0 {
			first = did
		}
		table.row(c.name, fmt.Sprintf("%.0f", 1e9/did.request), fmt.Sprintf("%.0f", did.request), fmt.Sprintf("%.3f", did.request/first.request),
			fmt.Sprintf("%.0f", did.connection), fmt.Sprintf("%.3f", did.connection/first.connection))
	}
	table.print()
}

// rounds is how often benchRounds measures each way.
const rounds = 7

// benchRounds measures the ways in turns: where the kernel has its things in memory makes more
// of a difference than what is looked for, and it is another at each start. A ratio is to the
// first way of the same round. It prints medians, and of ratios the least and the most.
func benchRounds(b *testing.B, m *Machine, ways []served) {
	costs := make([][]cost, len(ways))
	for range rounds {
		for i, c := range ways {
			costs[i] = append(costs[i], c.measure(b, m))
		}
	}
	table := newTable("the service is", "instructions a request", "ratio", "least to most", "instructions a connection", "ratio", "least to most")
	spread := func(list []cost, of func(cost) float64) (median, ratio, range_ string) {
		var all, ratios []float64
		for i, c := range list {
			all, ratios = append(all, of(c)), append(ratios, of(c)/of(costs[0][i]))
		}
		slices.Sort(all)
		slices.Sort(ratios)
		return fmt.Sprintf("%.0f", all[rounds/2]), fmt.Sprintf("%.3f", ratios[rounds/2]), fmt.Sprintf("%.3f to %.3f", ratios[0], ratios[rounds-1])
	}
	for i, c := range ways {
		request, ratio, least := spread(costs[i], func(c cost) float64 { return c.request })
		connection, ratio2, least2 := spread(costs[i], func(c cost) float64 { return c.connection })
		table.row(c.name, request, ratio, least, connection, ratio2, least2)
	}
	table.print()
}

func milli(ns float64) string { return fmt.Sprintf("%.1f ms", ns/1e6) }

// table is a table of Markdown.
type table struct{ *tabwriter.Writer }

func newTable(head ...string) table {
	t := table{tabwriter.NewWriter(os.Stdout, 0, 8, 1, ' ', 0)}
	fmt.Println()
	t.row(head...)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
	}
	t.row(rule...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintf(t, "| %s\t|\n", strings.Join(cells, "\t| ")) }

func (t table) print() { t.Flush(); fmt.Println() }
