package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// natted is a namespace whose packets leave by the default route of home.
const natted = `[Link veth0]
Kind=veth
Peer=veth-k
Address=10.7.0.2/30
Address=2001:db8:7::2/64
PeerAddress=10.7.0.1/30
PeerAddress=2001:db8:7::1/64
Masquerade=yes
[Route]
Destination=default
Gateway=10.7.0.1
[Route]
Destination=::/0
Gateway=2001:db8:7::1
`

const natTable = `table inet rdomain/k {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		iifname "veth-k" meta nfproto ipv4 masquerade
		iifname "veth-k" meta nfproto ipv6 masquerade
	}
}
`

// world makes a host, in namespace world, that knows home and nothing behind it.
func world(t *testing.T) {
	t.Helper()
	need.Tools(t, need.Root, "nft")
	sandbox.Sh(t, `
		ip netns add world
		ip link add uplink type veth peer name eth0 netns world
		ip netns exec world sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad'
		ip address add 192.0.2.1/24 dev uplink
		ip address add 2001:db8:2::1/64 dev uplink nodad
		ip link set uplink up
		ip -n world address add 192.0.2.2/24 dev eth0
		ip -n world address add 2001:db8:2::2/64 dev eth0 nodad
		ip -n world link set eth0 up
		ip route add default via 192.0.2.2`)
	t.Cleanup(func() { sandbox.Sh(t, `ip link delete uplink; ip netns delete world; nft flush ruleset`) })
}

// insideOf calls f in a namespace.
func insideOf(t *testing.T, name string, f func() error) {
	t.Helper()
	n, err := domain.ParseNetns(name)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.Open(n)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := ns.Inside(f); err != nil {
		t.Fatal(err)
	}
}

// seen is from which address a host of world is asked by k, whose question it answers.
func seen(t *testing.T, network, world string) (from string) {
	t.Helper()
	var server net.PacketConn
	insideOf(t, "world", func() (err error) {
		server, err = net.ListenPacket(network, net.JoinHostPort(world, "0"))
		return err
	})
	defer server.Close()
	var client net.Conn
	insideOf(t, "k", func() (err error) {
		client, err = net.Dial(network, server.LocalAddr().String())
		return err
	})
	defer client.Close()
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	_, peer, err := server.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = server.WriteTo([]byte("answer"), peer); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Read(b); err != nil || string(b[:n]) != "answer" {
		t.Fatalf("the answer is %q, %v", b[:n], err)
	}
	host, _, _ := net.SplitHostPort(peer.String())
	return host
}

// forwarding is whether home forwards IPv4 and IPv6.
func forwarding(t *testing.T) string {
	t.Helper()
	return strings.Join(strings.Fields(sandbox.Sh(t, `cd /proc/sys/net; cat ipv4/ip_forward ipv6/conf/all/forwarding`)), " ")
}

