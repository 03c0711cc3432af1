package kernel

import (
	"net"
	"slices"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/runtime/object"
)

// silent is how old the last handshake of a peer that works is at most: one is made every 120 s
// while packets are sent, and tried for 90 s more (REKEY_AFTER_TIME, REKEY_ATTEMPT_TIME in
// drivers/net/wireguard/messages.h), of which 15 are enough for three tries.
const silent = 135 * time.Second

// Moved looks up the endpoint of a peer that has not been heard of for a while, and returns
// its address if that is another one than the kernel has; else nil.
func (s *Session) Moved(t object.WireGuardPeer) (*net.UDPAddr, error) {
	d, err := s.device(t.Netns, t.Link)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Peers, func(p wgtypes.Peer) bool { return p.PublicKey.String() == t.PublicKey })
	if i < 0 || time.Since(d.Peers[i].LastHandshakeTime) < silent {
		return nil, nil
	}
	to, err := s.endpoint(t)
	if now := d.Peers[i].Endpoint; err != nil || now != nil && now.IP.Equal(to.IP) && now.Port == to.Port {
		return nil, err
	}
	return to, nil
}

// Move gives a peer that is there another endpoint, and leaves all else as it is.
func (s *Session) Move(t object.WireGuardPeer, to *net.UDPAddr) error {
	public, err := wgtypes.ParseKey(t.PublicKey)
	if err != nil {
		return err
	}
	peer := wgtypes.PeerConfig{PublicKey: public, UpdateOnly: true, Endpoint: to}
	return s.setWireGuard(t.Netns, t.Link, wgtypes.Config{Peers: []wgtypes.PeerConfig{peer}})
}
