package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Up returns what is to be done so that the kernel has what the file wants. old
// is what is recorded; a zero Record if nothing is. An error says where the file
// and the kernel contradict each other in a way that is not for rdomain to
// resolve; nothing is to be done then.
func Up(f *conf.File, have *State, old *record.Record) (*Plan, error) {
	p := &planner{f: f, have: have, old: old, in: f.Domain.Netns, plan: &Plan{Record: keep(old, have)}}
	p.plan.Record.File, p.plan.Record.Domain = f.Path, f.Domain
	p.plan.Steps = have.rename(p.in)
	if f.Kind == conf.Netns {
		p.namespace()
	} else if err := p.vrf(); err != nil {
		return nil, err
	}
	// A default for links comes before the links, and what is a link's after.
	if err := p.sysctls(false); err != nil {
		return nil, err
	}
	p.files()
	for _, l := range f.Links {
		if err := p.link(l); err != nil {
			return nil, err
		}
	}
	if err := p.sysctls(true); err != nil {
		return nil, err
	}
	for _, o := range f.Objects {
		p.object(o.Line, o.Object)
	}
	for _, r := range f.Rules {
		for _, want := range wantedRules(p.in, r, have.IPv6) {
			p.rule(r.Line, want, have.Rules)
		}
	}
	for _, r := range f.Routes {
		if err := p.route(r.Line, p.wantedRoute(r)); err != nil {
			return nil, err
		}
	}
	return p.plan, nil
}

// rename returns the steps that give links their recorded names again.
func (s *State) rename(in domain.Netns) (steps []object.Step) {
	for _, name := range slices.Sorted(maps.Keys(s.Renamed)) {
		now := s.Renamed[name]
		steps = append(steps, object.Step{Verb: object.Set, Object: object.Setting{Netns: in, Link: now, What: "down"}},
			object.Step{Verb: object.Set, Object: object.Setting{Netns: in, Link: now, What: "name", Value: name}})
	}
	return steps
}

func (p *planner) namespace() {
	line := p.f.KindLine
	if !p.have.Exists {
		p.add(line, object.Add, object.Netns{Name: p.in})
	}
	if !p.have.Inside["lo"].Up {
		p.add(line, object.Set, object.Setting{Netns: p.in, Link: "lo", What: "up"})
	}
}

// link plans one [Link] of the file: that it exists, is where it should be, and
// has its addresses.
func (p *planner) link(l conf.Link) error {
	name := l.Name.String()
	now, exists := p.have.Inside[name]
	want, err := p.wantedLink(l)
	if err != nil {
		return err
	}
	switch {
	case name == "lo":
		// The namespace's own; there is nothing to make or set up.
	case l.Kind == "":
		err = p.take(l, now, exists)
	case exists:
		if exists, err = p.recognise(l, want, now); !exists {
			now = Link{} // it is made anew
		}
	default:
		err = p.make(l, want)
	}
	if err == nil && l.Kind == "wireguard" {
		err = p.wireguard(l, exists)
	}
	if err != nil {
		return err
	}
	switch {
	case !l.Bridge.IsZero():
		err = p.port(l, now, exists)
	case name != "lo" && p.f.Kind == conf.VRF:
		p.enslave(l, now, exists)
	}
	for _, a := range l.Addresses {
		p.address(a.Line, now, object.NewAddress(p.in, name, a.Prefix))
	}
	if name != "lo" && !(exists && now.Up) && !p.has(object.Setting{Netns: p.in, Link: name, What: "up"}) {
		p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: name, What: "up"})
	}
	if err != nil || l.Kind != "veth" {
		return err
	}
	return p.peer(l, want, exists)
}

// peer plans the other end of a veth.
func (p *planner) peer(l conf.Link, want object.Link, exists bool) error {
	links := p.have.At(want.Outer, p.in)
	var now Link // a new link's other end is new too
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
		p.address(a.Line, now, object.NewAddress(want.Outer, want.Peer, a.Prefix))
	}
	if !now.Up {
		p.add(l.Line, object.Set, object.Setting{Netns: want.Outer, Link: want.Peer, What: "up"})
	}
	return nil
}

