package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// server is a real dnsmasq on the other end of link e0, in a namespace of its own.
type server struct {
	t   *testing.T
	cmd *exec.Cmd
	dir string
}

// dnsmasq is that of the fixtures.
func dnsmasq() string { return os.Getenv("RDGEN_DHCP_ROOT") + "/usr/sbin/dnsmasq" }

// needDnsmasq skips what waits for one, or fails where it is required.
func needDnsmasq(t *testing.T) {
	t.Helper()
	need.Slow(t)
	if _, err := os.Stat(dnsmasq()); err != nil {
		need.Missing(t, need.Root, "RDGEN_DHCP_ROOT names no folder with dnsmasq; make fixtures makes one")
	}
}

// lan makes the link e0 and the network at its other end.
func lan(t *testing.T) *server {
	t.Helper()
	needDnsmasq(t)
	sh(t, `ip netns add lan; ip link add e0 type veth peer name s0 netns lan; ip -n lan link set lo up
		ip -n lan address add 10.5.0.1/24 dev s0; ip -n lan link set s0 up`)
	s := &server{t: t, dir: t.TempDir()}
	t.Cleanup(func() {
		s.stop()
		_, _, _ = rdomain("down", "d")
		sh(t, "ip link delete e0 2>/dev/null || true; ip netns delete lan")
	})
	return s
}

// start serves a range of addresses, with more options. What it knows of leases stays.
func (s *server) start(from, to string, more ...string) {
	s.t.Helper()
	s.stop()
	args := append([]string{"netns", "exec", "lan", dnsmasq(), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=", "--group=",
		"--interface=s0", "--bind-dynamic", "--dhcp-authoritative", "--no-ping", "--pid-file=", "--dhcp-leasefile=" + s.dir + "/leases", "--log-facility=" + s.dir + "/log", "--log-dhcp",
		"--dhcp-range=" + from + "," + to + ",120s"}, more...)
	s.cmd = exec.Command("ip", args...)
	s.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+os.Getenv("RDGEN_DHCP_ROOT")+"/usr/lib/x86_64-linux-gnu")
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(unix.SIGTERM)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// leasesOf returns what list says of the leases of a domain.
func leasesOf(t *testing.T, id string) (all []struct{ Link, Address, Server, Expires string }) {
	t.Helper()
	out, stderr, code := rdomain("list", "--json")
	var list []struct {
		ID     string
		Leases []struct{ Link, Address, Server, Expires string }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("list --json = %d, %v, %s", code, err, stderr)
	}
	for _, e := range list {
		if e.ID == id {
			return e.Leases
		}
	}
	return nil
}

// A lease of a real server: its address with its time, its routes and its resolvers are in
// the domain and nowhere else; reload and check leave them alone, and down gives it back.
func TestLease(t *testing.T) {
	start(t)
	s := lan(t)
	s.start("10.5.0.50", "10.5.0.50", "--dhcp-option=option:router,10.5.0.1", "--dhcp-option=option:dns-server,10.5.0.53,127.0.0.1",
		"--dhcp-option=option:domain-search,lan.example.org,b.example.org")
	file(t, "d", "[Link e0]\nDHCP=ipv4\n[Route]\nDestination=10.66.0.0/16\nGateway=10.5.0.9\nGatewayOnLink=yes\nDevice=e0\n")
	quiet(t, "up", "d")
	for _, c := range []string{
		`ip -n d -4 -o address show dev e0 | grep -q '10.5.0.50/24 .*valid_lft 1[12][0-9]sec'`,
		`ip -n d route show default 2>/dev/null | grep -q '^default via 10.5.0.1 dev e0 src 10.5.0.50 metric 1024'`,
		`grep -qx 'nameserver 10.5.0.53' /etc/netns/d/resolv.conf; if grep -q 127 /etc/netns/d/resolv.conf; then exit 1; fi`,
		`grep -qx 'search lan.example.org b.example.org' /etc/netns/d/resolv.conf`,
		`if ip route show | grep -q . || ip -4 address | grep -q 10.5; then exit 1; fi`,
		`grep -q 10.5.0.50 ` + filepath.Join(s.dir, "leases"),
	} {
		sh(t, c)
	}
	says(t, 0, "", "", "check", "d")
	if out, _, _ := rdomain("reload", "-n", "d"); out != "" {
		t.Errorf("reload -n = %s; want nothing to do", out)
	}
	quiet(t, "reload", "d")
	says(t, 0, "", "", "check", "d")
	l := leasesOf(t, "d")
	if len(l) != 1 || l[0].Address != "10.5.0.50/24" || l[0].Server != "10.5.0.1" || l[0].Expires == "" {
		t.Errorf("list --json has the leases %v", l)
	}
	if out, _, _ := rdomain("list"); !regexp.MustCompile(`LINKS  LEASES\n(?s:.*)e0     e0 10\.5\.0\.50/24 until 20\S+T\S+\n`).MatchString(out) {
		t.Errorf("list = %s", out)
	}
	quiet(t, "down", "d")
	if l := leasesOf(t, "d"); len(l) != 0 {
		t.Errorf("list --json has the leases %v of what is down", l)
	}
	awaitTrue(t, new(buffer), "! grep -q 10.5.0.50 "+filepath.Join(s.dir, "leases"))
}

