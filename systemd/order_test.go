package systemd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEarly: a unit is early by what it is before, and what that is before.
func TestEarly(t *testing.T) {
	u := read(t,
		"lib/systemd/system/a.service: [Unit]\nBefore=b.service\n"+some,
		"lib/systemd/system/b.service: [Unit]\nBefore=x.service a.service\nBefore=c.service\n"+some,
		"lib/systemd/system/c.service: [Unit]\nBefore=sysinit.target\n"+some,
		"lib/systemd/system/d.service: [Unit]\nBefore=e.service shutdown.target multi-user.target\n"+some,
		"lib/systemd/system/e.service: [Unit]\nBefore=d.service\n"+some,
		"lib/systemd/system/f.service: [Unit]\nBefore=a.service\nBefore=\n"+some,
	)
	for name, want := range map[string]string{
		"a": "b.service c.service sysinit.target", "b": "c.service sysinit.target", "c": "sysinit.target", "d": "", "e": "",
		"f": "a.service b.service c.service sysinit.target"} {
		for _, domain := range []string{"", "rdomain@d.service"} {
			if got, _ := early(t, u, name+".service", domain); got != want {
				t.Errorf("Early(%s, %q) = %q; want %q", name, domain, got, want)
			}
		}
	}
}

// early returns the units that come after name, and the lines that say so.
func early(t *testing.T, u *Units, name, domain string) (units string, lines []string) {
	t.Helper()
	unit, err := u.Unit(name)
	if err != nil {
		t.Fatal(err)
	}
	var then []string
	for _, o := range u.Early(unit, domain) {
		then = append(then, o.Then)
		line := "by itself"
		if o.Set.File != "" {
			line = fmt.Sprintf("%s:%d", o.Set.File, o.Set.Line)
		}
		lines = append(lines, line)
	}
	return strings.Join(then, " "), lines
}

