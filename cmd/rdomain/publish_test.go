package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rdgen/test/sandbox"
)

// published is a namespace whose default route is another's, with ports that are reached
// by home's addresses.
const published = `[Link veth0]
Kind=veth
Peer=veth-k
Address=10.7.0.2/30
Address=2001:db8:7::2/64
PeerAddress=10.7.0.1/30
PeerAddress=2001:db8:7::1/64
[Link vpn0]
Kind=veth
Peer=vpn-k
Outer=vpn
Address=10.66.0.2/24
Address=2001:db8:66::2/64
PeerAddress=10.66.0.1/24
PeerAddress=2001:db8:66::1/64
[Route]
Destination=default
Gateway=10.66.0.1
[Route]
Destination=::/0
Gateway=2001:db8:66::1
[Publish]
Listen=8080
Connect=10.7.0.2:80
[Publish]
Listen=[2001:db8:2::1]:8080
Connect=[2001:db8:7::2]:80
[Publish]
Listen=192.0.2.1:5353
Connect=10.7.0.2:53
Protocol=udp
`

// asked returns the address that a server of k sees of a client in a namespace, which is
// answered.
func asked(t *testing.T, server net.Listener, from, address string) string {
	t.Helper()
	var client net.Conn
	dial := func() (err error) {
		client, err = net.Dial("tcp", address)
		return err
	}
	if from == "" {
		if err := dial(); err != nil {
			t.Fatal(err)
		}
	} else {
		insideOf(t, from, dial)
	}
	defer client.Close()
	c, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	if _, err := client.Read(b); err != nil || string(b) != "answer" {
		t.Fatalf("the answer is %q, %v", b, err)
	}
	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	return host
}

// A port is reached from another machine and from the host itself, the client's address is
// seen, and the answer goes back the way that the question came, though the default route is
// another one; nothing goes to that, and nothing else is reached.
func TestPublish(t *testing.T) {
	start(t)
	world(t)
	sandbox.Sh(t, `ip netns add vpn; ip netns exec vpn nft 'add table inet seen; add chain inet seen in { type filter hook prerouting priority -300; }; add rule inet seen in iifname vpn-k meta l4proto { tcp, udp } counter'
		ip -n world route add 10.7.0.0/30 via 192.0.2.1`)
	file(t, "k", published)
	before := snapshot(t)
	script, stderr, code := rdomain("up", "-n", "k")
	if code != 0 {
		t.Errorf("up -n = %d, %s", code, stderr)
	}
	quiet(t, "up", "k")
	says(t, 0, "", "", "up", "-n", "k")
	says(t, 0, "", "", "check", "k")
	listen := func(network, address string) (l net.Listener) {
		insideOf(t, "k", func() (err error) {
			l, err = net.Listen(network, address)
			return err
		})
		return l
	}
	four, six := listen("tcp4", ":80"), listen("tcp6", "[::]:80")
	defer four.Close()
	defer six.Close()
	for _, c := range []struct {
		server              net.Listener
		from, address, want string
	}{
		{four, "world", "192.0.2.1:8080", "192.0.2.2"}, {six, "world", "[2001:db8:2::1]:8080", "2001:db8:2::2"},
		{four, "", "192.0.2.1:8080", "192.0.2.1"}, {six, "", "[2001:db8:2::1]:8080", "2001:db8:2::1"}, {four, "", "10.7.0.1:8080", "10.7.0.1"},
	} {
		if got := asked(t, c.server, c.from, c.address); got != c.want {
			t.Errorf("the client of %s in %q is seen as %s; want %s", c.address, c.from, got, c.want)
		}
	}
	// A datagram to what is not published is dropped: a later one to what is arrives.
	packets := func(address string) (p net.PacketConn) {
		insideOf(t, "k", func() (err error) {
			p, err = net.ListenPacket("udp4", address)
			return err
		})
		return p
	}
	open, hidden := packets("10.7.0.2:53"), packets("10.7.0.2:54")
	defer open.Close()
	defer hidden.Close()
	insideOf(t, "world", func() error {
		for _, to := range []string{"10.7.0.2:54", "10.7.0.2:53", "192.0.2.1:5353"} {
			c, err := net.Dial("udp4", to)
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write([]byte(to)); err != nil {
				return err
			}
		}
		return nil
	})
	b := make([]byte, 64)
	if n, _, err := open.ReadFrom(b); err != nil || string(b[:n]) != "192.0.2.1:5353" {
		t.Errorf("what arrives is %q, %v", b[:n], err)
	}
	_ = hidden.SetReadDeadline(time.Unix(1, 0))
	if n, _, err := hidden.ReadFrom(b); err == nil {
		t.Errorf("%q arrives at a port that is not published", b[:n])
	}
	if got := sandbox.Sh(t, `ip netns exec vpn nft list ruleset`); !strings.Contains(got, "counter packets 0 ") {
		t.Errorf("something went to the VPN: %s", got)
	}
	// The last is what the kernel executes for each rule.
	const all = `nft list ruleset; ip -n k rule; ip -n k route show table 19970; nft --debug=netlink list ruleset | grep '^ *\['`
	made := sandbox.Sh(t, all)
	file(t, "k", strings.Replace(published, "Listen=8080", "Listen=8081", 1))
	quiet(t, "reload", "k")
	if got := asked(t, four, "world", "192.0.2.1:8081"); got != "192.0.2.2" {
		t.Errorf("after reload it is asked by %s", got)
	}
	file(t, "k", published)
	quiet(t, "reload", "k")
	says(t, 0, "", "", "check", "k")
	quiet(t, "down", "k")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, script)
	if got := sandbox.Sh(t, all); got != made {
		t.Errorf("the printed commands make (-rdomain +printed): %s", cmp.Diff(made, got))
	}
	sandbox.Sh(t, `ip link delete veth-k; ip netns delete k; ip netns delete vpn; nft flush ruleset; cd /proc/sys/net; echo 0 >ipv4/ip_forward; echo 0 >ipv6/conf/all/forwarding`)
}

