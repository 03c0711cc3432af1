package native

import (
	"testing"

	"rdgen/test/guest"
)

// containerPackages are podman and Docker, which are 95 MB of packages, and the two programs by
// which people filter what is forwarded: one root is for all of them.
const containerPackages = "podman crun netavark catatonit docker.io docker-cli firewalld ufw"

// TestContainersPage does what docs/containers.md says, with Debian's podman, and each row of
// its tables.
func TestContainersPage(t *testing.T) {
	list := []System{systemds[1], openrcs[1]}
	for i := range list {
		list[i].Packages = containerPackages
	}
	each(t, list, func(t *testing.T, m *Machine) {
		part := func(label string) string { return guest.Part(t, scripts, "containers", label) }
		shared := "init=" + string(m.Init) + "\n" + part("shared")
		m.Sh(t, guest.Await+guest.Network+shared+part("prepare"))
		typePage(t, m, "docs/containers.md", map[guest.Init]int{guest.Systemd: 8, guest.OpenRC: 8}[m.Init])
		verdicts := func(label string) {
			t.Helper()
			m.Verdicts(t, label+"\n"+shared+part(label))
		}
		verdicts("when")
		m.Reboot(t)
		verdicts("booted")
		if m.Init == guest.Systemd {
			verdicts("networks")
			verdicts("docker")
		}
	})
}
