package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

func file(t *testing.T, id, text string) *conf.File {
	t.Helper()
	i, err := domain.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	f, err := conf.Parse("/etc/rdomain/"+id+".conf", i, []byte(text), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var home, t1 = netns.ID{Dev: 4, Ino: 1}, netns.ID{Dev: 4, Ino: 2}

// atHome is the state of a VRF in rdomain's own namespace where there is none
// yet, with eth0 as an administrator has set it up.
func atHome() *State {
	links := map[string]LinkState{
		"lo": {Link: rtnl.Link{Name: "lo", Index: 1, Up: true}},
		"eth0": {Link: rtnl.Link{Name: "eth0", Index: 2, Up: true, MTU: 1500, MAC: "02:00:00:00:00:07"},
			Addresses: []rtnl.Address{
				{Address: object.Address{Prefix: netip.MustParsePrefix("10.20.30.40/24")}},
				{Address: object.Address{Prefix: netip.MustParsePrefix("2001:db8::40/64")}},
				{Address: object.Address{Prefix: netip.MustParsePrefix("fe80::1/64")}, Own: true},
			},
			Routes: []rtnl.Route{
				{Route: object.Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Type: "unicast", Table: 254,
					Gateway: netip.MustParseAddr("10.20.30.1"), Protocol: 3}, Index: 2},
				{Route: object.Route{Destination: netip.MustParsePrefix("10.20.30.0/24"), Type: "unicast", Table: 254, Scope: 253,
					Protocol: object.ProtocolKernel}, Index: 2},
				{Route: object.Route{Destination: netip.MustParsePrefix("10.9.0.0/16"), Type: "unicast", Table: 254, Scope: 253,
					Protocol: 4}, Index: 2},
			}},
	}
	return &State{Exists: true, ID: home, Inside: links, Outside: links, Rules: NewRules(true), IPv6: true}
}

func lines[T any](list []T, text func(T) string) string {
	var b strings.Builder
	for _, e := range list {
		b.WriteString(text(e) + "\n")
	}
	return b.String()
}

func up(t *testing.T, f *conf.File, have *State, r *record.Record) *Plan {
	t.Helper()
	p, err := Up(f, have, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const vrfSteps = `
ip link add mgmt type vrf table 10
ip rule add pref 2000 l3mdev unreachable protocol kernel
ip rule add pref 2001 fwmark 0x80000000/0x80000000 unreachable protocol kernel
ip rule add pref 32765 table local protocol kernel
ip rule delete pref 0 table local
ip -6 rule add pref 2000 l3mdev unreachable protocol kernel
ip -6 rule add pref 2001 fwmark 0x80000000/0x80000000 unreachable protocol kernel
ip -6 rule add pref 32765 table local protocol kernel
ip -6 rule delete pref 0 table local
ip route add unreachable default table 10 metric 4278198272 protocol kernel
ip -6 route add unreachable default table 10 metric 4278198272 protocol kernel
ip address add 127.0.0.1/8 dev mgmt
ip address add ::1/128 dev mgmt
ip link set mgmt up
# rdomain pins the program of vrf mgmt at /sys/fs/bpf/rdomain/mgmt
`

// All that closes a VRF is there before a link becomes a member of it, and the
// local table is never missing.
func TestVRF(t *testing.T) {
	f := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n[Link eth0]\nAddress=10.20.30.41/24\n[Route]\nDestination=10.5.0.0/16\nGateway=10.20.30.5\n")
	p := up(t, f, atHome(), &record.Record{})
	want(t, "up", lines(p.Steps, object.Step.String), vrfSteps+`
ip link set eth0 master mgmt
ip address replace 2001:db8::40/64 dev eth0
ip route replace 10.9.0.0/16 dev eth0 table 10 protocol static
ip route replace default via 10.20.30.1 dev eth0 table 10
ip address add 10.20.30.41/24 dev eth0
ip route add 10.5.0.0/16 via 10.20.30.5 table 10
`[1:])
	if len(p.Taken) != 1 || !p.Taken[0].Up || len(p.Taken[0].Addresses) != 2 || len(p.Taken[0].Routes) != 2 {
		t.Errorf("Taken = %+v; want eth0 as it was", p.Taken)
	}
}

// A file that ends the VRF's table as rdomain does, which administrators have from the
// kernel's documentation, says nothing new.
func TestLastRouteOfAFile(t *testing.T) {
	f := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n[Route]\nDestination=default\nType=unreachable\nMetric=4278198272\n")
	have := atHome()
	p := up(t, f, have, &record.Record{})
	want(t, "up", lines(p.Steps, object.Step.String), vrfSteps)
	want(t, "second up", lines(up(t, f, have, simulate(t, have, p)).Steps, object.Step.String), "")
	_, err := Up(file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n[Route]\nDestination=default\nType=blackhole\nMetric=4278198272\n"), atHome(), &record.Record{})
	if err == nil || !strings.Contains(err.Error(), "Metric=4278198272 is that of the route unreachable that ends") {
		t.Errorf("another type: %v", err)
	}
}

// What up has made, up leaves alone; and down takes back.
func TestVRFAgainAndDown(t *testing.T) {
	f := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n[Link eth0]\n[Link veth0]\nKind=veth\nPeer=v\nAddress=10.7.0.2/30\nPeerAddress=10.7.0.1/30\n")
	have, r := atHome(), &record.Record{}
	p := up(t, f, have, r)
	r = simulate(t, have, p)
	want(t, "second up", lines(up(t, f, have, r).Steps, object.Step.String), "")
	removal := Down(r, have)
	want(t, "down", lines(removal.Steps, object.Step.String), `
ip link set eth0 nomaster
ip address replace 10.20.30.40/24 dev eth0
ip address replace 2001:db8::40/64 dev eth0
ip link set eth0 up
ip route replace 10.9.0.0/16 dev eth0 protocol static
ip route replace default via 10.20.30.1 dev eth0
ip link delete veth0
# rdomain unpins /sys/fs/bpf/rdomain/mgmt
ip -6 route delete unreachable default table 10 metric 4278198272 protocol kernel
ip route delete unreachable default table 10 metric 4278198272 protocol kernel
ip link delete mgmt
`)
	if removal.Notes != nil {
		t.Errorf("Notes = %q", removal.Notes)
	}
}

// simulate does the steps on the state as the kernel would, and returns what is
// recorded then.
func simulate(t *testing.T, have *State, p *Plan) *record.Record {
	t.Helper()
	r := p.Record.Clone()
	for n, s := range p.Steps {
		index := 100 + n
		change := func(name string, f func(*LinkState)) {
			l, ok := have.Inside[name]
			if !ok {
				l = have.Outside[name]
				f(&l)
				have.Outside[name] = l
				return
			}
			f(&l)
			have.Inside[name] = l
		}
		switch thing := s.Object.(type) {
		case object.Link:
			have.Inside[thing.Name] = LinkState{Link: rtnl.Link{Name: thing.Name, Index: index, Kind: thing.Kind, Options: thing.Options,
				Peer: index + 1000}}
			if thing.Peer != "" {
				have.Outside[thing.Peer] = LinkState{Link: rtnl.Link{Name: thing.Peer, Index: index + 1000, Kind: "veth", Peer: index}}
			}
			if thing.Kind == "vrf" {
				if len(have.VRFs) == 0 {
					for _, v6 := range []bool{false, true} {
						have.Rules = append(have.Rules, object.Rule{IPv6: v6, Pref: PrefL3mdev, L3mdev: true, Protocol: object.ProtocolKernel})
					}
				}
				have.VRFs = append(have.VRFs, have.Inside[thing.Name].Link)
			}
		case object.Setting:
			if thing.What == "netns" {
				have.Inside[thing.Link] = LinkState{Link: rtnl.Link{Name: thing.Link, Index: index,
					MTU: have.Outside[thing.Link].MTU, MAC: have.Outside[thing.Link].MAC}}
				delete(have.Outside, thing.Link)
			}
			change(thing.Link, func(l *LinkState) {
				switch thing.What {
				case "up":
					l.Up = true
				case "mtu":
					mtu, _ := strconv.Atoi(thing.Value)
					l.MTU = uint32(mtu)
				case "master":
					l.Master, l.Addresses = have.Inside[thing.Value].Index, l.Addresses[:min(1, len(l.Addresses))]
				}
				index = l.Index
			})
		case object.Address:
			change(thing.Dev, func(l *LinkState) { l.Addresses = append(l.Addresses, rtnl.Address{Address: thing}) })
		case object.Route:
			have.Routes = append(have.Routes, rtnl.Route{Route: thing})
		case object.Rule:
			thing.Netns = domain.NetnsName{}
			if s.Verb == object.Add {
				have.Rules = append(have.Rules, thing)
			} else {
				have.Rules = slices.DeleteFunc(have.Rules, thing.Same)
			}
		case object.Pin:
			have.Pinned = uint32(have.Inside[thing.VRF.String()].Index)
		case object.Netns:
			have.Exists, have.ID = true, t1
		}
		p.Note(r, s, record.Identity{Netns: have.ID, Index: index, Peer: index + 1000})
	}
	return r
}

func TestSecondVRF(t *testing.T) {
	f := file(t, "red", "[Domain]\nKind=vrf\nTable=20\n")
	have := atHome()
	simulate(t, have, up(t, file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n"), have, &record.Record{}))
	const own = `
ip route add unreachable default table 20 metric 4278198272 protocol kernel
ip -6 route add unreachable default table 20 metric 4278198272 protocol kernel
ip address add 127.0.0.1/8 dev red
ip address add ::1/128 dev red
ip link set red up
# rdomain pins the program of vrf red at /sys/fs/bpf/rdomain/red
`
	have.Pinned = 0
	want(t, "up", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String), "ip link add red type vrf table 20"+own)
	// The kernel adds its rule with the first VRF only.
	have.Rules = slices.DeleteFunc(have.Rules, func(r object.Rule) bool { return r.Pref == PrefL3mdev })
	want(t, "up without the kernel's rule", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String),
		"ip link add red type vrf table 20\nip rule add pref 1000 l3mdev protocol kernel\nip -6 rule add pref 1000 l3mdev protocol kernel"+own)
	have.IPv6 = false
	want(t, "up without IPv6", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String), `
ip link add red type vrf table 20
ip rule add pref 1000 l3mdev protocol kernel
ip route add unreachable default table 20 metric 4278198272 protocol kernel
ip address add 127.0.0.1/8 dev red
ip link set red up
# rdomain pins the program of vrf red at /sys/fs/bpf/rdomain/red
`)
}

// Deleted and made again by somebody else, the VRF has another ifindex: the pin
// is made again, the VRF is no longer ours to remove.
func TestVRFMadeAnewByOthers(t *testing.T) {
	f := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n")
	have := atHome()
	r := simulate(t, have, up(t, f, have, &record.Record{}))
	vrf := have.Inside["mgmt"]
	vrf.Index = 999
	have.Inside["mgmt"] = vrf
	p := up(t, f, have, r)
	want(t, "up", lines(p.Steps, object.Step.String), "# rdomain pins the program of vrf mgmt at /sys/fs/bpf/rdomain/mgmt")
	if p.Record.Find(object.Link{Name: "mgmt"}.Key()) != nil {
		t.Errorf("still recorded: %+v", p.Record)
	}
	removal := Down(r, have)
	if want := []string{"link mgmt is another one than was made; left alone"}; !slices.Equal(removal.Notes, want) {
		t.Errorf("Notes = %q; want %q", removal.Notes, want)
	}
	want(t, "Foreign", lines(Foreign(f.Domain, have), object.Step.String), "# rdomain pins the program of vrf mgmt at /sys/fs/bpf/rdomain/mgmt")
	have.Pinned = 999
	want(t, "Foreign again", lines(Foreign(f.Domain, have), object.Step.String), "")
}

// A link from outside goes into a VRF inside a namespace in two moves, and has
// its addresses and routes after both.
func TestVRFInNetns(t *testing.T) {
	f := file(t, "mgmt@t1", "[Domain]\nTable=10\n[Link eth0]\n")
	outside := atHome()
	have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Name: "lo", Index: 1, Up: true}}},
		Outside: outside.Outside, Rules: NewRules(true), IPv6: true}
	p := up(t, f, have, &record.Record{})
	vrf := strings.NewReplacer("ip ", "ip -n t1 ", "rdomain/mgmt", "rdomain/mgmt@t1").Replace(vrfSteps)
	want(t, "up", lines(p.Steps, object.Step.String), vrf+`
ip link set eth0 netns t1
ip -n t1 link set eth0 up
ip -n t1 link set eth0 master mgmt
ip -n t1 address replace 10.20.30.40/24 dev eth0
ip -n t1 address replace 2001:db8::40/64 dev eth0
ip -n t1 route replace 10.9.0.0/16 dev eth0 table 10 protocol static
ip -n t1 route replace default via 10.20.30.1 dev eth0 table 10
`[1:])
	r := simulate(t, have, p)
	want(t, "second up", lines(up(t, f, have, r).Steps, object.Step.String), "")
	steps := lines(Down(r, have).Steps, object.Step.String)
	want(t, "down", steps, `
ip -n t1 link set eth0 nomaster
ip -n t1 link set eth0 netns /proc/$$/ns/net
ip address replace 10.20.30.40/24 dev eth0
ip address replace 2001:db8::40/64 dev eth0
ip link set eth0 up
ip route replace 10.9.0.0/16 dev eth0 protocol static
ip route replace default via 10.20.30.1 dev eth0
# rdomain unpins /sys/fs/bpf/rdomain/mgmt@t1
ip -n t1 -6 route delete unreachable default table 10 metric 4278198272 protocol kernel
ip -n t1 route delete unreachable default table 10 metric 4278198272 protocol kernel
ip -n t1 link delete mgmt
`)
}

