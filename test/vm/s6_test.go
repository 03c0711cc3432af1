package vm

import (
	"testing"

	"rdgen/test/guest/s6"
	"rdgen/test/need"
)

// TestS6: services in VRFs, by s6. (Those in namespaces are in test/native.)
func TestS6(t *testing.T) {
	list := openrcs[1:2] // s6 itself is the same in both kinds of domains
	if need.All() {
		list = openrcs
	}
	each(t, list, func(t *testing.T, m *Machine) { s6.Test(t, &m.Guest, s6.VRF) })
}
