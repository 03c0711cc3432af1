package plan

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// link plans that one [Link] of the file exists and is where it should be. It returns
// the link as it is, the zero Link if it is made or made again.
func (p *planner) link(l conf.Link) (LinkState, error) {
	name := l.Name.String()
	now, exists := p.have.Inside[name]
	want, err := p.wantedLink(l)
	if err != nil {
		return now, err
	}
	switch {
	case name == "lo":
		// The namespace's own; there is nothing to make or set up.
	case l.Kind == "":
		err = p.take(l, now, exists)
	case exists:
		var stays bool
		if stays, err = p.recognise(l, want, now); !stays {
			now = LinkState{}
		}
	default:
		err = p.make(l, want)
	}
	return now, err
}

// configure plans what a link has, and last that it is up. now is what link returned.
func (p *planner) configure(l conf.Link, now LinkState) error {
	name, exists := l.Name.String(), now.Index != 0
	switch {
	case l.Bonded: // its addresses come back when the bond lets it go
	case l.Kind == "" && name != "lo":
		p.restore(l)
	case l.Kind == "wireguard":
		if err := p.wireguard(l, exists); err != nil {
			return err
		}
	}
	switch {
	case !l.Bridge.IsZero():
		if err := p.port(l, now, exists); err != nil {
			return err
		}
	case name != "lo" && p.f.Kind == conf.VRF:
		p.enslave(l, now, exists)
	}
	for _, a := range l.Addresses {
		want := newAddress(p.in, name, a)
		want.Valid, want.Preferred = a.Valid, a.Valid
		p.address(a.Line, now, want)
	}
	if name != "lo" && !(exists && now.Up) && !p.has(object.Setting{Netns: p.in, Link: name, What: "up"}) {
		p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: name, What: "up"})
	}
	if l.Kind != "veth" {
		return nil
	}
	return p.peer(l, p.linkOf(l), exists)
}

// peer plans the other end of a veth.
func (p *planner) peer(l conf.Link, want object.Link, exists bool) error {
	links := p.have.At(want.Outer, p.in)
	var now LinkState // a new link's other end is new too
	if exists {
		now = links[want.Peer]
	}
	master := l.PeerBridge.String()
	if outer := p.have.Outers[l.Outer.ID]; master == "" && !l.Outer.ID.IsZero() {
		master = outer.Domain.VRF.String()
	}
	if master != "" {
		bridge, ok := links[master]
		if !ok && !p.makes(want.Outer, master) {
			return p.fail(l.LineOf("PeerBridge"), fmt.Sprintf("there is no link %s in %s for the other end", master, p.place(want.Outer)))
		}
		if !ok || now.Master != bridge.Index {
			p.add(l.LineOf("PeerBridge"), object.Set, object.Setting{Netns: want.Outer, Link: want.Peer, What: "master", Value: master})
		}
	}
	for _, a := range l.PeerAddresses {
		p.address(a.Line, now, newAddress(want.Outer, want.Peer, a))
	}
	if !now.Up {
		p.add(l.Line, object.Set, object.Setting{Netns: want.Outer, Link: want.Peer, What: "up"})
	}
	for _, r := range p.peerRoutes(l, want) {
		switch found, ok := now.route(r.Route); {
		case !ok:
			p.add(r.line, object.Add, r.Route)
		case !same(found, r.Route):
			found.Netns, found.Dev = want.Outer, want.Peer
			p.set(r.line, object.Replace, r.Route, found)
		}
	}
	return nil
}

// peerRoute is a route of a link's outer side.
type peerRoute struct {
	object.Route
	line int
}

// peerRoutes returns the routes by which the outer domain reaches networks behind a
// veth. They go with the link.
func (p *planner) peerRoutes(l conf.Link, want object.Link) (list []peerRoute) {
	table := uint32(object.MainTable)
	if outer := p.have.Outers[l.Outer.ID]; !outer.Domain.VRF.IsZero() {
		table = outer.Table
	}
	for _, a := range l.PeerRoutes {
		r := object.Route{Netns: want.Outer, Destination: a.Prefix, Type: "unicast", Gateway: l.Inner(a.Prefix.Addr().Is4()),
			Dev: want.Peer, Table: table}
		if a.Prefix.IsSingleIP() && a.Prefix.Addr() == r.Gateway {
			r.Gateway = netip.Addr{} // the other end itself, of a link without a network
		}
		r.Scope = r.UsualScope()
		list = append(list, peerRoute{r, a.Line})
	}
	return list
}

// route returns the route of the link that has the key of want, and whether there is one.
func (l LinkState) route(want object.Route) (object.Route, bool) {
	for _, r := range l.Routes {
		if r.Netns = want.Netns; r.Key() == want.Key() {
			r.Dev = want.Dev
			return r.Route, true
		}
	}
	return object.Route{}, false
}