func TestConflicts(t *testing.T) {
	vrf := "[Domain]\nKind=vrf\nTable=10\n"
	link := func(name, kind string, table uint32, master int) func(*State) {
		return func(s *State) {
			l := s.Inside[name]
			l.Name, l.Kind, l.Table, l.Master = name, kind, table, master
			s.Inside[name] = l
			if kind == "vrf" {
				s.VRFs = append(s.VRFs, l.Link)
			}
		}
	}
	for _, c := range []struct {
		text  string
		state func(*State)
		want  string
	}{
		{vrf, link("mgmt", "bridge", 0, 0), ":1: link mgmt exists already, as a bridge; want a vrf"},
		{vrf, link("mgmt", "vrf", 11, 0), ":1: vrf mgmt exists already with table 11, want 10; take it down first or change Table="},
		{vrf, link("red", "vrf", 10, 0), ":1: Table=10 is already that of vrf red; expected another number"},
		{vrf + "[Link eth0]\n", func(s *State) {
			l := s.Inside["eth0"]
			l.Master, l.MasterName, l.MasterKind = 77, "red", "vrf"
			s.Inside["eth0"] = l
		}, ":4: link eth0 is a member of vrf red; release it first"},
		{vrf + "[Link eth9]\n", func(*State) {}, ":4: there is no link eth9, inside or outside; Kind= would make one"},
		{vrf + "[Link eth0]\n", func(s *State) {
			l := s.Inside["eth0"]
			l.Routes = []rtnl.Route{{Route: object.Route{Destination: netip.MustParsePrefix("10.0.0.0/8"), Other: "several next hops"}}}
			s.Inside["eth0"] = l
		}, ":4: link eth0 has a route to 10.0.0.0/8 with several next hops, which rdomain cannot move; write it as a [Route] and delete it"},
	} {
		have := atHome()
		c.state(have)
		p, err := Up(file(t, "mgmt", c.text), have, &record.Record{})
		if want := "/etc/rdomain/mgmt.conf" + c.want; err == nil || err.Error() != want {
			t.Errorf("Up(%q) = %v, %v; want %s", c.text, p, err, want)
		}
	}
}

