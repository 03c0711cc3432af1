package vm

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	domainfile "rdgen/runtime/conf"
	"rdgen/runtime/object"
	"rdgen/test/guest"
	"rdgen/test/need"
)

// outers are the domains that a link's other side is in: the default one, a
// third namespace, a VRF.
var outers = []string{"", "tr", "red"}

// inside are the kinds of link that have no other side.
var inside = []string{"bridge", "bond", "dummy", "tun", "tap"}

// matrix returns the domain "in" with every kind of link with its other side in
// every domain, what the far host must have for each, and the pings that go
// through it.
func matrix(t *testing.T, keys []string) (conf, host, pings string) {
	var c, h, p strings.Builder
	c.WriteString("[Sysctl]\nnet.ipv6.conf.default.accept_dad=0\nnet.ipv4.conf.all.rp_filter=0\nnet.ipv4.conf.default.rp_filter=0\n")
	net := 10
	for i, outer := range outers {
		n := i + 1
		for _, kind := range domainfile.LinkKinds {
			if slices.Contains(inside, kind) {
				continue
			}
			net++
			name := fmt.Sprintf("%s%d", kind, n)
			local, remote := fmt.Sprintf("10.0.%d.1", n), fmt.Sprintf("10.0.%d.2", n)
			ours, theirs, length := fmt.Sprintf("192.168.%d.1", net), fmt.Sprintf("192.168.%d.2", net), 30
			switch kind {
			case "sit":
				ours, theirs, length = fmt.Sprintf("fd99:%d::1", net), fmt.Sprintf("fd99:%d::2", net), 64
			case "macvlan", "macvtap": // the far host answers on the link below
				ours, theirs, length = fmt.Sprintf("10.0.%d.%d", n, 100+net), remote, 24
			case "ipvlan": // which is another one, since a link cannot have both kinds above it
				ours, theirs, length = fmt.Sprintf("10.1.%d.%d", n, 100+net), fmt.Sprintf("10.1.%d.2", n), 24
			}
			if outer == "red" && object.AvoidsVRF(kind) {
				continue // which is refused
			}
			fmt.Fprintf(&c, "[Link %s]\nKind=%s\nAddress=%s/%d\n", name, kind, ours, length)
			if outer != "" {
				fmt.Fprintf(&c, "Outer=%s\n", outer)
			}
			switch kind {
			case "gre", "gretap", "ipip", "sit":
				fmt.Fprintf(&c, "Local=%s\nRemote=%s\n", local, remote)
				fmt.Fprintf(&h, "ip -n far link add %s type %s local %s remote %s\n", name, kind, remote, local)
			case "ip6gre", "ip6gretap", "vti", "vti6":
				switch kind {
				case "vti":
					local, remote = fmt.Sprintf("10.0.%d.11", n), fmt.Sprintf("10.0.%d.12", n)
				case "vti6":
					local, remote = fmt.Sprintf("fd00:%d::11", n), fmt.Sprintf("fd00:%d::12", n)
				default:
					local, remote = fmt.Sprintf("fd00:%d::1", n), fmt.Sprintf("fd00:%d::2", n)
				}
				fmt.Fprintf(&c, "Local=%s\nRemote=%s\nKey=%d\n", local, remote, net)
				fmt.Fprintf(&h, "ip -n far link add %s type %s local %s remote %s key %d\n", name, kind, remote, local, net)
				if kind == "vti" || kind == "vti6" {
					h.WriteString(ipsec(outer, local, remote, net, "mark"))
				}
			case "xfrm":
				fmt.Fprintf(&c, "InterfaceId=%d\n", net)
				fmt.Fprintf(&h, "ip -n far link add %s type xfrm if_id %d\n", name, net)
				h.WriteString(ipsec(outer, local, remote, net, "if_id"))
			case "ip6tnl":
				local, remote = fmt.Sprintf("fd00:%d::1", n), fmt.Sprintf("fd00:%d::2", n)
				fmt.Fprintf(&c, "Local=%s\nRemote=%s\nMode=ipip6\n", local, remote)
				fmt.Fprintf(&h, "ip -n far link add %s type ip6tnl mode ipip6 local %s remote %s\n", name, remote, local)
			case "geneve":
				fmt.Fprintf(&c, "Id=%d\nRemote=%s\n", net, remote)
				fmt.Fprintf(&h, "ip -n far link add %s type geneve id %d remote %s\n", name, net, local)
			case "vxlan":
				// Where udp_l3mdev_accept is set, a VRF's port is everybody's.
				fmt.Fprintf(&c, "VNI=%d\nLocal=%s\nRemote=%s\nDestinationPort=%d\n", net, local, remote, 4788+n)
				fmt.Fprintf(&h, "ip -n far link add %s type vxlan id %d local %s remote %s dstport %d\n", name, net, remote, local, 4788+n)
			case "wireguard":
				fmt.Fprintf(&c, "PrivateKeyFile=/etc/wireguard/0.key\nListenPort=%d\n[WireGuardPeer %s]\nPublicKey=%s\n"+
					"PresharedKeyFile=/etc/wireguard/psk\nEndpoint=%s:%d\nAllowedIPs=192.168.%d.0/30\n", 51820+n, name, keys[n], remote, 51900+n, net)
				fmt.Fprintf(&h, "ip -n far link add %s type wireguard; ip netns exec far wg set %s private-key /etc/wireguard/%d.key listen-port %d "+
					"peer %s preshared-key /etc/wireguard/psk endpoint %s:%d allowed-ips 192.168.%d.0/30\n", name, name, n, 51900+n, keys[0], local, 51820+n, net)
			case "vlan":
				fmt.Fprintf(&c, "Parent=u%d\nId=%d\n", n, net)
				fmt.Fprintf(&h, "ip -n far link add link f%d name %s type vlan id %d\n", n, name, net)
			case "macsec":
				fmt.Fprintf(&c, "Parent=x%d\nEncrypt=yes\n", n)
				fmt.Fprintf(&h, "ip -n far link add link h%d name %s type macsec encrypt on\n", n, name)
				fmt.Fprintf(&p, "agree %s\n", name)
			case "macvlan", "macvtap":
				fmt.Fprintf(&c, "Parent=u%d\n", n)
			case "ipvlan":
				fmt.Fprintf(&c, "Parent=w%d\n", n)
			case "veth":
				fmt.Fprintf(&c, "Peer=p%d\nPeerAddress=%s/30\n", n, theirs)
			default:
				t.Errorf("no packet is sent through a link of Kind=%s: give it an end on the far host", kind)
			}
			if !slices.Contains([]string{"macvlan", "macvtap", "ipvlan", "veth"}, kind) {
				fmt.Fprintf(&h, "ip -n far address add %s/%d dev %s; ip -n far link set %s up\n", theirs, length, name, name)
			}
			// All three networks of links below are in the domain at once, so
			// a link is named.
			fmt.Fprintf(&p, "await rdexec -n in -- ping -c 1 -W 2 -I %s %s && echo %s\n", name, theirs, name)
		}
	}
	return c.String(), h.String(), p.String()
}

