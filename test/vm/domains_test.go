package vm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// await is a program that waits until a command succeeds.
const await = `
# await COMMAND...: until it succeeds.
cat >/usr/local/bin/await <<'EOT'
#!/bin/sh
for i in $(seq 300); do "$@" >/dev/null 2>&1 && exit 0; sleep 0.1; done
echo "await: $*" >&2
exit 1
EOT
chmod +x /usr/local/bin/await
`

// far is another host, made of the namespace far, to which links lead: two from the
// default domain, two from the namespace tr, two from the VRF red.
// Each has its own networks, so that a packet that gets there went that way.
const far = `
mkdir -p /etc/rdomain /etc/wireguard
ip link set lo up
ip netns add far; ip -n far link set lo up
ip netns exec far sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0
cat >/etc/rdomain/tr.conf <<'EOT'
[Sysctl]
net.ipv6.conf.default.accept_dad=0
[Link u2]
Kind=veth
Peer=f2
Outer=far
Address=10.0.2.1/24
Address=fd00:2::1/64
PeerAddress=10.0.2.2/24
PeerAddress=fd00:2::2/64
[Link w2]
Kind=veth
Peer=g2
Outer=far
PeerAddress=10.1.2.2/24
EOT
cat >/etc/rdomain/red.conf <<'EOT'
[Domain]
Kind=vrf
Table=10
[Sysctl]
net.ipv4.udp_l3mdev_accept=1
[Link u3]
Kind=veth
Peer=f3
Outer=far
Address=10.0.3.1/24
Address=fd00:3::1/64
PeerAddress=10.0.3.2/24
PeerAddress=fd00:3::2/64
[Link w3]
Kind=veth
Peer=g3
Outer=far
PeerAddress=10.1.3.2/24
EOT
ip link add u1 type veth peer name f1 netns far
ip address add 10.0.1.1/24 dev u1; ip address add fd00:1::1/64 dev u1 nodad; ip link set u1 up
ip -n far address add 10.0.1.2/24 dev f1; ip -n far address add fd00:1::2/64 dev f1 nodad; ip -n far link set f1 up
ip link add w1 type veth peer name g1 netns far; ip link set w1 up
ip -n far address add 10.1.1.2/24 dev g1; ip -n far link set g1 up
rdomain up tr red
umask 077
for k in 0 1 2 3 4; do wg genkey >/etc/wireguard/$k.key; wg pubkey </etc/wireguard/$k.key >/etc/wireguard/$k.pub; done
wg genpsk >/etc/wireguard/psk
umask 022
` + await

// outers are the domains that a link's other side is in: the default one, a
// third namespace, a VRF.
var outers = []string{"", "tr", "red"}

