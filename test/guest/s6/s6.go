// Package s6 has the real s6 of a release run what rdgen s6 makes, in a guest of
// any kind and in a domain of any kind.
package s6

import (
	"embed"
	"os"
	"strings"
	"testing"
	"time"

	"rdgen/test/guest"
)

// scripts are the shell that runs in the guests.
//
//go:embed script
var scripts embed.FS

// Domain is a kind of domain in which the services run: one of them is called mgmt.
type Domain struct {
	Key       string // in conf.d, "vrf" or "netns"; the script of that name says how the kind is looked at
	File      string // /etc/rdomain/mgmt.conf
	Other     string // the ID of one more
	OtherFile string
}

// The kinds of domains.
var (
	Netns = Domain{"netns", "[Domain]\nKind=netns\n", "t3", "[Domain]\nKind=netns\n"}
	VRF   = Domain{"vrf", "[Domain]\nKind=vrf\nTable=10\n\n[Link d0]\nKind=dummy\nAddress=10.20.30.40/24\n",
		"inner@t2", "[Domain]\nKind=vrf\nTable=20\n"}
)

// machine is a guest whose s6 runs the services, in domains of one kind.
type machine struct {
	*guest.Guest
	domain Domain
	// lib is what is read before each script.
	lib string
}

// Test has the s6 of a guest run what rdgen s6 makes, in a domain of the kind d.
func Test(t *testing.T, g *guest.Guest, d Domain) {
	m := machine{g, d, guest.Await + guest.Script(t, scripts, "lib", d.Key)}
	m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(d.File))
	m.program(t, "ticker")
	t.Logf("%s", m.Sh(t, "dpkg-query -W s6 execline"))
	t.Run("source", func(t *testing.T) { source(t, m) })
	t.Run("closed", func(t *testing.T) { failsClosed(t, m) })
	t.Run("codes", func(t *testing.T) { exitCodes(t, m) })
	t.Run("notify", func(t *testing.T) { notify(t, m) })
	t.Run("svscan", func(t *testing.T) { svscan(t, m) })
	t.Run("instances", func(t *testing.T) { instances(t, m) })
	t.Run("link", func(t *testing.T) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(d.File+"\n[Link tun5]\nRequiredForOnline=no\n"))
		m.run(t, "link")
	})
}

// run runs a script in the guest.
func (m machine) run(t *testing.T, name string) string {
	t.Helper()
	return m.Sh(t, m.lib+guest.Script(t, scripts, name))
}

// program puts a script into the guest, as /usr/local/sbin/NAME.
func (m machine) program(t *testing.T, name string) {
	t.Helper()
	m.Put(t, "/usr/local/sbin/"+name, 0o755, []byte(guest.Script(t, scripts, name)))
}

// source: a daemon from an OpenRC script in a VRF, and source directories
// of others, in execline, sh and bash, wrapped.
func source(t *testing.T, m machine) {
	putServices(t, m)
	m.run(t, "source")
	where := func(name string) {
		t.Helper()
		if got := m.Sh(t, m.lib+"where "+name); got != "mgmt\n" {
			t.Errorf("%s runs in %q; want mgmt", name, got)
		}
	}
	for _, name := range []string{"httpd", "xl", "sh-bindash-eu", "sh-usrbinenvbash", "sh-binbusyboxsh", "sh-usrlocalbinwith-contenvsh"} {
		where(name)
	}
	if got := m.Sh(t, "cat /run/sh-*.out"); strings.Count(got, "entered no\n") != 4 || strings.Count(got, "started") != 4 {
		t.Errorf("the shell scripts said %q; want each once, and no mark left in the environment", got)
	}
	m.run(t, "signals")
	for _, name := range []string{"httpd", "xl", "sh-binbusyboxsh"} {
		where(name)
	}
	if got := m.Sh(t, "cat /run/xl.finish"); got != "mgmt\n" {
		t.Errorf("finish runs in %q; want mgmt", got)
	}
	if got := m.Sh(t, "ss -Htln"); strings.Count(got, ":8080") != strings.Count(got, "%mgmt:8080") {
		t.Errorf("something listens outside:\n%s", got)
	}
	m.run(t, "down")
}

