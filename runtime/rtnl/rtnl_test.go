package rtnl

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func open(t *testing.T) *Conn {
	t.Helper()
	sandbox.Need(t)
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is made here is what ip(8) sees, and what ip(8) made is what is read.
func TestLinks(t *testing.T) {
	c := open(t)
	must(t, c.AddLink(object.Link{Name: "br0", Kind: "bridge", MTU: 1400, MAC: "02:00:00:00:00:01"}, Here))
	br, err := c.Link("br0")
	must(t, err)
	if br.Kind != "bridge" || br.MTU != 1400 || br.MAC != "02:00:00:00:00:01" || br.Up {
		t.Errorf("Link(br0) = %+v", br)
	}
	must(t, c.SetUp(br.Index, true))
	must(t, c.SetMTU(br.Index, 1300))
	must(t, c.SetMAC(br.Index, "02:00:00:00:00:02"))
	out := sandbox.Sh(t, `ip -o link show br0`)
	for _, want := range []string{"UP", "mtu 1300", "02:00:00:00:00:02"} {
		if !strings.Contains(out, want) {
			t.Errorf("ip says %q; want %q in it", out, want)
		}
	}
	sandbox.Sh(t, `ip link add v0 type veth peer name v1; ip link set v0 master br0`)
	v0, err := c.Link("v0")
	must(t, err)
	v1, err := c.LinkAt(v0.Peer)
	must(t, err)
	if v0.Master != br.Index || v1.Name != "v1" || v1.Peer != v0.Index {
		t.Errorf("v0 = %+v, v1 = %+v", v0, v1)
	}
	if veths, err := c.Links("veth"); err != nil || len(veths) != 2 {
		t.Errorf("Links(veth) = %+v, %v; want two", veths, err)
	}
	must(t, c.SetMaster(v0.Index, 0))
	must(t, c.DeleteLink(v0.Index))
	must(t, c.DeleteLink(br.Index))
	for _, err := range []error{func() error { _, err := c.Link("v1"); return err }(), c.DeleteLink(br.Index)} {
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, unix.ENODEV) {
			t.Errorf("error for a link that is gone: %v; want fs.ErrNotExist and ENODEV", err)
		}
	}
	if links, err := c.Links(""); err != nil || len(links) != 1 || links[0].Name != "lo" {
		t.Errorf("Links() = %+v, %v; want lo", links, err)
	}
}

func TestVethAcrossNamespaces(t *testing.T) {
	c := open(t)
	sandbox.Sh(t, `ip netns add far`)
	home, err := netns.Self()
	must(t, err)
	defer home.Close()
	ns, err := netns.OpenPath("/run/netns/far")
	must(t, err)
	defer ns.Close()
	var in *Conn
	must(t, ns.Inside(func() (err error) { in, err = Open(); return err }))
	defer in.Close()
	must(t, in.AddLink(object.Link{Name: "v0", Kind: "veth", Peer: "v1"}, Sides{-1, home.Fd(), -1, 0}))
	inner, err := in.Link("v0")
	must(t, err)
	outer, err := c.Link("v1")
	must(t, err)
	if inner.Peer != outer.Index || outer.Peer != inner.Index {
		t.Errorf("inner %+v, outer %+v are no pair", inner, outer)
	}
	must(t, c.SetNetns(outer.Index, ns.Fd()))
	if _, err := in.Link("v1"); err != nil {
		t.Errorf("v1 did not move: %v", err)
	}
	sandbox.Sh(t, `ip -n far link delete v0; ip netns delete far`)
}

func TestAlternativeNameIsNoName(t *testing.T) {
	c := open(t)
	sandbox.Sh(t, `ip link add br0 type bridge; ip link property add dev br0 altname other`)
	if l, err := c.Link("other"); err == nil {
		t.Errorf("Link(other) = %+v; want an error", l)
	}
	sandbox.Sh(t, `ip link delete br0`)
}