// matrix returns the domain "in" with every kind of link with its other side in
// every domain, what the far host must have for each, and the pings that go
// through it.
func matrix(keys []string) (conf, host, pings string) {
	var c, h, p strings.Builder
	c.WriteString("[Sysctl]\nnet.ipv6.conf.default.accept_dad=0\nnet.ipv4.conf.all.rp_filter=0\nnet.ipv4.conf.default.rp_filter=0\n")
	net := 10
	for i, outer := range outers {
		n := i + 1
		for _, kind := range []string{"gre", "gretap", "ip6gre", "ipip", "sit", "vxlan", "wireguard", "vlan", "macvlan", "ipvlan", "veth"} {
			net++
			name := fmt.Sprintf("%s%d", kind, n)
			local, remote := fmt.Sprintf("10.0.%d.1", n), fmt.Sprintf("10.0.%d.2", n)
			ours, theirs, length := fmt.Sprintf("192.168.%d.1", net), fmt.Sprintf("192.168.%d.2", net), 30
			fmt.Fprintf(&c, "[Link %s]\nKind=%s\n", name, kind)
			if outer != "" {
				fmt.Fprintf(&c, "Outer=%s\n", outer)
			}
			switch kind {
			case "sit":
				ours, theirs, length = fmt.Sprintf("fd99:%d::1", net), fmt.Sprintf("fd99:%d::2", net), 64
				fallthrough
			case "gre", "gretap", "ipip":
				fmt.Fprintf(&c, "Local=%s\nRemote=%s\n", local, remote)
				fmt.Fprintf(&h, "ip -n far link add %s type %s local %s remote %s\n", name, kind, remote, local)
			case "ip6gre":
				local, remote = fmt.Sprintf("fd00:%d::1", n), fmt.Sprintf("fd00:%d::2", n)
				fmt.Fprintf(&c, "Local=%s\nRemote=%s\nKey=%d\n", local, remote, net)
				fmt.Fprintf(&h, "ip -n far link add %s type ip6gre local %s remote %s key %d\n", name, remote, local, net)
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
			case "macvlan": // the far host answers on the link below
				ours, theirs, length = fmt.Sprintf("10.0.%d.%d", n, 100+net), remote, 24
				fmt.Fprintf(&c, "Parent=u%d\n", n)
			case "ipvlan": // a link cannot have both kinds above it
				ours, theirs, length = fmt.Sprintf("10.1.%d.%d", n, 100+net), fmt.Sprintf("10.1.%d.2", n), 24
				fmt.Fprintf(&c, "Parent=w%d\n", n)
			case "veth":
				fmt.Fprintf(&c, "Peer=p%d\nPeerAddress=%s/30\n", n, theirs)
			}
			if kind == "wireguard" { // the peer's section ended the link's
				c2 := strings.Replace(c.String(), "PrivateKeyFile=/etc/wireguard/0.key\nListenPort="+fmt.Sprint(51820+n),
					fmt.Sprintf("Address=%s/%d\nPrivateKeyFile=/etc/wireguard/0.key\nListenPort=%d", ours, length, 51820+n), 1)
				c.Reset()
				c.WriteString(c2)
			} else {
				fmt.Fprintf(&c, "Address=%s/%d\n", ours, length)
			}
			if kind != "macvlan" && kind != "ipvlan" && kind != "veth" {
				fmt.Fprintf(&h, "ip -n far address add %s/%d dev %s; ip -n far link set %s up\n", theirs, length, name, name)
			}
			// All three networks of links below are in the domain at once, so
			// a link is named.
			fmt.Fprintf(&p, "await rdexec -n in -- ping -c 1 -W 2 -I %s %s && echo %s\n", name, theirs, name)
		}
	}
	return c.String(), h.String(), p.String()
}

// Every kind of link passes traffic with its other side in the default domain,
// in a third namespace, and in a VRF, on every kernel; is left alone by a second
// up; and goes with down.
func TestDomainsLinks(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Sh(t, far)
		keys := strings.Fields(m.Sh(t, "cat /etc/wireguard/[0-4].pub"))
		conf, host, pings := matrix(keys)
		m.Put(t, "/etc/rdomain/in.conf", 0o644, []byte(conf))
		m.Sh(t, host)
		before := m.Sh(t, "ip -br link | sort")
		m.Sh(t, "rdomain up in")
		if got := m.Sh(t, "rdomain up in; rdomain up -n in; rdomain check in"); got != "" {
			t.Errorf("%s: after up there is something to be done:\n%s", m.System, got)
		}
		got := m.Sh(t, "set +e\n"+pings+"true")
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
		m.Sh(t, "rdomain down in; ! ip rule | grep -q 1998")
		if after := m.Sh(t, "ip -br link | sort"); after != before {
			t.Errorf("%s: down leaves\n%s\nbefore\n%s", m.System, after, before)
		}
	})
}

