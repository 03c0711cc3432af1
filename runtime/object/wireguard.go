package object

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

// Secret says where a key is; the key itself is never part of a step. It is the PATH of a
// file that has nothing else, or PATH#LINE for a line KEY = VALUE of a file of
// wg-quick(8). "" is no key. No path has a "#".
type Secret string

// SecretAt is the key in a line of a file.
func SecretAt(path string, line int) Secret { return Secret(path + "#" + strconv.Itoa(line)) }

// words returns the words of wg(8) for a key, and the words of the command that its
// standard input comes from, if it needs one.
func (s Secret) words(name string) (words, from []string) {
	path, line, ok := strings.Cut(string(s), "#")
	if !ok {
		return []string{name, path}, nil
	}
	value := line + `s/^[^=]*=[[:space:]]*\([^[:space:]#]*\).*/\1/p`
	return []string{name, "/dev/stdin"}, []string{"sed", "-n", quoteShell(value), path, "|"}
}

// WireGuard is what a wireguard link has of its own.
type WireGuard struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	Link  string           `json:"link"`
	// KeyFile is where the private key is.
	KeyFile Secret `json:"key_file"`
	// Port is the UDP port to listen on; 0 leaves it to the kernel.
	Port uint16 `json:"port,omitempty"`
	// Mark is the firewall mark of the encrypted packets, 0 for none.
	Mark uint32 `json:"mark,omitempty"`
}

// wg returns the beginning of a wg(8) command line, which knows no namespaces.
func wg(netns domain.NetnsName, link string) []string {
	w := []string{"wg", "set", link}
	if !netns.IsZero() {
		w = append([]string{"ip", "netns", "exec", netns.String()}, w...)
	}
	return w
}

// Key is the link.
func (g WireGuard) Key() Key { return Key{"wireguard", g.Netns, g.Link} }

// On is the link.
func (g WireGuard) On() string { return g.Link }

func (g WireGuard) command(Verb) []string {
	key, w := g.KeyFile.words("private-key")
	w = slices.Concat(w, wg(g.Netns, g.Link), key)
	return append(w, "listen-port", utoa(uint32(g.Port)), "fwmark", utoa(g.Mark))
}

// WireGuardPeer is a peer of a wireguard link.
type WireGuardPeer struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	Link  string           `json:"link"`
	// PublicKey is the peer's, in base64: what tells peers apart.
	PublicKey string `json:"public_key"`
	// PresharedKeyFile is where a secret is that both share, or "".
	PresharedKeyFile Secret `json:"preshared_key_file,omitempty"`
	// Endpoint is HOST:PORT or "": the host is an address or a name, which is
	// looked up in the link's outer domain when the step is done.
	Endpoint string `json:"endpoint,omitempty"`
	// AllowedIPs are the networks behind the peer, in order, with commas.
	AllowedIPs string `json:"allowed_ips,omitempty"`
	// Keepalive is the interval in seconds of packets that keep a NAT's
	// memory, 0 for none.
	Keepalive uint16 `json:"keepalive,omitempty"`
	// Outer is the domain that the endpoint is looked up in, zero for the
	// default one.
	Outer domain.ID `json:"outer,omitzero"`
}

// Key is the link and the public key.
func (p WireGuardPeer) Key() Key { return Key{"peer", p.Netns, p.Link + " " + p.PublicKey} }

// On is the link.
func (p WireGuardPeer) On() string { return p.Link }

func (p WireGuardPeer) command(v Verb) []string {
	w := append(wg(p.Netns, p.Link), "peer", p.PublicKey)
	if v == Delete {
		return append(w, "remove")
	}
	if p.PresharedKeyFile != "" {
		key, from := p.PresharedKeyFile.words("preshared-key")
		w = slices.Concat(from, w, key)
	}
	if p.Endpoint != "" {
		w = append(w, "endpoint", p.Endpoint)
	}
	if p.Keepalive != 0 {
		w = append(w, "persistent-keepalive", strconv.Itoa(int(p.Keepalive)))
	}
	return append(w, "allowed-ips", quoteEmpty(p.AllowedIPs))
}

// Prefixes returns AllowedIPs one by one.
func (p WireGuardPeer) Prefixes() (list []netip.Prefix) {
	for s := range strings.SplitSeq(p.AllowedIPs, ",") {
		if prefix, err := netip.ParsePrefix(s); err == nil {
			list = append(list, prefix)
		}
	}
	return list
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}