// A domain reaches the world by home's address and is answered; another up does nothing,
// a change by hand is seen and put right, and nothing is left.
func TestMasquerade(t *testing.T) {
	start(t)
	world(t)
	file(t, "k", natted)
	before := snapshot(t)
	script, stderr, code := rdomain("up", "-n", "k")
	for _, line := range []string{
		`nft 'table inet rdomain/k { chain postrouting { type nat hook postrouting priority srcnat; iifname "veth-k" meta nfproto ipv4 masquerade; ` +
			`iifname "veth-k" meta nfproto ipv6 masquerade; }; }'` + "\n",
		"sysctl -qw net/ipv4/ip_forward=1\n", "sysctl -qw net/ipv6/conf/all/forwarding=1\n"} {
		if code != 0 || !strings.Contains(script, line) {
			t.Errorf("up -n = %d, %s%s\nwant %s", code, script, stderr, line)
		}
	}
	quiet(t, "up", "k")
	quiet(t, "up", "k")
	says(t, 0, "", "", "up", "-n", "k")
	says(t, 0, "", "", "check", "k")
	for network, address := range map[string][2]string{"udp4": {"192.0.2.2", "192.0.2.1"}, "udp6": {"2001:db8:2::2", "2001:db8:2::1"}} {
		if from := seen(t, network, address[0]); from != address[1] {
			t.Errorf("%s: the world is asked by %s; want %s", network, from, address[1])
		}
	}
	if got := sandbox.Sh(t, `nft list ruleset`); got != natTable {
		t.Errorf("home's tables (-want +got): %s", cmp.Diff(natTable, got))
	}
	sandbox.Sh(t, `nft 'add rule inet rdomain/k postrouting counter'; echo 0 >/proc/sys/net/ipv4/ip_forward`)
	out, _, code := rdomain("check", "k")
	if code != 1 || !strings.Contains(out, "\n+sysctl -qw net/ipv4/ip_forward=1") || !strings.Contains(out, "\n+nft ") {
		t.Errorf("check = %d, %s", code, out)
	}
	quiet(t, "reload", "k")
	says(t, 0, "", "", "check", "k")
	if got := sandbox.Sh(t, `nft list ruleset`); got != natTable || forwarding(t) != "1 1" {
		t.Errorf("reload leaves forwarding %s and %s", forwarding(t), cmp.Diff(natTable, got))
	}
	// Less of it.
	file(t, "k", strings.Replace(natted, "Masquerade=yes", "Masquerade=ipv4", 1))
	quiet(t, "reload", "k")
	if got := sandbox.Sh(t, `nft list ruleset`); strings.Contains(got, "ipv6") || forwarding(t) != "1 0" {
		t.Errorf("reload leaves forwarding %s and %s", forwarding(t), got)
	}
	file(t, "k", strings.Replace(natted, "Masquerade=yes", "Masquerade=no", 1))
	quiet(t, "reload", "k")
	if got := sandbox.Sh(t, `nft list ruleset`); got != "" || forwarding(t) != "0 0" {
		t.Errorf("reload leaves forwarding %s and %s", forwarding(t), got)
	}
	file(t, "k", natted)
	quiet(t, "reload", "k")
	quiet(t, "down", "k")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, script)
	if got := sandbox.Sh(t, `nft list ruleset`); got != natTable {
		t.Errorf("the printed commands make %s", got)
	}
	sandbox.Sh(t, `ip link delete veth-k; ip netns delete k; nft flush ruleset; cd /proc/sys/net; echo 0 >ipv4/ip_forward; echo 0 >ipv6/conf/all/forwarding`)
}

// Home forwards as long as one domain needs it, whichever ends first; what was on
// before stays on, for one link too.
func TestForwardingIsShared(t *testing.T) {
	start(t)
	world(t)
	two := strings.NewReplacer("veth-k", "veth-j", "10.7.0", "10.8.0", "db8:7", "db8:8").Replace(natted)
	file(t, "k", natted)
	file(t, "j", two)
	sandbox.Sh(t, `echo 1 >/proc/sys/net/ipv4/conf/uplink/forwarding`)
	before := snapshot(t)
	for _, first := range []string{"k", "j"} {
		other := map[string]string{"k": "j", "j": "k"}[first]
		quiet(t, "up", "k", "j")
		quiet(t, "down", first)
		if forwarding(t) != "1 1" {
			t.Errorf("down %s takes the forwarding of %s: %s", first, other, forwarding(t))
		}
		quiet(t, "down", other)
		if got := snapshot(t); got != before {
			t.Errorf("down leaves %s", cmp.Diff(before, got))
		}
		if got := sandbox.Sh(t, `cat /proc/sys/net/ipv4/conf/uplink/forwarding /proc/sys/net/ipv4/conf/default/forwarding`); got != "1\n0\n" {
			t.Errorf("forwarding of uplink, and of new links, is %q", got)
		}
	}
	// A domain whose record is gone needs nothing.
	quiet(t, "up", "k", "j")
	sandbox.Sh(t, `rm /run/rdomain/j.*; ip netns delete j; nft delete table inet rdomain/j`)
	quiet(t, "down", "k")
	if forwarding(t) != "0 0" {
		t.Errorf("forwarding is %s", forwarding(t))
	}
	sandbox.Sh(t, `echo 1 >/proc/sys/net/ipv4/ip_forward`)
	quiet(t, "up", "k")
	quiet(t, "down", "k")
	if forwarding(t) != "1 0" {
		t.Errorf("what was on before is now %s", forwarding(t))
	}
	sandbox.Sh(t, `echo 0 >/proc/sys/net/ipv4/ip_forward`)
}

