package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// makes reports whether the kernel has a kind of link. The kinds that this one
// lacks are tested in the machines.
func makes(kind string) bool {
	return exec.Command("sh", "-ec", "ip netns add probe; trap 'ip netns delete probe' EXIT; ip -n probe link add probe0 type veth peer name probe1; "+
		"ip -n probe link add x0 "+kind).Run() == nil
}

// everything is a domain with all that a kernel can do that has no module but
// veth, bridge, vxlan, macvlan and tun.
const everything = `[Domain]
DNS=10.0.0.53 2001:db8::53
Domains=example.org
Requires=transit
[Sysctl]
net.ipv4.ip_forward=1
net/ipv4/conf/veth0/rp_filter=2
net.ipv4.conf.default.forwarding=1
[Link br0]
Kind=bridge
AlternativeName=the-network-of-the-printers inside.lan
Address=10.3.0.1/24
[Link veth0]
Kind=veth
Peer=ve0
Outer=transit
Address=10.0.0.2/30
PeerAddress=10.0.0.1/30
[Link veth1]
Kind=veth
Peer=ve1
PeerBridge=lan
Bridge=br0
[Link mac0]
Kind=macvlan
Parent=eth7
Mode=private
Address=10.77.0.20/24
[Link mac1]
Kind=macvlan
Outer=transit
Parent=tr0
Address=10.6.0.20/24
[Link vx0]
Kind=vxlan
VNI=10
Local=10.77.0.2
Remote=10.77.0.3
Bridge=br0
[Link vx1]
Kind=vxlan
Outer=transit
VNI=11
Remote=2001:db8:6::2
TTL=9
DestinationPort=8472
MacLearning=no
Address=10.8.0.1/24
[Link vx2]
Kind=vxlan
Outer=all
VNI=12
Parent=br0
Remote=239.1.1.1
[Link tun0]
Kind=tun
User=65534
Address=10.9.0.1/24
MTUBytes=1300
[Link tap0]
Kind=tap
User=daemon
Group=daemon
MultiQueue=yes
VNetHeader=yes
MACAddress=02:00:00:00:00:44
Bridge=br0
[Address]
Device=tun0
Address=10.3.0.1
Peer=10.90.0.2
[Address]
Device=ve0
Address=10.6.0.1
Peer=10.91.0.0/24
[Neighbor]
Device=br0
Address=10.3.0.9
LinkLayerAddress=02:00:00:00:00:09
[Neighbor]
Device=veth0
Address=2001:db8::9
LinkLayerAddress=02:00:00:00:00:0a
[Route]
Destination=default
Gateway=10.0.0.1
PreferredSource=10.0.0.2
MTUBytes=1400
[Route]
Destination=10.30.0.0/16
Gateway=10.40.0.1
GatewayOnLink=yes
Device=br0
[Route]
Destination=10.31.0.0/16
Type=blackhole
[Route]
Destination=2001:db8:31::/48
Type=prohibit
Table=7
[Route]
Destination=10.32.0.0/16
Type=throw
Table=7
[Route]
Destination=2001:db8:32::/48
Type=throw
[Route]
Destination=10.33.0.0/16
Type=local
[Route]
Destination=2001:db8:33::/48
Type=local
Device=br0
[Route]
Destination=10.34.0.0/16
MultiPathRoute=10.3.0.7 20
MultiPathRoute=10.77.0.9@mac0
Metric=9
[Route]
Destination=2001:db8:34::/48
MultiPathRoute=fe80::9@veth0 256
MultiPathRoute=fe80::7@br0
[Route]
Destination=10.35.0.0/16
Gateway=fe80::7
Device=br0
[RoutingPolicyRule]
Priority=100
From=10.3.0.0/24
To=10.30.0.0/16
IncomingInterface=br0
Table=7
[RoutingPolicyRule]
Priority=101
Family=both
FirewallMark=16/240
OutgoingInterface=veth0
InvertRule=yes
Table=main
SuppressPrefixLength=0
[RoutingPolicyRule]
Priority=103
User=daemon
IPProtocol=udp
DestinationPort=53
Table=7
[RoutingPolicyRule]
Priority=104
Family=both
User=1000-1999
IPProtocol=132
SourcePort=1024-65534
DestinationPort=5060-5061
Table=7
[RoutingPolicyRule]
Priority=102
Type=prohibit
From=2001:db8:66::/48
`

