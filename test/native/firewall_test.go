package native

import (
	"testing"

	"rdgen/test/guest"
)

// TestFirewall is a ruleset of a namespace as the init systems load it.
func TestFirewall(t *testing.T) {
	each(t, append(systemds[:len(systemds):len(systemds)], openrcs...), func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "firewall")) })
}

// TestForwardedBesideFirewalls is a domain with Masquerade= and a published port beside the real
// firewalld, ufw and dockerd: what check prints is typed as it is, and lets both pass.
// (cmd/rdomain has the same against what they load, as it was seen.)
func TestForwardedBesideFirewalls(t *testing.T) {
	s := systemds[1]
	s.Packages = containerPackages
	each(t, []System{s}, func(t *testing.T, m *Machine) {
		m.Sh(t, guest.Network+guest.Part(t, scripts, "forwarded", "prepare"))
		shared := guest.Part(t, scripts, "forwarded", "shared")
		for _, label := range []string{"ufw", "docker", "firewalld"} {
			m.Verdicts(t, label+"\n"+shared+guest.Part(t, scripts, "forwarded", label))
		}
	})
}