// A port that a program has, or another domain, is refused, and so are two domains with one
// network; what starts to listen later is seen by check.
func TestPublishWhatIsInUse(t *testing.T) {
	start(t)
	world(t)
	text, _, _ := strings.Cut(published, "[Link vpn0]")
	text += "[Publish]\nListen=8080\n"
	file(t, "k", text)
	before := snapshot(t)
	for _, c := range []struct {
		address string
		inUse   bool
	}{{"0.0.0.0:8080", true}, {"[::]:8080", true}, {"192.0.2.1:8080", true}, {"[2001:db8:2::1]:8080", true}, {"127.0.0.1:8080", false}, {"192.0.2.1:8081", false}} {
		l, err := net.Listen("tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		stdout, stderr, code := rdomain("up", "k")
		want := "rdomain: fatal: /etc/rdomain/k.conf:8: tcp port 8080 is in use: a program in the default domain listens at " + strings.Replace(c.address, "0.0.0.0", "[::]", 1) + "\n"
		if c.inUse && (code != 111 || stderr != want && stderr != strings.Replace(want, "[::]", "0.0.0.0", 1)) || !c.inUse && code != 0 {
			t.Errorf("%s: up = %d, %s%s\nwant %s", c.address, code, stdout, stderr, want)
		}
		l.Close()
		quiet(t, "down", "k")
		if got := snapshot(t); got != before {
			t.Errorf("%s: something is left: %s", c.address, cmp.Diff(before, got))
		}
	}
	quiet(t, "up", "k")
	l, err := net.Listen("tcp", "192.0.2.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	if out, _, code := rdomain("check", "k"); code != 1 || !strings.Contains(out, "tcp port 8080 is in use") {
		t.Errorf("check = %d, %s", code, out)
	}
	l.Close()
	says(t, 0, "", "", "check", "k")
	quiet(t, "down", "k")

	file(t, "m", strings.NewReplacer("veth-k", "veth-m", "10.7.0", "10.8.0", "db8:7", "db8:8").Replace(text))
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/m.conf:8: Listen=8080 is published already, in /etc/rdomain/k.conf:8\n"+
		"rdomain: hint: take another port, or give each an address of its own\n", "up", "m")
	file(t, "m", strings.NewReplacer("veth-k", "veth-m", "8080", "8081").Replace(text))
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/m.conf:6: PeerAddress=10.7.0.1/30 is in the network of another domain's link, in /etc/rdomain/k.conf:6: answers would go to one of the two\n"+
		"rdomain: hint: give the link another network\n", "up", "m")
	if got := snapshot(t); got != before {
		t.Errorf("something is left: %s", cmp.Diff(before, got))
	}
}

// Who binds to the address of a published port does not leave by its link, unless the
// domain's packets may.
func TestPublishLetsNothingOut(t *testing.T) {
	start(t)
	world(t)
	text, _, _ := strings.Cut(published, "[Link vpn0]")
	file(t, "k", text+"[Publish]\nListen=8080\n")
	quiet(t, "up", "k")
	sandbox.Sh(t, `nft 'add table inet seen; add chain inet seen out { type filter hook postrouting priority 300; }; add rule inet seen out oifname uplink ip daddr 192.0.2.2 meta l4proto udp counter'`)
	ask := func() {
		insideOf(t, "k", func() error {
			c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 7, 0, 2)}, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 9})
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Write([]byte("x"))
			return err
		})
	}
	ask()
	if got := sandbox.Sh(t, `nft list table inet seen`); !strings.Contains(got, "counter packets 0 ") {
		t.Errorf("a packet left: %s", got)
	}
	file(t, "k", strings.Replace(text, "Peer=", "Masquerade=ipv4\nPeer=", 1)+"[Publish]\nListen=8080\n")
	quiet(t, "reload", "k")
	ask()
	if got := sandbox.Sh(t, `nft list table inet seen`); !strings.Contains(got, "counter packets 1 ") {
		t.Errorf("no packet left: %s", got)
	}
	quiet(t, "down", "k")
}
