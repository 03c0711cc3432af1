package vm

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"rdgen/test/guest"
)

// isolated are the ways in which people isolate a service.
var isolated = []served{
	{"in the default domain", "10.20.30.40:7000", "", "", ""},
	{"in a VRF that `ip vrf exec` binds to, which does not hold", "10.20.30.40:7000", "rdomain up mgmt", "ip vrf exec mgmt", "rdomain down mgmt"},
	{"in a VRF where rdexec binds it, and no more", "10.20.30.40:7000", "rdomain up mgmt", "rdexec -v mgmt -- probe let-go", "rdomain down mgmt"},
	{"in a VRF", "10.20.30.40:7000", "rdomain up mgmt", "rdexec -v mgmt --", "rdomain down mgmt"},
	{"in a namespace with a macvlan", "10.20.30.41:7000", `rdomain up t1
		ip link add link eth1 name mv0 netns t1 type macvlan mode bridge
		ip -n t1 address add 10.20.30.41/24 dev mv0; ip -n t1 link set mv0 up`, "rdexec -n t1 --", "rdomain down t1"},
	{"in a namespace behind a veth", "10.99.0.2:7000", `rdomain up t1; sysctl -qw net.ipv4.ip_forward=1
		ip link add v0 type veth peer name v1 netns t1; ip address add 10.99.0.1/24 dev v0; ip link set v0 up
		ip -n t1 address add 10.99.0.2/24 dev v1; ip -n t1 link set v1 up; ip -n t1 route add default via 10.99.0.1`,
		"rdexec -n t1 --", "rdomain down t1; sysctl -qw net.ipv4.ip_forward=0"},
	{"behind a netfilter rule for its cgroup", "10.20.30.40:7000", `mkdir -p /sys/fs/cgroup/fenced
		nft add table inet fence
		nft add chain inet fence out '{ type filter hook output priority 0; }'
		nft add chain inet fence in '{ type filter hook input priority 0; }'
		nft add rule inet fence out socket cgroupv2 level 1 '"fenced"' oifname != eth1 drop
		nft add rule inet fence in socket cgroupv2 level 1 '"fenced"' iifname != eth1 drop`,
		`sh -c 'echo 0 >$(cg)/fenced/cgroup.procs; exec "$@"' sh`, "nft delete table inet fence; await rmdir $(cg)/fenced"},
}

// BenchmarkDomains measures what a domain costs, and prints the tables of
// docs/performance.md.
func BenchmarkDomains(b *testing.B) {
	b.Run("enter", func(b *testing.B) {
		benchEnter(b, benchMachine(b, System{Release: "trixie", Init: OpenRC}))
	})
	b.Run("openrc", func(b *testing.B) {
		benchOpenRC(b, benchMachine(b, System{Release: "trixie", Init: OpenRC, Counted: true}))
	})
	// Here the clock counts instructions of the guest, of the kernel and of both
	// ends together: the same run gives the same figures on a busy host.
	b.Run("path", func(b *testing.B) {
		benchPath(b, benchMachine(b, System{Release: "trixie", Init: OpenRC, Counted: true}), isolated)
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
func number(b *testing.B, m *Machine, command string) float64 {
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

// served is a way in which people isolate a service, which is reached from the host lan.
type served struct{ name, address, up, in, down string }

// benchPath measures one service in each of the ways, in the order given; the first is what
// the others are compared with.
func benchPath(b *testing.B, m *Machine, ways []served) {
	const end = "\nkill $(cat /run/test/pid); await sh -c '! ss -Htln | grep -q :7000'\n"
	table := newTable("the service is", "requests a second", "instructions a request", "ratio", "instructions a connection", "ratio")
	var first, firstConnection float64
	for _, c := range ways {
		// With MPTCP, which package net asks for, ip vrf exec does not bind the service.
		start := "\nexport GODEBUG=multipathtcp=0\n" + c.in + " probe serve 0.0.0.0:7000 >/dev/null 2>&1 & echo $! >/run/test/pid"
		m.Sh(b, c.up+start)
		ask := "ip netns exec lan probe "
		m.Sh(b, "await "+ask+"requests "+c.address+" 1")
		// What else the kernel does in the meantime only adds.
		least := func(command string) float64 {
			n := number(b, m, command)
			for range 4 {
				n = min(n, number(b, m, command))
			}
			return n
		}
		request := least(ask + "requests " + c.address + " 1000")
		connection := least(ask + "connections " + c.address + " 200")
		m.Sh(b, end+c.down)
		if first == 0 {
			first, firstConnection = request, connection
		}
		table.row(c.name, fmt.Sprintf("%.0f", 1e9/request), fmt.Sprintf("%.0f", request), fmt.Sprintf("%.3f", request/first),
			fmt.Sprintf("%.0f", connection), fmt.Sprintf("%.3f", connection/firstConnection))
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
