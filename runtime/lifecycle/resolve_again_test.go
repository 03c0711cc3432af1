package lifecycle

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"rdgen/runtime/object"
)

// A resolver that does not answer takes its time for the names of all peers once, not for each
// after the other.
func TestPeersAreLookedUpAtOnce(t *testing.T) {
	const patience = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		start := time.Now() // of the test's own clock
		peers := make([]object.WireGuardPeer, lookups)
		peers[lookups-1].Endpoint = "found"
		to, errs := eachMoved(peers, func(p object.WireGuardPeer) (*net.UDPAddr, error) {
			if p.Endpoint == "found" {
				return &net.UDPAddr{Port: 1}, nil
			}
			time.Sleep(patience)
			return nil, errors.New("no answer")
		})
		if to[lookups-1] == nil || errs[lookups-1] != nil || errs[0] == nil {
			t.Errorf("the last is %v, %v; the first %v", to[lookups-1], errs[lookups-1], errs[0])
		}
		if took := time.Since(start); took != patience {
			t.Errorf("%d names take %v; want %v", lookups, took, patience)
		}
	})
}
