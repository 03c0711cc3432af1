package conf

import (
	"net/netip"
	"slices"
	"strconv"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// Publish is a port of the domain that is reached by an address of the outer one, from a
// section [Publish]. A section that names no address stands for one of each family.
type Publish struct {
	Line     int
	Protocol string
	// Listen has no address where each of the outer domain's is meant.
	Listen, Connect netip.AddrPort
	// Link is the veth by which it is reached.
	Link  domain.LinkName
	lines map[string]int
}

var publishFields = fields[Publish]{
	"Listen":   set(func(s *Publish) *netip.AddrPort { return &s.Listen }, (*parser).addrPort),
	"Connect":  set(func(s *Publish) *netip.AddrPort { return &s.Connect }, (*parser).addrPort),
	"Protocol": set(func(s *Publish) *string { return &s.Protocol }, oneOf("tcp", "udp")),
}

// addrPort reads PORT or ADDRESS:PORT.
func (p *parser) addrPort(k key) (netip.AddrPort, error) {
	if n, err := strconv.ParseUint(k.value, 10, 16); err == nil && n > 0 {
		return netip.AddrPortFrom(netip.Addr{}, uint16(n)), nil
	}
	a, err := netip.ParseAddrPort(k.value)
	switch ip := a.Addr(); {
	case err != nil || a.Port() == 0 || ip.Zone() != "" || ip.Is4In6() || ip.IsUnspecified() || ip.IsMulticast():
		return a, p.fail(k.line, "%s=%s: expected PORT or ADDRESS:PORT, such as 80, 192.0.2.1:80 or [2001:db8::1]:80%s",
			k.name, clip(k.value), commentHint(k.value))
	case ip.IsLoopback():
		return a, p.fail(k.line, "%s=%s: an address of loopback is reached by nobody else", k.name, k.value)
	}
	return a, nil
}

// publish reads a section [Publish].
func (p *parser) publish(s section) (err error) {
	said := Publish{Line: s.line, Protocol: "tcp"}
	if said.lines, err = publishFields.read(p, &said, s.keys); err != nil {
		return err
	}
	switch {
	case p.file.Kind == VRF:
		return p.fail(s.line, "[Publish] is for Kind=netns; a vrf's services listen in its namespace")
	case said.Listen.Port() == 0:
		return p.fail(s.line, "[Publish] needs Listen=, a port of the outer domain")
	}
	p.publishes = append(p.publishes, said)
	return nil
}

// published finds the link of each section [Publish], when all links are known.
func (p *parser) published() error {
	for _, s := range p.publishes {
		to := s.Connect.Addr()
		l, err := p.linkTo(s)
		if err != nil {
			return err
		}
		port := s.Connect.Port()
		if port == 0 {
			port = s.Listen.Port()
		}
		found := false
		for _, v6 := range []bool{false, true} {
			listen, inner := s.Listen.Addr(), l.Inner(!v6)
			if listen.IsValid() && listen.Is4() == v6 || to.IsValid() && to.Is4() == v6 || !inner.IsValid() || !hasFamily(l.PeerAddresses, !v6) {
				continue
			}
			if to.IsValid() {
				inner = to
			}
			one := s
			found, one.Link, one.Connect, one.lines = true, l.Name, netip.AddrPortFrom(inner, port), nil
			for _, other := range p.file.Publishes {
				if other.overlaps(one) {
					return p.fail(s.lines["Listen"], "Listen=%d is published already, in line %d", s.Listen.Port(), other.Line)
				}
			}
			p.file.Publishes = append(p.file.Publishes, one)
		}
		if !found {
			return p.fail(s.Line, "[Publish] needs an Address= and a PeerAddress= of the family in [Link %s]: the answers go from the one to the other", l.Name)
		}
	}
	for _, r := range p.file.Routes {
		if len(p.publishes) > 0 && r.Table >= returnTable && int(r.Table-returnTable) < len(p.file.Links) {
			return p.fail(r.Line, "Table=%d is that of the answers of published ports; take another", r.Table)
		}
	}
	return nil
}

// linkTo returns the veth that a published port is reached by.
func (p *parser) linkTo(s Publish) (found Link, err error) {
	n := 0
	for _, l := range p.file.Links {
		has := func(a Address) bool { return a.Prefix.Addr() == s.Connect.Addr() }
		if l.Kind == "veth" && l.lines["PeerBridge"] == 0 && (!s.Connect.Addr().IsValid() || slices.ContainsFunc(l.Addresses, has)) {
			found = l
			n++
		}
	}
	switch {
	case n == 1:
		return found, nil
	case s.Connect.Addr().IsValid():
		return found, p.fail(s.lines["Connect"], "Connect=%s: expected an Address= of one veth", s.Connect)
	case n == 0:
		return found, p.fail(s.Line, "[Publish] needs a [Link] with Kind=veth, by which the port is reached")
	}
	return found, p.fail(s.Line, "[Publish] needs Connect=ADDRESS:PORT, as there are several veths")
}

// overlaps reports whether two cannot be published in one outer domain.
func (s Publish) overlaps(o Publish) bool {
	a, b := s.Listen.Addr(), o.Listen.Addr()
	return s.Protocol == o.Protocol && s.Listen.Port() == o.Listen.Port() && s.Connect.Addr().Is4() == o.Connect.Addr().Is4() &&
		(a == b || !a.IsValid() || !b.IsValid())
}

// NATRules returns what the outer namespace of a link does for it.
func (f *File) NATRules(l Link) (list []object.NATRule) {
	peer := l.Peer.String()
	masquerades, published := l.Masquerades(), map[bool]bool{}
	for _, v6 := range masquerades {
		list = append(list, object.NATRule{What: "masquerade", Link: peer, IPv6: v6})
	}
	for _, s := range f.Publishes {
		if v6 := s.Connect.Addr().Is6(); s.Link == l.Name {
			published[v6] = true
			list = append(list, object.NATRule{What: "publish", Link: peer, IPv6: v6, Protocol: s.Protocol, Listen: s.Listen, Connect: s.Connect})
		}
	}
	for _, v6 := range []bool{false, true} {
		if !published[v6] {
			continue
		}
		for _, a := range l.Addresses {
			if a.Prefix.Addr().Is6() == v6 {
				list = append(list, object.NATRule{What: "guard", Link: peer, IPv6: v6, Connect: netip.AddrPortFrom(a.Prefix.Addr(), 0)})
			}
		}
		if !slices.Contains(masquerades, v6) {
			list = append(list, object.NATRule{What: "answers", Link: peer, IPv6: v6})
		}
	}
	return list
}

// NATLine is the line that asks for [File.NATRules].
func (f *File) NATLine(l Link) int {
	for _, s := range f.Publishes {
		if s.Link == l.Name && len(l.Masquerades()) == 0 {
			return s.Line
		}
	}
	return l.LineOf("Masquerade")
}

// The rules by which answers from published ports go back the way that the question
// came, and the tables that they look up: one for each link, in its place in the file.
const (
	returnPref  = 1997
	returnTable = 19970
)

// Returns returns the rules and routes of the domain by which what is sent from an address
// with a published port goes to the link that has it.
func (f *File) Returns() (rules []Rule, routes []Route) {
	done := map[netip.Addr]bool{}
	gateways := map[place]bool{}
	for _, s := range f.Publishes {
		a := s.Connect.Addr()
		i := slices.IndexFunc(f.Links, func(l Link) bool { return l.Name == s.Link })
		if done[a] {
			continue
		}
		done[a] = true
		table := returnTable + uint32(i)
		rules = append(rules, Rule{Line: s.Line, IPv4: a.Is4(), IPv6: a.Is6(),
			Rule: object.Rule{Pref: returnPref, From: netip.PrefixFrom(a, a.BitLen()), Table: table}})
		all := netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		if a.Is4() {
			all = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
		if at := (place{s.Link.String(), all}); !gateways[at] {
			gateways[at] = true
			r := Route{Line: s.Line, Type: "unicast", Destination: all, Device: s.Link, Table: table}
			for _, peer := range slices.Backward(f.Links[i].PeerAddresses) {
				if peer.Prefix.Addr().Is4() == a.Is4() {
					r.Gateway = peer.Prefix.Addr()
				}
			}
			routes = append(routes, r)
		}
	}
	return rules, routes
}

// clashes finds ports that two files publish in one outer domain, and links whose networks
// are the same there: an answer would go to the wrong one. The error is at the second.
func (a *All) clashes() (errs []between) {
	c := claims{map[string][]portClaim{}, map[string][]networkClaim{}, nil}
	for _, f := range a.Files {
		for _, l := range f.Links {
			if len(f.NATRules(l)) > 0 {
				c.ofLink(a.side(f, l), f, l)
			}
		}
	}
	return c.errs
}

// claims are what files have in an outer domain, by that.
type claims struct {
	ports    map[string][]portClaim
	networks map[string][]networkClaim
	errs     []between
}

type portClaim struct {
	at problem.Pos
	Publish
}

type networkClaim struct {
	at problem.Pos
	netip.Prefix
}

func (c *claims) ofLink(side string, f *File, l Link) {
	said := map[problem.Pos]bool{} // once of both families
	clash := func(at, other problem.Pos, hint, format string, args ...any) {
		if other.File != at.File && !said[at] {
			said[at] = true
			err := problem.New(at, format, append(args, other)...).WithHint(hint)
			c.errs = append(c.errs, between{err, []string{other.File}})
		}
	}
	for _, s := range f.Publishes {
		if s.Link != l.Name {
			continue
		}
		key, at := side+" "+strconv.Itoa(int(s.Listen.Port())), f.At(s.Line)
		for _, o := range c.ports[key] {
			if o.overlaps(s) {
				clash(at, o.at, "take another port, or give each an address of its own", "Listen=%d is published already, in %s", s.Listen.Port())
			}
		}
		c.ports[key] = append(c.ports[key], portClaim{at, s})
	}
	for _, p := range l.PeerAddresses {
		at := f.At(p.Line)
		for _, o := range c.networks[side] {
			if o.Overlaps(p.Network()) {
				clash(at, o.at, "give the link another network", "PeerAddress=%s is in the network of another domain's link, in %s: answers would go to one of the two", p.Prefix)
			}
		}
		c.networks[side] = append(c.networks[side], networkClaim{at, p.Network()})
	}
}

// Clash returns the first thing of a file that another file has already, of those that
// the kernel would not refuse: a published port, or the network of a link with NAT.
func (a *All) Clash(file string) error {
	for _, b := range a.clashed() {
		if b.err.File == file {
			return b.err
		}
	}
	return nil
}
