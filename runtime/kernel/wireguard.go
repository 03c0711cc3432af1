package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// readWireGuard reads the wireguard links of the domain's namespace.
func (s *Session) readWireGuard(names []string, have *plan.State) error {
	have.WireGuard = map[string]plan.WireGuard{}
	for _, name := range names {
		if _, done := have.WireGuard[name]; done || have.Inside[name].Kind != "wireguard" {
			continue
		}
		d, err := s.device(s.Netns, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		w := plan.WireGuard{Key: s.learn(d.PrivateKey), Port: uint16(d.ListenPort), Mark: uint32(d.FirewallMark),
			Peers: map[string]plan.Peer{}}
		for _, p := range d.Peers {
			w.Peers[p.PublicKey.String()] = plan.Peer{Preshared: s.learn(p.PresharedKey), Endpoint: addrPort(p.Endpoint),
				AllowedIPs: plan.AllowedIPs(prefixes(p.AllowedIPs)), Keepalive: uint16(p.PersistentKeepaliveInterval / time.Second)}
		}
		have.WireGuard[name] = w
	}
	return nil
}

// learn remembers a key, and returns its print.
func (s *Session) learn(k wgtypes.Key) plan.Fingerprint {
	p := plan.Fingerprint(conf.Print(k))
	s.home.keys.Store(p, k)
	return p
}

// key returns a secret: that of its file, or that which a link had.
func (s *Session) key(at object.Secret) (wgtypes.Key, error) {
	if k, ok := s.Inputs.keys[at]; ok {
		return k, nil
	}
	if p, ok := s.Inputs.prints[at]; ok {
		if k, ok := s.home.keys.Load(p); ok {
			return k.(wgtypes.Key), nil
		}
		file, _, _ := strings.Cut(string(at), "#")
		return wgtypes.Key{}, &problem.Error{Msg: fmt.Sprintf("the key that %s had when the domain was brought up is not known any more", file),
			Hint: "reload the domain, with the key that there is now"}
	}
	return wgtypes.Key{}, fmt.Errorf("%s: %w", at, fs.ErrNotExist)
}

// addrPort is the address of an endpoint, invalid where there is none.
func addrPort(a *net.UDPAddr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// Peer is a peer of a wireguard link, and when it was last heard of.
type Peer struct {
	PublicKey string
	// Handshake is zero where there was none.
	Handshake time.Time
}

// Peers returns the peers of a wireguard link of the session's namespace.
func (s *Session) Peers(name string) (list []Peer, err error) {
	d, err := s.device(s.Netns, name)
	if err != nil {
		return nil, err
	}
	for _, p := range d.Peers {
		list = append(list, Peer{p.PublicKey.String(), p.LastHandshakeTime})
	}
	return list, nil
}

// device returns what a wireguard link is like, secrets and all.
func (s *Session) device(netns domain.NetnsName, name string) (d *wgtypes.Device, err error) {
	err = s.inside(netns, func() error {
		c, err := wgctrl.New()
		if err != nil {
			return err
		}
		defer c.Close()
		d, err = c.Device(name)
		return err
	})
	if err != nil {
		err = fmt.Errorf("wireguard link %s: %w", name, err)
	}
	return d, err
}

// configure changes a wireguard link, after remembering what it was.
func (s *Session) configure(netns domain.NetnsName, name string, c wgtypes.Config) error {
	l := At{netns, name}
	if _, known := s.wireguard[l]; !known && !s.made[l] {
		d, err := s.device(netns, name)
		if err != nil {
			return err
		}
		s.wireguard[l] = asConfig(d)
	}
	return s.setWireGuard(netns, name, c)
}

func (s *Session) setWireGuard(netns domain.NetnsName, name string, c wgtypes.Config) error {
	return s.inside(netns, func() error {
		client, err := wgctrl.New()
		if err != nil {
			return err
		}
		defer client.Close()
		return client.ConfigureDevice(name, c)
	})
}

// UndoWireGuard gives wireguard links the keys and peers that they had before
// the session's steps.
func (s *Session) UndoWireGuard() error {
	for l, c := range s.wireguard {
		if err := s.setWireGuard(l.Netns, l.Link, c); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	clear(s.wireguard)
	return nil
}

func asConfig(d *wgtypes.Device) wgtypes.Config {
	c := wgtypes.Config{PrivateKey: &d.PrivateKey, ListenPort: &d.ListenPort, FirewallMark: &d.FirewallMark, ReplacePeers: true}
	for _, p := range d.Peers {
		c.Peers = append(c.Peers, wgtypes.PeerConfig{PublicKey: p.PublicKey, PresharedKey: &p.PresharedKey, Endpoint: p.Endpoint,
			PersistentKeepaliveInterval: &p.PersistentKeepaliveInterval, ReplaceAllowedIPs: true, AllowedIPs: p.AllowedIPs})
	}
	return c
}

func (s *Session) doWireGuard(t object.WireGuard) error {
	key, err := s.key(t.KeyFile)
	if err != nil {
		return err
	}
	mark := int(t.Mark)
	c := wgtypes.Config{PrivateKey: &key, FirewallMark: &mark}
	if port := int(t.Port); port != 0 {
		c.ListenPort = &port
	}
	return s.configure(t.Netns, t.Link, c)
}

func (s *Session) doPeer(verb object.Verb, t object.WireGuardPeer) error {
	public, err := wgtypes.ParseKey(t.PublicKey)
	if err != nil {
		return err
	}
	p := wgtypes.PeerConfig{PublicKey: public, Remove: verb == object.Delete}
	if verb == object.Delete {
		err := s.configure(t.Netns, t.Link, wgtypes.Config{Peers: []wgtypes.PeerConfig{p}})
		return gone(verb, err)
	}
	var preshared wgtypes.Key // all zero removes one
	if t.PresharedKeyFile != "" {
		if preshared, err = s.key(t.PresharedKeyFile); err != nil {
			return err
		}
	}
	keepalive := time.Duration(t.Keepalive) * time.Second
	p.PresharedKey, p.PersistentKeepaliveInterval, p.ReplaceAllowedIPs = &preshared, &keepalive, true
	for _, a := range t.Prefixes() {
		p.AllowedIPs = append(p.AllowedIPs, net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), a.Addr().BitLen())})
	}
	if t.Endpoint != "" {
		if p.Endpoint, err = s.endpoint(t); err != nil {
			return err
		}
	}
	return s.configure(t.Netns, t.Link, wgtypes.Config{Peers: []wgtypes.PeerConfig{p}})
}
