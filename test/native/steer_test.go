package native

import "testing"

// TestSteer is a service that goes into a domain, to another one and out again, and no
// editor is opened.
func TestSteer(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "steer")) })
}
