package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"rdgen/runtime/conf"
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
	outer := p.have.Outers[l.Outer.ID.String()]
	if vrf := outer.Domain.VRF.String(); vrf != "" {
		if !outer.Accept && !p.accepts(outer.Domain.Netns.String()) {
			return p.fail(l.LineOf("Outer"), fmt.Sprintf("the socket of a wireguard link cannot be bound to %s and gets its answers "+
				"only with net.ipv4.udp_l3mdev_accept=1 in %s, which lets all UDP servers there be reached from its VRFs; "+
				"set it if that is meant", outer.Domain, p.place(outer.Domain.Netns.String())))
		}
		if want.Mark == 0 {
			want.Mark = outer.Table
		}
		for _, v6 := range families(p.have.IPv6) {
			rule := object.Rule{Netns: outer.Domain.Netns.String(), IPv6: v6, Pref: PrefMark, Mark: want.Mark, Table: outer.Table,
				Protocol: object.ProtocolKernel}
			rules := p.have.Rules
			if rule.Netns != p.in {
				rules = p.have.OuterRules[rule.Netns]
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
			have.Keepalive != peer.Keepalive || peer.Endpoint != "" && (!have.HasEndpoint || !p.wasSet(w)) {
			p.add(peer.Line, object.Replace, w)
		}
	}
	return nil
}

// accepts reports whether the file itself sets udp_l3mdev_accept in a namespace.
func (p *planner) accepts(netns string) bool {
	return netns == p.in && slices.ContainsFunc(p.f.Sysctls, func(s conf.Sysctl) bool {
		return s.Key == "net/ipv4/udp_l3mdev_accept" && s.Value == "1"
	})
}

// wasSet reports whether the peer's endpoint is that which was set last. What it
// is now may be another: the peer may have moved.
func (p *planner) wasSet(w object.WireGuardPeer) bool {
	return slices.ContainsFunc(p.old.Peers, func(o object.WireGuardPeer) bool {
		return o.Link == w.Link && o.PublicKey == w.PublicKey && o.Endpoint == w.Endpoint && o.Outer == w.Outer
	})
}

func wantedPeer(in string, l conf.Link, p conf.Peer) object.WireGuardPeer {
	return object.WireGuardPeer{Netns: in, Link: l.Name.String(), PublicKey: p.PublicKey, PresharedKeyFile: p.PresharedKeyFile,
		Endpoint: p.Endpoint, AllowedIPs: sortedIPs(p.AllowedIPs), Keepalive: p.Keepalive, Outer: l.Outer.ID.String()}
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