const transit = `[Link tr0]
Kind=bridge
Address=10.6.0.1/24
Address=2001:db8:6::1/64
`

// outside is what a test of everything finds: a link with a bridge, and the
// users that own its tuns.
func outside(t *testing.T) {
	hardware(t, "eth7")
	sandbox.Sh(t, `ip link add lan type bridge; ip link set lan up
		printf 'root:x:0:0::/:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n' >/etc/passwd; printf 'root:x:0:\ndaemon:x:1:\n' >/etc/group
		printf 'passwd: files systemd\nhosts: files resolve [!UNAVAIL=return] dns\n' >/etc/nsswitch.conf; : >/etc/resolv.conf`)
	t.Cleanup(func() {
		sandbox.Sh(t, `ip link delete lan; rm -f /etc/passwd /etc/group /etc/nsswitch.conf /etc/resolv.conf`)
	})
	file(t, "transit", transit)
}

// rest is what snapshot does not see of a namespace.
func rest(t *testing.T, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, n := range names {
		b.WriteString(sandbox.Sh(t, `echo `+n+`; for f in 4 6; do ip -n `+n+` -$f rule; ip -n `+n+` -$f route show proto boot; done
			ip -n `+n+` -d link show | grep -v 'link/' | sed 's/^[0-9]*: //; s/@[^:]*//; s/link-netns[^ ]* [^ ]*//' | sort
			ip -n `+n+` -o address | sed 's/.*inet/inet/' | grep ' peer ' | sort || true; ip -n `+n+` neighbor show nud permanent | sort
			ip netns exec `+n+` sysctl net.ipv4.ip_forward net.ipv4.conf.default.forwarding
			find /etc/netns -type f 2>/dev/null | sort | xargs -r cat`))
	}
	return regexp.MustCompile(`ifindex \d+|parentbus \S+|\d+ms|[a-z_]+_timer +[0-9.]+|state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN)|(NO-CARRIER,)|,LOWER_UP|bridge_id \S+|designated_root \S+|numtxqueues.*|bridge_slave .*`).ReplaceAllString(b.String(), "")
}

