package main

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/test/sandbox"
)

// bindIn binds a socket to an IPv6 address in a namespace, "" for the sandbox's.
func bindIn(t *testing.T, name, addr string) error {
	t.Helper()
	to := unix.SockaddrInet6{Port: 80, Addr: netip.MustParseAddr(addr).As16()}
	bind := func() error {
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &to)
	}
	if name == "" {
		return bind()
	}
	n, err := domain.ParseNetns(name)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.Open(n)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	return ns.Inside(bind)
}

// A daemon that binds to its address could not do so for a second or two after up,
// and the variable that helps was set when it was too late.
func TestAddressesAreUsableWhenUpReturns(t *testing.T) {
	const link = "[Link veth0]\nKind=veth\nPeer=h1p\nAddress=2001:db8::2/64\nPeerAddress=2001:db8::1/64\n"
	for _, c := range []struct{ name, text string }{
		{"waits", link},
		{"waits for the cable of a taken link", "[Link eth7]\nAddress=2001:db8::2/64\n"},
		{"is told not to detect", link + "[Sysctl]\nnet.ipv6.conf.veth0.accept_dad=0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start(t)
			if strings.Contains(c.text, "eth7") {
				sandbox.Sh(t, `ip link add eth7 type veth peer name eth7p; ip link set eth7 up`)
				defer sandbox.Sh(t, `ip link delete eth7`)
				go sandbox.Sh(t, `until ip -n d -br link show eth7 2>/dev/null | grep -q UP; do :; done; ip link set eth7p up`)
			}
			file(t, "d", c.text)
			quiet(t, "up", "d")
			if err := bindIn(t, "d", "2001:db8::2"); err != nil {
				t.Errorf("bind after up: %v", err)
			}
			if strings.Contains(c.text, "PeerAddress") && !strings.Contains(c.text, "accept_dad") {
				if err := bindIn(t, "", "2001:db8::1"); err != nil {
					t.Errorf("bind to the other end's address after up: %v", err)
				}
			}
			quiet(t, "down", "d")
		})
	}
}

// What another host has is not up.
func TestDuplicateAddressIsAnError(t *testing.T) {
	start(t)
	before := snapshot(t)
	sandbox.Sh(t, `ip netns add lan; ip -n lan link add br0 type bridge; ip -n lan link set br0 up
		ip -n lan address add 2001:db8::2/64 dev br0 nodad`)
	file(t, "lan", "[Link br0]\n")
	file(t, "d", "[Link veth0]\nKind=veth\nPeer=ve1\nOuter=lan\nPeerBridge=br0\nAddress=2001:db8::2/64\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/d.conf:6: address 2001:db8::2 of link veth0 is that of another host on the link already\n",
		"up", "d")
	sandbox.Sh(t, `ip netns delete lan`)
	quiet(t, "down", "--all")
	if got := snapshot(t); got != before {
		t.Errorf("up leaves\n%s", got)
	}
}

// Variables of a link come after the link and before its addresses, and the
// resolver's files before the namespace; what is removed goes the other way.
func TestOrderOfSteps(t *testing.T) {
	start(t)
	file(t, "d", "[Domain]\nDNS=10.0.0.53\n[Link veth0]\nKind=veth\nPeer=h1p\nAddress=2001:db8::2/64\n[Link br0]\nKind=bridge\n"+
		"[Sysctl]\nnet.ipv6.conf.veth0.accept_dad=0\nnet.ipv6.conf.br0.accept_ra=0\nnet.ipv6.conf.default.autoconf=0\n")
	inOrder(t, []string{"up", "-n", "d"}, "/etc/netns/d/resolv.conf", "netns add d", "default/autoconf", "type veth", "type bridge",
		"veth0/accept_dad", "br0/accept_ra", "address add", "link set veth0 up")
	quiet(t, "up", "d")
	inOrder(t, []string{"down", "-n", "d"}, "netns delete d", "/etc/netns/d/resolv.conf")
	// Also where the line is added later.
	file(t, "d", "[Link br0]\nKind=bridge\n")
	quiet(t, "reload", "d")
	file(t, "d", "[Domain]\nDNS=10.0.0.53\n[Link br0]\nKind=bridge\n")
	quiet(t, "reload", "d")
	inOrder(t, []string{"down", "-n", "d"}, "netns delete d", "/etc/netns/d/resolv.conf")
	quiet(t, "down", "d")
	_ = os.Remove("/etc/netns/d")
}

// inOrder runs rdomain and wants words in its output, one after the other.
func inOrder(t *testing.T, args []string, words ...string) {
	t.Helper()
	out, stderr, code := rdomain(args...)
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("rdomain %s = %d: %q does not come after the words before it in\n%s%s", args, code, w, out, stderr)
		}
		rest = after
	}
}

// DNS= is taken out of the file: what is started then has the host's resolver again,
// while a file that somebody removes is missing.
func TestReloadWithoutDNSGivesTheHostsBack(t *testing.T) {
	start(t)
	sandbox.Sh(t, `echo nameserver 192.0.2.1 >/etc/resolv.conf`)
	defer sandbox.Sh(t, `rm /etc/resolv.conf`)
	file(t, "d", "[Domain]\nDNS=10.0.0.53\n")
	quiet(t, "up", "d")
	says(t, 0, "# Made by rdomain from /etc/rdomain/d.conf\nnameserver 10.0.0.53\n", "", "exec", "d", "cat", "/etc/resolv.conf")
	file(t, "d", "")
	quiet(t, "reload", "d")
	says(t, 0, "nameserver 192.0.2.1\n", "", "exec", "d", "cat", "/etc/resolv.conf")
	quiet(t, "down", "d")
}
