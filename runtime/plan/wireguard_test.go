package plan

import (
	"net/netip"
	"testing"

	"rdgen/runtime/object"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// An endpoint that somebody set as the file has it is not set again, so that up has nothing to do
// for a link made by hand. One that up set counts as it was set: the peer may have moved.
func TestEndpointIsSet(t *testing.T) {
	const public = "0000000000000000000000000000000000000000000="
	f := file(t, "t1", "[Link wg0]\nKind=wireguard\nPrivateKeyFile=/k\n[WireGuardPeer wg0]\nPublicKey="+public+"\nEndpoint=192.0.2.1:51820\n")
	was := func(endpoint string) *record.Record {
		return &record.Record{Domain: f.Domain, Entries: []record.Entry{{Object: object.WireGuardPeer{Netns: f.Domain.Netns, Link: "wg0",
			PublicKey: public, Endpoint: endpoint}}}}
	}
	for _, c := range []struct {
		name, now string
		old       *record.Record
		nothing   bool
	}{
		{"set by hand", "192.0.2.1:51820", &record.Record{}, true},
		{"another port by hand", "192.0.2.1:51821", &record.Record{}, false},
		{"another address by hand", "192.0.2.2:51820", &record.Record{}, false},
		{"none by hand", "", &record.Record{}, false},
		{"ours", "192.0.2.1:51820", was("192.0.2.1:51820"), true},
		{"ours, moved since", "192.0.2.9:4000", was("192.0.2.1:51820"), true},
		{"ours, edited", "192.0.2.1:51820", was("192.0.2.7:51820"), false},
		{"ours, taken away", "", was("192.0.2.1:51820"), false},
	} {
		peer := Peer{}
		if c.now != "" {
			peer.Endpoint = netip.MustParseAddrPort(c.now)
		}
		have := &State{Exists: true, ID: t1, Inside: map[string]LinkState{"lo": {Link: rtnl.Link{Up: true}},
			"wg0": {Link: rtnl.Link{Name: "wg0", Index: 7, Kind: "wireguard", Up: true}}},
			WireGuard: map[string]WireGuard{"wg0": {Peers: map[string]Peer{public: peer}}}}
		p := up(t, f, have, c.old)
		if got := len(p.Steps) == 0; got != c.nothing {
			t.Errorf("%s: nothing to do: %v, want %v\n%s", c.name, got, c.nothing, lines(p.Steps, object.Step.String))
		}
	}
}