// The IfState example of Alpine's wiki: a VLAN and a WireGuard link in the
// namespace vpn, whose socket is in the default domain, and a default route
// through wg0.
const ifstate = `[Domain]
DNS=10.64.0.1
[Link eth0.10]
Kind=vlan
Parent=eth0
Id=10
Address=10.10.0.2/24
[Link wg0]
Kind=wireguard
PrivateKeyFile=/etc/wireguard/0.key
ListenPort=51820
Address=10.64.0.2/32
[WireGuardPeer wg0]
PublicKey=PEER
PresharedKeyFile=/etc/wireguard/psk
Endpoint=vpn.example.org:51820
AllowedIPs=0.0.0.0/0, ::/0
PersistentKeepalive=25
[Route]
Destination=default
Device=wg0
`

func TestDomainsIfState(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}}, func(t *testing.T, m *Machine) {
		m.Sh(t, far+`
			ip link set u1 down; ip link set u1 name eth0; ip link set eth0 up
			echo '10.0.1.2 vpn.example.org' >>/etc/hosts
			ip -n far link add link f1 name f1.10 type vlan id 10; ip -n far address add 10.10.0.1/24 dev f1.10; ip -n far link set f1.10 up
			ip -n far link add wg0 type wireguard
			ip netns exec far wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) \
				preshared-key /etc/wireguard/psk allowed-ips 10.64.0.2/32
			ip -n far address add 10.64.0.1/24 dev wg0; ip -n far link set wg0 up
			ip -n far address add 203.0.113.1/32 dev lo
			mkdir -p /srv; echo the far host >/srv/index.html
			ip netns exec far busybox httpd -p 203.0.113.1:80 -h /srv`)
		peer := strings.TrimSpace(m.Sh(t, "cat /etc/wireguard/1.pub"))
		m.Put(t, "/etc/rdomain/vpn.conf", 0o644, []byte(strings.Replace(ifstate, "PEER", peer, 1)))
		m.Sh(t, `rdomain up vpn; rdomain up vpn; rdomain check vpn
			await rdexec -n vpn -- ping -c 1 -W 2 10.10.0.1
			await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1
			test "$(rdexec -n vpn -- busybox wget -q -O - http://203.0.113.1/)" = 'the far host'
			# Outside there is the socket and no way to what is behind the tunnel; inside the reverse.
			ss -Huln | grep -q :51820; ! ip netns exec vpn ss -Huln | grep -q :51820
			! ping -c 1 -W 1 203.0.113.1
			ip -n vpn route | grep -qx 'default dev wg0 scope link '
			rdexec -n vpn -- cat /etc/resolv.conf | grep -qx 'nameserver 10.64.0.1'`)
		// The far host moves: its new endpoint is kept by up, which has no reason
		// to call it back, and a peer that somebody removed is there again.
		m.Sh(t, `index=$(ip -n vpn -o link show wg0 | cut -d: -f1)
			ip netns exec far wg set wg0 listen-port 51999
			ip netns exec far wg set wg0 peer $(cat /etc/wireguard/0.pub) endpoint 10.0.1.1:51820
			await ip netns exec far ping -c 1 -W 2 10.64.0.2
			ip netns exec vpn wg show wg0 endpoints | grep -q :51999
			rdomain up vpn; rdomain check vpn
			ip netns exec vpn wg show wg0 endpoints | grep -q :51999
			ip netns exec vpn wg set wg0 peer `+peer+` remove
			! rdomain check vpn >/root/diff; grep -q 'wg set wg0 peer' /root/diff
			ip netns exec far wg set wg0 listen-port 51820
			rdomain up vpn
			await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1
			# An edit changes the peer, not the link.
			sed -i 's/PersistentKeepalive=25/PersistentKeepalive=20/; s/ListenPort=51820/ListenPort=51821/' /etc/rdomain/vpn.conf
			rdomain reload vpn; rdomain check vpn
			ip netns exec vpn wg show wg0 persistent-keepalive | grep -q '20$'
			test "$(ip netns exec vpn wg show wg0 listen-port)" = 51821
			test "$index" = "$(ip -n vpn -o link show wg0 | cut -d: -f1)"
			await rdexec -n vpn -- ping -c 1 -W 2 10.64.0.1`)
		// A step that fails gives the link its keys and peers back.
		m.Sh(t, `ip netns exec vpn wg showconf wg0 | sort >/root/before
			cp /etc/rdomain/vpn.conf /root/good
			sed -i 's/PersistentKeepalive=20/PersistentKeepalive=21/; s/0.key/2.key/' /etc/rdomain/vpn.conf
			printf '[Route]\nDestination=10.99.0.0/16\nDevice=nowhere\n' >>/etc/rdomain/vpn.conf
			! rdomain up vpn 2>/root/why; grep -q 'vpn.conf:22: ip -n vpn route add 10.99.0.0/16 dev nowhere' /root/why
			ip netns exec vpn wg showconf wg0 | sort >/root/after; cmp /root/before /root/after
			cp /root/good /etc/rdomain/vpn.conf; rdomain check vpn
			! grep -q -F -f /etc/wireguard/0.key -r /run/rdomain
			rdomain down vpn; ! ip netns list | grep -q vpn; test ! -e /etc/netns/vpn; ip link show eth0 >/dev/null`)
		// A wireguard link through a VRF is refused where it would be deaf.
		m.Sh(t, `sed -i '/^.Sysctl/d; /udp_l3mdev_accept/d' /etc/rdomain/red.conf; rdomain reload red
			test "$(sysctl -n net.ipv4.udp_l3mdev_accept)" = 0
			sed -i 's/Kind=wireguard/Kind=wireguard\nOuter=red/' /etc/rdomain/vpn.conf
			! rdomain up vpn 2>/root/why; grep -q 'vpn.conf:10: .*udp_l3mdev_accept=1' /root/why || { cat /root/why; false; }
			! ip netns list | grep -q vpn`)
	})
}