// A table of the name that somebody else made is not touched, and neither is what
// somebody changed; a step that fails takes table and forwarding back.
func TestMasqueradeBesideOthers(t *testing.T) {
	start(t)
	world(t)
	file(t, "k", natted)
	before := snapshot(t)
	sandbox.Sh(t, `nft add table inet rdomain/k`)
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/k.conf:8: table inet rdomain/k exists already in the default domain, and is another one than is wanted; delete it\n", "up", "k")
	sandbox.Sh(t, `nft delete table inet rdomain/k`)
	file(t, "k", natted+"[Route]\nDestination=10.9.0.0/16\nGateway=10.99.0.1\n")
	if _, stderr, code := rdomain("up", "k"); code != 111 || !strings.Contains(stderr, "k.conf:15: ") {
		t.Errorf("up = %d, %s", code, stderr)
	}
	if got := snapshot(t); got != before {
		t.Errorf("an up that failed leaves %s", cmp.Diff(before, got))
	}
	file(t, "k", natted)
	quiet(t, "up", "k")
	sandbox.Sh(t, `nft 'add chain inet rdomain/k mine'`)
	says(t, 0, "", "rdomain: note: k: table inet rdomain/k in the default domain was changed since it was made; left alone\n", "down", "k")
	sandbox.Sh(t, `nft delete table inet rdomain/k`)
	if got := snapshot(t); got != before {
		t.Errorf("down leaves %s", cmp.Diff(before, got))
	}
}

// Where another table drops what is forwarded, check says which, and a line by which the
// packets do pass; and it is silent when they do.
func TestMasqueradeIsDropped(t *testing.T) {
	start(t)
	world(t)
	file(t, "k", strings.Replace(natted, "Masquerade=yes", "Masquerade=ipv4", 1))
	quiet(t, "up", "k")
	const iptables = `iptables -I %s -i veth-k -j ACCEPT; iptables -I %[1]s -o veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`
	for _, c := range []struct{ name, ruleset, chain, hint, pass string }{
		{"nft", `add table inet f; add chain inet f forward { type filter hook forward priority 0; policy drop; }`, "forward of table inet f",
			`nft 'insert rule inet f forward iifname "veth-k" accept'; nft 'insert rule inet f forward oifname "veth-k" ct state established,related accept'`, ""},
		{"reject", `add table inet f; add chain inet f forward { type filter hook forward priority 0; }; add rule inet f forward ct state invalid drop; add rule inet f forward counter reject with icmpx admin-prohibited`, "forward of table inet f",
			`nft 'insert rule inet f forward iifname "veth-k" accept'; nft 'insert rule inet f forward oifname "veth-k" ct state established,related accept'`, ""},
		{"iptables", `add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }`, "FORWARD of table ip filter",
			fmt.Sprintf(iptables, "FORWARD"), `add rule ip filter FORWARD iifname "veth-k" accept; add rule ip filter FORWARD oifname "veth-k" ct state established accept`},
		{"Docker", `add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; add chain ip filter DOCKER-USER; add rule ip filter FORWARD jump DOCKER-USER`,
			"FORWARD of table ip filter", fmt.Sprintf(iptables, "DOCKER-USER"), `add rule ip filter DOCKER-USER iifname "veth-k" accept; add rule ip filter DOCKER-USER oifname "veth-k" ct state established accept`},
		{"ufw", `add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }; add chain ip filter ufw-user-forward; add rule ip filter FORWARD ct state established accept; add rule ip filter FORWARD jump ufw-user-forward`,
			"FORWARD of table ip filter", "ufw route allow in on veth-k", `add rule ip filter ufw-user-forward iifname "veth-k" accept`},
		{"firewalld", `add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy drop; }; add rule inet firewalld filter_FORWARD ct state established accept`,
			"filter_FORWARD of table inet firewalld", "firewall-cmd --zone=trusted --add-interface=veth-k", `add rule inet firewalld filter_FORWARD iifname "veth-k" accept`},
	} {
		sandbox.Sh(t, "nft '"+c.ruleset+"'")
		want := "# k: chain " + c.chain + " in the default domain drops what is forwarded from veth-k (ipv4); to let it pass: " + c.hint + "\n"
		if out, stderr, code := rdomain("check", "k"); code != 1 || out != want || stderr != "" {
			t.Errorf("%s: check = %d, %s%s\nwant %s", c.name, code, out, stderr, want)
		}
		if c.pass != "" {
			sandbox.Sh(t, "nft '"+c.pass+"'")
		} else {
			sandbox.Sh(t, c.hint)
		}
		says(t, 0, "", "", "check", "k")
		if from := seen(t, "udp4", "192.0.2.2"); from != "192.0.2.1" {
			t.Errorf("%s: the world is asked by %s", c.name, from)
		}
		sandbox.Sh(t, `nft list tables | grep -v rdomain | sed "s/^/delete /" | nft -f -`)
	}
	quiet(t, "down", "k")
}

