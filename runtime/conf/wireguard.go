package conf

import (
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/object"
)

// peerFields are the keys of [WireGuardPeer].
var peerFields = fields[Peer]{
	"PublicKey":           set(func(e *Peer) *string { return &e.PublicKey }, (*parser).publicKey),
	"PresharedKeyFile":    set(func(e *Peer) *object.Secret { return &e.PresharedKeyFile }, (*parser).keyFile),
	"Endpoint":            set(func(e *Peer) *string { return &e.Endpoint }, (*parser).endpoint),
	"AllowedIPs":          list((*parser).allowedIPs),
	"PersistentKeepalive": set(func(e *Peer) *uint16 { return &e.Keepalive }, number[uint16](1, 65535)),
}

// peer reads a section [WireGuardPeer NAME], a peer of the link of that name,
// which stands before it.
func (p *parser) peer(s section) error {
	name := strings.TrimPrefix(s.header, "WireGuardPeer ")
	i := slices.IndexFunc(p.file.Links, func(l Link) bool { return l.Name.String() == name })
	if i < 0 || p.file.Links[i].Kind != "wireguard" {
		return p.fail(s.line, "there is no [Link %s] with Kind=wireguard above", name)
	}
	if l := p.file.Links[i]; l.ConfigFile != "" {
		return p.fail(s.line, "the peers of %s are in its ConfigFile=, line %d", name, l.LineOf("ConfigFile"))
	}
	peer := Peer{Line: s.line}
	p.once = map[place]int{}
	var err error
	if peer.lines, err = peerFields.read(p, &peer, s.keys); err != nil {
		return err
	}
	if peer.PublicKey == "" {
		return p.fail(s.line, "a peer needs PublicKey=, 44 characters of base64")
	}
	l := &p.file.Links[i]
	for _, other := range l.Peers {
		if other.PublicKey == peer.PublicKey {
			return p.fail(peer.LineOf("PublicKey"), "PublicKey=%s stands twice, first in line %d", peer.PublicKey, other.LineOf("PublicKey"))
		}
	}
	for _, a := range peer.AllowedIPs {
		at := place{name, a}
		if other := p.allowed[at]; other != 0 {
			return p.fail(peer.LineOf("AllowedIPs"), "AllowedIPs=%s is that of the peer in line %d; a network has one peer", a, other)
		}
		p.allowed[at] = s.line
	}
	l.Peers = append(l.Peers, peer)
	return nil
}

func (p *parser) publicKey(k key) (string, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(k.value)
	if err != nil || len(b) != 32 {
		return "", p.fail(k.line, "PublicKey=%s: expected 44 characters of base64, as wg pubkey prints them", clip(k.value))
	}
	return k.value, nil
}

// keyFile reads the path of a secret. A secret itself has no place in a file
// that everybody may read.
func (p *parser) keyFile(k key) (object.Secret, error) {
	path, err := p.secretPath(k, "/etc/wireguard/wg0.key")
	return object.Secret(path), err
}

// configFile reads the path of a file of wg-quick(8), which has secrets in it.
func (p *parser) configFile(k key) (string, error) { return p.secretPath(k, "/etc/wireguard/wg0.conf") }

func (p *parser) secretPath(k key, example string) (string, error) {
	if !isPath(k.value) {
		// The value is not repeated: it may be the key itself.
		return "", p.fail(k.line, "%s=: expected the path of a file, such as %s", k.name, example)
	}
	return k.value, nil
}

// isPath reports whether s is the whole path of a file, without a character that means
// something to a shell.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsAny(s, " \t\"'`$\\;&|<>()*?[]{}!#~") &&
		!slices.ContainsFunc(strings.Split(s[1:], "/"), func(s string) bool { return s == "" || s == "." || s == ".." })
}

// endpoint reads HOST:PORT; an IPv6 address stands in brackets.
func (p *parser) endpoint(k key) (string, error) {
	wrong := func() (string, error) {
		return "", p.fail(k.line, "Endpoint=%s: expected HOST:PORT, such as vpn.example.org:51820 or [2001:db8::1]:51820%s",
			clip(k.value), commentHint(k.value))
	}
	host, port, err := net.SplitHostPort(k.value)
	if err != nil {
		return wrong()
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return wrong()
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
			return wrong()
		}
		return netip.AddrPortFrom(a, uint16(n)).String(), nil
	}
	if !isHost(host) {
		return wrong()
	}
	return host + ":" + port, nil
}

// isHost reports whether s can be the name of a host (RFC 1123).
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	numeric := true
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		numeric = true
		for i := range len(label) {
			c := label[i]
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
			numeric = numeric && c >= '0' && c <= '9'
		}
	}
	return !numeric // a name that ends in a number is a misspelt address
}

func (p *parser) allowedIPs(peer *Peer, k key) error {
	for word := range strings.SplitSeq(k.value, ",") {
		word = strings.TrimSpace(word)
		prefix, err := netip.ParsePrefix(word)
		if a, bare := netip.ParseAddr(word); bare == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() {
			return p.fail(k.line, "AllowedIPs=%s: expected networks, such as 10.0.0.0/8, 2001:db8::/32%s", clip(word), commentHint(k.value))
		}
		if prefix != prefix.Masked() {
			return p.fail(k.line, "AllowedIPs=%s: has bits set behind the length; expected %s", prefix, prefix.Masked())
		}
		at := place{k.name, prefix}
		if p.once[at] != 0 {
			return p.fail(k.line, "AllowedIPs=%s stands twice", prefix)
		}
		p.once[at] = k.line
		peer.AllowedIPs = append(peer.AllowedIPs, prefix)
	}
	return nil
}