// All that a file can ask for is made, is what is asked for, is left alone by a
// second up, and goes with down; and the printed commands make the same.
func TestEverything(t *testing.T) {
	start(t)
	if !makes("type macvlan") && !makes("link probe0 type macvlan") {
		need.Missing(t, need.Root, "a kernel without macvlan")
	}
	outside(t)
	file(t, "all", everything)
	before := snapshot(t)
	script, stderr, code := rdomain("up", "-n", "all")
	if code != 0 || stderr != "" {
		t.Fatalf("up -n = %d, %s", code, stderr)
	}
	if got := snapshot(t); got != before {
		t.Errorf("up -n changes something: %s", cmp.Diff(before, got))
	}
	quiet(t, "up", "all")
	up, ours, oursRest := snapshot(t), state(t, "all"), rest(t, "all", "transit")
	quiet(t, "up", "all")
	if got := snapshot(t); got != up {
		t.Errorf("the second up changes something: %s", cmp.Diff(up, got))
	}
	says(t, 0, "", "", "up", "-n", "all")
	says(t, 0, "", "", "check", "all", "transit")
	for _, want := range []string{"vxlan id 10 remote 10.77.0.3 local 10.77.0.2", "vxlan id 11 remote 2001:db8:6::2", "tun type tun pi off vnet_hdr off persist on user 65534",
		"group 239.1.1.1 dev br0", "macvlan mode private", "tun type tap pi off vnet_hdr on multi_queue", "10.3.0.9 dev br0 lladdr 02:00:00:00:00:09 PERMANENT",
		"100:\tfrom 10.3.0.0/24 to 10.30.0.0/16 iif br0 lookup 7", "101:\tnot from all fwmark 0x10/0xf0 oif veth0 lookup main suppress_prefixlength 0",
		"10.34.0.0/16 metric 9 \n\tnexthop via 10.3.0.7 dev br0 weight 20 \n\tnexthop via 10.77.0.9 dev mac0 weight 1",
		"inet 10.3.0.1 peer 10.90.0.2/32 scope global tun0", "inet 10.6.0.1 peer 10.91.0.0/24 scope global ve0",
		"nexthop via fe80::9 dev veth0 weight 256", "10.35.0.0/16 via inet6 fe80::7 dev br0",
		"102:\tfrom 2001:db8:66::/48 prohibit", "103:\tfrom all uidrange 1-1 ipproto ipproto-17 dport 53 lookup 7",
		"104:\tfrom all uidrange 1000-1999 ipproto ipproto-132 sport 1024-65534 dport 5060-5061 lookup 7", "net.ipv4.ip_forward = 1", "nameserver 10.0.0.53\nnameserver 2001:db8::53\nsearch example.org\n",
		"passwd: files systemd\nhosts: files dns\n"} {
		if !strings.Contains(oursRest, want) && !strings.Contains(oursRest, strings.Replace(want, "user 65534", "user nobody", 1)) {
			t.Errorf("there is no %q in\n%s", want, oursRest)
		}
	}
	if got := sandbox.Sh(t, `ip netns exec all sysctl -n net.ipv4.conf.veth0.rp_filter; ip -n transit -br link show ve0; ip -o link show ve1`); !strings.HasPrefix(got, "2\n") || !strings.Contains(got, "master lan") {
		t.Errorf("rp_filter, ve0 and ve1 are %s", got)
	}
	// The encapsulated packets are sent where the outer side is.
	sandbox.Sh(t, `ip link set eth7p up; ip -n all link set vx0 up`)
	quiet(t, "down", "all")
	if _, err := os.Stat("/etc/netns/all"); err == nil {
		t.Error("down leaves /etc/netns/all")
	}
	quiet(t, "down", "transit")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves something: %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, script)
	if diff := cmp.Diff(state(t, "all"), ours); diff != "" {
		t.Errorf("ip makes (-) and rdomain up makes (+):\n%s\nby\n%s", diff, script)
	}
	if diff := cmp.Diff(rest(t, "all", "transit"), oursRest); diff != "" {
		t.Errorf("ip makes (-) and rdomain up makes (+):\n%s\nby\n%s", diff, script)
	}
	sandbox.Sh(t, `ip -n transit link delete ve0; ip link delete ve1; ip netns delete all; ip netns delete transit; rm -r /etc/netns/all`)
}