// port plans that a link is a port of a bridge of the domain, or a member of a bond. A bond
// takes a link that is down, and sets it up.
func (p *planner) port(l conf.Link, now LinkState, exists bool) error {
	name, kind, line := l.Bridge.String(), strings.ToLower(l.PortKey()), l.LineOf(l.PortKey())
	bridge, ok := p.have.Inside[name]
	if !ok && !p.makes(p.in, name) {
		return p.fail(line, fmt.Sprintf("there is no %s %s in %s", kind, name, p.place(p.in))).
			WithHint(fmt.Sprintf("[Link %s] with Kind=%s makes one", name, kind))
	}
	if exists && ok && now.Master == bridge.Index && !p.remakes(name) {
		return nil
	}
	set := object.Setting{Netns: p.in, Link: l.Name.String()}
	if l.Bonded && exists && now.Up {
		set.What = "down"
		p.add(line, object.Set, set)
	}
	set.What, set.Value = "master", name
	p.add(line, object.Set, set)
	return nil
}

// linkOf returns a link of the file as it is to be made.
func (p *planner) linkOf(l conf.Link) object.Link {
	want := object.Link{Netns: p.in, Name: l.Name.String(), Kind: l.Kind, Peer: l.Peer.String(), Parent: l.Parent.String(),
		MTU: l.MTU, MAC: l.MAC, Outer: p.in, Options: l.Options}
	if !object.HasOuter(l.Kind) {
		return want
	}
	outer := p.have.Outers[l.Outer.ID].Domain
	want.Outer = outer.Netns
	if vrf := outer.VRF.String(); vrf != "" && want.Parent == "" && (object.IsTunnel(l.Kind) || l.Kind == "vxlan") {
		want.Parent = vrf // its packets are looked up in the VRF's table
	}
	return want
}

// wantedLink is linkOf, with an error if the link below does not exist.
func (p *planner) wantedLink(l conf.Link) (object.Link, error) {
	want := p.linkOf(l)
	if vrf := p.have.Outers[l.Outer.ID].Domain.VRF; !vrf.IsZero() && object.AvoidsVRF(l.Kind) {
		return want, p.fail(l.LineOf("Outer"), fmt.Sprintf("%s is a VRF, and the packets of a %s do not travel through one; "+
			"use a namespace there, or another Kind=", l.Outer.ID, l.Kind))
	}
	if want.Parent == "" {
		return want, nil
	}
	if _, ok := p.have.At(want.Outer, p.in)[want.Parent]; !ok && !p.makes(want.Outer, want.Parent) {
		return want, p.fail(l.LineOf("Parent"), fmt.Sprintf("there is no link %s in %s; %s is to be made on it", want.Parent,
			p.place(want.Outer), want.Name))
	}
	return want, nil
}

// make plans a link that does not exist.
func (p *planner) make(l conf.Link, want object.Link) error {
	if other, ok := p.have.At(want.Outer, p.in)[want.Peer]; ok && want.Peer != "" {
		lost, ours := lostPeer(p.old, want.Outer, want.Peer, other)
		if !ours {
			return p.fail(l.Line, fmt.Sprintf("the other end, %s, exists already, as a %s that belongs to another link",
				l.Peer, kindName(other.Kind)))
		}
		p.add(l.Line, object.Delete, lost)
	}
	if want.Kind == "tun" || want.Kind == "tap" { // made by its device file, which knows neither
		want.MTU, want.MAC = 0, ""
	}
	p.add(l.Line, object.Add, want)
	if l.MTU != want.MTU {
		p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: want.Name, What: "mtu", Value: strconv.Itoa(int(l.MTU))})
	}
	if l.MAC != want.MAC {
		p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: want.Name, What: "address", Value: l.MAC})
	}
	return nil
}

// lostPeer returns the outer end of a recorded veth whose inner end cannot be
// found any more, because its namespace lost the name, and whether it is one.
func lostPeer(r *record.Record, netns domain.NetnsName, name string, now LinkState) (lost object.Link, ok bool) {
	record.Of(r, func(l object.Link, made record.Identity) {
		if l.Peer == name && l.Outer == netns && now.Kind == "veth" && (made.Peer == 0 || made.Peer == now.Index) {
			lost, ok = object.Link{Netns: netns, Name: name, Kind: "veth"}, true
		}
	})
	return lost, ok
}

