package vm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// TestSystemdVRF: services in a VRF of the host and in one inside a namespace
// are bound from the first socket on, and stay so whatever systemd and others do.
func TestSystemdVRF(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		m.Verdicts(t, guest.Network+script(t, "systemd-vrf"))
		logins(t, m)
	})
}

// logins has users log in, by the example for PAM: each session is in the VRF mgmt, or there is
// none.
func logins(t *testing.T, m *Machine) {
	t.Helper()
	page, err := os.ReadFile("../../docs/logins.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := guest.Typed(string(page))
	if len(commands) != 4 {
		t.Errorf("docs/logins.md has %d commands and files; want 4", len(commands))
	}
	m.Type(t, commands)
	verdictsOf(t, m, script(t, "logins"))
}

// TestSystemdBesideVRF: a systemd that cannot attach a program, names with dashes
// and dots, and a networkd that removes what is not its own.
func TestSystemdBesideVRF(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/rdomain/mgmt.conf", 0o644, []byte(mgmt))
		m.Verdicts(t, script(t, "systemd-beside"))
	})
}

// TestSystemdGuide types docs/systemd.md on a machine with a management port eth1.
func TestSystemdGuide(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+"host lan; cable eth1 lan lan0; give eth1 10.20.30.40/24; give_in lan lan0 10.20.30.1/24")
		typeGuide(t, m)
		if need.All() {
			tunnelsPage(t, m) // TestDomainsIfState has it by OpenRC
		}
	})
}

// typeGuide types what docs/systemd.md says, one command after the other, and compares
// what is shown there. eth1 is the management port, with its address, and leads to the
// host lan.
func typeGuide(t *testing.T, m *Machine) {
	t.Helper()
	text, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	m.Sh(t, `mkdir -p /run/sshd; ssh-keygen -A >/dev/null; systemctl start ssh nginx`)
	m.Type(t, guest.Typed(string(text)))
	m.Verdicts(t, `
ok "sshd answers the management port" has "ip netns exec lan busybox timeout 20 nc 10.20.30.40 22 </dev/null" SSH-2.0
fails "and no other" sh -c 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no 192.0.2.1 true 2>&1 | grep -v refused'
ok "the instance is in its domain" inside nginx.lab lab
ok "and the host's unit in its own" inside nginx private
`)
}

// TestSystemdUbuntu has a Debian that is set up as Ubuntu is: netplan, networkd, resolved
// and AppArmor. One command of the package manager and three lines put a service into a
// VRF. Before a release netplan and networkd do all again, and the page is typed after that, as
// TestDomainsOfOthers and TestSystemdGuide have it always.
func TestSystemdUbuntu(t *testing.T) {
	eachPackaged(t, systemds[1:2], "deb", func(t *testing.T, m *Machine) {
		page, err := os.ReadFile("../../docs/systemd.md")
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/root/new/command", 0o644, []byte(guest.Quoted(t, string(page), "apt install")))
		m.Verdicts(t, guest.Network+script(t, "systemd-ubuntu"))
		if need.All() {
			verdictsOf(t, m, part(t, "systemd-netplan", "again"))
		}
		verdictsOf(t, m, part(t, "systemd-netplan", "given back"))
		if need.All() {
			typeGuide(t, m)
		}
		m.Verdicts(t, script(t, "systemd-ubuntu-after"))
	})
}

// TestSystemdManagers has ifupdown, dhcpcd, NetworkManager and networkd beside a VRF, each of
// which is given its member: what each does to it, and what rdgen check says of that.
func TestSystemdManagers(t *testing.T) {
	each(t, systemds[1:2], func(t *testing.T, m *Machine) {
		m.Verdicts(t, guest.Network+script(t, "systemd-managers"))
		putImage(t, m)
		verdictsOf(t, m, script(t, "root-image"))
	})
}

// putImage puts an empty file system into the machine, which has no program to make one.
func putImage(t *testing.T, m *Machine) {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "image.raw")
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", raw, "16M"}, {"gzip", raw}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	data, err := os.ReadFile(raw + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	m.Put(t, "/srv/image.raw.gz", 0o600, data)
}
