package native

import (
	"testing"

	"rdgen/test/guest"
)

// TestOpenRC: services of each kind in a namespace and beside it, through
// everything that a service goes through, and once more at boot.
func TestOpenRC(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.Verdicts(t, script(t, "openrc"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "openrc-rebooted"))
	})
}

// TestOpenRCTables: packet filters of the host and of a namespace, by one script.
func TestOpenRCTables(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "tables")) })
}

// TestOpenRCGuard: each OpenRC, altered as its authors may one day.
func TestOpenRCGuard(t *testing.T) {
	each(t, append(openrcs, alpine), func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Guard(t)
	})
}

// TestOpenRCUser: a user's session, which OpenRC has since 0.60.
func TestOpenRCUser(t *testing.T) {
	each(t, openrcs[2:], func(t *testing.T, m *Machine) { m.Verdicts(t, guest.Session+script(t, "user")) })
}

// TestOpenRCElsewhere: the hook, the domain's script and the programs, where
// another distribution has them.
func TestOpenRCElsewhere(t *testing.T) {
	t.Parallel()
	m := Boot(t, openrcs[1])
	m.InstallWith(t, "SBINDIR=/opt/rd/bin", "BINDIR=/opt/rd/bin", "LIBEXECDIR=/opt/rd/lib")
	m.Verdicts(t, script(t, "elsewhere"))
}