// Whatever of it is damaged, check shows and up repairs, and an edit changes
// what differs.
func TestEverythingConverges(t *testing.T) {
	start(t)
	if !makes("link probe0 type macvlan") {
		need.Missing(t, need.Root, "a kernel without macvlan")
	}
	outside(t)
	file(t, "all", everything)
	before := snapshot(t)
	quiet(t, "up", "all")
	want := rest(t, "all", "transit")
	for _, damage := range []string{
		`ip -n all rule delete pref 100`, `ip -n all rule delete pref 103`, `ip -n all link property del dev br0 altname inside.lan`,
		`ip -n all address delete 10.3.0.1 peer 10.90.0.2 dev tun0`, `ip -n all link delete mac0`, `ip -n all route replace 10.34.0.0/16 metric 9 via 10.3.0.7`,
		`ip -n all route replace 10.34.0.0/16 metric 9 nexthop via 10.3.0.7 nexthop via 10.77.0.9`,
		`ip -n all route delete 2001:db8:34::/48 via fe80::7 dev br0`, `ip -n all route delete 10.35.0.0/16`, `ip -n all link delete br0`,
		`ip -n all -6 rule delete pref 101`,
		`ip -n all neighbor delete 10.3.0.9 dev br0`, `ip -n all neighbor replace 10.3.0.9 lladdr 02:00:00:00:00:77 dev br0 nud permanent`,
		`ip netns exec all sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.veth0.rp_filter=0`,
		`rm /etc/netns/all/resolv.conf`, `echo '# Made by rdomain from x' >/etc/netns/all/nsswitch.conf`,
		`ip -n all link set vx0 nomaster`, `ip link set ve1 nomaster`, `ip link delete ve1`, `ip -n all link delete mac1`, `ip -n all link delete tap0`,
		`ip -n all link set vx1 type vxlan id 11 remote 2001:db8:6::3 ttl 9`, `ip -n all link delete tun0`,
		`ip netns delete all`, `ip netns delete transit`,
	} {
		sandbox.Sh(t, damage)
		if _, _, code := rdomain("check", "all", "transit"); code != 1 && !strings.Contains(damage, "netns delete transit") {
			t.Errorf("check after %q = %d; want 1", damage, code)
		}
		if out, stderr, code := rdomain("up", "all"); code != 0 {
			t.Fatalf("up after %q = %d, %s%s", damage, code, out, stderr)
		}
		if diff := cmp.Diff(want, rest(t, "all", "transit")); diff != "" {
			t.Errorf("up after %q (-want +got):\n%s", damage, diff)
		}
	}
	// What an administrator wrote is nobody else's.
	sandbox.Sh(t, `echo nameserver 192.0.2.53 >/etc/netns/all/resolv.conf`)
	notInEffect := "/etc/rdomain/all.conf:2: DNS= is not in effect: /etc/netns/all/resolv.conf is not of rdomain\n"
	says(t, 1, "# all: "+notInEffect, "", "check", "all")
	index := sandbox.Sh(t, `ip -n all -o link show vx0 | cut -d: -f1; ip -n all -o link show veth0 | cut -d: -f1; ip -n all -o link show mac0 | cut -d: -f1`)
	file(t, "all", strings.NewReplacer("TTL=9\n", "TTL=8\n", "Priority=100", "Priority=99", "net.ipv4.ip_forward=1\n", "",
		"[Neighbor]\nDevice=br0\nAddress=10.3.0.9\nLinkLayerAddress=02:00:00:00:00:09\n", "", "Mode=private", "Mode=vepa").Replace(everything))
	says(t, 0, "", "rdomain: note: all: "+notInEffect, "reload", "all")
	says(t, 1, "# all: "+notInEffect, "", "check", "all")
	got := rest(t, "all")
	for _, gone := range []string{"100:\t", "ip_forward = 1", "10.3.0.9 dev br0", "macvlan mode private", "ttl 9 "} {
		if strings.Contains(got, gone) {
			t.Errorf("after the reload there still is %q in\n%s", gone, got)
		}
	}
	if !strings.Contains(got, "macvlan mode vepa") {
		t.Errorf("the mode of mac0 is not changed in\n%s", got)
	}
	if now := sandbox.Sh(t, `ip -n all -o link show vx0 | cut -d: -f1; ip -n all -o link show veth0 | cut -d: -f1; ip -n all -o link show mac0 | cut -d: -f1`); now != index {
		t.Errorf("links that nobody changed were made again: %s, before %s", now, index)
	}
	quiet(t, "down", "all", "transit")
	sandbox.Sh(t, `grep -qx 'nameserver 192.0.2.53' /etc/netns/all/resolv.conf`)
	sandbox.Sh(t, `rm -r /etc/netns/all`)
	if got := snapshot(t); got != before {
		t.Errorf("down leaves something: %s", cmp.Diff(before, got))
	}
}

