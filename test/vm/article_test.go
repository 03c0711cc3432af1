package vm

import (
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// TestArticle is the published server: as it was published, and with a member
// link, which makes it serve.
func TestArticle(t *testing.T) {
	each(t, []System{openrcs[0], openrcs[1], systemds[1], systemds[2]}, func(t *testing.T, m *Machine) {
		putPrograms(t, m, "same_rules", "login")
		m.Sh(t, guest.Network+script(t, "article"))
		ssh, stop, start := "sshd", "rc-service sshd stop; rc-service rdomain.vrf-management stop", "rc-service sshd start"
		if m.System.Init == Systemd {
			ssh, stop, start = "ssh", "systemctl stop ssh rdomain@vrf-management", "rdgen systemd ssh -o / && systemctl daemon-reload && systemctl restart ssh"
			m.Sh(t, "systemctl mask ssh.socket")
		} else {
			m.Put(t, "/etc/init.d/sshd", 0o755, []byte(script(t, "service-sshd")))
			m.Sh(t, "ln -s rdomain /etc/init.d/rdomain.vrf-management")
		}
		m.Put(t, "/etc/conf.d/"+ssh, 0o644, []byte("vrf=vrf-management\n"))

		if m.System.Init == OpenRC {
			m.Sh(t, part(t, "published", "interfaces"))
		}
		t.Run("as published", func(t *testing.T) { testPublished(t, m) })
		for _, c := range []struct{ name, prepare, conf string }{
			// eth0 itself; it keeps its addresses.
			{"eth0", "", "[Link eth0]\n"},
			// eth0 stays in the default table, and a child of it is in the VRF.
			{"vlan", `ip address flush dev eth0 scope global; ip address add 198.51.100.40/24 dev eth0
				ip -n lan address flush dev lan0 scope global; ip -n lan link add link lan0 name lan0.30 type vlan id 30
				ip netns exec lan sysctl -qw net.ipv6.conf.lan0/30.accept_dad=0
				ip -n lan address add 10.20.30.1/24 dev lan0.30; ip -n lan address add 2001:db8:1::1/64 dev lan0.30
				ip -n lan address add 198.51.100.1/24 dev lan0; ip -n lan link set lan0.30 up
				ip link add link eth0 name eth0.30 type vlan id 30`,
				"[Link eth0.30]\nAddress=10.20.30.40/24\nAddress=2001:db8:1::40/64\n"},
			// mv0 has another MAC than eth0 had. What the LAN remembers of the address has to
			// go: with it the first connection took 15 s until the LAN asked again, of the 20 s
			// that ssh has for all.
			{"macvlan", `ip link del eth0.30; ip link add link eth0 name mv0 type macvlan mode bridge
				ip -n lan neigh flush all
				ip -n lan link del lan0.30; ip -n lan address add 10.20.30.1/24 dev lan0; ip -n lan address add 2001:db8:1::1/64 dev lan0`,
				"[Link mv0]\nAddress=10.20.30.40/24\nAddress=2001:db8:1::40/64\n"},
		} {
			if c.name != "eth0" && !need.All() {
				continue // TestDomainsLinks has VRFs over such links
			}
			t.Run(c.name, func(t *testing.T) {
				m.Sh(t, c.prepare)
				m.Put(t, "/etc/rdomain/vrf-management.conf", 0o644, []byte("[Domain]\nKind=vrf\nTable=1\n\n"+c.conf))
				m.Sh(t, start)
				testServer(t, m)
				if m.System.Init == Systemd && c.name == "eth0" {
					testNetworkd(t, m)
				}
				m.Sh(t, stop+"; ! ip link show vrf-management 2>/dev/null")
			})
		}
	})
}

// testPublished is the recipe to the letter: the VRF has a route by eth0, and
// eth0 is not in it. The service is isolated, and cannot be reached.
func testPublished(t *testing.T, m *Machine) {
	m.Sh(t, part(t, "published", "recipe"))
	for _, from := range []string{"lan", "world"} {
		if out := m.Run(t, "ip", "netns", "exec", from, "probe", "ask", "10.20.30.40:22"); out.Code == 0 {
			t.Errorf("as published, %s reaches the service", from)
		}
	}
	// Without an address in the VRF, IPv6 does not even find one to send from.
	for a, says := range map[string]string{"8.8.8.8": "Network is unreachable", "2001:db8:2::9": "annot assign requested address"} {
		if out := m.Run(t, "rdexec", "-v", "vrf-management", "--", "ping", "-c", "1", "-W", "2", a); out.Code == 0 || !strings.Contains(out.Stdout+out.Stderr, says) {
			t.Errorf("as published, ping %s = %d %s%s; want %s", a, out.Code, out.Stdout, out.Stderr, says)
		}
	}
	const want = "has no member link: it isolates but cannot serve"
	if out := m.Run(t, "rdomain", "check", "vrf-management"); out.Code == 0 || !strings.Contains(out.Stdout, want) {
		t.Errorf("as published, rdomain check = %d, %s%s; want %q", out.Code, out.Stdout, out.Stderr, want)
	}
	m.Sh(t, `kill $(cat /run/test/pid); ip link del vrf-management
		for f in -4 -6; do ip $f rule add pref 0 table local; ip $f rule del pref 32765; ip $f rule del pref 2000; ip $f rule del pref 1000; done`)
}

// testServer looks at sshd in the management VRF from all sides.
func testServer(t *testing.T, m *Machine) {
	m.Sh(t, part(t, "published", "server"))
	for _, c := range []struct{ from, to string }{
		{"world", "192.0.2.1:22"}, {"world", "[2001:db8:2::1]:22"}, {"world", "10.20.30.40:22"}, {"world", "[2001:db8:1::40]:22"},
	} {
		if out := m.Run(t, "ip", "netns", "exec", c.from, "probe", "ask", c.to); out.Code == 0 {
			t.Errorf("sshd of the management VRF answers %s at %s", c.from, c.to)
		}
	}
	for _, a := range []string{"8.8.8.8", "2001:db8:2::9", "192.0.2.1"} {
		wantNoRoute(t, m, "vrf-management", a)
	}
}

// testNetworkd starts systemd-networkd beside the VRF. That it has looked at the
// rules is seen by what it does to a stranger's.
func testNetworkd(t *testing.T, m *Machine) {
	m.Put(t, "/etc/systemd/network/w0.network", 0o644, []byte("[Match]\nName=w0\n[Network]\nAddress=192.0.2.1/24\nAddress=2001:db8:2::1/64\nGateway=192.0.2.9\n"))
	m.Sh(t, part(t, "published", "networkd"))
}