// The server is away at up, and comes later; it gives another address; it takes an address
// back; the link loses its carrier. The watch follows, and says so.
func TestLeaseChanges(t *testing.T) {
	start(t)
	s := lan(t)
	file(t, "d", "[Domain]\nTimeoutSec=1\n[Link e0]\nDHCP=ipv4\n")
	_, stderr, code := rdomain("up", "d")
	if code != 0 || !strings.Contains(stderr, "d.conf:4: no DHCP server answers on e0") {
		t.Fatalf("up without a server = %d, %s", code, stderr)
	}
	says(t, 1, "# d: /etc/rdomain/d.conf:4: link e0 has no lease: no DHCP server has answered\n", "", "check", "d")
	says(t, 0, "ID   KIND   STATE    TABLE  LINKS  LEASES\nd    netns  up       -      e0     e0 has none\nlan  netns  foreign  -      s0     -\n", "", "list")
	if l := leasesOf(t, "d"); len(l) != 1 || l[0].Link != "e0" || l[0].Address != "" {
		t.Errorf("list --json has the leases %v", l)
	}
	said := watching(t)
	has := func(address string) {
		t.Helper()
		awaitTrue(t, said, fmt.Sprintf(`ip -n d -4 -o address show dev e0 | grep -q 'inet %s '; [ "$(ip -n d -4 -o address show dev e0 | wc -l)" = 1 ]`, address))
	}
	option := func(dns string) string { return "--dhcp-option=option:dns-server," + dns }
	s.start("10.5.0.60", "10.5.0.60", option("10.5.0.53"), "--dhcp-option=option:T1,5")
	has("10.5.0.60/24")
	awaitTrue(t, said, "rdomain check d")
	// It is renewed, by the same server with another resolver.
	s.start("10.5.0.60", "10.5.0.60", option("10.5.0.54"), "--dhcp-option=option:T1,5")
	awaitTrue(t, said, "grep -qx 'nameserver 10.5.0.54' /etc/netns/d/resolv.conf")
	has("10.5.0.60/24")
	// The address is another's now: the server refuses, and gives another.
	if err := os.Remove(s.dir + "/leases"); err != nil {
		t.Fatal(err)
	}
	s.start("10.5.0.70", "10.5.0.70", "--dhcp-option=option:T1,100")
	has("10.5.0.70/24")
	awaitTrue(t, said, "rdomain check d; ! grep -q nameserver /etc/netns/d/resolv.conf")
	// Another network is behind the cable when it is back.
	if err := os.Remove(s.dir + "/leases"); err != nil {
		t.Fatal(err)
	}
	sh(t, "ip -n lan link set s0 down")
	awaitTrue(t, said, "! ip -n d link show e0 | grep -q LOWER_UP")
	s.start("10.5.0.80", "10.5.0.80", "--dhcp-option=option:T1,100")
	sh(t, "ip -n lan link set s0 up")
	has("10.5.0.80/24")
	awaitTrue(t, said, "rdomain check d")
}