func TestAddresses(t *testing.T) {
	c := open(t)
	sandbox.Sh(t, `ip link add br0 type bridge; ip link set br0 up
		ip address add 10.0.0.1/24 broadcast + label br0:x metric 7 dev br0 valid_lft 1000 preferred_lft 500
		ip address add 10.1.0.1 peer 10.1.0.9/24 scope link dev br0
		ip address add 2001:db8::1/64 dev br0 nodad noprefixroute
		ip link set lo up; ip address add fe80::53/64 dev br0 nodad`)
	br, err := c.Link("br0")
	must(t, err)
	before, err := c.Addresses(br.Index)
	must(t, err)
	for _, want := range []string{"10.1.0.1/32 peer 10.1.0.9/24 label br0 scope 253 metric 0 flags 0",
		"10.0.0.1/24 peer invalid Prefix label br0:x scope 0 metric 7 flags 0",
		"2001:db8::1/64 peer invalid Prefix label  scope 0 metric 0 flags 514",
		"fe80::53/64 peer invalid Prefix label  scope 0 metric 0 flags 2"} {
		if !slices.ContainsFunc(before, func(a Address) bool {
			return want == fmt.Sprintf("%s peer %s label %s scope %d metric %d flags %d", a.Prefix, a.Peer, a.Label, a.Scope, a.Metric, a.Flags)
		}) {
			t.Errorf("Addresses = %+v; want %s in it", before, want)
		}
	}
	own := 0
	text := sandbox.Sh(t, `ip address show br0`)
	for _, a := range before {
		if a.Own {
			own++
			continue
		}
		must(t, c.Address(object.Delete, br.Index, a.Address))
	}
	if own != 1 || strings.Contains(sandbox.Sh(t, `ip address show br0 scope global; ip address show br0 to fe80::53`), "inet") {
		t.Errorf("%d addresses are the kernel's own; want 1, and the others gone", own)
	}
	for _, a := range before {
		if !a.Own {
			must(t, c.Address(object.Add, br.Index, a.Address))
			must(t, c.Address(object.Replace, br.Index, a.Address))
			if err := c.Address(object.Add, br.Index, a.Address); !errors.Is(err, fs.ErrExist) {
				t.Errorf("Add of %v again = %v; want fs.ErrExist", a.Prefix, err)
			}
		}
	}
	seconds := strings.NewReplacer("1000sec", "", "999sec", "", "500sec", "", "499sec", "", "tentative", "", " ", "")
	sortLines := func(s string) string {
		l := strings.Split(seconds.Replace(s), "\n")
		slices.Sort(l)
		return strings.Join(l, "\n")
	}
	if now := sandbox.Sh(t, `ip address show br0`); sortLines(now) != sortLines(text) {
		t.Errorf("deleted and added again, ip says\n%s\nbefore\n%s", now, text)
	}
	sandbox.Sh(t, `ip link delete br0`)
}

func TestRoutes(t *testing.T) {
	c := open(t)
	sandbox.Sh(t, `ip link add br0 type bridge; ip link set br0 up; ip address add 10.0.0.1/24 dev br0
		ip address add 2001:db8::1/64 dev br0 nodad
		ip route add default via 10.0.0.2 metric 9 mtu 1300; ip route add 10.5.0.0/16 dev br0 src 10.0.0.1
		ip route add 10.6.0.0/16 via 192.0.2.1 dev br0 onlink; ip route add unreachable 10.7.0.0/16
		ip -6 route add 2001:db8:1::/48 via 2001:db8::2; ip -6 route add blackhole 2001:db8:2::/48
		ip route add 10.8.0.0/16 dev br0 table 1000; ip -6 route add prohibit default table 1000 metric 4278198272`)
	br, err := c.Link("br0")
	must(t, err)
	show := `ip route show; ip -6 route show; ip route show table 1000; ip -6 route show table 1000`
	text := sandbox.Sh(t, show)
	n := 0
	for _, table := range []uint32{254, 1000} {
		routes, err := c.Routes(table, 0)
		must(t, err)
		for _, r := range routes {
			if r.Protocol == object.ProtocolKernel {
				continue
			}
			n++
			must(t, c.Route(object.Delete, r.Route, r.Index))
			must(t, c.Route(object.Add, r.Route, r.Index))
			must(t, c.Route(object.Replace, r.Route, r.Index))
			if err := c.Route(object.Add, r.Route, r.Index); !errors.Is(err, fs.ErrExist) {
				t.Errorf("Add of %v again = %v; want fs.ErrExist", r, err)
			}
		}
	}
	if now := sandbox.Sh(t, show); n != 8 || now != text {
		t.Errorf("%d routes deleted and added again; ip says\n%s\nbefore\n%s", n, now, text)
	}
	through, err := c.Routes(0, br.Index)
	must(t, err)
	if len(through) < 6 || slices.ContainsFunc(through, func(r Route) bool { return r.Index != br.Index }) {
		t.Errorf("Routes through br0 = %+v", through)
	}
	if none, err := c.Routes(4711, 0); err != nil || len(none) != 0 {
		t.Errorf("Routes of a table that is not there = %v, %v; want none", none, err)
	}
	sandbox.Sh(t, `ip link delete br0; ip route flush table main; ip -6 route flush table 1000; ip route del unreachable 10.7.0.0/16 || true
		ip -6 route del blackhole 2001:db8:2::/48 || true`)
}