// What is to be done in a namespace that stays is taken back in it.
func TestRestIsTakenBack(t *testing.T) {
	start(t)
	sandbox.Sh(t, `ip netns add theirs; ip -n theirs link set lo up; ip -n theirs link add br9 type bridge
		ip -n theirs link set br9 up; ip netns exec theirs sysctl -qw net.ipv4.conf.br9.rp_filter=1; mkdir /etc/netns/theirs`)
	before, was := snapshot(t), rest(t, "theirs")
	file(t, "theirs", `[Domain]
DNS=10.0.0.53
[Sysctl]
net.ipv4.ip_forward=1
net.ipv4.conf.br9.rp_filter=0
[Link br9]
[Neighbor]
Device=br9
Address=10.3.0.9
LinkLayerAddress=02:00:00:00:00:09
[RoutingPolicyRule]
Priority=100
Family=both
FirewallMark=7
Table=7
`)
	quiet(t, "up", "theirs")
	if got := rest(t, "theirs"); !strings.Contains(got, "fwmark 0x7 lookup 7") || !strings.Contains(got, "nameserver 10.0.0.53") {
		t.Errorf("up makes\n%s", got)
	}
	// What somebody has changed since is not put back.
	sandbox.Sh(t, `ip netns exec theirs sysctl -qw net.ipv4.conf.br9.rp_filter=2`)
	quiet(t, "down", "theirs")
	if got := sandbox.Sh(t, `ip netns exec theirs cat /proc/sys/net/ipv4/conf/br9/rp_filter 2>/dev/null`); got != "2\n" {
		t.Errorf("down puts rp_filter back to %s though somebody changed it", got)
	}
	if diff := cmp.Diff(was, rest(t, "theirs")); diff != "" {
		t.Errorf("down leaves (-before +after):\n%s", diff)
	}
	if got := snapshot(t); got != before {
		t.Errorf("down leaves something: %s", cmp.Diff(before, got))
	}
	sandbox.Sh(t, `test -d /etc/netns/theirs; rmdir /etc/netns/theirs; ip netns delete theirs`)
}

// A domain is brought up with what it requires, waits for what others make, and
// says what does not come.
func TestRequires(t *testing.T) {
	start(t)
	before := snapshot(t)
	file(t, "a", "[Domain]\nRequires=b c\n")
	file(t, "b", "[Domain]\nRequires=d\n")
	file(t, "c", "[Domain]\nRequires=d\n")
	file(t, "d", "[Link br0]\nKind=bridge\n")
	quiet(t, "up", "a")
	says(t, 0, "", "", "check", "a", "b", "c", "d")
	quiet(t, "down", "a", "b", "c", "d")
	file(t, "d", "[Domain]\nRequires=a\n")
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/a.conf:2: requires b: /etc/rdomain/b.conf:2: requires d: /etc/rdomain/d.conf:2: "+
		"domains require each other: a, b, d, a\n", "up", "a")
	file(t, "d", "[Domain]\nTimeoutSec=0\nRequires=nobody\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/d.conf:3: nobody does not exist, and no file defines it\n", "up", "d")
	file(t, "d", "[Domain]\nTimeoutSec=0\nRequiresLink=late0\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/d.conf:3: there is no link late0 in the default domain\n", "up", "d")
	file(t, "d", "[Domain]\nTimeoutSec=0\n[Link v]\nKind=veth\nPeer=w\nPeerBridge=nobr\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/d.conf:6: there is no link nobr in the default domain for the other end\n", "up", "d")
	file(t, "d", "[Domain]\nTimeoutSec=0\n[Link v]\nKind=macvlan\nParent=nobr\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/d.conf:5: there is no link nobr in the default domain; v is to be made on it\n", "up", "d")
	if got := snapshot(t); got != before {
		t.Errorf("something is left: %s", cmp.Diff(before, got))
	}
	// What comes late is waited for: a link, a namespace, and a domain of others.
	file(t, "d", "[Domain]\nRequires=e f\nRequiresLink=late0\n[Link late1]\nAddress=10.9.0.9/24\n")
	file(t, "f", "[Domain]\nManaged=no\n")
	done := make(chan string)
	go func() {
		out, stderr, _ := rdomain("up", "d")
		done <- out + stderr
	}()
	for _, late := range []string{"ip netns add e", "ip netns add f", "ip link add late0 type bridge", "ip link add late1 type veth peer name late2"} {
		select {
		case got := <-done:
			t.Fatalf("up does not wait for %q: %s", late, got)
		default:
		}
		sandbox.Sh(t, late)
	}
	if got := <-done; got != "" {
		t.Errorf("up = %s", got)
	}
	says(t, 0, "", "", "check", "d")
	quiet(t, "down", "d")
	sandbox.Sh(t, `ip link delete late1; ip link delete late0; ip netns delete e; ip netns delete f`)
}

