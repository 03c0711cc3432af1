package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
)

// PrefMark is the preference of the rule that looks up the marked packets of a
// wireguard link in a VRF's table: behind the VRFs' own lookup, before the end
// of it.
const PrefMark = 1998

// wireguard plans the keys, the peers, and the way of the encrypted packets of a
// link that exists, or is made by the plan.
func (p *planner) wireguard(l conf.Link, exists bool) error {
	name := l.Name.String()
	want := object.WireGuard{Netns: p.in, Link: name, KeyFile: l.KeyFile, Port: l.ListenPort, Mark: l.Mark}
	outer := p.have.Outers[l.Outer.ID]
	if in := outer.Domain.Netns; !outer.Domain.VRF.IsZero() {
		if !outer.Accept && !p.accepts(in) {
			return p.fail(l.LineOf("Outer"), fmt.Sprintf("the socket of a wireguard link cannot be bound to %s and gets its answers "+
				"only with net.ipv4.udp_l3mdev_accept=1 in %s, which lets all UDP servers there be reached from its VRFs; "+
				"set it if that is meant", outer.Domain, p.place(in)))
		}
		want.Mark = p.markOf(l)
		for _, rule := range p.markRules(l, p.have.IPv6) {
			rules := p.have.Rules
			if in != p.in {
				rules = p.have.OuterRules[in]
			}
			p.rule(l.LineOf("Outer"), rule, rules)
		}
	}
	now := p.have.WireGuard[name]
	if !exists {
		now = WireGuard{}
	}
	if !exists || now.Key != p.have.Keys[l.KeyFile] || want.Port != 0 && now.Port != want.Port || now.Mark != want.Mark {
		p.add(l.LineOf("PrivateKeyFile"), object.Set, want)
	}
	for _, peer := range l.Peers {
		w := wantedPeer(p.in, l, peer)
		have, ok := now.Peers[peer.PublicKey]
		if !ok || have.Preshared != p.have.Keys[peer.PresharedKeyFile] || have.AllowedIPs != sortedIPs(peer.AllowedIPs) ||
			have.Keepalive != peer.Keepalive || peer.Endpoint != "" && !p.isSet(w, have) {
			p.add(peer.Line, object.Add, w)
		}
	}
	return nil
}

// markOf is the mark of a link's encrypted packets: the outer VRF's table, unless the
// file has another one.
func (p *planner) markOf(l conf.Link) uint32 {
	return cmp.Or(l.Mark, p.have.Outers[l.Outer.ID].Table)
}

// markRules are the rules by which a link's encrypted packets go the way of the outer
// VRF, if its outer domain is one.
func (p *planner) markRules(l conf.Link, ipv6 bool) (list []object.Rule) {
	outer := p.have.Outers[l.Outer.ID]
	if outer.Domain.VRF.IsZero() {
		return nil
	}
	for _, v6 := range families(ipv6) {
		list = append(list, object.Rule{Netns: outer.Domain.Netns, IPv6: v6, Pref: PrefMark, Mark: p.markOf(l), Table: outer.Table,
			Protocol: object.ProtocolKernel})
	}
	return list
}

// accepts reports whether the file itself sets udp_l3mdev_accept in a namespace.
func (p *planner) accepts(netns domain.NetnsName) bool {
	return netns == p.in && slices.ContainsFunc(p.f.Sysctls, func(s conf.Sysctl) bool {
		return s.Path == "net/ipv4/udp_l3mdev_accept" && s.Value == "1"
	})
}

// isSet reports whether the peer's endpoint is that which was set last. What it
// is now may be another: the peer may have moved. Where we never set one, somebody
// else did, and what it is now counts.
func (p *planner) isSet(w object.WireGuardPeer, have Peer) bool {
	if !have.Endpoint.IsValid() {
		return false
	}
	e := p.old.Find(w.Key())
	if e == nil {
		a, err := netip.ParseAddrPort(w.Endpoint)
		return err == nil && a == have.Endpoint
	}
	was := e.Object.(object.WireGuardPeer)
	return was.Endpoint == w.Endpoint && was.Outer == w.Outer
}

func wantedPeer(in domain.NetnsName, l conf.Link, p conf.Peer) object.WireGuardPeer {
	return object.WireGuardPeer{Netns: in, Link: l.Name.String(), PublicKey: p.PublicKey, PresharedKeyFile: p.PresharedKeyFile,
		Endpoint: p.Endpoint, AllowedIPs: sortedIPs(p.AllowedIPs), Keepalive: p.Keepalive, Outer: l.Outer.ID}
}

func sortedIPs(list []netip.Prefix) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}

// AllowedIPs writes networks as Peer.AllowedIPs has them.
func AllowedIPs(list []netip.Prefix) string { return sortedIPs(list) }
