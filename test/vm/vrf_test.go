package vm

import (
	"fmt"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// TestVRF is about real VRFs: what rdexec binds, what cannot leave, and what
// happens when a VRF goes, or cannot be entered.
func TestVRF(t *testing.T) {
	each(t, append(openrcs, System{Release: "bookworm", Init: Systemd}, System{Release: "forky", Init: Systemd}), func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "two")+"rdomain up mgmt inner@t1; ip netns exec t1 sysctl -qw net.ipv4.ping_group_range='0 2147483647'")
		for _, c := range []struct {
			name string
			test func(*testing.T, *Machine)
		}{
			{"sockets", testSockets}, {"cgroups", testCgroups}, {"escape", testEscape}, {"nested", testNested},
			{"identify", testIdentify}, {"limit", testLimit}, {"faults", testFaults}, {"remade", testRemade},
		} {
			t.Run(c.name, func(t *testing.T) { c.test(t, m) })
		}
	})
}

// Every kind of IPv4 and IPv6 socket of a program in a VRF, and of its
// children, is bound to the VRF; MPTCP, inside which the kernel binds nothing, is
// refused. The listeners of probe, as of any Go program, ask for MPTCP first.
func testSockets(t *testing.T, m *Machine) {
	const kinds = "tcp4 tcp6 mptcp4 mptcp6 udp4 udp6 raw4 raw6 ping4 ping6"
	all := func(to string) (want string) {
		for k := range strings.FieldsSeq(kinds) {
			if strings.HasPrefix(k, "mptcp") && to != "-" {
				want += k + " operation not permitted\n"
				continue
			}
			want += k + " " + to + "\n"
		}
		return want
	}
	for _, c := range []struct{ command, to string }{
		{"probe sockets", "-"},
		{"rdexec -v mgmt -- probe sockets", "mgmt"},
		{"rdexec -v mgmt -- sh -c 'probe sockets & wait'", "mgmt"},
		{"rdexec -v mgmt -- setsid -w sh -c '( probe sockets )'", "mgmt"},
		{"rdexec -n t1 -v inner -- probe sockets", "inner"},
		{"rdomain exec inner@t1 -- sh -c 'probe sockets; true'", "inner"},
	} {
		if got := m.Sh(t, c.command); got != all(c.to) {
			t.Errorf("%s =\n%s\nwant %s for each", c.command, got, c.to)
		}
	}
	got := m.Sh(t, "rdexec -v mgmt -u nobody -- probe sockets")
	want := strings.ReplaceAll(all("mgmt"), "raw4 mgmt\nraw6 mgmt", "raw4 operation not permitted\nraw6 operation not permitted")
	if got != want {
		t.Errorf("as nobody, sockets =\n%swant\n%s", got, want)
	}
	m.Sh(t, `for a in 10.20.30.1 2001:db8:1::1; do rdexec -v mgmt -- ping -c 1 -W 5 $a; done
		for a in 192.0.2.9 2001:db8:2::9; do ping -c 1 -W 5 $a; done`)
	for _, a := range []string{"192.0.2.9", "192.0.2.1", "8.8.8.8", "2001:db8:2::9", "2001:db8:2::1"} {
		wantNoRoute(t, m, "mgmt", a)
	}
}

// wantNoRoute looks that there is no way from the VRF to address, and that the
// kernel says so at once. Where the VRF's own unreachable route ends the search
// that is EHOSTUNREACH, where the rule for all VRFs does, ENETUNREACH.
func wantNoRoute(t *testing.T, m *Machine, vrf, address string) {
	t.Helper()
	out := m.Run(t, "rdexec", "-v", vrf, "--", "ping", "-c", "1", "-W", "2", address)
	if text := out.Stdout + out.Stderr; out.Code == 0 ||
		!strings.Contains(text, "No route to host") && !strings.Contains(text, "Network is unreachable") {
		t.Errorf("ping %s in vrf %s = %d, %s; want no route", address, vrf, out.Code, text)
	}
}