// The rules that VRFs need, as ip(8) and as this package make them.
func of(v6 bool, four, six string) netip.Prefix {
	if v6 {
		return netip.MustParsePrefix(six)
	}
	return netip.MustParsePrefix(four)
}

func TestRules(t *testing.T) {
	c := open(t)
	for _, v6 := range []bool{false, true} {
		show := map[bool]string{false: `ip -d rule show`, true: `ip -d -6 rule show`}[v6]
		for _, r := range []object.Rule{
			{IPv6: v6, Pref: 1000, L3mdev: true, Protocol: object.ProtocolKernel},
			{IPv6: v6, Pref: 2000, L3mdev: true, Type: "unreachable", Protocol: object.ProtocolKernel},
			{IPv6: v6, Pref: 70, Not: true, Mark: 16, Mask: 240, In: "lo", Table: 7, SuppressPrefixLength: 1, Protocol: 3},
			{IPv6: v6, Pref: 71, Mark: 7, Out: "nowhere", Type: "blackhole", Protocol: 3},
			{IPv6: v6, Pref: 72, From: of(v6, "10.1.0.0/16", "2001:db8:1::/48"), To: of(v6, "10.2.0.3/32", "2001:db8:2::3/128"), Type: "prohibit", Protocol: 3},
			{IPv6: v6, Pref: 73, UIDs: object.Range{First: 0, End: 1}, IPProtocol: 6, DestinationPorts: object.Range{First: 53, End: 54}, Table: 7, Protocol: 3},
			{IPv6: v6, Pref: 74, UIDs: object.Range{First: 1000, End: 1<<32 - 1}, IPProtocol: 255, SourcePorts: object.Range{First: 1, End: 65535},
				DestinationPorts: object.Range{First: 80, End: 82}, Table: 7, Protocol: 3},
			{IPv6: v6, Pref: 32765, Table: 255, Protocol: object.ProtocolKernel},
		} {
			before := sandbox.Sh(t, show)
			must(t, c.Rule(object.Add, r))
			if err := c.Rule(object.Add, r); !errors.Is(err, fs.ErrExist) {
				t.Errorf("Add of %+v again = %v; want fs.ErrExist", r, err)
			}
			ours := sandbox.Sh(t, show)
			rules, err := c.Rules(v6)
			must(t, err)
			if !slices.Contains(rules, r) {
				t.Errorf("Rules() = %+v; want %+v in it", rules, r)
			}
			sandbox.Sh(t, object.Step{Verb: object.Delete, Object: r}.String())
			if now := sandbox.Sh(t, show); now != before {
				t.Errorf("after ip's delete there is\n%s\nbefore\n%s", now, before)
			}
			sandbox.Sh(t, object.Step{Verb: object.Add, Object: r}.String())
			if theirs := sandbox.Sh(t, show); theirs != ours {
				t.Errorf("ip makes\n%s\nwe make\n%s", theirs, ours)
			}
			must(t, c.Rule(object.Delete, r))
			if err := c.Rule(object.Delete, r); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Delete of what is gone = %v; want fs.ErrNotExist", err)
			}
		}
	}
	sandbox.Sh(t, `ip rule add tos 8 table 7 pref 50; ip rule add tos 0x10 table 255 pref 60`)
	rules, err := c.Rules(false)
	must(t, err)
	for _, r := range rules {
		if (r.Pref == 50 || r.Pref == 60) != r.Other {
			t.Errorf("%+v: Other is wrong", r)
		}
	}
	sandbox.Sh(t, `ip rule delete pref 50; ip rule delete pref 60`)
}

