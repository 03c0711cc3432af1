package native

import "testing"

// TestLinkMadeAgain is rdomain watch as the init systems run it.
func TestLinkMadeAgain(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "again")) })
}