// A bridge cannot be moved: the kernel's "invalid argument" was all that up said, and check
// said nothing. And a bridge that is not there is to be made by Kind=.
func TestBridgeHints(t *testing.T) {
	for text, want := range map[string]string{
		"[Link br0]\n": "/etc/rdomain/b.conf:1: link br0 is a bridge, which the kernel leaves in the namespace that it is in\n" +
			"Kind=bridge makes one in netns b; Bridge=br0 in a [Link] makes that a port of it",
		"[Link team0]\n":          "/etc/rdomain/b.conf:1: link team0 is a team, which the kernel leaves in the namespace that it is in\nhave it made in netns b",
		"[Link e0]\nBridge=br0\n": "/etc/rdomain/b.conf:2: there is no bridge br0 in netns b\n[Link br0] with Kind=bridge makes one",
	} {
		have := &State{Inside: map[string]LinkState{}, Outside: map[string]LinkState{}}
		for name, kind := range map[string]string{"br0": "bridge", "team0": "team", "e0": "veth"} {
			l := LinkState{}
			l.Name, l.Kind = name, kind
			have.Outside[name] = l
		}
		_, err := Up(file(t, "b", text), have, &record.Record{})
		got := fmt.Sprint(err)
		if p, ok := errors.AsType[*problem.Error](err); ok {
			got += "\n" + p.Hint
		}
		if got != want {
			t.Errorf("Up(%q):\n%s\nwant\n%s", text, got, want)
		}
	}
}