// port plans that a link is a port of a bridge of the domain.
func (p *planner) port(l conf.Link, now Link, exists bool) error {
	name := l.Bridge.String()
	bridge, ok := p.have.Inside[name]
	if !ok && !p.makes(p.in, name) {
		return p.fail(l.LineOf("Bridge"), fmt.Sprintf("there is no bridge %s in %s", name, p.place(p.in)))
	}
	if !exists || !ok || now.Master != bridge.Index {
		p.add(l.LineOf("Bridge"), object.Set, object.Setting{Netns: p.in, Link: l.Name.String(), What: "master", Value: name})
	}
	return nil
}

// makes reports whether the plan, or what comes before it, makes a link of that
// name in a namespace.
func (p *planner) makes(netns domain.Netns, name string) bool {
	return slices.ContainsFunc(slices.Concat(p.have.Before, p.plan.Steps), func(s object.Step) bool {
		switch t := s.Object.(type) {
		case object.Link:
			return s.Verb == object.Add && t.Netns == netns && t.Name == name || t.Peer == name && t.Outer == netns
		case object.Setting:
			return t.What == "netns" && t.Link == name && t.To == netns
		}
		return false
	})
}

// remakes reports whether the plan makes a link of the domain anew, with which
// all goes that hangs on it.
func (p *planner) remakes(link string) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool {
		l, ok := s.Object.(object.Link)
		return ok && s.Verb == object.Delete && l.Netns == p.in && l.Name == link
	})
}

// place names a namespace for a message.
func (p *planner) place(netns domain.Netns) string { return domain.Domain{Netns: netns}.String() }

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
func lostPeer(r *record.Record, netns domain.Netns, name string, now Link) (lost object.Link, ok bool) {
	record.Of(r, func(l object.Link, made record.Identity) {
		if l.Peer == name && l.Outer == netns && now.Kind == "veth" && (made.Peer == 0 || made.Peer == now.Index) {
			lost, ok = object.Link{Netns: netns, Name: name, Kind: "veth"}, true
		}
	})
	return lost, ok
}