// recognise looks whether a link that exists is the one that the file means. One
// that is ours and is not is made again, which stays false reports.
func (p *planner) recognise(l conf.Link, want object.Link, now LinkState) (stays bool, err error) {
	if now.Kind != l.Kind {
		return false, p.fail(l.Line, fmt.Sprintf("link %s exists already, as a %s; want a %s", l.Name, kindName(now.Kind), l.Kind))
	}
	ours := p.plan.Record.Find(want.Key()) != nil
	if l.Kind == "veth" && !ours {
		if outer, ok := p.have.At(want.Outer, p.in)[want.Peer]; !ok || outer.Index != now.Peer || outer.Kind != "veth" {
			return false, p.fail(l.Line, fmt.Sprintf("link %s exists already, but its other end is not %s; "+
				"delete the link or change Peer=", l.Name, l.Peer))
		}
	}
	if what := p.differs(want, now); what != "" {
		if !ours {
			return false, p.fail(l.Line, fmt.Sprintf("link %s exists already, with another %s; delete it or change the file", l.Name, what))
		}
		p.plan.Record.Keep(func(e record.Entry) bool {
			a, isAddress := e.Object.(object.Address)
			return e.Object.Key() != want.Key() && !(isAddress && a.Netns == p.in && a.Dev == want.Name)
		})
		p.add(l.Line, object.Delete, object.Link{Netns: p.in, Name: want.Name, Kind: want.Kind, Outer: want.Outer, Peer: want.Peer, Options: now.Options})
		if _, ok := p.have.At(want.Outer, p.in)[want.Peer]; ok && want.Peer != "" { // it goes with the link, or is a lost one
			return false, p.remake(l, want, now)
		}
		return false, p.make(l, want)
	}
	p.settings(l, now)
	return true, nil
}

// remake makes a veth again whose other end exists.
func (p *planner) remake(l conf.Link, want object.Link, now LinkState) error {
	outer := p.have.At(want.Outer, p.in)[want.Peer]
	if outer.Kind == "veth" && outer.Index == now.Peer {
		p.add(l.Line, object.Add, want)
		return nil
	}
	return p.make(l, want)
}

// differs names a property in which a link is not as it is wanted, "" if there
// is none. What can be changed while the link exists is not looked at.
func (p *planner) differs(want object.Link, now LinkState) string {
	number := func(names map[string]string, s string) string {
		if n, ok := names[s]; ok {
			return n
		}
		return s
	}
	want.User, want.Group = number(p.have.Users, want.User), number(p.have.Groups, want.Group)
	a, b := want.Options, now.Options
	for _, c := range []struct {
		what string
		same bool
	}{
		{"Id=", a.ID == b.ID}, {"Protocol=", a.Protocol == b.Protocol}, {"Mode=", a.Mode == b.Mode || object.ChangesMode(want.Kind, a.Mode, b.Mode)},
		{"Local=", a.Local == b.Local}, {"Remote=", a.Remote == b.Remote}, {"TTL=", a.TTL == b.TTL},
		{"Key=", a.Keyed == b.Keyed && a.GREKey == b.GREKey}, {"DestinationPort=", a.Port == b.Port},
		{"MacLearning=", a.NoLearning == b.NoLearning}, {"User=", a.User == b.User}, {"Group=", a.Group == b.Group},
		{"MultiQueue=", a.MultiQueue == b.MultiQueue}, {"PacketInfo=", a.PacketInfo == b.PacketInfo},
		{"VNetHeader=", a.VNetHeader == b.VNetHeader}, {"LACPTransmitRate=", a.FastLACP == b.FastLACP},
		{"Port=", a.ChannelPort == b.ChannelPort},
	} {
		if !c.same {
			return c.what
		}
	}
	if below, ok := p.have.At(want.Outer, p.in)[want.Parent]; ok && want.Parent != "" && below.Index != now.Below || want.Parent == "" && now.Below != 0 {
		return "Parent="
	}
	if was := p.old.Find(want.Key()); was != nil {
		outer := was.Object.(object.Link).Outer
		if outer != want.Outer || !was.Made.Outer.Same(p.have.IDs[want.Outer]) && was.Made.Outer != (netns.ID{}) {
			return "Outer="
		}
	}
	if want.Kind == "veth" {
		if outer, ok := p.have.At(want.Outer, p.in)[want.Peer]; !ok || outer.Index != now.Peer || outer.Kind != "veth" {
			return "Peer="
		}
	}
	return ""
}

// settings plans what of a link can be set while it exists.
func (p *planner) settings(l conf.Link, now LinkState) {
	s := object.Setting{Netns: p.in, Link: l.Name.String()}
	if l.MTU != 0 && l.MTU != now.MTU {
		s.What, s.Value = "mtu", strconv.Itoa(int(l.MTU))
		p.change(l.Line, s, strconv.Itoa(int(now.MTU)))
	}
	if l.MAC != "" && l.MAC != now.MAC {
		s.What, s.Value = "address", l.MAC
		p.change(l.Line, s, now.MAC)
	}
	is, ours := now.Changeable(l.Kind), p.plan.Record.Find(object.Link{Netns: p.in, Name: s.Link}.Key()) != nil
	for i, want := range l.Changeable(l.Kind) {
		if want.What == "vlan_filtering" && want.Value == "0" && !ours {
			continue // a wall that somebody else made
		}
		if s.Kind, s.What, s.Value = l.Kind, want.What, want.Value; want.Value != "" && want != is[i] {
			p.change(l.LineOf(want.Key), s, is[i].Value)
		}
	}
}

func (p *planner) enslave(l conf.Link, now LinkState, exists bool) {
	vrf := p.f.Domain.VRF.String()
	if exists && now.Master != 0 && now.Master == p.have.Inside[vrf].Index {
		return
	}
	p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: l.Name.String(), What: "master", Value: vrf})
	p.restore(l)
}