// Routers advertise networks on the link: the kernel gives it addresses and a route, in the
// domain, also where that forwards packets, and up waits for them. reload, check and the
// watch leave them alone.
func TestAdvertised(t *testing.T) {
	start(t)
	s := lan(t)
	sh(t, "ip -n lan address add 2001:db8:5::1/64 dev s0 nodad")
	s.start("10.5.0.50", "10.5.0.50", "--enable-ra", "--dhcp-range=2001:db8:5::,ra-only,64,120s", "--ra-param=s0,4,60")
	file(t, "d", "[Link e0]\nIPv6AcceptRA=yes\n[Sysctl]\nnet.ipv6.conf.all.forwarding=1\n")
	quiet(t, "up", "d")
	const address, route = `ip -n d -6 -o address show dev e0 scope global | grep -q '2001:db8:5:.*/64'`, `ip -n d -6 route show default | grep -q 'via fe80::.* dev e0 proto ra'`
	for _, c := range []string{address, `! ip -n d -6 address show dev e0 | grep tentative`, route, `! ip -6 route show | grep 2001:db8 || exit 1`} {
		sh(t, c)
	}
	says(t, 0, "", "", "check", "d")
	if out, _, _ := rdomain("reload", "-n", "d"); out != "" {
		t.Errorf("reload -n = %s; want nothing to do", out)
	}
	quiet(t, "reload", "d")
	sh(t, address+"; "+route)
	// The line says no: none is taken any more, and what was there goes with the link's next
	// advertisement, or its time.
	file(t, "d", "[Link e0]\nIPv6AcceptRA=no\n")
	quiet(t, "down", "d")
	quiet(t, "up", "d")
	sh(t, `[ "$(ip netns exec d cat /proc/sys/net/ipv6/conf/e0/accept_ra)" = 0 ]`)
	quiet(t, "down", "d")
	// Nobody advertises.
	s.stop()
	file(t, "d", "[Domain]\nTimeoutSec=1\n[Link e0]\nIPv6AcceptRA=yes\n")
	_, stderr, code := rdomain("up", "d")
	if code != 0 || !strings.Contains(stderr, "d.conf:4: no router advertises an address on e0 after 1 s; it is up without") {
		t.Errorf("up without a router = %d, %s", code, stderr)
	}
	s.start("10.5.0.50", "10.5.0.50", "--enable-ra", "--dhcp-range=2001:db8:5::,ra-only,64,120s", "--ra-param=s0,4,60")
	awaitTrue(t, new(buffer), address+"; "+route)
}

// TestLeaseKilled: rdomain is killed while it brings a domain up that has a lease, and
// while it takes it down. What comes after that finds all of it.
func TestLeaseKilled(t *testing.T) {
	needDnsmasq(t)
	first, step := sandbox.Walk(t)
	if step == 0 {
		return
	}
	start(t)
	s := lan(t)
	s.start("10.5.0.50", "10.5.0.50", "--dhcp-option=option:dns-server,10.5.0.53")
	file(t, "d", "[Link e0]\nDHCP=ipv4\n")
	nothing := snapshot(t)
	for _, verb := range []string{"up", "down"} {
		for n := first; ; n += step {
			if verb == "down" {
				quiet(t, "up", "d")
			}
			call, was := killAt(t, n, verb, "d")
			if verb == "up" {
				quiet(t, "up", "d")
				says(t, 0, "", "", "check", "d")
				if l := leasesOf(t, "d"); len(l) != 1 || l[0].Address != "10.5.0.50/24" {
					t.Fatalf("up after a kill at call %d (number %d): leases %v", n, call, l)
				}
			}
			if _, said, code := rdomain("down", "d"); code != 0 {
				t.Fatalf("down after a kill of %s at call %d (number %d) = %d, %s", verb, n, call, code, said)
			}
			if got := strings.Replace(snapshot(t), "file /run/rdomain/d.lock \n", "", 1); got != nothing {
				t.Fatalf("%s killed at call %d (number %d), and down, leave\n%s\nwhere there was\n%s", verb, n, call, got, nothing)
			}
			if !was {
				t.Logf("%s: %d calls or fewer", verb, n-1)
				break
			}
		}
	}
}

