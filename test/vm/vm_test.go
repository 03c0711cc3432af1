package vm

import (
	"strings"
	"testing"
)

// The systems that the tests run on.
var (
	releases = []string{"bookworm", "trixie", "forky"}
	openrcs  = systems(OpenRC)
	systemds = systems(Systemd)
)

func systems(init Init) []System {
	var list []System
	for _, r := range releases {
		list = append(list, System{Release: r, Init: init})
	}
	return list
}

// each runs f for every system, side by side, also with those of other tests,
// each time in a machine of its own in which this project is installed.
func each(t *testing.T, list []System, f func(*testing.T, *Machine)) {
	t.Parallel()
	for _, s := range list {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			m := Boot(t, s)
			m.Install(t)
			m.PutProbe(t)
			f(t, m)
		})
	}
}

func TestMachines(t *testing.T) {
	each(t, append(openrcs, systemds...), func(t *testing.T, m *Machine) {
		m.Sh(t, "ip link set lo up")
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		m.Put(t, "/etc/rdomain/inner@t1.conf", 0o644, []byte("[Domain]\nKind=vrf\nTable=20\n"))
		if m.System.Init == OpenRC {
			t.Run("service", func(t *testing.T) { testOpenRCService(t, m) })
		} else {
			t.Run("service", func(t *testing.T) { testSystemdService(t, m) })
		}
		t.Run("reboot", func(t *testing.T) { testReboot(t, m) })
	})
}

// mgmt is a VRF with one member link.
const mgmt = `[Domain]
Kind=vrf
Table=10

[Link d0]
Kind=dummy
Address=10.20.30.40/24
Address=2001:db8::40/64
`

const httpdScript = `#!/sbin/openrc-run
command="/bin/busybox"
command_args="httpd -f -p 8080 -h /srv"
command_background=true
pidfile="/run/${RC_SVCNAME}.pid"
`

// A service whose conf.d has the one line, on the real OpenRC.
func testOpenRCService(t *testing.T, m *Machine) {
	m.Put(t, "/etc/init.d/httpd", 0o755, []byte(httpdScript))
	m.Sh(t, "ln -sf rdomain /etc/init.d/rdomain.mgmt; ln -sf rdomain /etc/init.d/rdomain.t1")
	m.Put(t, "/etc/conf.d/httpd", 0o644, []byte("vrf=mgmt\n"))
	m.Sh(t, "rc-service httpd start")
	wantListener(t, m, "", "%mgmt:8080")
	m.Sh(t, "rc-service httpd restart")
	wantListener(t, m, "", "%mgmt:8080")
	m.Sh(t, "rc-service rdomain.mgmt stop; ! rc-service httpd status; ! ip link show mgmt 2>/dev/null")
	wantListener(t, m, "", "")

	m.Put(t, "/etc/conf.d/httpd", 0o644, []byte("netns=t1\n"))
	m.Sh(t, "rc-service httpd start")
	wantListener(t, m, "t1", ":8080")
	wantListener(t, m, "", "")
	m.Sh(t, "rc-service httpd stop; rc-service rdomain.t1 stop")

	m.Put(t, "/etc/conf.d/httpd", 0o644, []byte("vrf=nosuch\n"))
	if out := m.Run(t, "rc-service", "httpd", "start"); out.Code == 0 {
		t.Errorf("rc-service httpd start without its VRF = 0:\n%s%s", out.Stdout, out.Stderr)
	}
	wantListener(t, m, "", "")
}

// The same on the real systemd.
func testSystemdService(t *testing.T, m *Machine) {
	m.Put(t, "/etc/systemd/system/httpd.service", 0o644, []byte("[Service]\nExecStart=/bin/busybox httpd -f -p 8080 -h /srv\n"+
		"DynamicUser=yes\nProtectControlGroups=yes\n"))
	for _, c := range []struct{ conf, netns, want string }{
		{"vrf=mgmt\n", "", "%mgmt:8080"},
		{"netns=t1\n", "t1", ":8080"},
		{"netns=t1\nvrf=inner\n", "t1", "%inner:8080"},
	} {
		m.Put(t, "/etc/conf.d/httpd", 0o644, []byte(c.conf))
		m.Sh(t, "rdgen systemd httpd -o /; systemctl daemon-reload; systemctl start httpd")
		wantListener(t, m, c.netns, c.want)
		if c.netns != "" {
			wantListener(t, m, "", "")
		}
		m.Sh(t, "systemctl stop 'rdomain@*'; ! systemctl is-active httpd")
	}
	// Nobody made the domain, and rdomain@ cannot: the service must not run.
	m.Put(t, "/etc/conf.d/httpd", 0o644, []byte("vrf=mgmt\n"))
	m.Sh(t, "rdgen systemd httpd -o /; systemctl daemon-reload; mv /etc/rdomain/mgmt.conf /root/")
	m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte("[Domain]\nKind=vrf\n"))
	if out := m.Run(t, "systemctl", "start", "httpd"); out.Code == 0 {
		t.Error("systemctl start httpd without its VRF = 0; want a failure")
	}
	wantListener(t, m, "", "")
	m.Sh(t, "mv /root/mgmt.conf /etc/rdomain/")
}

// wantListener waits until something listens on port 8080 in the namespace called
// netns, or in the machine's own for "", where the socket's address must contain
// want; or with want "" looks that nothing does.
func wantListener(t *testing.T, m *Machine, netns, want string) {
	t.Helper()
	in := ""
	if netns != "" {
		in = "ip netns exec " + netns + " "
	}
	if want == "" {
		if got := m.Sh(t, in+"ss -Htln"); strings.Contains(got, ":8080") {
			t.Errorf("%s: something listens in the namespace %q:\n%s", m.System, netns, got)
		}
		return
	}
	got := m.Sh(t, "for i in $(seq 100); do "+in+"ss -Htln | grep -q :8080 && break; sleep 0.1; done; "+in+"ss -Htln")
	if !strings.Contains(got, want) {
		t.Errorf("%s: listeners in the namespace %q:\n%swant %s", m.System, netns, got, want)
	}
}

func testReboot(t *testing.T, m *Machine) {
	m.Put(t, "/root/kept", 0o600, []byte("x"))
	if m.System.Init == Systemd {
		m.Sh(t, "systemctl enable rdomain@mgmt")
	} else {
		m.Sh(t, "rc-update add rdomain.mgmt boot")
	}
	m.Reboot(t)
	if got := m.Get(t, "/root/kept"); string(got) != "x" {
		t.Errorf("a file did not survive the reboot: %q", got)
	}
	m.Sh(t, "rdomain check mgmt")
}
