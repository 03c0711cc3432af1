package guest

import (
	"encoding/json"
	"net"
	"testing"

	"rdgen/test/guest/wire"
)

// An agent that is quicker than the test, and has spoken before it is listened to,
// was never heard: "no answer in 3m0s" from a guest that was up.
func TestGreetedBeforehand(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	c := newConn(Connection{Agent: here, Dead: make(chan struct{}), LastWords: func() string { return "" }})
	out := json.NewEncoder(there)
	// A pipe has no buffer: when the second is written, the first has been delivered.
	for _, id := range []int{0, 1} {
		if err := out.Encode(wire.Reply{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.greet(CommandLimit); err != nil {
		t.Error(err)
	}
}