// A link that was a port of a bridge is one again.
func TestMovedLinkReturnsToItsBridge(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	sandbox.Sh(t, `ip link add lan type bridge; ip link set eth7 master lan`)
	before := snapshot(t)
	file(t, "hw", "[Link eth7]\n")
	quiet(t, "up", "hw")
	quiet(t, "down", "hw")
	if got := snapshot(t) + sandbox.Sh(t, `ip -o link show master lan`); !strings.HasPrefix(got, before) || !strings.Contains(got, "eth7") {
		t.Errorf("the link comes back as another: %s", cmp.Diff(before, got))
	}
	quiet(t, "up", "hw")
	sandbox.Sh(t, `ip link delete lan`)
	if _, stderr, code := rdomain("down", "hw"); code != 0 || stderr != "rdomain: note: hw: link eth7 was a member of lan, which is gone\n" {
		t.Errorf("down without the bridge = %d, %s", code, stderr)
	}
}

// Secrets are checked before anything is made, and never shown.
func TestKeyFiles(t *testing.T) {
	start(t)
	const key = "QOmAxXRYOb/I1Z7IZp3BLcXGnSHoFm/fPEdwoMDrWWk="
	before := snapshot(t)
	text := "[Link wg0]\nKind=wireguard\nPrivateKeyFile=/etc/wg/key\n[WireGuardPeer wg0]\n" +
		"PublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\nPresharedKeyFile=/etc/wg/psk\n"
	file(t, "wg", text)
	for _, c := range []struct{ script, want string }{
		{``, "wg.conf:3: PrivateKeyFile=/etc/wg/key: no such file or directory"},
		{`touch key; chmod 600 key`, "wg.conf:3: PrivateKeyFile=/etc/wg/key: is not a key: expected 44 characters of base64, as wg genkey prints them"},
		{`echo ` + key + `x >key`, "wg.conf:3: PrivateKeyFile=/etc/wg/key: is not a key: expected 44 characters of base64, as wg genkey prints them"},
		{`echo ` + key + ` >key; chmod 644 key`, "wg.conf:3: PrivateKeyFile=/etc/wg/key: has mode 0644: others could read or change the key; chmod 600 it, and make a new key"},
		{`chmod 620 key`, "wg.conf:3: PrivateKeyFile=/etc/wg/key: has mode 0620: others could read or change the key; chmod 600 it, and make a new key"},
		{`chmod 640 key`, "wg.conf:6: PresharedKeyFile=/etc/wg/psk: no such file or directory"},
		{`mkfifo psk`, "wg.conf:6: PresharedKeyFile=/etc/wg/psk: is not a regular file"},
		{`rm psk; mkdir psk`, "wg.conf:6: PresharedKeyFile=/etc/wg/psk: is not a regular file"},
	} {
		sandbox.Sh(t, `mkdir -p /etc/wg; cd /etc/wg; `+c.script)
		for _, verb := range []string{"up", "check", "reload"} {
			says(t, 100, "", "rdomain: fatal: /etc/rdomain/"+c.want+"\n", verb, "wg")
		}
		says(t, 100, "", "rdomain: fatal: /etc/rdomain/"+c.want+"\n", "up", "-n", "wg")
	}
	sandbox.Sh(t, `cd /etc/wg; rmdir psk; cp -p key psk`)
	out, stderr, code := rdomain("up", "-n", "wg")
	if code != 0 || strings.Contains(out+stderr, key) || !strings.Contains(out, "wg set wg0 private-key /etc/wg/key listen-port 0 fwmark 0\n") ||
		!strings.Contains(out, "preshared-key /etc/wg/psk") {
		t.Errorf("up -n = %d, %q, %s", code, out, stderr)
	}
	for _, args := range [][]string{{"check", "--json", "wg"}, {"list", "--json"}, {"check", "wg"}} {
		if out, stderr, _ := rdomain(args...); strings.Contains(out+stderr, key) {
			t.Errorf("rdomain %v prints the key: %s%s", args, out, stderr)
		}
	}
	if got := snapshot(t); got != before {
		t.Errorf("something is left: %s", cmp.Diff(before, got))
	}
	// A key in place of a path is not repeated.
	file(t, "wg", strings.Replace(text, "/etc/wg/key", key, 1))
	says(t, 100, "", "rdomain: fatal: /etc/rdomain/wg.conf:3: PrivateKeyFile=: expected the path of a file, such as /etc/wireguard/wg0.key\n", "up", "wg")
	sandbox.Sh(t, `rm -r /etc/wg`)
}