// A route that somebody else has made in a namespace that is not ours is not
// replaced.
func TestForeignRouteIsNotReplaced(t *testing.T) {
	f := file(t, "t1", "[Route]\nDestination=10.0.0.0/8\nGateway=10.1.0.1\n")
	have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Up: true}}}, Outside: map[string]LinkState{},
		Routes: []rtnl.Route{{Route: object.Route{Destination: netip.MustParsePrefix("10.0.0.0/8"), Type: "unicast", Table: 254,
			Gateway: netip.MustParseAddr("10.9.9.9"), Dev: "eth0"}}}}
	_, err := Up(f, have, &record.Record{})
	if want := "/etc/rdomain/t1.conf:1: another route exists already: ip -n t1 route add 10.0.0.0/8 via 10.9.9.9 dev eth0"; err == nil || err.Error() != want {
		t.Errorf("Up = %v; want %s", err, want)
	}
	p := up(t, f, have, &record.Record{Domain: f.Domain, Entries: []record.Entry{{Object: object.Netns{Name: f.Domain.Netns}, Made: record.Identity{Netns: t1}}}})
	want(t, "up in a namespace of ours", lines(p.Steps, object.Step.String), "ip -n t1 route replace 10.0.0.0/8 via 10.1.0.1")
}

func TestLastRules(t *testing.T) {
	local, last := object.Rule{Pref: PrefLocal, Table: 255}, object.Rule{Pref: PrefUnreachable, L3mdev: true, Type: "unreachable"}
	first := object.Rule{Table: 255}
	blue, _ := domain.Parse("t1", "")
	want(t, "LastRules", lines(LastRules(blue.Netns, []object.Rule{last, local}, []object.Rule{first}, []object.Rule{local, last}), object.Step.String), `
ip -n t1 rule add pref 0 table local
ip -n t1 rule delete pref 32765 table local
ip -n t1 rule delete pref 2000 l3mdev unreachable
`)
	want(t, "LastRules where others were faster", lines(LastRules(domain.NetnsName{}, []object.Rule{last, local}, []object.Rule{first}, []object.Rule{first}), object.Step.String), "")
}

