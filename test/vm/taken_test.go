package vm

import (
	"testing"

	"rdgen/test/guest"
)

// A link that is taken out of the VRF by hand, and the links of a VRF that is deleted by
// hand, are of the default domain from then on, and no packet of a service that was
// in the VRF leaves by them. No rdexec and no rdomain runs after the change.
func testTakenOut(t *testing.T, m *Machine) {
	m.Sh(t, guest.Network+script(t, "taken-out"))
	for _, file := range []string{"theirs", "out", "moved", "deleted"} {
		judge(t, "taken out: "+file, m.Sh(t, "cat /run/test/"+file), 300, file != "theirs")
	}
}