// ipsec calls what kinds.sh has for a tunnel by IPsec, at both of its ends.
func ipsec(outer, local, remote string, number int, word string) string {
	netns := "/proc/1/ns/net"
	if outer == "tr" {
		netns = "/run/netns/tr"
	}
	return fmt.Sprintf("between %s %s %s %d %s %[4]d\nbetween /run/netns/far %[3]s %[2]s %[4]d %[5]s %[4]d\n", netns, local, remote, number, word)
}

// TestLinkKinds: a kind of link that is new is in the matrix.
func TestLinkKinds(t *testing.T) { matrix(t, make([]string, 4)) }

// Every kind of link passes traffic with its other side in the default domain,
// in a third namespace, and in a VRF, on every kernel; is left alone by a second
// up; and goes with down.
func TestDomainsLinks(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "far"))
		keys := strings.Fields(m.Sh(t, "cat /etc/wireguard/[0-4].pub"))
		conf, host, pings := matrix(t, keys)
		m.Put(t, "/etc/rdomain/in.conf", 0o644, []byte(conf))
		m.Sh(t, part(t, "kinds", "ipsec")+host)
		before := m.Sh(t, "ip -br link | sort")
		m.Sh(t, "rdomain up in")
		if got := m.Sh(t, "rdomain up in; rdomain up -n in; rdomain check in"); got != "" {
			t.Errorf("%s: after up there is something to be done:\n%s", m.System, got)
		}
		got := m.Sh(t, "set +e\n"+part(t, "kinds", "macsec")+pings+"true")
		t.Logf("%s: kernel %s: packets pass through %s", m.System, strings.TrimSpace(m.Sh(t, "uname -r")), strings.Join(strings.Fields(got), " "))
		for line := range strings.Lines(pings) {
			name := line[strings.LastIndexByte(line, ' ')+1 : len(line)-1]
			if !strings.Contains("\n"+got, "\n"+name+"\n") {
				t.Errorf("%s: no packet passes through %s:\n%s", m.System, name, m.Sh(t, "ip -n in -d link show "+name+"; ip rule; ip route show table 10"))
			}
		}
		if out := m.Sh(t, "cat /run/rdomain/in.json; rdomain check --json in; rdomain list --json; grep -l -F -f /etc/wireguard/0.key -r /run/rdomain || true"); strings.Contains(out, strings.TrimSpace(m.Sh(t, "cat /etc/wireguard/0.key"))) {
			t.Errorf("%s: the private key is shown:\n%s", m.System, out)
		}
		m.Sh(t, part(t, "kinds", "refused")) // what a VRF cannot hold
		m.Sh(t, guest.Network+part(t, "kinds", "dumps")+part(t, "kinds", "bond")+part(t, "kinds", "vlans")+part(t, "kinds", "others"))
		m.Sh(t, "rdomain down in; ! ip rule | grep 1998 || exit 1")
		if after := m.Sh(t, "ip -br link | sort"); after != before {
			t.Errorf("%s: down leaves\n%s\nbefore\n%s", m.System, after, before)
		}
	})
}

