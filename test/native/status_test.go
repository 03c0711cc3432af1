package native

import (
	"os"
	"testing"
)

// examples puts those of docs/examples that a machine runs into it.
func examples(t *testing.T, m *Machine) {
	t.Helper()
	for _, name := range []string{"rdgen-status.service", "rdgen-status.timer", "rdgen-status.cron"} {
		text, err := os.ReadFile("../../docs/examples/" + name)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, "/srv/"+name, 0o644, text)
	}
}

// TestStatus: what rdgen status says of services that are where they should be, and of each
// way in which one is not. A VRF's are TestVRFStatus of test/vm.
func TestStatus(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) {
		examples(t, m)
		m.Verdicts(t, script(t, "status"))
	})
}

// TestStatusS6 is TestStatus with services of s6.
func TestStatusS6(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		examples(t, m)
		m.Verdicts(t, "services of s6\nkind=s6\n"+script(t, "status"))
	})
}
