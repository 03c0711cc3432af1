package native

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// TestSystemdNamespace: one line in conf.d and a daemon-reload put services of
// all kinds into a namespace, with their sandboxes and resolver files.
func TestSystemdNamespace(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, "/usr/local/lib/bus.bytes", 0o644, busBytes("org.example.Bus"))
		m.Put(t, "/etc/dbus-1/system.d/bus.conf", 0o644, []byte(`<busconfig><policy user="root"><allow own="org.example.Bus"/></policy></busconfig>`))
		m.Verdicts(t, guest.Network+script(t, "setup", "namespace"))
	})
}

// TestSystemdInstances: Debian's own nginx and sshd, once more each in other
// domains, beside the ones of the host; and by the static files alone.
func TestSystemdInstances(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, guest.Network+script(t, "setup", "instances"))
	})
}

// TestSystemdOrder makes circles of orders with domains: rdgen names those that systemd finds.
func TestSystemdOrder(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "order")) })
}

// TestSystemdActions has units that end the machine when they fail, and are refused.
func TestSystemdActions(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "actions")) })
}

// TestSystemdSockets lets a service's sockets stay in the default domain.
func TestSystemdSockets(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, guest.Network+script(t, "setup", "sockets"))
	})
}

// TestSystemdDomain is about rdomain@.service itself, and about the administrator's own
// lines for it: those of docs/systemd.md.
func TestSystemdDomain(t *testing.T) {
	const cable = "/etc/systemd/system/rdomain@private.service.d/cable.conf"
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Put(t, cable, 0o644, read(t, "examples/systemd"+cable))
		m.Verdicts(t, guest.Network+script(t, "setup", "domains"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "rebooted"))
	})
}

// TestSystemdBack: which services come back with their domain, and what is said of others.
func TestSystemdBack(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "back")) })
}

// TestSystemdFailsClosed tries to get a service to run outside of its domain.
func TestSystemdFailsClosed(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, guest.Network+script(t, "setup", "closed"))
	})
}

// TestSystemdGeneratorFails has rdgen's generator fail, in the middle and before it
// begins: systemd goes on without its files, and no service that names a domain starts
// outside of it.
func TestSystemdGeneratorFails(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, guest.Network+script(t, "setup", "killed"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "killed-rebooted"))
	})
}

// TestSystemdGeneratorKilled kills rdgen's generator at its writes, its parent, and all
// generators at once, at reloads and at a boot. systemd goes on, and no service that
// conf.d names starts outside of its domain.
func TestSystemdGeneratorKilled(t *testing.T) {
	every := 2
	if need.All() {
		every = 1
	}
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, fmt.Sprintf("\nevery=%d\n", every)+script(t, "setup", "signals"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "killed-rebooted"))
		m.Verdicts(t, script(t, "killed-once"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "killed-once-rebooted"))
	})
}

// TestSystemdNames boots with files of conf.d that are called as a unit with its suffix,
// with scripts of systemd-sysv-generator's and with units of another generator's.
func TestSystemdNames(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "setup", "named"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "named-rebooted"))
	})
}

// TestSystemdReads: rdgen and systemd agree which file is read for a unit, which link is
// another name of one, and which of the drop-ins of one name wins.
func TestSystemdReads(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "setup", "reads"))
	})
}

// TestSystemdAnalyze has systemd read what is generated for every service of the
// machine. It finds no fault that was not there before, and no score is worse.
func TestSystemdAnalyze(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		got := m.Sh(t, script(t, "analyze"))
		// A service may bring other units into the domain, sockets or templates.
		var made, services, scores int
		if n, err := fmt.Sscan(got, &made, &services, &scores); n != 3 || len(strings.Fields(got)) != 3 || made < services || scores != services || services < 30 {
			t.Errorf("%s: drop-ins, services, scores, and what is new: %v\n%s", m.System, err, got)
		}
		t.Logf("%s: %d services", m.System, services)
	})
}

// TestSystemdMoved: the commands of rdgen set and unset take what runs where the line says, and
// leave nothing behind or down.
func TestSystemdMoved(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "moved")) })
}

// TestSystemdGuide types what docs/systemd.md says of namespaces. (What it says
// of a VRF is typed in a machine of test/vm, with the rest.)
func TestSystemdGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	before, vrf, _ := strings.Cut(string(text), "\n## sshd in a management VRF\n")
	_, after, _ := strings.Cut(vrf, "\n## ")
	commands := guest.Typed(before + after)
	if len(commands) < 22 {
		t.Fatalf("%d commands in the guide; want all of them", len(commands))
	}
	each(t, systemds, func(t *testing.T, m *Machine) {
		m.Sh(t, "systemctl start nginx")
		m.Type(t, commands)
		m.Verdicts(t, `
ok "the instance is in its domain" inside nginx.lab lab
ok "and the host's unit in its own" inside nginx private
`)
	})
}
