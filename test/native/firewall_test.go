package native

import "testing"

// TestFirewall is a ruleset of a namespace as the init systems load it.
func TestFirewall(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "firewall")) })
}
