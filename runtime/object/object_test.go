package object

import (
	"net/netip"
	"testing"

	"rdgen/runtime/domain"
)

func TestCommand(t *testing.T) {
	prefix, addr := netip.MustParsePrefix, netip.MustParseAddr
	blue, _ := domain.Parse("a", "")
	red, _ := domain.Parse("", "red")
	a, none := blue.Netns, domain.NetnsName{}
	v4, v6 := prefix("0.0.0.0/0"), prefix("::/0")
	for _, c := range []struct {
		step Step
		want string
	}{
		{Step{Verb: Add, Object: Netns{a}}, "ip netns add a"},
		{Step{Verb: Delete, Object: Netns{a}}, "ip netns delete a"},
		{Step{Verb: Add, Object: Link{Name: "red", Kind: "vrf", Options: Options{Table: 10}}}, "ip link add red type vrf table 10"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "v", Kind: "veth", Peer: "w", MTU: 1400, MAC: "02:00:00:00:00:01"}},
			"ip link add v netns a address 02:00:00:00:00:01 mtu 1400 type veth peer name w"},
		{Step{Verb: Add, Object: Link{Name: "v", Kind: "veth", Peer: "w"}}, "ip link add v type veth peer name w"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "d", Kind: "dummy"}}, "ip -n a link add d type dummy"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "x", Kind: "xfrm", Parent: "red", Options: Options{ID: 7}}},
			"ip link add x type xfrm dev red if_id 7 && ip link set x netns a"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "g", Kind: "geneve", Options: Options{ID: 7, Remote: addr("10.0.0.2"), TTL: 9, Port: 6081}}},
			"ip link add g netns a type geneve id 7 remote 10.0.0.2 ttl 9 dstport 6081"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "t", Kind: "ip6tnl", Options: Options{Mode: "ip6ip6", Local: addr("::1"), TTL: 64}}},
			"ip link add t type ip6tnl mode ip6ip6 local ::1 hoplimit 64 && ip link set t netns a"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "t", Kind: "macvtap", Parent: "e", Options: Options{Mode: "vepa"}}},
			"ip link add link e name t netns a type macvtap mode vepa"},
		{Step{Verb: Add, Object: Link{Name: "v", Kind: "vti6", Options: Options{Local: addr("::1"), GREKey: 7, Keyed: true}}},
			"ip link add v type vti6 local ::1 key 7"},
		{Step{Verb: Add, Object: Link{Netns: a, Name: "s", Kind: "macsec", Parent: "e", Options: Options{ChannelPort: 1, Encrypt: true}}},
			"ip link add link e name s netns a type macsec port 1 encrypt on"},
		{Step{Verb: Delete, Object: Link{Netns: a, Name: "d", Kind: "dummy"}}, "ip -n a link delete d"},
		{Step{Verb: Set, Object: Setting{Netns: a, Link: "lo", What: "up"}}, "ip -n a link set lo up"},
		{Step{Verb: Set, Object: Setting{Link: "e", What: "mtu", Value: "1400"}}, "ip link set e mtu 1400"},
		{Step{Verb: Set, Object: Setting{Link: "e", What: "netns", To: a}}, "ip link set e netns a"},
		{Step{Verb: Set, Object: Setting{Netns: a, Link: "e", What: "netns"}}, "ip -n a link set e netns /proc/$$/ns/net"},
		{Step{Verb: Set, Object: Setting{Link: "e", What: "nomaster"}}, "ip link set e nomaster"},
		{Step{Verb: Add, Object: NewAddress(a, "v", prefix("10.0.0.2/30"))}, "ip -n a address add 10.0.0.2/30 dev v"},
		{Step{Verb: Add, Object: NewAddress(none, "red", prefix("127.0.0.1/8"))}, "ip address add 127.0.0.1/8 dev red"},
		{Step{Verb: Replace, Object: Address{Dev: "v", Prefix: prefix("10.0.0.2/32"), Peer: prefix("10.0.0.9/24"),
			Broadcast: addr("10.0.0.255"), Label: "v:1", Scope: 253, Metric: 5, Flags: 0x202, Valid: 60, Preferred: 30}},
			"ip address replace 10.0.0.2 peer 10.0.0.9/24 broadcast 10.0.0.255 label v:1 scope link metric 5 dev v " +
				"valid_lft 60 preferred_lft 30 nodad noprefixroute"},
		{Step{Verb: Delete, Object: Address{Dev: "v", Prefix: prefix("::1/128"), Metric: 5}}, "ip address delete ::1/128 dev v"},
		{Step{Verb: Add, Object: Route{Destination: v4, Type: "unicast", Gateway: addr("10.0.0.1"), Table: 254}},
			"ip route add default via 10.0.0.1"},
		{Step{Verb: Add, Object: Route{Netns: a, Destination: v6, Type: "unreachable", Table: 10, Metric: 4278198272,
			Protocol: 2}}, "ip -n a -6 route add unreachable default table 10 metric 4278198272 protocol kernel"},
		{Step{Verb: Replace, Object: Route{Destination: prefix("10.1.0.0/16"), Type: "unicast", Dev: "v", Table: 254, Scope: 253,
			Source: addr("10.0.0.2"), MTU: 1300, Protocol: 4}}, "ip route replace 10.1.0.0/16 dev v src 10.0.0.2 protocol static mtu 1300"},
		{Step{Verb: Add, Object: Route{Destination: prefix("10.1.0.0/16"), Type: "unicast", Dev: "v", Table: 254,
			Gateway: addr("10.9.9.9"), OnLink: true, Protocol: 3}}, "ip route add 10.1.0.0/16 via 10.9.9.9 dev v onlink"},
		{Step{Verb: Add, Object: Route{Destination: prefix("10.1.0.0/16"), Type: "unicast", Dev: "v", Table: 254}},
			"ip route add 10.1.0.0/16 dev v scope global"},
		{Step{Verb: Add, Object: Rule{Pref: 2000, L3mdev: true, Type: "unreachable", Protocol: 2}},
			"ip rule add pref 2000 l3mdev unreachable protocol kernel"},
		{Step{Verb: Delete, Object: Rule{Netns: a, IPv6: true, Table: 255, Protocol: 2}}, "ip -n a -6 rule delete pref 0 table local"},
		{Step{Verb: Add, Object: Pin{red}},
			"# rdomain pins the program of vrf red at /sys/fs/bpf/rdomain/red"},
	} {
		if got := c.step.String(); got != c.want {
			t.Errorf("%+v = %q; want %q", c.step, got, c.want)
		}
	}
}

func TestUndo(t *testing.T) {
	was, is := Setting{Link: "e", What: "mtu", Value: "1500"}, Setting{Link: "e", What: "mtu", Value: "1400"}
	back, ok := Step{Verb: Set, Object: is, Old: was, Line: 3}.Undo()
	if want := (Step{Verb: Set, Object: was, Old: is, Line: 3}); !ok || back != want {
		t.Errorf("Undo() = %v, %v; want %v", back, ok, want)
	}
	if back, ok := (Step{Verb: Add, Object: is}).Undo(); ok {
		t.Errorf("Undo() of what replaced nothing = %v; want none", back)
	}
}