// The IfState example of Alpine's wiki, as docs/domains.md has it: a VLAN and a WireGuard link
// in the namespace vpn, whose socket is in the default domain, and a default route through wg0.
// And more tunnels, each in a domain.
func TestDomainsIfState(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}, {Release: "trixie", Init: Systemd}}, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "far")+part(t, "ifstate", "prepare"))
		peer := strings.TrimSpace(m.Sh(t, "cat /etc/wireguard/1.pub"))
		m.Put(t, "/etc/rdomain/vpn.conf", 0o644, ifstate(t, peer))
		m.Sh(t, part(t, "ifstate", "up"))
		// The far host moves: its new endpoint is kept by up, which has no reason
		// to call it back, and a peer that somebody removed is there again.
		m.Sh(t, setting("peer", peer)+part(t, "ifstate", "moves"))
		// A step that fails gives the link its keys and peers back.
		m.Sh(t, part(t, "ifstate", "taken back"))
		// A wireguard link through a VRF is refused where it would be deaf.
		m.Sh(t, part(t, "ifstate", "deaf"))
		// What rdgen import prints is made, and what is there has a file.
		putImports(t, m)
		m.Sh(t, setting("peer", peer)+part(t, "ifstate", "imports"))
		tunnelsPage(t, m)
	})
}

// ifstate is examples/domains/etc/rdomain/vpn.conf with the keys of this test, and without
// empty lines: a message counts them.
func ifstate(t *testing.T, peer string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../examples/domains/etc/rdomain/vpn.conf")
	if err != nil {
		t.Fatal(err)
	}
	const key = "PublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
	if !strings.Contains(string(text), key) {
		t.Fatal("the example has another key")
	}
	return []byte(strings.NewReplacer("\n\n", "\n", "/wg0.key", "/0.key", key, "PublicKey="+peer+"\nPresharedKeyFile=/etc/wireguard/psk\n").Replace(string(text)))
}

// A provider's file is taken as it is: what is printed does the same, no key is seen, an
// edit changes what it says and nothing else, and down takes it back.
func TestDomainsProvider(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}}, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "far"))
		keys := setting("peer", strings.TrimSpace(m.Sh(t, "cat /etc/wireguard/1.pub"))) + setting("dead", strings.TrimSpace(m.Sh(t, "cat /etc/wireguard/2.pub")))
		m.Sh(t, guest.Await+keys+part(t, "provider", "prepare")+part(t, "provider", "refused")+part(t, "provider", "printed")+part(t, "provider", "up")+part(t, "provider", "was")+part(t, "provider", "edits"))
		m.Sh(t, guest.Await+keys+part(t, "provider", "again"))
	})
}

// A tunnel's end whose owner is an ordinary user, in a namespace and in a VRF; a
// WireGuard whose packets travel through a VRF, with its endpoint by name; and a
// listener of the default domain that a VRF lets in, as its file says.
func TestDomainsInside(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+script(t, "far")+part(t, "inside", "owners"))
		// What a reload would do is what it does.
		m.Sh(t, part(t, "inside", "reload"))
		peer := strings.TrimSpace(m.Sh(t, part(t, "inside", "far")))
		m.Put(t, "/etc/rdomain/vpn.conf", 0o644, []byte(`[Link wg0]
Kind=wireguard
Outer=red
PrivateKeyFile=/etc/wireguard/0.key
ListenPort=51820
Address=10.64.0.2/24
[WireGuardPeer wg0]
PublicKey=`+peer+`
PresharedKeyFile=/etc/wireguard/psk
Endpoint=vpn.example.org:51820
AllowedIPs=10.64.0.1/32
`))
		m.Sh(t, `rdomain up vpn; rdomain check vpn; await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1
			ip netns exec vpn wg show wg0 endpoints | grep -q 10.0.3.2:51820; ! ping -c 1 -W 1 10.64.0.1 || exit 1; rdomain down vpn`)
		m.Sh(t, part(t, "inside", "listener"))
	})
}