// A tunnel's end whose owner is an ordinary user, in a namespace and in a VRF; a
// WireGuard whose packets travel through a VRF, with its endpoint by name; and a
// listener of the default domain that a VRF lets in, as its file says.
func TestDomainsInside(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}}, func(t *testing.T, m *Machine) {
		m.Sh(t, far+`
			printf '[Link tun5]\nKind=tun\nUser=nobody\nAddress=10.5.0.1/24\n[Link tap5]\nKind=tap\nUser=nobody\nAddress=10.6.0.1/24\n' >/etc/rdomain/box.conf
			sed 's/5\]/7]/; s/10\.5/10.7/; s/10\.6/10.8/; 1i [Domain]\nKind=vrf\nTable=50\n' /etc/rdomain/box.conf >/etc/rdomain/ring.conf
			[ -e /dev/net/tun ] || { ! rdomain up box 2>/root/why; grep -q 'box.conf:1: .*modprobe tun' /root/why; modprobe tun; }
			rdomain up box ring; rdomain up box ring; rdomain check box ring; test -z "$(rdomain up -n box ring)"
			ip -n box tuntap show | grep -q 'tun5: tun .*persist user 65534'; ip -n box tuntap show | grep -q 'tap5: tap .*persist user 65534'
			ip tuntap show | grep -q 'tun7: tun .*persist user 65534'; ip -br link show master ring | grep -q tap7
			rdomain down box ring; ! ip tuntap show | grep 7:`)
		// What a reload would do is what it does.
		m.Sh(t, `printf '[Domain]\nKind=vrf\nTable=50\n[Link d1]\nKind=dummy\nAddress=10.9.0.1/24\n[Link d2]\nKind=dummy\n' >/etc/rdomain/ring.conf
			rdomain up ring; sed -i '/d2/,$d; s/10.9.0.1/10.9.0.2/' /etc/rdomain/ring.conf
			before=$(ip -br addr); rdomain reload -n ring >/root/would; test "$before" = "$(ip -br addr)"
			printf 'ip address delete 10.9.0.1/24 dev d1\nip link delete d2\nip address add 10.9.0.2/24 dev d1\n' | diff - /root/would
			rdomain reload ring; test -z "$(rdomain reload -n ring)"; rdomain check ring; ! ip link show d2 2>/dev/null; rdomain down ring`)
		peer := strings.TrimSpace(m.Sh(t, `echo '10.0.3.2 vpn.example.org' >>/etc/hosts
			ip -n far link add wg0 type wireguard
			ip netns exec far wg set wg0 private-key /etc/wireguard/1.key listen-port 51820 peer $(cat /etc/wireguard/0.pub) preshared-key /etc/wireguard/psk allowed-ips 10.64.0.2/32
			ip -n far address add 10.64.0.1/24 dev wg0; ip -n far link set wg0 up
			cat /etc/wireguard/1.pub`))
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
			ip netns exec vpn wg show wg0 endpoints | grep -q 10.0.3.2:51820; ! ping -c 1 -W 1 10.64.0.1; rdomain down vpn`)
		m.Sh(t, `probe listen 0.0.0.0:7100 >/dev/null 2>&1 & await ip netns exec far probe ask 10.0.1.1:7100
			! ip netns exec far probe ask 10.0.3.1:7100
			sed -i 's/^\[Sysctl\]/&\nnet.ipv4.tcp_l3mdev_accept=1/' /etc/rdomain/red.conf
			rdomain reload red; rdomain check red; ip netns exec far probe ask 10.0.3.1:7100
			sed -i '/tcp_l3mdev_accept/d' /etc/rdomain/red.conf; rdomain reload red; ! ip netns exec far probe ask 10.0.3.1:7100`)
	})
}

// A VRF that ifupdown-ng makes, of a real /etc/network/interfaces, and one that
// systemd-networkd makes, are waited for, used, and never removed; and so is
// what they set up next to a VRF of ours.
func TestDomainsOfOthers(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}, {Release: "trixie", Init: Systemd}}, func(t *testing.T, m *Machine) {
		m.Sh(t, await+`mkdir -p /etc/rdomain; ip link set lo up
			ip link add e0 type veth peer name e1; ip link set e1 up; ip link add e2 type veth peer name e3; ip link set e3 up
			printf '[Domain]\nKind=vrf\nTable=1010\nManaged=no\n' >/etc/rdomain/theirs.conf
			printf '[Domain]\nKind=vrf\nTable=20\n[Link e2]\nAddress=10.2.0.1/24\n' >/etc/rdomain/ours.conf`)
		var make, again, unmake string
		if m.System.Init == OpenRC {
			m.Sh(t, `cat >/etc/network/interfaces <<'EOT'
auto lo
iface lo inet loopback

auto theirs
iface theirs
	vrf-table 1010
EOT`)
			// Its vrf executor (0.12) makes the VRF and two rules, and then calls that a failure.
			make = "ifup-ng -a || true; ip link set theirs up; ip link set e0 master theirs; ip address add 10.1.0.1/24 dev e0; ip link set e0 up"
			again, unmake = "ifup-ng -a || true", "ifdown-ng -f theirs || true"
		} else {
			m.Sh(t, `mkdir -p /etc/systemd/network
				printf '[NetDev]\nName=theirs\nKind=vrf\n[VRF]\nTable=1010\n' >/etc/systemd/network/10-theirs.netdev`)
			// Links are enslaved by hand: networkd leaves them to udev, which is not there.
			make = "systemctl start systemd-networkd; await ip link show theirs; ip link set theirs up; ip link set e0 master theirs; ip address add 10.1.0.1/24 dev e0; ip link set e0 up"
			again, unmake = "networkctl reload; systemctl restart systemd-networkd", "systemctl stop systemd-networkd"
		}
		// Nobody has made it yet: up waits, here without success, and makes nothing.
		m.Sh(t, `sed 's/Managed=no/Managed=no\nTimeoutSec=1/' /etc/rdomain/theirs.conf >/etc/rdomain/soon.conf; sed -i 's/^Kind=vrf/Kind=vrf\nName=theirs2/' /etc/rdomain/soon.conf
			! rdomain up soon 2>/root/why; grep -q 'soon.conf:1: vrf theirs2 does not exist after 1 s; Managed=no leaves making it to somebody else' /root/why
			rm /etc/rdomain/soon.conf
			rdomain up theirs >/root/out 2>&1 & pid=$!
			`+make+`
			wait $pid; ! grep -v "note: theirs: waiting for vrf theirs" /root/out
			test -e /sys/fs/bpf/rdomain/theirs
			await sh -c 'ip -br addr show dev e0 | grep -q 10.1.0.1 && ip -br link show master theirs | grep -q e0'
			rdexec -v theirs -- rdomain check --self -v theirs
			rdexec -v theirs -- ping -c 1 -W 2 10.1.0.1
			rdomain list | grep -q '^theirs *vrf *foreign'`)
		// Ours lives next to it, and outlives what they do.
		m.Sh(t, `rdomain up ours; rdomain check ours
			`+again+`
			await rdomain check ours
			rdexec -v ours -- ping -c 1 -W 2 10.2.0.1
			before=$(ip -br link; ip -br addr)
			rdomain up ours theirs; rdomain down theirs
			test "$before" = "$(ip -br link; ip -br addr)"
			ip link show theirs >/dev/null; test ! -e /sys/fs/bpf/rdomain/theirs
			rdomain down ours; ! ip link show ours 2>/dev/null; ip link show e2 >/dev/null; ip link show theirs >/dev/null`)
		// A link of theirs is not taken out of their VRF.
		m.Sh(t, `printf '[Domain]\nKind=vrf\nTable=21\nTimeoutSec=0\n[Link e0]\n' >/etc/rdomain/thief.conf
			! rdomain up thief 2>/root/why; grep -q 'thief.conf:5: link e0 is a member of vrf theirs; release it first' /root/why || { cat /root/why; false; }
			! ip link show thief 2>/dev/null
			printf '[Domain]\nKind=vrf\nTable=1010\n' >/etc/rdomain/thief.conf
			! rdomain up thief 2>/root/why; grep -q 'thief.conf:1: Table=1010 is already that of vrf theirs' /root/why || { cat /root/why; false; }
			! ip link show thief 2>/dev/null
			rdomain up theirs; `+unmake+`; ip link del theirs 2>/dev/null || true; rdomain down theirs`)
		if m.System.Init == Systemd {
			m.Put(t, "/root/guide.network", 0o644, networkFile(t))
			m.Sh(t, await+besideNetworkd)
		}
		// A tool that deletes what it does not know, as IfState does with
		// namespaces: check says so, up makes it again, down cleans.
		m.Sh(t, `printf '[Link e2]\n[Link d0]\nKind=dummy\nAddress=10.3.0.1/24\n' >/etc/rdomain/ns.conf
			rdomain up ns
			ip netns delete ns
			! rdomain check ns >/root/diff; grep -qx '# ns: netns ns does not exist' /root/diff
			await sh -c '! ip link show e3'
			# e2 was a veth, and died with the namespace: that is said, and nothing is made.
			sed -i '1i [Domain]\nTimeoutSec=1' /etc/rdomain/ns.conf
			! rdomain up ns 2>/root/why; grep -q 'ns.conf:3: there is no link e2' /root/why || { cat /root/why; false; }
			ip link add e2 type dummy
			rdomain up ns; rdomain check ns; rdomain down ns
			ip link show e2 >/dev/null; ! ip netns list | grep -q .`)
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

// besideNetworkd is networkd with a file that matches a member of a VRF of ours: it
// takes the link out. check has said so before, by file and line; the link is taken in
// again, and without rdomain-watch it would stay outside. With KeepMaster=yes networkd
// leaves it, and still sets its address.
const besideNetworkd = `
systemctl start systemd-udevd; udevadm trigger --subsystem-match=net --action=add; udevadm settle
systemctl start systemd-networkd; systemctl start rdomain@ours; systemctl is-active rdomain-watch
printf '[Match]\nName=e2\n[Network]\nAddress=10.2.0.1/24\n' >/etc/systemd/network/20-e2.network
! rdomain check ours >/root/diff
grep -q '^# ours: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2, and takes it out of vrf ours; write KeepMaster=yes' /root/diff || { cat /root/diff; false; }
test "$(wc -l </root/diff)" = 1 || { cat /root/diff; false; }
rdomain up ours 2>&1 | grep -q '^rdomain: note: ours: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2'
rdgen check 2>&1 | grep -q '^rdgen: error: /etc/systemd/network/20-e2.network:2: this file of systemd-networkd is for link e2'
systemctl restart systemd-networkd
await sh -c 'journalctl -u rdomain-watch | grep "ours: somebody changed it; put right: .*e2"'
await sh -c 'ip -br link show master ours | grep -q e2'
systemctl is-active rdomain@ours
await sh -c 'rdomain check ours | grep -v ^#.*20-e2.network; test $? = 1'
# Without the watch: networkd leaves it outside.
systemctl stop rdomain-watch; systemctl restart systemd-networkd
await sh -c '! ip -br link show master ours | grep -q e2'
await sh -c 'ip route get 10.2.0.9 | grep -q "dev e2"'
systemctl start rdomain-watch
await sh -c 'ip -br link show master ours | grep -q e2'
mv /root/guide.network /etc/systemd/network/20-e2.network
rdomain check ours; test -z "$(rdomain up ours 2>&1)"
systemctl stop rdomain-watch; systemctl restart systemd-networkd
await sh -c 'ip -br address show dev e2 | grep -q 10.2.0.7/24'
ip -br link show master ours | grep -q e2
ip route show table 20 | grep -q 10.2.0.0/24; ! ip route | grep 10.2.0
await sh -c 'ip route show table 20 | grep -q "default via 10.2.0.9"'
systemctl stop systemd-networkd.socket systemd-networkd 2>/dev/null || :
# In a namespace: a member that its owner makes again there.
: >/etc/rdomain/t9.conf; printf '[Domain]\nKind=vrf\nTable=30\n[Link m0]\n' >/etc/rdomain/in@t9.conf
rdomain up t9; ip -n t9 link add m0 type dummy; rdomain up in@t9; systemctl start rdomain-watch
ip -n t9 link delete m0; ip -n t9 link add m0 type dummy; ip -n t9 link set m0 up; ip -n t9 address add 10.9.9.1/24 dev m0
await sh -c 'ip -n t9 -br link show master in | grep -q m0'
ip -n t9 link set m0 nomaster
await sh -c 'ip -n t9 -br link show master in | grep -q m0'
rdomain check in@t9; rdomain down in@t9 t9; rm /etc/rdomain/t9.conf /etc/rdomain/in@t9.conf
systemctl stop rdomain@ours; ip address flush dev e2; rm /etc/systemd/network/20-e2.network
systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd-varlink.socket systemd-udevd 2>/dev/null || :
`

// The tests of cmd/rdomain that need a kernel with VRFs, among them that an up or
// down that is killed at a system call leaves nothing, run in the machine. An emulated
// one is slow, so of the walk only the part that takes every eighth call.
func TestDomainsKilled(t *testing.T) {
	each(t, []System{{Release: "trixie", Init: OpenRC}}, func(t *testing.T, m *Machine) {
		m.Put(t, "/root/rdomain.test", 0o755, testBinary(t, "cmd/rdomain"))
		out := m.Run(t, "sh", "-c", "cd /root && RDGEN_SHARD=0/2 PATH=$PATH:/usr/sbin exec ./rdomain.test -test.v -test.run 'TestKilledAtEachSystemCall/vrf|TestVRFWithoutModule'")
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

// testBinary returns the tests of a package as a program.
func testBinary(t *testing.T, pkg string) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "test")
	cmd := exec.Command("go", "test", "-c", "-o", binary, "rdgen/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c %s: %v\n%s", pkg, err, out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
