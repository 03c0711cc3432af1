package conf

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
)

func (p *parser) link(s section) error {
	name, err := domain.ParseLink(strings.TrimPrefix(s.header, "Link "))
	if err != nil {
		return p.fail(s.line, "%v", err)
	}
	l := Link{Line: s.line, Name: name}
	var peerAddress int
	seen := map[key]int{}
	for _, k := range s.keys {
		var err error
		switch k.name {
		case "Kind":
			if l.Kind = k.value; !slices.Contains(LinkKinds, l.Kind) {
				err = p.fail(k.line, "Kind=%s: expected one of %s, or no Kind= for a link that exists already",
					clip(k.value), strings.Join(LinkKinds, ", "))
			}
		case "Peer":
			l.peerLine = k.line
			if l.Peer, err = domain.ParseLink(k.value); err != nil {
				err = p.fail(k.line, "%v", err)
			}
		case "Address":
			err = p.address(&l.Addresses, k, seen)
		case "PeerAddress":
			peerAddress = k.line
			err = p.address(&l.PeerAddresses, k, seen)
		case "MTUBytes":
			l.mtuLine = k.line
			l.MTU, err = p.number(k, 68, 65535)
		case "MACAddress":
			l.macLine = k.line
			l.MAC, err = p.mac(k)
		}
		if err != nil {
			return err
		}
	}
	if l.Kind != "veth" {
		for _, wrong := range []struct {
			line int
			key  string
		}{{l.peerLine, "Peer"}, {peerAddress, "PeerAddress"}} {
			if wrong.line != 0 {
				return p.fail(wrong.line, "%s= is for Kind=veth", wrong.key)
			}
		}
	} else if l.Peer.IsZero() {
		return p.fail(l.Line, "a veth needs Peer=, the name of the end that stays outside")
	}
	p.file.Links = append(p.file.Links, l)
	return nil
}

func (p *parser) address(list *[]Address, k key, seen map[key]int) error {
	prefix, err := netip.ParsePrefix(k.value)
	a := prefix.Addr()
	switch {
	case err != nil:
		return p.fail(k.line, "%s=%s: expected ADDRESS/LENGTH, such as 10.0.0.2/24 or 2001:db8::2/64%s",
			k.name, clip(k.value), commentHint(k.value))
	case a.Is4In6() || a.IsUnspecified() || a.IsMulticast():
		return p.fail(k.line, "%s=%s: expected the address of a host", k.name, k.value)
	}
	if first := seen[key{name: k.name, value: prefix.String()}]; first != 0 {
		return p.fail(k.line, "%s=%s stands twice, first in line %d", k.name, prefix, first)
	}
	seen[key{name: k.name, value: prefix.String()}] = k.line
	*list = append(*list, Address{k.line, prefix})
	return nil
}

func (p *parser) mac(k key) (string, error) {
	mac, err := net.ParseMAC(k.value)
	if err != nil || len(mac) != 6 || len(k.value) != 17 {
		return "", p.fail(k.line, "MACAddress=%s: expected six bytes, such as 02:00:5e:10:00:01", clip(k.value))
	}
	if mac[0]&1 != 0 || slices.Max(mac) == 0 {
		return "", p.fail(k.line, "MACAddress=%s: expected the address of one host; the first byte must be even", k.value)
	}
	return mac.String(), nil
}

func (p *parser) number(k key, low, high uint64) (uint32, error) {
	n, err := strconv.ParseUint(k.value, 10, 32)
	if err != nil || n < low || n > high {
		return 0, p.fail(k.line, "%s=%s: expected a number from %d to %d%s", k.name, clip(k.value), low, high,
			commentHint(k.value))
	}
	return uint32(n), nil
}

// names looks at the names of links together: no two of them may be wanted in one
// namespace.
func (p *parser) names() error {
	f := p.file
	inside, outside := map[domain.Link]int{}, map[domain.Link]int{}
	if f.Kind == VRF {
		inside[f.Domain.VRF] = max(f.KindLine, 1)
		if f.Domain.Netns.IsZero() {
			outside = inside // the other ends are in the same namespace
		}
	}
	for _, l := range f.Links {
		if l.Name.String() == "lo" && (f.Kind == VRF || l.Kind != "" || l.MTU != 0 || l.MAC != "") {
			return p.fail(l.Line, "lo belongs to its namespace; it can be given addresses in a netns, nothing else")
		}
		for _, n := range []struct {
			in   map[domain.Link]int
			name domain.Link
			line int
		}{{inside, l.Name, l.Line}, {outside, l.Peer, l.peerLine}} {
			if n.name.IsZero() {
				continue
			}
			if first := n.in[n.name]; first != 0 {
				return p.fail(n.line, "link %s stands twice, first in line %d", n.name, first)
			}
			n.in[n.name] = n.line
		}
	}
	return nil
}
