package dhcp

import (
	"bytes"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv6"

	"rdgen/runtime/object"
)

// ack is an acknowledgement as a server sends it.
func ack(t testing.TB, address string, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithYourIP(net.ParseIP(address)), dhcpv4.WithMessageType(dhcpv4.MessageTypeAck),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)), dhcpv4.WithLeaseTime(100), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 0, 0, 1)))}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a server says is checked, and what is not sound is left out.
func TestLease(t *testing.T) {
	route := func(to, via string) *dhcpv4.Route {
		_, n, _ := net.ParseCIDR(to)
		return &dhcpv4.Route{Dest: n, Router: net.ParseIP(via)}
	}
	m := ack(t, "10.0.0.9",
		dhcpv4.WithDNS(net.IPv4(127, 0, 0, 1), net.IPv4(224, 0, 0, 1), net.IPv4zero, net.IPv4(10, 0, 0, 2), net.IPv4(10, 0, 0, 2), net.IPv4(10, 0, 0, 3), net.IPv4(10, 0, 0, 4), net.IPv4(10, 0, 0, 5)),
		dhcpv4.WithRouter(net.IPv4(10, 0, 0, 7)),
		dhcpv4.WithOption(dhcpv4.OptClasslessStaticRoute(route("0.0.0.0/0", "10.0.0.1"), route("0.0.0.0/0", "10.0.0.2"), route("10.9.0.0/16", "0.0.0.0"),
			route("10.8.0.0/16", "255.255.255.255"), route("127.0.0.0/8", "10.0.0.1"), route("10.7.0.0/16", "10.0.0.9"))),
		dhcpv4.WithDomainSearchList("good.example", "bad\nnameserver 6.6.6.6", "also bad", "-o", "a.b"),
		dhcpv4.WithOption(dhcpv4.OptDomainName("unused.example")))
	got, err := lease("e0", m, 1000)
	want := &object.Lease{Link: "e0", Address: netip.MustParsePrefix("10.0.0.9/24"), Server: netip.MustParseAddr("10.0.0.1"),
		Routes: []object.LeaseRoute{{Destination: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr("10.0.0.1")}, {Destination: netip.MustParsePrefix("10.9.0.0/16")}},
		DNS:    []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("10.0.0.4")},
		Search: []string{"good.example", "a.b"}, Renew: 1050, End: 1100}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("lease = %+v, %v; want %+v", got, err, want)
	}
	got, err = lease("e0", ack(t, "10.0.0.9", dhcpv4.WithRouter(net.IPv4zero, net.IPv4(10, 0, 0, 7)), dhcpv4.WithLeaseTime(forever),
		dhcpv4.WithOption(dhcpv4.OptDomainName("a.example b.example"))), 1000)
	if err != nil || got.End != 0 || len(got.Routes) != 1 || got.Routes[0].Gateway.String() != "10.0.0.7" || strings.Join(got.Search, " ") != "a.example b.example" {
		t.Errorf("a lease for ever, with routers and a name = %+v, %v", got, err)
	}
	if got, err := lease("e0", ack(t, "10.0.0.9", dhcpv4.WithLeaseTime(2), dhcpv4.WithOption(dhcpv4.OptRenewTimeValue(time.Second))), 0); err != nil || got.Renew < shortest {
		t.Errorf("a lease of two seconds = %+v, %v; want it to be renewed after %d", got, err, shortest)
	}
	for _, address := range []string{"127.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "0.1.2.3"} {
		if got, err := lease("e0", ack(t, address), 0); err == nil {
			t.Errorf("the address %s = %+v; want an error", address, got)
		}
	}
	for what, m := range map[string]*dhcpv4.DHCPv4{"no mask": ack(t, "10.0.0.9", dhcpv4.WithoutOption(dhcpv4.OptionSubnetMask)),
		"no time": ack(t, "10.0.0.9", dhcpv4.WithLeaseTime(0))} {
		if got, err := lease("e0", m, 0); err == nil {
			t.Errorf("%s = %+v; want an error", what, got)
		}
	}
}

