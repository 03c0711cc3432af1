package native

import (
	"os"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// peoplePackages are those of programs that people use.
const peoplePackages = "sudo opendoas pkexec polkitd tmux screen cron at anacron"

// people calls f with a machine in which alice (1001) and bob (1002) are, and the files of
// examples.
func people(t *testing.T, list []System, f func(*testing.T, *Machine)) {
	t.Helper()
	list = slices.Clone(list)
	for i := range list {
		list[i].Packages = morePackages
	}
	each(t, list, func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/libexec/rdomain-exec", 0o755, read(t, "cmd/rdomain/rdomain-exec"))
		if m.Init == guest.OpenRC {
			m.Sh(t, ": >/etc/insserv.conf; rc-service dbus start") // for polkit
		}
		m.Sh(t, guest.Network+script(t, "setup")+"useradd -m -u 1001 -s /bin/bash alice; useradd -m -u 1002 -s /bin/sh bob; groupadd netusers")
		f(t, m)
	})
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// typeAsAlice types the commands of a page and writes its files: "# " is root's, "$ " is
// alice's, in her home, with the PATH that she has when she logs in.
func typeAsAlice(t *testing.T, m *Machine, page string, number int) {
	t.Helper()
	var text strings.Builder
	for line := range strings.Lines(string(read(t, page))) {
		if command, ok := strings.CutPrefix(line, "    $ "); ok {
			line = "    # runuser -l alice -c '" + strings.ReplaceAll(strings.TrimSuffix(command, "\n"), "'", `'\''`) + "'\n"
		}
		text.WriteString(line)
	}
	commands := guest.TypedFor(text.String(), m.Init)
	if len(commands) != number {
		t.Errorf("%s has %d commands and files; want %d", page, len(commands), number)
	}
	m.Type(t, commands)
}

// TestUsersPage does what docs/users.md says, with Debian's sudo, doas and pkexec, and then
// what an attacker would.
func TestUsersPage(t *testing.T) {
	people(t, append(systemds, openrcs...), func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/bin/firefox", 0o755, []byte("#!/bin/sh\necho \"$(id -un) in $RDOMAIN: $*\"\n"))
		m.Sh(t, "mkdir -p /etc/doas.d /usr/share/applications")
		typeAsAlice(t, m, "docs/users.md", 11)
		m.Verdicts(t, script(t, "users"))
		m.Put(t, "/etc/ssh/sshd_config.d/bob.conf", 0o644, read(t, "examples/logins/etc/ssh/sshd_config.d/bob.conf"))
		m.Verdicts(t, "look\ninit="+string(m.Init)+"\n"+script(t, "forced"))
	})
}

// TestElogind is the line of docs/logins.md beside a real elogind, which Debian had last in 12.
func TestElogind(t *testing.T) {
	each(t, openrcs[:1], func(t *testing.T, m *Machine) {
		root := os.Getenv("RDGEN_ELOGIND_ROOT")
		for _, file := range strings.Fields("lib/elogind/elogind lib/elogind/libelogind-shared-246.10.so etc/pam.d/elogind-user " +
			"lib/x86_64-linux-gnu/security/pam_elogind.so usr/share/dbus-1/system.d/org.freedesktop.login1.conf") {
			data, err := os.ReadFile(root + "/" + file)
			if err != nil {
				need.Missing(t, "elogind", "RDGEN_ELOGIND_ROOT names no folder with it; RDGEN_TEST_ALL=1 make fixtures makes one, on Debian 12")
			}
			m.Put(t, "/"+file, 0o755, data)
		}
		m.Put(t, "/etc/pam.d/rdomain-session", 0o644, read(t, "examples/logins/etc/pam.d/rdomain-session"))
		m.Verdicts(t, guest.Await+script(t, "elogind"))
	})
}

// TestOverlapHomePage does what docs/overlap-home.md says: a softphone of alice's is in a VPN
// whose network has the addresses of the one at home, and the tunnel goes and comes.
func TestOverlapHomePage(t *testing.T) {
	list := []System{systemds[1], openrcs[1]}
	for i := range list {
		list[i].Packages = morePackages
	}
	each(t, list, func(t *testing.T, m *Machine) {
		init := "init=" + string(m.Init) + "\n"
		m.Put(t, "/usr/libexec/rdomain-exec", 0o755, read(t, "cmd/rdomain/rdomain-exec"))
		m.Sh(t, guest.Await+guest.Network+init+guest.Part(t, scripts, "overlap-home", "prepare"))
		m.Sh(t, "useradd -m -u 1001 -s /bin/bash alice; mkdir -p /usr/share/applications")
		m.Put(t, "/etc/sudoers.d/rdgen", 0o440, read(t, "examples/users/etc/sudoers.d/rdgen"))
		typeAsAlice(t, m, "docs/overlap-home.md", map[guest.Init]int{guest.Systemd: 7, guest.OpenRC: 9}[m.Init])
		m.Verdicts(t, "look\n"+init+guest.Part(t, scripts, "overlap-home", "look"))
	})
}

// TestJobsPage does what docs/jobs.md says; each job writes where it is.
func TestJobsPage(t *testing.T) {
	people(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/local/bin/job", 0o755, []byte("#!/bin/sh\necho $(/usr/bin/id -un) $(readlink /proc/self/ns/net) >>/tmp/jobs\n"))
		m.Put(t, "/etc/systemd/system/backup.service", 0o644, []byte("[Service]\nType=oneshot\nExecStart=/usr/local/bin/job\n"))
		m.Sh(t, `sed -i '/^Kind=netns/aAllowUsers=alice' /etc/rdomain/private.conf; : >/tmp/jobs; chmod 0666 /tmp/jobs
			echo 'ALL ALL=(root) NOPASSWD: /usr/libexec/rdomain-exec' >/etc/sudoers.d/rdgen; chmod 0440 /etc/sudoers.d/rdgen; systemctl start rdomain@private atd cron`)
		typeAsAlice(t, m, "docs/jobs.md", 11)
		m.Verdicts(t, script(t, "jobs"))
	})
}
