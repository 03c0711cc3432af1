package vm

import (
	"os"
	"strings"
	"testing"
)

// One boot of each system serves all of its tests.
func TestMachines(t *testing.T) {
	for _, s := range []System{
		{"bookworm", OpenRC}, {"bookworm", Systemd},
		{"trixie", OpenRC}, {"trixie", Systemd},
	} {
		t.Run(s.String(), func(t *testing.T) {
			m := Boot(t, s)
			m.Install(t)
			m.Sh(t, "ip link set lo up")
			m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
			m.Put(t, "/etc/rdomain/inner@t1.conf", 0o644, []byte("[Domain]\nKind=vrf\nTable=20\n"))
			t.Run("vrf", func(t *testing.T) { testVRF(t, m) })
			t.Run("escape", func(t *testing.T) { testNoEscape(t, m) })
			t.Run("nested", func(t *testing.T) { testNested(t, m) })
			if s.Init == OpenRC {
				t.Run("service", func(t *testing.T) { testOpenRCService(t, m) })
			} else {
				t.Run("service", func(t *testing.T) { testSystemdService(t, m) })
			}
			t.Run("reboot", func(t *testing.T) { testReboot(t, m) })
		})
	}
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

// A program in a VRF is bound to it, in all families, and rdomain up is
// repeatable and undone by down.
func testVRF(t *testing.T, m *Machine) {
	m.Sh(t, "rdomain up mgmt; rdomain up mgmt; rdomain check mgmt; rdexec -v mgmt -- rdomain check --self -v mgmt")
	if out := m.Run(t, "rdomain", "check", "--self", "-v", "mgmt"); out.Code == 0 {
		t.Errorf("rdomain check --self -v mgmt outside the VRF = 0; want a failure")
	}
	if got := m.Sh(t, "rdexec -v mgmt -- ip vrf identify"); got != "mgmt\n" {
		t.Errorf("ip vrf identify = %q; want mgmt", got)
	}
	for _, c := range []struct{ args, want string }{
		{"-4 -l -p 7001", "0.0.0.0%mgmt:7001"}, {"-6 -l -p 7002", "%mgmt:7002"}, {"-4 -u -l -p 7003", "0.0.0.0%mgmt:7003"},
	} {
		got := m.Sh(t, "rdexec -v mgmt -- nc "+c.args+` >/dev/null 2>&1 &
			pid=$!
			for i in $(seq 100); do ss -Htuln | grep -q ":700[123] " && break; sleep 0.1; done
			ss -Htuln; kill $pid`)
		if !strings.Contains(got, c.want) {
			t.Errorf("nc %s in the VRF listens on\n%swant %s", c.args, got, c.want)
		}
	}
	if out := m.Run(t, "rdexec", "-v", "mgmt", "--", "ping", "-c", "1", "-W", "2", "10.20.30.40"); out.Code != 0 {
		t.Errorf("ping of the VRF's own address = %d: %s", out.Code, out.Stderr)
	}
	m.Sh(t, "ip link add outside type dummy && ip address add 192.0.2.1/24 dev outside && ip link set outside up && ping -c 1 -W 2 192.0.2.1")
	if out := m.Run(t, "rdexec", "-v", "mgmt", "--", "ping", "-c", "1", "-W", "2", "192.0.2.1"); out.Code == 0 {
		t.Errorf("ping from the VRF to an address of the default domain works:\n%s", out.Stdout)
	}
	// A VRF that was deleted and made again has another ifindex; a start of now
	// must be bound to the new one.
	m.Sh(t, `ip link del mgmt; ip link add mgmt type vrf table 10; ip link set mgmt up
		rdexec -v mgmt -- rdomain check --self -v mgmt
		ip link del mgmt`)
	for _, args := range []string{"-v mgmt", "-v outside", "-v mgmt -c /x"} {
		out := m.Run(t, "sh", "-c", "rdexec "+args+" -- touch /root/leaked")
		if out.Code != 111 || !strings.HasPrefix(out.Stderr, "rdexec: fatal: unable to enter vrf") {
			t.Errorf("rdexec %s = %d, %q; want 111 and why", args, out.Code, out.Stderr)
		}
	}
	m.Sh(t, "! test -e /root/leaked; rdomain down mgmt; ip link del outside; ! ip link show d0 2>/dev/null; ! test -e /sys/fs/bpf/rdomain/mgmt")
}

// Without CAP_NET_RAW there is no way out of the VRF.
func testNoEscape(t *testing.T, m *Machine) {
	m.Sh(t, "rdomain up mgmt")
	for _, device := range []string{"lo", "d0"} {
		out := m.Run(t, "rdexec", "-v", "mgmt", "-u", "nobody", "--", "/usr/lib/rdgen-agent", "bind", device)
		if !strings.Contains(out.Stderr, "operation not permitted") {
			t.Errorf("SO_BINDTODEVICE to %s as nobody: %q; want EPERM", device, out.Stderr)
		}
	}
	m.Sh(t, "rdomain down mgmt")
}

func testNested(t *testing.T, m *Machine) {
	m.Sh(t, `rdomain up inner@t1
		rdexec -n t1 -v inner -- rdomain check --self -n t1 -v inner
		rdexec -n t1 -v inner -- ip vrf identify | grep -qx inner
		rdomain up mgmt
		rdexec -v mgmt -- ip vrf exec mgmt rdomain check --self -v mgmt
		ip vrf exec mgmt rdexec -v mgmt -- rdomain check --self -v mgmt
		rdexec -v mgmt -- rdexec -n t1 -v inner -- rdomain check --self -n t1 -v inner
		rdomain down inner@t1 t1 mgmt
		! ip netns list | grep t1`)
}

const httpdScript = `#!/sbin/openrc-run
command="/bin/busybox"
command_args="httpd -f -p 8080 -h /srv"
command_background=true
pidfile="/run/${RC_SVCNAME}.pid"
`

// A service whose conf.d has the one line, on the real OpenRC.
func testOpenRCService(t *testing.T, m *Machine) {
	for _, f := range []struct {
		path string
		mode os.FileMode
	}{{"/etc/rc.conf.d/50-rdgen.conf", 0o644}, {"/usr/libexec/rdgen/openrc.sh", 0o644}, {"/etc/init.d/rdomain", 0o755}} {
		data, err := os.ReadFile("../../openrc/files" + f.path)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, f.path, f.mode, data)
	}
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