func TestProblems(t *testing.T) {
	f := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n")
	have := atHome()
	say := func(members ...string) string {
		return lines(Problems(f, have, members), func(s string) string { return s })
	}
	want(t, "no VRF", say(), "vrf mgmt does not exist")
	simulate(t, have, up(t, f, have, &record.Record{}))
	want(t, "no member", say(), "vrf mgmt has no member link: it isolates but cannot serve")
	want(t, "a member", say("eth0"), "")
	rules := slices.Clone(have.Rules)
	have.Rules = slices.DeleteFunc(slices.Clone(rules), func(r object.Rule) bool { return r.Pref == PrefL3mdev && r.IPv6 })
	want(t, "no rule", say("eth0"), "there is no IPv6 rule for VRFs (pref 1000 l3mdev): packets of vrf mgmt leave by the main table")
	have.Rules = append(slices.Clone(rules), object.Rule{Table: 255})
	want(t, "local first", say("eth0"), "the IPv4 rule for the local table (pref 0) is before that for VRFs: "+
		"addresses of other domains are reachable in vrf mgmt")
	have.Rules = slices.DeleteFunc(slices.Clone(rules), func(r object.Rule) bool { return r.Pref == PrefUnreachable })
	want(t, "the route ends it", say("eth0"), "")
	have.Routes = nil
	want(t, "open end", say("eth0"), "nothing ends table 10 for IPv4: a miss in vrf mgmt goes on to the main table\n"+
		"nothing ends table 10 for IPv6: a miss in vrf mgmt goes on to the main table")
	have.Rules = slices.DeleteFunc(slices.Clone(rules), func(r object.Rule) bool { return r.Pref == PrefMarked && !r.IPv6 })
	want(t, "no rule for marks", say("eth0"), "a process in vrf mgmt can send a datagram by another interface (IP_PKTINFO): "+
		"there is no IPv4 rule for it (pref 2001 fwmark 0x80000000/0x80000000 unreachable)")
	have.Rules = rules
	want(t, "the rule ends it", say("eth0"), "")
	vrf := have.Inside["mgmt"]
	vrf.Up, vrf.Addresses = false, nil
	have.Inside["mgmt"] = vrf
	have.VRFs = append(have.VRFs, rtnl.Link{Name: "red", Options: object.Options{Table: 10}})
	want(t, "down and more", say("eth0"), `
vrf mgmt is down: it isolates but cannot serve
vrf mgmt and vrf red share table 10: they are not isolated from each other
vrf mgmt has no address 127.0.0.1/8: nothing in it can reach itself
vrf mgmt has no address ::1/128: nothing in it can reach itself
`)
}