// In the namespace of another domain, and with nothing left when that goes first.
func TestMasqueradeInAnotherNamespace(t *testing.T) {
	start(t)
	need.Tools(t, need.Root, "nft")
	file(t, "o", "")
	file(t, "k", strings.Replace(natted, "Peer=", "Outer=o\nPeer=", 1))
	before := snapshot(t)
	quiet(t, "up", "k")
	if got := sandbox.Sh(t, `ip netns exec o nft list ruleset`); got != natTable {
		t.Errorf("o has %s", got)
	}
	if got := sandbox.Sh(t, `ip netns exec o cat /proc/sys/net/ipv4/ip_forward; nft list ruleset`); got != "1\n" || forwarding(t) != "0 0" {
		t.Errorf("o forwards %s; home %s", got, forwarding(t))
	}
	says(t, 0, "", "", "check", "k")
	if _, stderr, code := rdomain("down", "o"); code != 0 || !strings.Contains(stderr, "k is up and requires it") {
		t.Errorf("down o = %d, %s", code, stderr)
	}
	if _, _, code := rdomain("check", "k"); code != 1 {
		t.Errorf("check without the outer namespace = %d", code)
	}
	quiet(t, "up", "k")
	says(t, 0, "", "", "check", "k")
	quiet(t, "down", "--all")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves %s", cmp.Diff(before, got))
	}
}

// A host whose routes come by router advertisements would lose them.
func TestMasqueradeKeepsAdvertisedRoutes(t *testing.T) {
	start(t)
	world(t)
	sandbox.Sh(t, `echo 1 >/proc/sys/net/ipv6/conf/uplink/accept_ra; echo 0 >/proc/sys/net/ipv6/conf/uplink/forwarding`)
	insideOf(t, "world", advertise)
	sandbox.Sh(t, `until ip -6 route show default proto ra | grep -q uplink; do :; done`)
	file(t, "k", natted)
	_, stderr, code := rdomain("up", "k")
	want := "rdomain: fatal: /etc/rdomain/k.conf:8: a host that forwards IPv6 ignores router advertisements, and the default domain has routes on uplink by them; " +
		"set net.ipv6.conf.uplink.accept_ra=2 there, or use IPv4 alone\n"
	if code != 111 || stderr != want {
		t.Errorf("up = %d, %s\nwant %s", code, stderr, want)
	}
	sandbox.Sh(t, `echo 2 >/proc/sys/net/ipv6/conf/uplink/accept_ra`)
	quiet(t, "up", "k")
	quiet(t, "down", "k")
}

// advertise sends a router advertisement to all nodes on eth0.
func advertise() error {
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, eth0.Index))
	if err != nil {
		return err
	}
	// Type 134, a hop limit of 64, and half an hour as a default router (RFC 4861).
	return unix.Sendto(fd, []byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0}, 0,
		&unix.SockaddrInet6{Addr: [16]byte{0xff, 0x02, 15: 1}, ZoneId: uint32(eth0.Index)})
}

// Two hundred domains share it, each with a port of its own, up and down at once.
func TestMasqueradeOfMany(t *testing.T) {
	need.Slow(t)
	start(t)
	world(t)
	before := snapshot(t)
	for i := range 200 {
		file(t, fmt.Sprintf("s%d", i), fmt.Sprintf("[Link veth0]\nKind=veth\nPeer=s%d\nAddress=10.100.%d.2/30\nPeerAddress=10.100.%d.1/30\nMasquerade=yes\n[Publish]\nListen=%d\nConnect=80\n", i, i, i, 8000+i))
	}
	weigh(t, "up", "--all")
	if n := strings.Count(sandbox.Sh(t, `nft list ruleset`), " masquerade\n"); n != 200 || forwarding(t) != "1 0" {
		t.Errorf("%d rules; forwarding %s", n, forwarding(t))
	}
	weigh(t, "check", "--all")
	weigh(t, "down", "--all")
	if got := snapshot(t); got != before || forwarding(t) != "0 0" {
		t.Errorf("down leaves %s", cmp.Diff(before, got))
	}
}