// A VRF that ifupdown-ng makes, of a real /etc/network/interfaces, and one that
// systemd-networkd makes, are waited for, used, and never removed; and so is
// what they set up next to a VRF of ours.
func TestDomainsOfOthers(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}, {Release: "trixie", Init: Systemd}}, func(t *testing.T, m *Machine) {
		m.Sh(t, part(t, "others", "links"))
		var make, again, unmake string
		if m.System.Init == OpenRC {
			m.Sh(t, part(t, "others", "interfaces"))
			// Its vrf executor (0.12) makes the VRF and two rules, and then calls that a failure.
			make = "ifup-ng -a || true; ip link set theirs up; ip link set e0 master theirs; ip address add 10.1.0.1/24 dev e0; ip link set e0 up"
			again, unmake = "ifup-ng -a || true", "ifdown-ng -f theirs || true"
		} else {
			m.Sh(t, part(t, "others", "netdev"))
			// Links are enslaved by hand: networkd leaves them to udev, which is not there.
			make = "systemctl start systemd-networkd; await ip link show theirs; ip link set theirs up; ip link set e0 master theirs; ip address add 10.1.0.1/24 dev e0; ip link set e0 up"
			again, unmake = "networkctl reload; systemctl restart systemd-networkd", "systemctl stop systemd-networkd"
		}
		// Nobody has made it yet: up waits, here without success, and makes nothing.
		m.Sh(t, setting("make", make)+part(t, "others", "made"))
		// Ours lives next to it, and outlives what they do.
		m.Sh(t, setting("again", again)+part(t, "others", "beside"))
		// A link of theirs is not taken out of their VRF.
		m.Sh(t, setting("unmake", unmake)+part(t, "others", "thief"))
		if m.System.Init == Systemd {
			m.Put(t, "/root/guide.network", 0o644, networkFile(t))
			m.Sh(t, script(t, "networkd"))
		}
		// A tool that deletes what it does not know, as IfState does with
		// namespaces: check says so, up makes it again, down cleans.
		m.Sh(t, part(t, "others", "deleted"))
	})
}

// networkFile is the .network file of docs/domains.md, for this test's link and VRF.
func networkFile(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/domains.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := bytes.Cut(text, []byte("\n    # /etc/systemd/network/20-eth1.network\n"))
	text, _, ended := bytes.Cut(text, []byte("\n\nWith"))
	if !found || !ended {
		t.Fatal("docs/domains.md has no 20-eth1.network")
	}
	return []byte(strings.NewReplacer("eth1", "e2", "10.20.30.40", "10.2.0.7", "10.20.30.1", "10.2.0.9", "Table=10", "Table=20", "\n    ", "\n").
		Replace("\n" + string(text) + "\n"))
}

// The tests of cmd/rdomain that need a kernel with VRFs, among them that an up or
// down that is killed at a system call leaves nothing, run in the machine. An emulated
// one is slow: of the walk that takes every fourth call it does a half, and the other half
// with RDGEN_TEST_ALL. Every call of the walk in a namespace is taken on the host then.
func TestDomainsKilled(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}}, func(t *testing.T, m *Machine) {
		m.Put(t, "/root/rdomain.test", 0o755, guest.TestBinary(t, "cmd/rdomain"))
		shard := "0/2"
		if need.All() {
			shard = "0/1"
		}
		out := m.Run(t, "sh", "-c", "cd /root && RDGEN_SHARD="+shard+" PATH=$PATH:/usr/sbin exec ./rdomain.test -test.v -test.run 'TestKilledAtEachSystemCall/vrf|TestVRFWithoutModule'")
		if out.Code != 0 || !strings.Contains(out.Stdout, "--- PASS: TestKilledAtEachSystemCall/vrf") {
			t.Errorf("%s: exit %d\n%s%s", m.System, out.Code, out.Stdout, out.Stderr)
		}
		for line := range strings.Lines(out.Stdout) {
			if strings.Contains(line, "calls or fewer") {
				t.Logf("%s: %s", m.System, strings.TrimSpace(line))
			}
		}
	})
}