// A link that somebody renames is still the same one: up gives it its name
// again, and down gives it back; nothing that was moved in dies with the
// namespace.
func TestRenamedMeanwhile(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	before := snapshot(t)
	file(t, "hw", "[Link eth7]\n[Link veth0]\nKind=veth\nPeer=vh\nAddress=10.5.0.1/24\n")
	quiet(t, "up", "hw")
	up := snapshot(t)
	sandbox.Sh(t, `ip -n hw link set eth7 down; ip -n hw link set eth7 name wan; ip -n hw link set veth0 down; ip -n hw link set veth0 name lan`)
	out, _, code := rdomain("check", "hw")
	if code != 1 || !strings.Contains(out, "+ip -n hw link set wan name eth7\n") || !strings.Contains(out, "+ip -n hw link set lan name veth0\n") {
		t.Errorf("check = %d, %s", code, out)
	}
	quiet(t, "up", "hw")
	if got := snapshot(t); got != up {
		t.Errorf("up after a rename: %s", cmp.Diff(up, got))
	}
	says(t, 0, "", "", "check", "hw")
	sandbox.Sh(t, `ip -n hw link set eth7 down; ip -n hw link set eth7 name wan`)
	quiet(t, "down", "hw")
	if got := snapshot(t); got != before {
		t.Errorf("down after a rename: %s", cmp.Diff(before, got))
	}
}

// A link that cannot be given back keeps its namespace: it must not die with it.
func TestNoLinkIsLeftInADyingNamespace(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	before := snapshot(t)
	file(t, "hw", "[Link eth7]\n")
	quiet(t, "up", "hw")
	// Outside somebody took the name.
	sandbox.Sh(t, `ip link add eth7 type bridge`)
	_, stderr, code := rdomain("down", "hw")
	if code != 111 || !strings.Contains(stderr, "ip -n hw link set eth7 netns /proc/$$/ns/net: ") ||
		!strings.HasSuffix(stderr, "\nrdomain: hint: rename or delete eth7 in the default domain, then try again\n") {
		t.Errorf("down = %d, %s; want to be told that the link cannot be given back", code, stderr)
	}
	sandbox.Sh(t, `ip -n hw link show eth7; ip link delete eth7`)
	quiet(t, "down", "hw")
	if got := snapshot(t); got != before {
		t.Errorf("down: %s", cmp.Diff(before, got))
	}
}