func TestUnwanted(t *testing.T) {
	have := atHome()
	text := "[Domain]\nKind=vrf\nTable=10\n[Link eth0]\n[Link veth0]\nKind=veth\nPeer=v\nAddress=10.7.0.2/30\nPeerAddress=10.7.0.1/30\n" +
		"[Route]\nDestination=10.5.0.0/16\nGateway=10.20.30.5\n"
	f := file(t, "mgmt", text)
	r := simulate(t, have, up(t, f, have, &record.Record{}))
	if u := Unwanted(f, atHome(), r); !u.Empty() {
		t.Errorf("Unwanted = %+v of an unchanged file; want nothing", u)
	}
	edited := file(t, "mgmt", "[Domain]\nKind=vrf\nTable=10\n[Link veth0]\nKind=veth\nPeer=v\nPeerAddress=10.7.0.1/30\n")
	u := Unwanted(edited, atHome(), r)
	steps := lines(Down(u, have).Steps, object.Step.String)
	for _, s := range []string{"ip route delete 10.5.0.0/16 via 10.20.30.5 table 10\n", "ip address delete 10.7.0.2/30 dev veth0\n",
		"ip link set eth0 nomaster\n"} {
		if !strings.Contains(steps, s) {
			t.Errorf("%q is not in\n%s", s, steps)
		}
	}
	if strings.Contains(steps, "mgmt type") || strings.Contains(steps, "link delete") || strings.Contains(steps, "10.7.0.1") ||
		strings.Contains(steps, "unreachable") || strings.Contains(steps, "pin") {
		t.Errorf("more than what is unwanted is removed:\n%s", steps)
	}
}

// A VRF whose Table= is edited is removed and made again: with what the removal takes, in
// the state too, and the state that was read stays as it is.
func TestAfter(t *testing.T) {
	f := file(t, "red", "[Domain]\nKind=vrf\nTable=11\n")
	was := file(t, "red", "[Domain]\nKind=vrf\nTable=10\n")
	vrf := LinkState{Link: rtnl.Link{Name: "red", Index: 7, Kind: "vrf", Up: true, Options: object.Options{Table: 10}}}
	member := LinkState{Link: rtnl.Link{Name: "br0", Index: 8, Kind: "bridge", Master: 7}}
	links := map[string]LinkState{"red": vrf, "br0": member}
	have := &State{Exists: true, ID: home, Inside: links, Outside: links, Rules: NewRules(true), IPv6: true,
		VRFs: []rtnl.Link{vrf.Link}, Routes: []rtnl.Route{{Route: object.Route{Dev: "red"}}}}
	link := (&planner{f: was}).vrfLink()
	r := &record.Record{Domain: was.Domain, Entries: []record.Entry{{Object: link, Made: record.Identity{Index: 7}}}}
	if _, err := Up(f, have, r); err == nil {
		t.Fatal("Up changes the table of a VRF")
	}
	left := have.After(Down(r, have).Steps, domain.NetnsName{})
	if len(have.Inside) != 2 || len(have.VRFs) != 1 || len(have.Routes) != 1 || have.Inside["br0"].Master != 7 {
		t.Errorf("After changes what it is called of: %+v", have)
	}
	if _, ok := left.Outside["red"]; ok || len(left.VRFs) != 0 || len(left.Routes) != 0 || left.Inside["br0"].Master != 0 {
		t.Errorf("After = %+v; want nothing of red", left)
	}
	p, err := Up(f, left, &record.Record{})
	if err != nil || len(p.Steps) == 0 || p.Steps[0].String() != "ip link add red type vrf table 11" {
		t.Errorf("Up after the removal = %v, %v; want red to be added first", p, err)
	}
}

