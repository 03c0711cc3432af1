package vm

import (
	"testing"

	"rdgen/test/guest/s6"
)

// TestS6: services in VRFs, by s6. (Those in namespaces are in test/native.)
func TestS6(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) { s6.Test(t, &m.Guest, s6.VRF) })
}