// putServices puts the services of source into the guest.
func putServices(t *testing.T, m machine) {
	put := func(path, text string) {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		m.Put(t, path, mode, []byte(text))
	}
	put("/etc/init.d/httpd", "#!/sbin/openrc-run\ncommand=/bin/busybox\ncommand_args=\"httpd -f -p 8080 -h /mnt\"\ncommand_background=yes\npidfile=/run/h.pid\ncommand_user=nobody\n")
	put("/etc/conf.d/httpd", m.domain.Key+"=mgmt\n")
	put("/etc/conf.d/xl", m.domain.Key+"=mgmt\n")
	put("/etc/s6-rc/source/xl/type", "longrun\n")
	put("/etc/s6-rc/source/xl/notification-fd", "3\n")
	put("/etc/s6-rc/source/xl/run", "#!/bin/execlineb -P\nfdmove -c 2 1\ns6-envdir ./env\ns6-setuidgid nobody\n/usr/local/sbin/ticker\n")
	put("/etc/s6-rc/source/xl/finish", guest.Script(t, scripts, "finish"))
	put("/etc/s6-rc/source/xl/env/READY", "1")
	put("/etc/s6-rc/source/xl/producer-for", "xl-log\n")
	put("/etc/s6-rc/source/xl-log/type", "longrun\n")
	put("/etc/s6-rc/source/xl-log/consumer-for", "xl\n")
	put("/etc/s6-rc/source/xl-log/run", "#!/bin/execlineb -P\ns6-log T /var/log/xl\n")
	run := guest.Script(t, scripts, "run")
	for _, sh := range []string{"/bin/dash -eu", "/usr/bin/env bash", "/bin/busybox sh", "/usr/local/bin/with-contenv sh"} {
		name := "sh-" + strings.NewReplacer("/", "", " ", "").Replace(sh)
		put("/etc/conf.d/"+name, m.domain.Key+"=mgmt\n")
		put("/etc/s6-rc/source/"+name+"/type", "longrun\n")
		put("/etc/s6-rc/source/"+name+"/run", strings.NewReplacer("#!/bin/sh", "#!"+sh, "NAME", name).Replace(run))
	}
	// As s6-overlay's: what it executes has none of the environment.
	put("/usr/local/bin/with-contenv", "#!/bin/execlineb -S0\nemptyenv -p\nexec\n$@\n")
}

// failsClosed: no domain, no rdexec, no BPF. The service does not run, its
// log says why, and it is tried about once a second.
func failsClosed(t *testing.T, m machine) {
	for _, c := range []struct{ why, want string }{
		{"no domain", "rdexec: fatal: unable to enter " + m.domain.Key + " mgmt"},
		{"no rdexec", "/usr/sbin/rdexec: No such file or directory"},
		{"no BPF", "operation not permitted"},
	} {
		log := m.Sh(t, "why='"+c.why+"'\n"+m.lib+guest.Script(t, scripts, "closed"))
		lines := strings.Split(strings.TrimSpace(log), "\n")
		var first, last time.Time
		for i, line := range lines {
			if !strings.Contains(line, c.want) {
				t.Errorf("%s: the log says %q; want %q", c.why, line, c.want)
			}
			at, err := time.Parse("2006-01-02 15:04:05.999999999", line[:min(29, len(line))])
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = at
			}
			last = at
		}
		// s6-supervise starts nothing twice within a second; on a busy machine a line may be
		// late in the log, so this is about all of them.
		if tries := time.Duration(len(lines) - 1); last.Sub(first) < tries*time.Second/2 {
			t.Errorf("%s: %d tries within %v", c.why, tries+1, last.Sub(first))
		}
	}
}

// exitCodes: 100 ends the restarts, anything else does not.
func exitCodes(t *testing.T, m machine) {
	m.program(t, "fails")
	for _, code := range []string{"100", "111", "1"} {
		m.Put(t, "/etc/init.d/f"+code, 0o755, []byte("#!/sbin/openrc-run\ncommand=/usr/local/sbin/fails\ncommand_args="+code+"\ncommand_background=yes\npidfile=/run/f.pid\n"))
	}
	m.run(t, "codes")
}

// notify: a unit of Type=notify tells s6 that it is ready, where s6 can
// listen; elsewhere rdgen says that it cannot.
func notify(t *testing.T, m machine) {
	m.program(t, "notifies")
	m.Put(t, "/lib/systemd/system/notifies.service", 0o644, []byte("[Service]\nType=notify\nUser=nobody\nExecStart=/usr/local/sbin/notifies\nTimeoutStartSec=30\n"))
	out := m.Run(t, "rdgen", "s6", "notifies", "--netns", "t9", "-o", "/")
	can := m.Run(t, "test", "-e", "/usr/bin/s6-notify-fd-from-socket").Code == 0
	if can != (m.Release == "forky") {
		t.Errorf("s6-notify-fd-from-socket is there: %t", can)
	}
	if !can {
		if out.Code != 0 || !strings.Contains(out.Stderr, "readiness (Type=notify) is not carried over") {
			t.Errorf("rdgen s6 = %d, %q; want a warning about readiness", out.Code, out.Stderr)
		}
		return
	}
	m.run(t, "notify")
}

// svscan: service directories without s6-rc bring their domain up
// themselves.
func svscan(t *testing.T, m machine) {
	m.Put(t, "/etc/s6/services/wrapped/run", 0o755, []byte("#!/bin/sh\nexec 2>&1\nexec /usr/local/sbin/ticker\n"))
	m.Put(t, "/etc/conf.d/wrapped", 0o644, []byte("netns=t2\n"))
	m.run(t, "svscan")
}

// instances: instances of a template, made while s6 runs, each in the
// domain that it is called as.
func instances(t *testing.T, m machine) {
	m.Put(t, "/etc/rdomain/"+m.domain.Other+".conf", 0o644, []byte(m.domain.OtherFile))
	m.Put(t, "/lib/systemd/system/webs.service", 0o644, []byte("[Service]\nUser=nobody\nExecStart=/bin/busybox httpd -f -p 8081 -h /mnt\n"))
	m.run(t, "instances")
}