// rdexec needs cgroup v2, wherever it is mounted, or nowhere.
func testCgroups(t *testing.T, m *Machine) {
	const away = "umount -l /sys/fs/cgroup\n"
	for name, mounts := range map[string]string{"none": part(t, "cgroups", "none"), "hybrid": part(t, "cgroups", "hybrid"), "elsewhere": part(t, "cgroups", "elsewhere")} {
		out := m.Run(t, "unshare", "-m", "sh", "-euc", away+mounts+part(t, "cgroups", "sockets"))
		m.Run(t, "rmdir", "/sys/fs/cgroup/at")
		got := out.Stdout
		if out.Code != 0 {
			t.Errorf("cgroup v2 %s: exit %d: %s", name, out.Code, out.Stderr)
		}
		if strings.Count(got, " mgmt\n") != 8 {
			t.Errorf("cgroup v2 %s: sockets =\n%s", name, got)
		}
	}
	// net_cls turned cgroup v2 off for sockets before Linux 5.15. It must not
	// now; and where something does, rdexec's own look refuses (testFaults).
	if out := m.Run(t, "unshare", "-m", "sh", "-euc", away+part(t, "cgroups", "hybrid")+part(t, "cgroups", "net_cls")); out.Code == 77 {
		t.Logf("%s: this kernel has no net_cls: %s", m.System, out.Stderr)
	} else if strings.Count(out.Stdout, " mgmt\n") != 8 {
		t.Errorf("with net_cls in use: exit %d, sockets =\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}

// As a user without CAP_NET_RAW there is no way out of the VRF for one datagram,
// nor by a name of another link. TestVRFHolds has the other ways.
func testEscape(t *testing.T, m *Machine) {
	m.Sh(t, "ip -n world address add 2001:db8:8::8/128 dev lo; ip -6 route replace default via 2001:db8:2::9")
	for _, address := range []string{"192.0.2.9", "2001:db8:2::9", "8.8.8.8", "2001:db8:8::8"} {
		to := address + ":9"
		if strings.Contains(address, ":") {
			to = "[" + address + "]:9"
		}
		m.Sh(t, `ip netns exec world probe receive '`+to+`' >/run/test/received & echo $! >/run/test/pid
			await grep -q receiving /run/test/received`)
		// From outside all of it arrives that may: the receiver works.
		m.Sh(t, "probe escape w0 '"+to+"' >/run/test/outside; await grep -q IP_PKTINFO /run/test/received; : >/run/test/received")
		tried := m.Sh(t, "rdexec -v mgmt -u nobody -- probe escape w0 '"+to+"'")
		// A last datagram from outside says that all before it had their time.
		got := strings.Trim(m.Sh(t, `echo end | nc -u -w 1 `+address+` 9
			await grep -q end /run/test/received; kill $(cat /run/test/pid); cat /run/test/received`), "\x00\n")
		if got != "end" {
			t.Errorf("out of the VRF as nobody to %s arrived:\n%q\nwhat was tried:\n%s", address, got, tried)
		}
	}
	for _, device := range []string{"lo", "w0", "eth1"} {
		if out := m.Run(t, "rdexec", "-v", "mgmt", "-u", "nobody", "--", "probe", "escape", device, "192.0.2.9:9"); !strings.Contains(out.Stdout, "SO_BINDTODEVICE: operation not permitted") {
			t.Errorf("SO_BINDTODEVICE to %s as nobody: %s; want EPERM", device, out.Stdout)
		}
	}
}

// What is in a VRF is seen by the tools of iproute2, where they look, and by
// rdomain always.
func testIdentify(t *testing.T, m *Machine) {
	m.Sh(t, part(t, "vrf", "identify"))
	for _, c := range []struct{ who, rdomain, iproute2 string }{
		{"joined", "mgmt\n", "mgmt\n"}, {"theirs", "mgmt\n", "mgmt\n"}, {"inner", "inner@t1\n", "inner\n"},
		{"elsewhere", "mgmt\n", ""}, {"outside", "", ""},
	} {
		if got := m.Sh(t, "rdomain identify $(cat /run/test/"+c.who+")"); got != c.rdomain {
			t.Errorf("rdomain identify, %s = %q, want %q", c.who, got, c.rdomain)
		}
		if got := m.Sh(t, "ip vrf identify $(cat /run/test/"+c.who+")"); got != c.iproute2 && !(c.iproute2 == "" && strings.TrimSpace(got) == "") {
			t.Errorf("ip vrf identify, %s = %q, want %q", c.who, got, c.iproute2)
		}
	}
	// What nothing keeps in its VRF is told.
	m.Sh(t, `rdomain identify $(cat /run/test/theirs) 2>&1 | grep 'can leave the vrf'
		for p in joined inner elsewhere outside; do ! rdomain identify $(cat /run/test/$p) 2>&1 | grep note || exit 1; done`)
	m.Sh(t, part(t, "vrf", "ps"))
}

// The kernel allows 64 programs for a cgroup; no number of starts comes near.
func testLimit(t *testing.T, m *Machine) {
	m.Sh(t, `for i in $(seq 70); do rdexec -v mgmt -c /limit -- true; done
		echo 0 >$(cg)/limit/cgroup.procs; probe sockets | grep -c mgmt; echo 0 >$(cg)/cgroup.procs; rmdir $(cg)/limit`)
}

// A system call that fails ends in exit 111 and nothing executed, or was not
// needed: then the program is in the VRF.
func testFaults(t *testing.T, m *Machine) {
	// The program is loaded again where the kernel says EAGAIN, but not for ever.
	m.Sh(t, "strace -f -b execve -e trace=bpf -o /run/test/strace -e inject=bpf:error=EAGAIN:when=1..3 rdexec -v mgmt -- rdomain check --self -v mgmt; grep -c EAGAIN /run/test/strace | grep -x 3")
	for _, fault := range []string{
		"bpf:error=EAGAIN", "bpf:error=EPERM:when=1", "bpf:error=EPERM:when=2", "bpf:error=EPERM:when=3", "bpf:error=EPERM:when=4", "bpf:error=E2BIG:when=5",
		"ioctl:error=ENODEV:when=1", "ioctl:error=EOPNOTSUPP:when=2", "socket:error=EMFILE:when=1", "socket:error=EPERM:when=2",
		"mkdirat:error=EACCES", "write:error=EBUSY:when=1", "getsockopt:error=EPERM", "openat:error=EMFILE:when=4+",
		// As if the program had no effect: the look at a socket says "bound to nothing".
		"getsockopt:retval=0",
	} {
		out := m.Run(t, "sh", "-c", "rm -f /run/test/ran; dir=$(cg)$(sed -n s/^0:://p /proc/self/cgroup)/rdexec/vrf/mgmt; [ ! -d $dir ] || await rmdir $dir; strace -f -o /dev/null -e inject="+fault+
			" rdexec -v mgmt -- sh -c 'probe sockets >/run/test/ran'")
		ran := m.Run(t, "cat", "/run/test/ran")
		if out.Code != 111 || ran.Code == 0 || !strings.HasPrefix(out.Stderr, "rdexec: fatal: ") || strings.Count(out.Stderr, "\n") != 1 {
			t.Errorf("with %s: exit %d, %q; the program ran: %q; want 111 and one line", fault, out.Code, out.Stderr, ran.Stdout)
		}
	}
	for _, args := range []string{"-v nosuch", "-v w0", "-v nosuch -c /x", "-n t1 -v mgmt", "-n nosuch -v mgmt"} {
		out := m.Run(t, "sh", "-c", "rdexec "+args+" -- touch /run/test/ran")
		if out.Code != 111 || !strings.HasPrefix(out.Stderr, "rdexec: fatal: unable to enter ") {
			t.Errorf("rdexec %s = %d, %q; want 111 and why", args, out.Code, out.Stderr)
		}
	}
	m.Sh(t, "! test -e /run/test/ran")
}

// A VRF that is deleted and made again has another ifindex. A daemon that was
// running in the old one gets nothing, from nowhere; one that is started now
// works, wherever it is bound.
func testRemade(t *testing.T, m *Machine) {
	m.Sh(t, part(t, "vrf", "old daemons"))
	nobody := func(when string) {
		t.Helper()
		for _, from := range []string{"", "ip netns exec world ", "ip netns exec lan "} {
			for _, to := range []string{"192.0.2.1:7001", "[2001:db8:2::1]:7002", "10.20.30.40:7001", "[2001:db8:1::40]:7002"} {
				if out := m.Run(t, "sh", "-c", from+"probe ask "+to); out.Code == 0 {
					t.Errorf("%s, the old daemon answers %s%s", when, from, to)
				}
			}
		}
		for _, c := range []string{"rdexec -v mgmt -- touch /run/test/leaked", "rdexec -v mgmt -c /kept -- touch /run/test/leaked"} {
			if out := m.Run(t, "sh", "-c", c); out.Code == 0 && when == "gone" {
				t.Errorf("%s, %s = 0", when, c)
			}
		}
	}
	nobody("gone")
	m.Sh(t, "rdomain up mgmt; rdomain check mgmt")
	nobody("made again")
	m.Sh(t, part(t, "vrf", "new daemons"))
	for _, to := range []string{"192.0.2.1:7001", "10.20.30.40:7001"} {
		if out := m.Run(t, "sh", "-c", "ip netns exec world probe ask "+to); out.Code == 0 {
			t.Errorf("the new daemon answers the world at %s", to)
		}
	}
	m.Sh(t, fmt.Sprintf("rdomain down mgmt inner@t1 t1; ! ip link show mgmt 2>/dev/null || exit 1; ip link show eth1 up | grep -q eth1; ip address show dev eth1 | grep -q %s", "10.20.30.40/24"))
}

// Programs that bind to a VRF may start one another, in any order; the inner
// one wins. What ip vrf exec starts may open MPTCP sockets, so that rdomain check
// --self is not content with it, but inside what rdexec started: it takes nothing
// from those that run there, or beside it.
func testNested(t *testing.T, m *Machine) {
	m.Sh(t, part(t, "vrf", "nested"))
	for _, c := range []string{"", "ip vrf exec mgmt "} {
		if out := m.Run(t, "sh", "-c", c+"rdomain check --self -v mgmt"); out.Code != 111 {
			t.Errorf("%srdomain check --self -v mgmt = %d; want 111", c, out.Code)
		}
	}
}

// TestVRFResolver: DNS= for a VRF, on both init systems.
func TestVRFResolver(t *testing.T) {
	each(t, []System{openrcs[1], systemds[1]}, func(t *testing.T, m *Machine) {
		putDnsmasq(t, m)
		putRadvd(t, m)
		m.Verdicts(t, guest.Network+script(t, "resolver"))
	})
}

// TestVRFStatus: what rdgen status says of a service in a VRF. test/native has all that needs
// none. Then users log in where there is no systemd.
func TestVRFStatus(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "status-vrf"))
		logins(t, m)
	})
}
