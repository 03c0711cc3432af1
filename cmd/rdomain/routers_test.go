package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// radvd starts a real one on the network of e0, in place of one that runs.
func radvd(t *testing.T, s *server, options string) {
	t.Helper()
	s.stop()
	if err := os.WriteFile("/etc/passwd", []byte("root:x:0:0::/:/bin/sh\n"), 0o644); err != nil { // it looks whose its file may be
		t.Fatal(err)
	}
	conf := filepath.Join(s.dir, "radvd.conf")
	text := "interface s0 {\n AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 600;\n prefix 2001:db8:5::/64 { };\n" + options + "};\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s.run(os.Getenv("RDGEN_GATEWAY_ROOT")+"/usr/sbin/radvd", "-n", "-m", "logfile", "-l", s.dir+"/log", "-C", conf, "-p", s.dir+"/pid")
}

// run starts a program on the network of e0.
func (s *server) run(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command("ip", append([]string{"netns", "exec", "lan"}, args...)...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// dhcpd starts a real one of ISC that serves one address, in place of one that runs. What
// it knows of leases stays.
func dhcpd(t *testing.T, s *server, v6 bool, text string) {
	t.Helper()
	s.stop()
	family, conf, leases := map[bool]string{false: "-4", true: "-6"}[v6], s.dir+"/dhcpd.conf", s.dir+"/leases"
	file, err := os.OpenFile(leases, os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		file.Close()
		err = os.WriteFile(conf, []byte("authoritative; ping-check off; default-lease-time 120; max-lease-time 120;\n"+text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.run(os.Getenv("RDGEN_GATEWAY_ROOT")+"/usr/sbin/dhcpd", family, "-f", "-q", "-cf", conf, "-lf", leases, "-pf", s.dir+"/pid", "s0")
}

// A lease of another server than dnsmasq, of both families: it is the domain's, renewed with
// other resolvers, changed, and given back.
func TestLeaseOfISC(t *testing.T) {
	start(t)
	s := lan(t)
	gateway(t)
	said := leaseOf(t, s, func(net, address, dns string) {
		dhcpd(t, s, false, "subnet "+net+".0 netmask 255.255.255.0 { range "+net+"."+address+"; option routers "+net+".1; option dhcp-renewal-time 5;\n"+
			"option domain-name-servers "+dns+"; option domain-search \"lan.example.org\"; }\n")
	}, "tail -n 20 "+s.dir+"/leases | grep -A9 'lease 10.6.0.60' | grep -q 'binding state free'")

	sh(t, "ip -n lan address add 2001:db8:5::1/64 dev s0 nodad; rm "+s.dir+"/leases")
	dhcpd(t, s, true, "subnet6 2001:db8:5::/64 { range6 2001:db8:5::60 2001:db8:5::60; option dhcp6.name-servers 2001:db8:5::53; option dhcp6.domain-search \"six.example.org\"; }\n")
	file(t, "d", "[Link e0]\nDHCP=ipv6\n")
	quiet(t, "up", "d")
	sh(t, `ip -n d -6 -o address show dev e0 | grep -q '2001:db8:5::60/128 .*valid_lft'
		grep -qx 'nameserver 2001:db8:5::53' /etc/netns/d/resolv.conf; grep -qx 'search six.example.org' /etc/netns/d/resolv.conf`)
	awaitTrue(t, said, "rdomain check d")
	down(t, "d")
	awaitTrue(t, said, "tail -n 12 "+s.dir+"/leases | grep -q 'binding state released'")
}

// leaseOf has a server give one IPv4 address with resolvers, other resolvers with the same,
// and another address when the network is another, and gives that back. released is what is
// true then.
func leaseOf(t *testing.T, s *server, serve func(net, address, dns string), released string) *buffer {
	t.Helper()
	serve("10.5.0", "50", "10.5.0.53")
	file(t, "d", "[Link e0]\nDHCP=ipv4\n")
	quiet(t, "up", "d")
	sh(t, `ip -n d -4 -o address show dev e0 | grep -q '10.5.0.50/24 .*valid_lft 1[012][0-9]sec'
		ip -n d route show default | grep -q '^default via 10.5.0.1 dev e0 src 10.5.0.50'
		grep -qx 'nameserver 10.5.0.53' /etc/netns/d/resolv.conf; grep -qx 'search lan.example.org' /etc/netns/d/resolv.conf`)
	says(t, 0, "", "", "check", "d")
	said := watching(t)
	serve("10.5.0", "50", "10.5.0.54")
	awaitTrue(t, said, "grep -qx 'nameserver 10.5.0.54' /etc/netns/d/resolv.conf")
	// Another network is behind the cable when it is back, and the server there knows nothing
	// of the lease: it passes over who renews it.
	sh(t, "ip -n lan link set s0 down; ip -n lan -4 address flush dev s0; ip -n lan address add 10.6.0.1/24 dev s0")
	awaitTrue(t, said, "! ip -n d link show e0 | grep -q LOWER_UP")
	s.stop() // or it says that the lease holds, and there is no other cable for the next one
	sh(t, "rm "+s.dir+"/leases; ip -n lan link set s0 up")
	serve("10.6.0", "60", "10.6.0.53")
	await(t, said, 3000, "[ \"$(ip -n d -4 -o address show dev e0 | grep -o 'inet [0-9./]*')\" = 'inet 10.6.0.60/24' ]; rdomain check d")
	down(t, "d")
	awaitTrue(t, said, released)
	return said
}

// down brings a domain down, which may have to wait for the watch.
func down(t *testing.T, id string) {
	t.Helper()
	if _, stderr, code := rdomain("down", id); code != 0 {
		t.Fatalf("down %s = %d, %s", id, code, stderr)
	}
}

// What a router says of resolvers is the domain's, and no other's; it is asked again before
// that ends.
func TestAdvertisedResolvers(t *testing.T) {
	start(t)
	s := lan(t)
	gateway(t)
	sh(t, "ip -n lan address add 2001:db8:5::1/64 dev s0 nodad; ip netns exec lan sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'")
	radvd(t, s, " RDNSS 2001:db8:5::53 fe80::53 { AdvRDNSSLifetime 8; };\n DNSSL lan.example.org b.example.org { AdvDNSSLLifetime 8; };\n")
	file(t, "d", "[Link e0]\nIPv6AcceptRA=yes\n")
	quiet(t, "up", "d")
	resolv := func(want string) string {
		return "[ \"$(grep -v '^#' /etc/netns/d/resolv.conf)\" = '" + want + "' ]"
	}
	first := "nameserver 2001:db8:5::53\nnameserver fe80::53%e0\nsearch lan.example.org b.example.org"
	sh(t, resolv(first))
	says(t, 0, "", "", "check", "d")
	if out, _, _ := rdomain("reload", "-n", "d"); out != "" {
		t.Errorf("reload -n = %s; want nothing to do", out)
	}
	quiet(t, "reload", "d")
	sh(t, resolv(first))
	if l := leasesOf(t, "d"); len(l) != 0 {
		t.Errorf("list --json has the leases %v", l)
	}
	said := watching(t)
	radvd(t, s, " RDNSS 2001:db8:5::54 { AdvRDNSSLifetime 8; };\n")
	awaitTrue(t, said, resolv("nameserver 2001:db8:5::54"))
	awaitTrue(t, said, "rdomain check d")
	// It is gone, and what it said ends.
	s.stop()
	for !strings.Contains(said.String(), "no router answers") {
		time.Sleep(20 * time.Millisecond)
	}
	awaitTrue(t, said, resolv(""))
	radvd(t, s, " RDNSS 2001:db8:5::55 { };\n")
	awaitTrue(t, said, resolv("nameserver 2001:db8:5::55"))
	// The file's own come instead.
	file(t, "d", "[Domain]\nDNS=2001:db8::9\n[Link e0]\nIPv6AcceptRA=yes\n")
	quiet(t, "reload", "d")
	sh(t, resolv("nameserver 2001:db8::9"))
	if text := said.String(); strings.Contains(text, "fatal") {
		t.Errorf("the watch says %s", text)
	}
}

// An address that another host has already is declined, and the server gives another.
func TestLease6Declined(t *testing.T) {
	start(t)
	s := lan(t)
	sh(t, "ip -n lan address add 2001:db8:5::1/64 dev s0 nodad")
	s.start("10.5.0.50", "10.5.0.50", "--dhcp-range=2001:db8:5::60,2001:db8:5::61,64,120s")
	file(t, "d", "[Link e0]\nDHCP=ipv6\n")
	quiet(t, "up", "d")
	l := leasesOf(t, "d")
	if len(l) != 1 {
		t.Fatalf("leases %v", l)
	}
	first := strings.TrimSuffix(l[0].Address, "/128")
	second := map[string]string{"2001:db8:5::60": "2001:db8:5::61", "2001:db8:5::61": "2001:db8:5::60"}[first]
	quiet(t, "down", "d")
	awaitTrue(t, new(buffer), "! grep -q "+first+" "+filepath.Join(s.dir, "leases"))
	sh(t, "ip netns add other; ip -n lan link add m0 link s0 netns other type macvlan mode bridge; ip -n other link set m0 up; ip -n other address add "+first+"/64 dev m0 nodad")
	t.Cleanup(func() { sh(t, "ip netns delete other") })
	says(t, 0, "", "rdomain: note: d: /etc/rdomain/d.conf:2: "+first+" of the DHCPv6 server is that of another host on link e0; declined\n", "up", "d")
	if l := leasesOf(t, "d"); len(l) != 1 || l[0].Address != second+"/128" {
		t.Errorf("leases %v; want %s", l, second)
	}
	sh(t, "ip -n d -6 address show dev e0 | grep -q "+second+"/128; if ip -n d -6 address show dev e0 | grep -q "+first+"/; then exit 1; fi; grep -q 'DHCPDECLINE' "+s.dir+"/log")
	says(t, 0, "", "", "check", "d")
	quiet(t, "down", "d")
	awaitTrue(t, new(buffer), "! grep -q "+second+" "+filepath.Join(s.dir, "leases"))
}

// A server that does not answer holds nothing but the lease: while it is asked, a link that is
// made again is taken in.
func TestWatchKeepsWhileItAsks(t *testing.T) {
	start(t)
	lan(t)
	sh(t, "ip link add t0 type veth peer name t1")
	file(t, "d", "[Domain]\nTimeoutSec=0\n[Link e0]\nDHCP=ipv4\n[Link t0]\nAddress=10.8.0.2/24\n")
	if _, stderr, code := rdomain("up", "d"); code != 0 {
		t.Fatalf("up = %d, %s", code, stderr)
	}
	sh(t, `ip netns exec lan nft 'add table ip seen; add chain ip seen in { type filter hook prerouting priority 0; }; add rule ip seen in udp dport 67 counter'`)
	said := watching(t)
	awaitTrue(t, said, "! ip netns exec lan nft list table ip seen | grep -q 'packets 0 '")
	sh(t, "ip -n d link delete t0; ip link add t0 type veth peer name t1")
	awaitTrue(t, said, "ip -n d -4 -o address show dev t0 | grep -q 10.8.0.2/24")
	if text := said.String(); strings.Contains(text, "no DHCP server answers") {
		t.Errorf("t0 was taken in when the asking had ended: %s", text)
	}
	down(t, "d")
	sh(t, "ip link delete t0")
}