// Before this, only what a unit itself is Before= was followed: systemd dropped the firewall that
// is After= a service in a domain.
func TestEarlyByOthers(t *testing.T) {
	const early = "[Unit]\nDefaultDependencies=no\nBefore=network-pre.target\n"
	const wants = "etc/systemd/system/multi-user.target.wants/"
	const dns = "lib/systemd/system/dns.service: [Unit]\n" + some
	for name, c := range map[string]struct {
		files []string
		want  string
		lines []string
	}{
		"after it": {[]string{dns, "lib/systemd/system/fw.service: " + early + "After=dns.service\n" + some, wants + "fw.service -> x"},
			"fw.service network-pre.target", []string{"/lib/systemd/system/fw.service:4", "/lib/systemd/system/fw.service:3"}},
		"nothing starts it": {[]string{dns, "lib/systemd/system/fw.service: " + early + "After=dns.service\n" + some}, "", nil},
		"the service wants it": {[]string{"lib/systemd/system/dns.service: [Unit]\nWants=fw.service\n" + some,
			"lib/systemd/system/fw.service: " + early + "After=dns.service\n" + some},
			"fw.service network-pre.target", []string{"/lib/systemd/system/fw.service:4", "/lib/systemd/system/fw.service:3"}},
		"it is masked": {[]string{dns, "etc/systemd/system/fw.service -> /dev/null", "lib/systemd/system/fw.service: " + early + "After=dns.service\n" + some,
			wants + "fw.service -> x"}, "", nil},
		"by an alias": {[]string{dns, "etc/systemd/system/resolver.service -> /lib/systemd/system/dns.service",
			"lib/systemd/system/fw.service: " + early + "After=resolver.service\n" + some, wants + "fw.service -> x"},
			"fw.service network-pre.target", []string{"/lib/systemd/system/fw.service:4", "/lib/systemd/system/fw.service:3"}},
		"by a drop-in": {[]string{dns, "lib/systemd/system/fw.service: " + early + some, "etc/systemd/system/fw.service.d/a.conf: [Unit]\nAfter=dns.service\n",
			wants + "fw.service -> x"}, "fw.service network-pre.target", []string{"/etc/systemd/system/fw.service.d/a.conf:2", "/lib/systemd/system/fw.service:3"}},
		"by an instance": {[]string{dns, "lib/systemd/system/fw@.service: " + early + "After=%i.service\n" + some, wants + "fw@dns.service -> x"},
			"fw@dns.service network-pre.target", []string{"/lib/systemd/system/fw@.service:4", "/lib/systemd/system/fw@.service:3"}},
		"by another one": {[]string{dns, "lib/systemd/system/b.service: [Unit]\nAfter=dns.service\nBefore=fw.service\n" + some,
			"lib/systemd/system/fw.service: " + early + "Wants=b.service\n" + some, wants + "fw.service -> x"},
			"b.service fw.service network-pre.target", []string{"/lib/systemd/system/b.service:2", "/lib/systemd/system/b.service:3", "/lib/systemd/system/fw.service:3"}},
		"by a target": {[]string{"lib/systemd/system/dns.service: [Unit]\nBefore=names.target\n" + some,
			"etc/systemd/system/names.target: [Unit]\n", "lib/systemd/system/fw.service: " + early + "Wants=names.target\nAfter=names.target\n" + some,
			wants + "fw.service -> x"}, "names.target fw.service network-pre.target",
			[]string{"/lib/systemd/system/dns.service:2", "/lib/systemd/system/fw.service:5", "/lib/systemd/system/fw.service:3"}},
		"a target wants it": {[]string{dns, "etc/systemd/system/network-pre.target.wants/dns.service -> x"}, "network-pre.target", []string{"by itself"}},
		"and orders it after itself": {[]string{dns, "etc/systemd/system/network-pre.target.wants/dns.service -> x",
			"lib/systemd/system/network-pre.target: [Unit]\nBefore=dns.service\n"}, "", nil},
		"sysinit.target wants it, which it is after": {[]string{dns, "etc/systemd/system/sysinit.target.wants/dns.service -> x"}, "", nil},
		"the domain": {[]string{dns, "lib/systemd/system/rdomain@.service: [Unit]\n" + some, "etc/systemd/system/rdomain@d.service.d/a.conf: [Unit]\nAfter=dns.service\n"},
			"rdomain@d.service", []string{"/etc/systemd/system/rdomain@d.service.d/a.conf:2"}},
		"another domain": {[]string{dns, "lib/systemd/system/rdomain@.service: [Unit]\n" + some, "etc/systemd/system/rdomain@e.service.d/a.conf: [Unit]\nAfter=dns.service\n"},
			"", nil},
		"what is late": {[]string{dns, "lib/systemd/system/web.service: [Unit]\nAfter=dns.service\n" + some, wants + "web.service -> x",
			wants + "dns.service -> x", "lib/systemd/system/multi-user.target: [Unit]\nRequires=basic.target\nAfter=basic.target\n"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			units, lines := earlyIn(t, c.files)
			if d := cmp.Diff(c.lines, lines); units != c.want || d != "" {
				t.Errorf("%q; want %q; lines (-want +got):\n%s", units, c.want, d)
			}
		})
	}
}

func earlyIn(t *testing.T, files []string) (string, []string) {
	return early(t, read(t, files...), "dns.service", "rdomain@d.service")
}

// firewalld has orders by default: it is after basic.target, and that after all sockets.
func TestEarlySocket(t *testing.T) {
	u := read(t,
		"lib/systemd/system/ssh.socket: [Socket]\nListenStream=22\n",
		"lib/systemd/system/ssh.service: "+some,
		"lib/systemd/system/basic.target: [Unit]\nRequires=sysinit.target\nWants=sockets.target timers.target\nAfter=sysinit.target sockets.target\n",
		"lib/systemd/system/sockets.target: [Unit]\nDescription=x\n",
		"lib/systemd/system/firewalld.service: [Unit]\nBefore=network-pre.target\nWants=network-pre.target\n"+some,
		"etc/systemd/system/multi-user.target.wants/firewalld.service -> /lib/systemd/system/firewalld.service",
	)
	const want = "sockets.target basic.target firewalld.service network-pre.target"
	if got, lines := early(t, u, "ssh.socket", "rdomain@d.service"); got != want ||
		strings.Join(lines, " ") != "by itself /lib/systemd/system/basic.target:4 by itself /lib/systemd/system/firewalld.service:2" {
		t.Errorf("Early(ssh.socket) = %q, %q; want %q", got, lines, want)
	}
	if got, _ := early(t, u, "ssh.service", "rdomain@d.service"); got != "" {
		t.Errorf("Early(ssh.service) = %q; it is after what it would have to be before", got)
	}
}
