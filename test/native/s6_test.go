package native

import (
	"testing"

	"rdgen/test/guest/s6"
)

// TestS6: services in namespaces, by the s6 of each release.
func TestS6(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) { s6.Test(t, &m.Guest, s6.Netns) })
}