func TestErrorHasTheKernelsSentence(t *testing.T) {
	c := open(t)
	err := c.AddLink(object.Link{Name: "x", Kind: "nosuchkind"}, Here)
	if want := "operation not supported (Unknown device type)"; err == nil || err.Error() != want || !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("AddLink = %v; want %s", err, want)
	}
	err = c.Route(object.Add, object.Route{Destination: netip.MustParsePrefix("10.0.0.0/8"), Type: "unicast", Table: 254,
		Gateway: netip.MustParseAddr("192.0.2.1")}, 0)
	if want := "network is unreachable (Nexthop has invalid gateway)"; err == nil || err.Error() != want {
		t.Errorf("Route = %v; want %s", err, want)
	}
	// A list that ends in an error with a sentence is an error, not a panic.
	if _, err := c.dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, ruleHeader(false), u32(unix.RTA_TABLE, 4711)); !errors.Is(err, unix.ENOENT) {
		t.Errorf("list of a table that is not there = %v; want ENOENT", err)
	}
}

// A list that changes while it is read is read again: with few links and many
// changes the kernel interrupts it often.
func TestInterruptedListsAreReadAgain(t *testing.T) {
	sandbox.Need(t)
	const links = 100
	script := ""
	for i := range links {
		script += fmt.Sprintf("link add i%d type bridge\n", i)
	}
	must(t, os.WriteFile("/run/links", []byte(script), 0o600))
	sandbox.Sh(t, `ip netns add many; ip -n many -batch /run/links`)
	ns, err := netns.OpenPath("/run/netns/many")
	must(t, err)
	defer ns.Close()
	var c, other *Conn
	must(t, ns.Inside(func() (err error) { c, err = Open(); return err }))
	must(t, ns.Inside(func() (err error) { other, err = Open(); return err }))
	defer c.Close()
	defer other.Close()
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err = other.AddLink(object.Link{Name: "flap", Kind: "bridge"}, Here); err == nil {
				var l Link
				if l, err = other.Link("flap"); err == nil {
					err = other.DeleteLink(l.Index)
				}
			}
		}
		done <- err
	}()
	interrupted := 0
	for range 300 {
		if _, err := c.exchange(unix.RTM_GETLINK, unix.NLM_F_DUMP, unix.RTM_NEWLINK, ifinfo()); err == errInterrupted {
			interrupted++
		}
		list, err := c.Links("")
		must(t, err)
		n := 0
		for _, l := range list {
			if strings.HasPrefix(l.Name, "i") {
				n++
			}
		}
		if n != links {
			t.Fatalf("a list has %d of %d links", n, links)
		}
	}
	close(stop)
	must(t, <-done)
	t.Logf("%d of 300 bare lists were interrupted", interrupted)
	sandbox.Sh(t, `ip netns delete many`)
}

func ifinfo() *nl.IfInfomsg { return nl.NewIfInfomsg(unix.AF_UNSPEC) }

// TestNSID: a namespace without a number gets one, which it keeps.
func TestNSID(t *testing.T) {
	c := open(t)
	sandbox.Sh(t, `ip netns add numbered; ip netns add known; ip netns set known 7`)
	for name, want := range map[string]func(int) bool{
		"numbered": func(id int) bool { return id >= 0 && id != 7 },
		"known":    func(id int) bool { return id == 7 },
	} {
		ns, err := netns.OpenPath("/run/netns/" + name)
		must(t, err)
		defer ns.Close()
		first, err := c.NSID(ns.Fd())
		must(t, err)
		again, err := c.NSID(ns.Fd())
		must(t, err)
		isNew, err := c.Number(ns.Fd())
		must(t, err)
		if !want(first) || again != first || isNew {
			t.Errorf("%s has the number %d, then %d; new: %v", name, first, again, isNew)
		}
	}
}
