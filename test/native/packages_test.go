package native

import (
	"testing"
)

// TestDebianPackages: the packages are installed, upgraded, taken back, removed and
// purged below a service that runs in a domain. It goes on there; without rdgen it
// does not start.
func TestDebianPackages(t *testing.T) {
	for _, s := range append(systemds, openrcs[1]) {
		t.Run(s.String(), func(t *testing.T) {
			m := Boot(t, s)
			m.PutPackages(t, "deb")
			m.Verdicts(t, script(t, "packages-"+string(s.Init)))
		})
	}
}
