package native

import "testing"

// TestDebianPackages: the packages are installed, upgraded, taken back, removed and
// purged below a service that runs in a domain. It goes on there; without rdgen it
// does not start.
func TestDebianPackages(t *testing.T) {
	eachPackaged(t, append(systemds[:len(systemds):len(systemds)], openrcs[1]), "deb", func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "packages-"+string(m.Init)))
	})
}
