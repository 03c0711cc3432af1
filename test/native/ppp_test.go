package native

import (
	"testing"

	"rdgen/test/guest"
)

// TestPPP has Debian's pppd make the link of a domain, and lose it in the ways that
// docs/domains.md speaks of. It needs a kernel with PPP, which is Debian's user-mode-linux, a
// program of the machine that boots on the machine's own files; its pid 1 is a script. trixie's,
// 6.12, ends at once on a processor with AMX, whose registers are more than it has room for.
func TestPPP(t *testing.T) {
	list := systems(guest.Systemd)[2:3]
	list[0].Packages = "ppp user-mode-linux"
	each(t, list, func(t *testing.T, m *Machine) {
		part := func(label string) string { return guest.Part(t, scripts, "ppp", label) }
		m.Put(t, "/usr/local/bin/inside", 0o755, []byte("#!/bin/sh\n"+part("boot")+guest.Prelude+guest.Await+guest.Network+part("inside")))
		m.Verdicts(t, "a kernel with PPP\n"+part("outside"))
	})
}
