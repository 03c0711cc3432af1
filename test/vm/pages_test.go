package vm

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// typeSections types the commands of the sections of a page that both init systems share,
// and of the one for the machine's own; there are some number of them.
func typeSections(t *testing.T, m *Machine, file string, number int) {
	t.Helper()
	page, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	commands := guest.TypedFor(string(page), m.System.Init)
	m.Type(t, commands)
	if typed := len(commands); typed != number {
		t.Errorf("%s has %d commands for %s; want %d", file, typed, m.System.Init, number)
	}
}

// verdictsOf runs a part of a script, which is told the init system.
func verdictsOf(t *testing.T, m *Machine, part string) {
	t.Helper()
	m.Verdicts(t, "a part\n"+setting("init", string(m.System.Init))+part)
}

// putLab puts the program that makes the networks of a page into the machine, and captures
// what leaves by its links from then on, and has it run.
func putLab(t *testing.T, m *Machine, network string) {
	t.Helper()
	m.Put(t, "/usr/local/bin/lab", 0o755, []byte("#!/bin/sh\n"+guest.Await+guest.Network+network))
	m.Sh(t, "lab")
}

// rebooted boots the machine again, with the networks of a page and a service.
func rebooted(t *testing.T, m *Machine, service string) {
	t.Helper()
	m.Sh(t, setting("init", string(m.System.Init))+setting("service", service)+script(t, "lab-boot"))
	m.Reboot(t)
}

// TestVPNPage does what docs/vpn.md says, with a real transmission, and loses the tunnel in
// each way that the page speaks of: no packet leaves by another link. Before a release, the
// same after a reboot.
func TestVPNPage(t *testing.T) {
	each(t, []System{openrcs[1], systemds[1]}, func(t *testing.T, m *Machine) {
		m.Sh(t, part(t, "vpn-page", "prepare"))
		putLab(t, m, part(t, "vpn-page", "network"))
		typeSections(t, m, "docs/vpn.md", 8)
		helpers := part(t, "vpn-page", "helpers")
		verdictsOf(t, m, part(t, "vpn-page", "with the tunnel"))
		verdictsOf(t, m, helpers+part(t, "vpn-page", "without"))
		verdictsOf(t, m, part(t, "vpn-page", "nowhere else"))
		if !need.All() {
			return
		}
		rebooted(t, m, "transmission-daemon")
		verdictsOf(t, m, helpers+part(t, "vpn-page", "rebooted"))
		verdictsOf(t, m, part(t, "vpn-page", "nowhere else"))
		if m.System.Init == Systemd {
			nginxPage(t, m) // TestOpenRCNginx has it by OpenRC
		}
	})
}

// TestDHCPPage does what docs/dhcp.md says, with an sshd, and has the lease change in each way
// that the page speaks of: no packet leaves by another card, and nothing outside changes.
// Before a release, the same after a reboot.
func TestDHCPPage(t *testing.T) {
	each(t, []System{openrcs[1], systemds[1]}, func(t *testing.T, m *Machine) {
		m.Put(t, "/etc/init.d/sshd", 0o755, []byte(script(t, "service-sshd")))
		m.Sh(t, setting("init", string(m.System.Init))+part(t, "dhcp-page", "prepare"))
		putLab(t, m, part(t, "dhcp-page", "network"))
		typeSections(t, m, "docs/dhcp.md", 5)
		helpers := part(t, "dhcp-page", "helpers")
		verdictsOf(t, m, helpers+part(t, "dhcp-page", "leases"))
		verdictsOf(t, m, part(t, "dhcp-page", "nowhere else"))
		if !need.All() {
			return
		}
		rebooted(t, m, map[guest.Init]string{OpenRC: "sshd", Systemd: "ssh"}[m.System.Init])
		verdictsOf(t, m, helpers+part(t, "dhcp-page", "rebooted"))
		verdictsOf(t, m, part(t, "dhcp-page", "nowhere else"))
	})
}

// tunnelsPage does what docs/tunnels.md says: GRE and VXLAN of three domains over one WireGuard.
func tunnelsPage(t *testing.T, m *Machine) {
	t.Helper()
	m.Sh(t, guest.Network+guest.Await+part(t, "tunnels-page", "prepare"))
	typeSections(t, m, "docs/tunnels.md", map[guest.Init]int{OpenRC: 8, Systemd: 7}[m.System.Init])
	verdictsOf(t, m, part(t, "tunnels-page", "look"))
}

// nginxPage does what docs/nginx.md says, first by the machine's init system, and where that is
// OpenRC then by s6.
func nginxPage(t *testing.T, m *Machine) {
	t.Helper()
	m.Sh(t, guest.Network+part(t, "nginx-page", "prepare"))
	base := map[guest.Init]string{OpenRC: "web", Systemd: "nginx"}[m.System.Init]
	typeSections(t, m, "docs/nginx.md", map[guest.Init]int{OpenRC: 10, Systemd: 11}[m.System.Init])
	verdictsOf(t, m, setting("base", base)+part(t, "nginx-page", "look"))
	if m.System.Init != OpenRC {
		return
	}
	page, err := os.ReadFile("../../docs/nginx.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## On s6\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("docs/nginx.md has no s6")
	}
	m.Sh(t, part(t, "nginx-page", "s6"))
	m.Type(t, guest.Typed(section))
	m.Verdicts(t, "a part\n"+setting("init", "s6")+setting("base", base)+part(t, "nginx-page", "look"))
}