// recognise looks whether a link that exists is the one that the file means. One
// that is ours and is not is made anew, which stays false reports.
func (p *planner) recognise(l conf.Link, want object.Link, now Link) (stays bool, err error) {
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
func (p *planner) remake(l conf.Link, want object.Link, now Link) error {
	outer := p.have.At(want.Outer, p.in)[want.Peer]
	if outer.Kind == "veth" && outer.Index == now.Peer {
		p.add(l.Line, object.Add, want)
		return nil
	}
	return p.make(l, want)
}

// differs names a property in which a link is not as it is wanted, "" if there
// is none. What can be changed while the link exists is not looked at.
func (p *planner) differs(want object.Link, now Link) string {
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
		{"Id=", a.ID == b.ID}, {"Protocol=", a.Protocol == b.Protocol}, {"Mode=", a.Mode == b.Mode},
		{"Local=", a.Local == b.Local}, {"Remote=", a.Remote == b.Remote}, {"TTL=", a.TTL == b.TTL},
		{"Key=", a.Keyed == b.Keyed && a.GREKey == b.GREKey}, {"DestinationPort=", a.Port == b.Port},
		{"MacLearning=", a.NoLearning == b.NoLearning}, {"User=", a.User == b.User}, {"Group=", a.Group == b.Group},
		{"MultiQueue=", a.MultiQueue == b.MultiQueue}, {"PacketInfo=", a.PacketInfo == b.PacketInfo},
		{"VNetHeader=", a.VNetHeader == b.VNetHeader},
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
		if outer != want.Outer || was.Made.Outer != p.have.IDs[want.Outer] && was.Made.Outer != (netns.ID{}) {
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
func (p *planner) settings(l conf.Link, now Link) {
	s := object.Setting{Netns: p.in, Link: l.Name.String()}
	if l.MTU != 0 && l.MTU != now.MTU {
		s.What, s.Value = "mtu", strconv.Itoa(int(l.MTU))
		p.change(l.Line, s, strconv.Itoa(int(now.MTU)))
	}
	if l.MAC != "" && l.MAC != now.MAC {
		s.What, s.Value = "address", l.MAC
		p.change(l.Line, s, now.MAC)
	}
}

func (p *planner) enslave(l conf.Link, now Link, exists bool) {
	vrf := p.f.Domain.VRF.String()
	if exists && now.Master != 0 && now.Master == p.have.Inside[vrf].Index {
		return
	}
	p.add(l.Line, object.Set, object.Setting{Netns: p.in, Link: l.Name.String(), What: "master", Value: vrf})
	p.restore(l)
}

func (p *planner) has(want object.Object) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool { return s.Object == want })
}

// address plans an address of a link that is now as given, the zero Link if it
// does not exist yet.
func (p *planner) address(line int, now Link, want object.Address) {
	if hasAddress(now, want) && !p.flushes(want) {
		return
	}
	for _, s := range p.plan.Steps {
		if a, ok := s.Object.(object.Address); ok && a.Key() == want.Key() {
			return
		}
	}
	p.add(line, object.Add, want)
}

// flushes reports whether a step of the plan takes the address away, as the
// kernel does when a link changes its namespace, or an IPv6 address's link its
// master.
func (p *planner) flushes(a object.Address) bool {
	return slices.ContainsFunc(p.plan.Steps, func(s object.Step) bool {
		set, ok := s.Object.(object.Setting)
		return ok && set.Link == a.Dev && (set.What == "netns" || set.What == "master" && a.Prefix.Addr().Is6())
	})
}

func hasAddress(l Link, want object.Address) bool {
	for _, a := range l.Addresses {
		if a.Prefix == want.Prefix && a.Peer == want.Peer {
			return true
		}
	}
	return false
}

// wantedRoute returns the route of the file as ip(8) makes it.
func (p *planner) wantedRoute(r conf.Route) object.Route {
	w := object.Route{Netns: p.in, Destination: r.Destination, Type: r.Type, Gateway: r.Gateway,
		Dev: r.Device.String(), Table: r.Table, Metric: r.Metric, OnLink: r.OnLink, Source: r.Source, MTU: r.MTU}
	if w.Table == 0 {
		w.Table = object.MainTable
		if p.f.Kind == conf.VRF {
			w.Table = p.f.Table
		}
	}
	w.Scope = w.UsualScope()
	return w
}

// route plans one route. Another route of the same key is replaced if it is
// ours to change, and is a contradiction otherwise.
func (p *planner) route(line int, want object.Route) error {
	now, ok := p.have.route(want)
	switch {
	case !ok || now.Dev != "" && p.remakes(now.Dev):
		p.add(line, object.Add, want)
	case same(now, want):
	case p.plan.Record.Made() != nil || p.f.Kind == conf.VRF && want.Table == p.f.Table || p.old.Find(want.Key()) != nil:
		now.Netns = p.in
		p.set(line, object.Replace, want, now)
	default:
		now.Netns = p.in
		return p.fail(line, fmt.Sprintf("another route exists already: %s",
			object.Step{Verb: object.Add, Object: now}))
	}
	return nil
}

// route returns the route of the domain's namespace that has the key of want, and
// whether there is one.
func (s *State) route(want object.Route) (object.Route, bool) {
	for _, r := range s.Routes {
		if r.Netns = want.Netns; r.Key() == want.Key() {
			return r.Route, true
		}
	}
	return object.Route{}, false
}

// same reports whether a route does what the wanted one does. The device of a
// route with a gateway is the kernel's choice unless it is wanted.
func same(now, want object.Route) bool {
	return now.Type == want.Type && now.Gateway == want.Gateway && (want.Dev == "" || now.Dev == want.Dev) &&
		now.MTU == want.MTU && now.OnLink == want.OnLink && (!want.Source.IsValid() || now.Source == want.Source)
}

func kindName(kind string) string {
	if kind == "" {
		return "device"
	}
	return kind
}