// TestLeaseNoMemory: a system call of up fails with ENOMEM. The domain is up with its
// lease, or up says why and leaves nothing.
func TestLeaseNoMemory(t *testing.T) {
	needDnsmasq(t)
	if !canFail() {
		need.Missing(t, need.Root, "a kernel without PTRACE_SET_SYSCALL_INFO (Linux 6.16)")
	}
	first, step := sandbox.Walk(t)
	if step == 0 {
		return
	}
	start(t)
	s := lan(t)
	s.start("10.5.0.50", "10.5.0.50", "--dhcp-option=option:dns-server,10.5.0.53")
	file(t, "d", "[Link e0]\nDHCP=ipv4\n")
	nothing := snapshot(t)
	failed := 0
	for n := first; ; n += step {
		call, was, code, said := failAt(t, n, "up", "d")
		got := strings.Replace(snapshot(t), "file /run/rdomain/d.lock \n", "", 1)
		switch {
		case code == 0:
			says(t, 0, "", "", "check", "d")
			quiet(t, "down", "d")
		case strings.Contains(said, "netpollBreak write failed"): // Go's runtime ends the process
			quiet(t, "up", "d")
			says(t, 0, "", "", "check", "d")
			quiet(t, "down", "d")
		case code == 111 && got == nothing && strings.Contains(said, "cannot allocate memory"):
			failed++
		default:
			t.Fatalf("up with no memory at call %d (number %d) = %d, %s; it leaves\n%s", n, call, code, said, got)
		}
		if !was {
			t.Logf("up: %d calls or fewer, %d made it fail", n-1, failed)
			return
		}
	}
}

// A lease of DHCPv6, beside one of IPv4: its address is the link's, with its time, and its
// resolvers are the domain's; the route is a router's. It is renewed, changed and given back.
func TestLease6(t *testing.T) {
	start(t)
	s := lan(t)
	sh(t, "ip -n lan address add 2001:db8:5::1/64 dev s0 nodad")
	serve := func(address string) {
		s.start("10.5.0.50", "10.5.0.50", "--enable-ra", "--dhcp-range="+address+","+address+",64,120s", "--ra-param=s0,4,60",
			"--dhcp-option=option6:dns-server,[2001:db8:5::53]", "--dhcp-option=option6:domain-search,six.example.org", "--dhcp-option=option:dns-server,10.5.0.53")
	}
	serve("2001:db8:5::60")
	file(t, "d", "[Link e0]\nDHCP=yes\nIPv6AcceptRA=no\n")
	quiet(t, "up", "d")
	for _, c := range []string{
		`ip -n d -6 -o address show dev e0 | grep -q '2001:db8:5::60/128 .*valid_lft 1[12][0-9]sec'`,
		`ip -n d -4 -o address show dev e0 | grep -q '10.5.0.50/24'`,
		`grep -qx 'nameserver 2001:db8:5::53' /etc/netns/d/resolv.conf; grep -qx 'nameserver 10.5.0.53' /etc/netns/d/resolv.conf`,
		`grep -qx 'search six.example.org' /etc/netns/d/resolv.conf`,
		`grep -q 2001:db8:5::60 ` + filepath.Join(s.dir, "leases"),
	} {
		sh(t, c)
	}
	says(t, 0, "", "", "check", "d")
	if out, _, _ := rdomain("reload", "-n", "d"); out != "" {
		t.Errorf("reload -n = %s; want nothing to do", out)
	}
	quiet(t, "reload", "d")
	if l := leasesOf(t, "d"); len(l) != 2 || l[0].Address != "10.5.0.50/24" || l[1].Address != "2001:db8:5::60/128" || l[1].Expires == "" {
		t.Errorf("list --json has the leases %v", l)
	}
	// The cable is pulled, and another network is behind it.
	said := watching(t)
	if err := os.Remove(s.dir + "/leases"); err != nil {
		t.Fatal(err)
	}
	sh(t, "ip -n lan link set s0 down")
	awaitTrue(t, said, "! ip -n d link show e0 | grep -q LOWER_UP")
	sh(t, "ip -n lan address flush dev s0 scope global; ip -n lan address add 2001:db8:6::1/64 dev s0 nodad; ip -n lan address add 10.5.0.1/24 dev s0")
	serve("2001:db8:6::70") // before the link is up: the old server would say that the lease holds
	sh(t, "ip -n lan link set s0 up")
	await(t, said, 3000, `ip -n d -6 -o address show dev e0 | grep -q 2001:db8:6::70/128; ! ip -n d -6 address show dev e0 | grep -q ::60/`)
	awaitTrue(t, said, "rdomain check d")
	if _, stderr, code := rdomain("down", "d"); code != 0 { // it may have waited for the watch
		t.Errorf("down = %d, %s", code, stderr)
	}
	awaitTrue(t, new(buffer), "! grep -q 2001:db8:6::70 "+filepath.Join(s.dir, "leases"))
}

