package native

import (
	"fmt"
	"testing"

	"rdgen/test/need"
)

// TestDebianPackages: the packages are installed, upgraded, taken back, removed and
// purged below a service that runs in a domain. It goes on there; without rdgen it
// does not start.
func TestDebianPackages(t *testing.T) {
	eachPackaged(t, append(systemds[:len(systemds):len(systemds)], openrcs[1]), "deb", func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "packages-"+string(m.Init)))
	})
}

// TestDebianPackagesCut: dpkg is killed in the middle of an upgrade, a removal and a purge, in
// each script of the packages and between them. The service that runs in a domain goes on
// there, and when it is restarted it is there, or does not start.
func TestDebianPackagesCut(t *testing.T) {
	few := 10
	if need.All() {
		few = 1
	}
	eachPackaged(t, append(systemds[:len(systemds):len(systemds)], openrcs[1]), "deb", func(t *testing.T, m *Machine) {
		m.Verdicts(t, fmt.Sprintf("\nfew=%d\n", few)+script(t, "cut-"+string(m.Init), "cut"))
	})
}