// A route through a link that another domain makes could not be made at boot: its own
// domain is up first. It belongs to the link.
func TestRouteOfTheOuterSide(t *testing.T) {
	start(t)
	before := snapshot(t)
	file(t, "core", "[Link br0]\nKind=bridge\nAddress=10.5.0.1/24\n")
	const leaf = "[Link up0]\nKind=veth\nOuter=core\nPeer=to-leaf\nAddress=10.1.0.2/30\nPeerAddress=10.1.0.1/30\nPeerRoute=10.2.0.0/16\n"
	file(t, "leaf", leaf+"PeerRoute=10.3.0.0/16\n")
	quiet(t, "up", "--all")
	want := func(routes string) {
		t.Helper()
		if got := sandbox.Sh(t, `ip -n core route show via 10.1.0.2`); got != routes {
			t.Errorf("core has %q; want %q", got, routes)
		}
		says(t, 0, "", "", "check", "--all")
	}
	const both = "10.2.0.0/16 dev to-leaf \n10.3.0.0/16 dev to-leaf \n"
	want(both)
	quiet(t, "up", "--all")
	sandbox.Sh(t, `ip -n core route delete 10.3.0.0/16`)
	says(t, 1, "--- leaf as it is\n+++ /etc/rdomain/leaf.conf\n+ip -n core route add 10.3.0.0/16 via 10.1.0.2 dev to-leaf\n", "", "check", "leaf")
	quiet(t, "reload", "core")
	quiet(t, "up", "leaf")
	want(both)
	file(t, "leaf", leaf)
	quiet(t, "reload", "leaf")
	want("10.2.0.0/16 dev to-leaf \n")
	quiet(t, "down", "--all")
	quiet(t, "up", "--all") // as at boot
	want("10.2.0.0/16 dev to-leaf \n")
	quiet(t, "down", "leaf")
	if got := sandbox.Sh(t, `ip -n core route show via 10.1.0.2`); got != "" {
		t.Errorf("core keeps %s", got)
	}
	quiet(t, "down", "core")
	// The default domain as the outer side.
	file(t, "out", "[Link up0]\nKind=veth\nPeer=to-out\nAddress=10.1.0.2/30\nAddress=2001:db8::2/64\nPeerAddress=10.1.0.1/30\nPeerAddress=2001:db8::1/64\n"+
		"PeerRoute=10.2.0.0/16\nPeerRoute=2001:db8:2::/48\n")
	quiet(t, "up", "out")
	if got := sandbox.Sh(t, `ip route show via 10.1.0.2; ip -6 route show via 2001:db8::2`); !strings.HasPrefix(got, "10.2.0.0/16 dev to-out \n2001:db8:2::/48 dev to-out metric 1024") {
		t.Errorf("the default domain has %q", got)
	}
	says(t, 0, "", "", "check", "out")
	quiet(t, "down", "out")
	// Ends that are in no network: the route to one of them has no gateway.
	file(t, "ends", "[Link up0]\nKind=veth\nPeer=to-ends\nAddress=10.1.0.2/32\nPeerAddress=10.1.0.1/32\nPeerRoute=10.1.0.2/32\nPeerRoute=10.2.0.0/16\n"+
		"[Route]\nDestination=10.1.0.1/32\nDevice=up0\n[Route]\nDestination=default\nGateway=10.1.0.1\nDevice=up0\n")
	quiet(t, "up", "ends")
	if got := sandbox.Sh(t, `ip route show dev to-ends`); got != "10.1.0.2 scope link \n10.2.0.0/16 via 10.1.0.2 \n" {
		t.Errorf("the default domain has %q", got)
	}
	says(t, 0, "", "", "check", "ends")
	if got := sandbox.Sh(t, `ip -n ends route get 10.1.0.1`); !strings.HasPrefix(got, "10.1.0.1 dev up0 src 10.1.0.2") {
		t.Errorf("inside, the way is %q", got)
	}
	quiet(t, "down", "ends")
	if got := snapshot(t); got != before {
		t.Errorf("down leaves\n%s", got)
	}
}

// A link with a route by several gateways is not taken: rdomain could not give the route
// back. It was once, and the route was lost.
func TestLinkOfSeveralGateways(t *testing.T) {
	start(t)
	hardware(t, "eth7")
	sandbox.Sh(t, `ip link set eth7p up; ip link set eth7 up; ip route add 10.88.0.0/16 nexthop via 10.77.0.7 nexthop via 10.77.0.8`)
	before := snapshot(t)
	file(t, "x", "[Link eth7]\n")
	says(t, 111, "", "rdomain: fatal: /etc/rdomain/x.conf:1: link eth7 has a route to 10.88.0.0/16 with several gateways, which rdomain cannot move; "+
		"write it as a [Route] and delete it\n", "up", "x")
	if got := snapshot(t); got != before {
		t.Errorf("it changes something: %s", cmp.Diff(before, got))
	}
}