// No server answers by IPv4: the lease of DHCPv6 does not wait for it.
func TestLease6Alone(t *testing.T) {
	start(t)
	s := lan(t)
	sh(t, "ip -n lan address add 2001:db8:6::1/64 dev s0 nodad")
	s.start("10.9.0.50", "10.9.0.50", "--dhcp-range=2001:db8:6::80,2001:db8:6::80,64,120s")
	file(t, "d", "[Domain]\nTimeoutSec=5\n[Link e0]\nDHCP=yes\n")
	if _, stderr, code := rdomain("up", "d"); code != 0 || !strings.Contains(stderr, "no DHCP server answers on e0 after 5 s") || strings.Contains(stderr, "IPv6") {
		t.Errorf("up with a server of IPv6 = %d, %s", code, stderr)
	}
	sh(t, "ip -n d -6 -o address show dev e0 | grep -q 2001:db8:6::80/128")
	says(t, 1, "# d: /etc/rdomain/d.conf:4: link e0 has no lease: no DHCP server has answered\n", "", "check", "d")
}

// A reload while the watch asked a server was undone by what the server then gave, which was
// put in place by the file as it was when the asking began.
func TestReloadWhileAServerIsAsked(t *testing.T) {
	start(t)
	s := lan(t)
	const text = "[Domain]\nTimeoutSec=1\n[Link e0]\nDHCP=ipv4\n[Link b0]\nKind=bridge\n"
	file(t, "d", text)
	if _, stderr, code := rdomain("up", "d"); code != 0 {
		t.Fatalf("up = %d, %s", code, stderr)
	}
	s.start("10.5.0.50", "10.5.0.50", "--dhcp-reply-delay=2")
	said := watching(t)
	awaitTrue(t, said, "grep -q DHCPDISCOVER "+s.dir+"/log")
	file(t, "d", text+"Address=10.9.0.1/24\n")
	if _, stderr, code := rdomain("reload", "d"); code != 0 || strings.Contains(said.String(), "has 10.5.0.50") {
		t.Fatalf("reload = %d, %s\n%s", code, stderr, said)
	}
	awaitTrue(t, said, "ip -n d address show dev e0 | grep -q 10.5.0.50")
	sh(t, "ip -n d link set b0 down")
	awaitTrue(t, said, "ip -n d link show up dev b0 | grep -q b0")
	awaitSaid(t, said, "has 10.5.0.50/24 by DHCP")
	if text := said.String(); strings.Contains(text, "10.9.0.1") {
		t.Errorf("the watch said %s", text)
	}
	sh(t, "ip -n d address show dev b0 | grep -q 10.9.0.1")
}