// A rule for a user who does not exist would be one for everybody: there is none.
func TestRuleOfAUser(t *testing.T) {
	f := file(t, "t1", "[RoutingPolicyRule]\nPriority=9\nUser=backup\nIPProtocol=tcp\nDestinationPort=873\nTable=7\n")
	have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Up: true}}}, Users: map[string]string{"backup": "34"}}
	want(t, "up", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String), "ip -n t1 rule add pref 9 uidrange 34-34 ipproto 6 dport 873 table 7 protocol kernel")
	have.Users = nil
	want(t, "without the user", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String), "")
}

// The defaults of Type=local are those of ip-route(8): the loopback, and the table of local
// addresses.
func TestLocalRoutes(t *testing.T) {
	const routes = "[Route]\nDestination=10.6.0.0/16\nType=local\n[Route]\nDestination=fd06::/64\nType=local\nDevice=eth0\n[Route]\nDestination=10.7.0.0/16\nType=throw\n"
	steps := func(f *conf.File, have *State) string {
		var list []object.Step
		for _, s := range up(t, f, have, &record.Record{}).Steps {
			if r, ok := s.Object.(object.Route); ok && (r.Type == "local" || r.Type == "throw") {
				list = append(list, s)
			}
		}
		return lines(list, object.Step.String)
	}
	want(t, "in a namespace", steps(file(t, "t1", routes), &State{Exists: true, ID: t1}), `
ip -n t1 route add local 10.6.0.0/16 dev lo table 255
ip -n t1 -6 route add local fd06::/64 dev eth0 table 255
ip -n t1 route add throw 10.7.0.0/16
`)
}

// A member is set down before its bond takes it, and has none of its addresses there; a
// property that Linux changes while the bond exists is changed, and another mode makes it
// again with its members.
func TestBond(t *testing.T) {
	const text = "[Link lag0]\nKind=bond\nMode=active-backup\nAddress=10.60.0.2/24\n[Link eth0]\nBond=lag0\n"
	have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Up: true}}}, Outside: map[string]LinkState{}}
	have.Inside["eth0"] = atHome().Inside["eth0"]
	f := file(t, "t1", text)
	p := up(t, f, have, &record.Record{})
	want(t, "up", lines(p.Steps, object.Step.String), `
ip -n t1 link add lag0 type bond mode active-backup miimon 100
ip -n t1 address add 10.60.0.2/24 dev lag0
ip -n t1 link set lag0 up
ip -n t1 link set eth0 down
ip -n t1 link set eth0 master lag0
`)
	r := simulate(t, have, p)
	want(t, "second up", lines(up(t, f, have, r).Steps, object.Step.String), "")
	edited := file(t, "t1", strings.Replace(text, "Address=", "MIIMonitorSec=50ms\nTransmitHashPolicy=layer3+4\nAddress=", 1))
	want(t, "up after an edit", lines(up(t, edited, have, r).Steps, object.Step.String), `
ip -n t1 link set lag0 type bond miimon 50
ip -n t1 link set lag0 type bond xmit_hash_policy layer3+4
`)
	edited = file(t, "t1", strings.Replace(text, "active-backup", "802.3ad", 1))
	want(t, "up after an edit of the mode", lines(up(t, edited, have, r).Steps, object.Step.String), `
ip -n t1 link delete lag0
ip -n t1 link add lag0 type bond mode 802.3ad miimon 100
ip -n t1 address add 10.60.0.2/24 dev lag0
ip -n t1 link set lag0 up
ip -n t1 link set eth0 down
ip -n t1 link set eth0 master lag0
`)
}

// A bridge of somebody else that keeps VLANs apart goes on doing so where the file does not
// speak of it; one of ours does what the file says.
func TestBridgeKeepsItsWall(t *testing.T) {
	f := file(t, "t1", "[Link br0]\nKind=bridge\n")
	have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Up: true}},
		"br0": {Link: rtnl.Link{Name: "br0", Index: 7, Kind: "bridge", Up: true, Options: object.Options{VLANFiltering: true}}}}}
	want(t, "up", lines(up(t, f, have, &record.Record{}).Steps, object.Step.String), "")
	ours := &record.Record{Domain: f.Domain, Entries: []record.Entry{{Object: object.Link{Netns: f.Domain.Netns, Outer: f.Domain.Netns, Name: "br0", Kind: "bridge"}, Made: record.Identity{Index: 7}}}}
	want(t, "up of ours", lines(up(t, f, have, ours).Steps, object.Step.String), "ip -n t1 link set br0 type bridge vlan_filtering 0")
}
