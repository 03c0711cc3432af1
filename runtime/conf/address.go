package conf

import (
	"net/netip"
	"slices"
	"strings"
)

func (p *parser) address(list *[]Address, k key) error {
	prefix, err := netip.ParsePrefix(k.value)
	a := prefix.Addr()
	switch {
	case err != nil:
		hint := commentHint(k.value)
		if strings.Contains(k.value, " peer ") { // as ip-address(8) has it
			hint = "; an address with a peer is a section [Address]"
		}
		return p.fail(k.line, "%s=%s: expected ADDRESS/LENGTH, such as 10.0.0.2/24 or 2001:db8::2/64%s", k.name, clip(k.value), hint)
	case a.Is4In6() || a.IsUnspecified() || a.IsMulticast():
		return p.fail(k.line, "%s=%s: expected the address of a host", k.name, k.value)
	}
	at := place{k.name, prefix}
	if first := p.once[at]; first != 0 {
		return p.fail(k.line, "%s=%s stands twice, first in line %d", k.name, prefix, first)
	}
	p.once[at] = k.line
	*list = append(*list, Address{Line: k.line, Prefix: prefix})
	return nil
}

// addressSection is what a section [Address] says.
type addressSection struct {
	device    key
	own, peer netip.Prefix
	line      int
}

// addressFields are the keys of [Address].
var addressFields = fields[addressSection]{
	"Device":  set(func(a *addressSection) *key { return &a.device }, asWritten),
	"Address": set(func(a *addressSection) *netip.Prefix { return &a.own }, (*parser).host),
	"Peer":    set(func(a *addressSection) *netip.Prefix { return &a.peer }, (*parser).far),
}

// host reads the address of one host, with or without its length.
func (p *parser) host(k key) (netip.Prefix, error) {
	prefix, err := p.far(k)
	if err == nil && !prefix.IsSingleIP() {
		err = p.fail(k.line, "%s=%s: expected one address; the length of the network is that of Peer=", k.name, k.value)
	}
	return prefix, err
}

// far reads an address with the length of its network, one host's without it.
func (p *parser) far(k key) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(k.value)
	if a, bare := netip.ParseAddr(k.value); bare == nil && a.Zone() == "" {
		prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if a := prefix.Addr(); err != nil || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
		return prefix, p.fail(k.line, "%s=%s: expected the address of a host, such as 10.0.0.1 or 2001:db8::1%s", k.name, clip(k.value), commentHint(k.value))
	}
	return prefix, nil
}

// pointToPoint reads a section [Address].
func (p *parser) pointToPoint(s section) error {
	a := addressSection{line: s.line}
	lines, err := addressFields.read(p, &a, s.keys)
	if err != nil {
		return err
	}
	switch {
	case a.device.line == 0 || !a.own.IsValid() || !a.peer.IsValid():
		return p.fail(s.line, "a section [Address] needs Device=, Address= and Peer=; an address without a peer is Address= in [Link NAME]")
	case a.own.Addr().Is4() != a.peer.Addr().Is4():
		return p.fail(lines["Peer"], "Peer=%s: expected an address of the same family as Address=%s", a.peer.Addr(), a.own.Addr())
	case a.own.Addr() == a.peer.Addr():
		return p.fail(lines["Peer"], "Peer=%s is the link's own Address=; expected that of its other end", a.peer.Addr())
	}
	p.peers = append(p.peers, a)
	return nil
}

// peered gives the addresses of sections [Address] to their links.
func (p *parser) peered() error {
	links := p.file.Links
	for _, a := range p.peers {
		given := Address{Line: a.line, Prefix: a.own, Peer: a.peer}
		own := slices.IndexFunc(links, func(l Link) bool { return l.Name.String() == a.device.value })
		outer := slices.IndexFunc(links, func(l Link) bool { return !l.Peer.IsZero() && l.Peer.String() == a.device.value })
		var list *[]Address
		switch {
		case own >= 0:
			list = &links[own].Addresses
		case outer >= 0 && links[outer].lines["PeerBridge"] != 0:
			return p.fail(a.device.line, "Device=%s is a port of a bridge, which has no addresses", a.device.value)
		case outer >= 0:
			list = &links[outer].PeerAddresses
		default:
			return p.fail(a.device.line, "Device=%s: there is no [Link] of that name, nor one with it as Peer=", clip(a.device.value))
		}
		if i := slices.IndexFunc(*list, func(o Address) bool { return o.Prefix == a.own && o.Peer == a.peer }); i >= 0 {
			return p.fail(a.line, "the same address stands twice, first in line %d", (*list)[i].Line)
		}
		*list = append(*list, given)
	}
	return nil
}