// FuzzMessage: no packet makes a lease that could not be written to a file or the kernel.
func FuzzMessage(f *testing.F) {
	from, to := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("255.255.255.255")
	f.Add(packet(ack(f, "10.0.0.9", dhcpv4.WithDomainSearchList("a.example")).ToBytes(), from, to))
	f.Add([]byte{0x45})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := parse(payload(b))
		if m == nil {
			return
		}
		l, err := lease("e0", m, 0)
		if err != nil {
			return
		}
		if !isHost(l.Address.Addr()) || !l.Address.IsValid() || len(l.Routes) > mostRoutes || len(l.DNS) > mostServers || len(strings.Join(l.Search, " ")) > longSearch {
			t.Errorf("%+v", l)
		}
		for _, name := range l.Search {
			if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("the name %q", name)
			}
		}
	})
}

// A packet of ours is what a server reads.
func TestPacket(t *testing.T) {
	data := []byte("odd")
	b := packet(data, netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.1"))
	if !bytes.Equal(payload(b), data) || sum(b[:20], 0) != 0 || sum(b[12:], 17+11) != 0 {
		t.Errorf("packet = %x: payload %q, sums %x and %x", b, payload(b), sum(b[:20], 0), sum(b[12:], 17+11))
	}
	for _, wrong := range [][]byte{nil, b[:19], b[:27], append([]byte{0x65}, b[1:]...), append([]byte{0x4f}, b[1:]...)} {
		if got := payload(wrong); got != nil {
			t.Errorf("payload(%x) = %q", wrong, got)
		}
	}
}

// reply is an answer of DHCPv6 as a server sends it.
func reply(t testing.TB, address string, valid time.Duration, more ...dhcpv6.Modifier) *dhcpv6.Message {
	t.Helper()
	ia := dhcpv6.OptIAAddress{IPv6Addr: net.ParseIP(address), PreferredLifetime: valid, ValidLifetime: valid}
	m, err := dhcpv6.NewMessage(append([]dhcpv6.Modifier{dhcpv6.WithIANA(ia), dhcpv6.WithServerID(&dhcpv6.DUIDLL{LinkLayerAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}})}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a server of DHCPv6 says is checked, and what is not sound is left out.
func TestLease6(t *testing.T) {
	m := reply(t, "2001:db8::9", 100*time.Second, dhcpv6.WithDNS(net.ParseIP("::1"), net.ParseIP("fe80::1"), net.ParseIP("2001:db8::53"), net.ParseIP("ff02::1")),
		dhcpv6.WithDomainSearchList("a.example", "b example", "a.example"))
	l, err := lease6("e0", m, 1000)
	want := &object.Lease{Link: "e0", Address: netip.MustParsePrefix("2001:db8::9/128"), ServerID: "00030000020000000001", DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")},
		Search: []string{"a.example"}, Renew: 1050, End: 1100}
	if err != nil || !reflect.DeepEqual(l, want) || l.Protocol() != object.DHCP6 {
		t.Errorf("lease6 = %+v, %v\nwant %+v", l, err, want)
	}
	for _, address := range []string{"fe80::9", "::1", "ff02::9", "::", "::ffff:10.0.0.9"} {
		if l, err := lease6("e0", reply(t, address, time.Minute), 0); err == nil {
			t.Errorf("lease6 of %s = %+v", address, l)
		}
	}
	if hasAddress(reply(t, "2001:db8::9", 0)) {
		t.Error("an address of no time is one")
	}
	if l, err := lease6("e0", reply(t, "2001:db8::9", forever*time.Second), 7); err != nil || l.End != 0 {
		t.Errorf("a lease without end = %+v, %v", l, err)
	}
}

func FuzzMessage6(f *testing.F) {
	f.Add(reply(f, "2001:db8::9", time.Minute, dhcpv6.WithDomainSearchList("a.example")).ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m := parse6(b)
		if m == nil || !hasAddress(m) {
			return
		}
		l, err := lease6("e0", m, 0)
		if err != nil {
			return
		}
		if !isHost6(l.Address.Addr()) || len(l.DNS) > mostServers || len(strings.Join(l.Search, " ")) > longSearch {
			t.Errorf("%+v", l)
		}
		for _, name := range l.Search {
			if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("the name %q", name)
			}
		}
	})
}
