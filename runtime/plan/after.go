package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// After returns the state that a removal (Down) leaves: without what its steps delete and
// what the kernel deletes with that, and with what they give back. s is not changed. in is
// the domain's namespace.
func (s *State) After(steps []object.Step, in domain.NetnsName) *State {
	a := *s
	a.Outside, a.Inside = maps.Clone(s.Outside), maps.Clone(s.Inside)
	if in.IsZero() {
		a.Inside = a.Outside
	}
	a.Others = map[domain.NetnsName]map[string]LinkState{}
	for name, links := range s.Others {
		a.Others[name] = maps.Clone(links)
	}
	a.OuterRules = maps.Clone(s.OuterRules)
	a.WireGuard = map[string]WireGuard{}
	for name, w := range s.WireGuard {
		w.Peers = maps.Clone(w.Peers)
		a.WireGuard[name] = w
	}
	a.Renamed, a.Objects, a.Sysctls, a.Files = maps.Clone(s.Renamed), maps.Clone(s.Objects), maps.Clone(s.Sysctls), maps.Clone(s.Files)
	if a.Sysctls == nil {
		a.Sysctls = map[string]string{}
	}
	a.Routes, a.VRFs = slices.Clone(s.Routes), slices.Clone(s.VRFs)
	for _, step := range steps {
		a.done(step, in)
	}
	return &a
}

// With returns the state with what a removal in another namespace changes outside: had
// is what there was, left is what there is after it. s is not changed; in is the
// namespace that s is of.
func (s *State) With(had, left *State, in domain.NetnsName) *State {
	a := s.After(nil, in)
	for name := range had.Outside {
		delete(a.Outside, name)
	}
	maps.Copy(a.Outside, left.Outside)
	return a
}

// done changes the state as a step of a removal does.
func (s *State) done(step object.Step, in domain.NetnsName) {
	gone := step.Verb == object.Delete
	switch t := step.Object.(type) {
	case object.Netns:
		s.ID, s.Exists, s.Stale, s.Pinned = netns.ID{}, false, false, 0
		s.Inside, s.Renamed, s.Sysctls = map[string]LinkState{}, nil, map[string]string{}
		s.Routes, s.VRFs, s.Objects, s.WireGuard, s.Firewall = nil, nil, nil, nil, ""
		s.Rules = NewRules(s.IPv6)
	case object.Link:
		s.unlink(t.Netns, in, t.Name)
	case object.Setting:
		s.setting(t, in)
	case object.Address:
		s.address(t, in, gone)
	case object.Route:
		s.reroute(t, in, gone)
	case object.Rule:
		other := func(r object.Rule) bool { return !r.Same(withoutNetns(t)) }
		if t.Netns == in {
			s.Rules = filter(s.Rules, other)
		} else {
			s.OuterRules[t.Netns] = filter(s.OuterRules[t.Netns], other)
		}
	case object.WireGuardPeer:
		delete(s.WireGuard[t.Link].Peers, t.PublicKey)
	case object.Firewall:
		s.Firewall = ""
	case object.Sysctl:
		s.Sysctls[t.Path] = t.Value
	case object.File:
		delete(s.Files, t.Path)
		s.Dir = s.Dir && !t.NewDir
	case object.Pin:
		s.Pinned = 0
	default:
		delete(s.Objects, t.Key())
	}
}

func withoutNetns(r object.Rule) object.Rule {
	r.Netns = domain.NetnsName{}
	return r
}

// filter returns those of list that keep reports; list is not changed.
func filter[T any](list []T, keep func(T) bool) (kept []T) {
	for _, v := range list {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// unlink takes a link out of the state with what goes with it: the other end of a veth,
// and the links that it is below.
func (s *State) unlink(where, in domain.NetnsName, name string) {
	links := s.At(where, in)
	was, ok := links[name]
	if !ok {
		return
	}
	s.leave(where, in, name)
	delete(links, name)
	s.VRFs = filter(s.VRFs, func(l rtnl.Link) bool { return where != in || l.Name != name })
	for other, l := range links {
		if l.Master == was.Index {
			l.Master, l.MasterName, l.MasterKind = 0, "", ""
			links[other] = l
		}
		if l.Below == was.Index && object.IsAbove(l.Kind) {
			s.unlink(where, in, other)
		}
	}
	if was.Kind != "veth" {
		return
	}
	places := append(slices.Collect(maps.Keys(s.Others)), in, domain.NetnsName{})
	for _, place := range places {
		for other, l := range s.At(place, in) {
			if l.Kind == "veth" && l.Index == was.Peer && l.Peer == was.Index {
				s.unlink(place, in, other)
			}
		}
	}
}

// leave takes what hangs on a link of the domain's namespace out of the state.
func (s *State) leave(where, in domain.NetnsName, name string) {
	if where != in {
		return
	}
	s.Routes = filter(s.Routes, func(r rtnl.Route) bool { return r.Dev != name && !(r.Uses(name) && r.Destination.Addr().Is4()) })
	for i, r := range s.Routes { // one of IPv6 loses a gateway
		s.Routes[i].Hops = object.NewHops(filter(r.Hops.List(), func(h object.Hop) bool { return h.Dev != name }))
	}
	maps.DeleteFunc(s.Objects, func(_ object.Key, o object.Object) bool { return o.On() == name })
	maps.DeleteFunc(s.Sysctls, func(path, _ string) bool {
		parts := strings.Split(path, "/")
		return len(parts) > 4 && parts[3] == name
	})
	delete(s.WireGuard, name)
	delete(s.Renamed, name)
}

// setting is done for a setting of a link.
func (s *State) setting(t object.Setting, in domain.NetnsName) {
	links := s.At(t.Netns, in)
	if t.What == "name" { // Inside has it by that name already
		delete(s.Renamed, t.Value)
		return
	}
	l, ok := links[t.Link]
	if !ok {
		return
	}
	switch t.What {
	case "netns":
		s.leave(t.Netns, in, t.Link)
		delete(links, t.Link)
		l.Up, l.Master, l.MasterName, l.MasterKind, l.Addresses, l.Routes = false, 0, "", "", nil, nil
		links = s.At(t.To, in)
	case "nomaster":
		l.Master, l.MasterName, l.MasterKind = 0, "", ""
		l.Addresses = filter(l.Addresses, func(a rtnl.Address) bool { return a.Prefix.Addr().Is4() })
	case "master":
		l.Master, l.MasterName, l.MasterKind = links[t.Value].Index, t.Value, links[t.Value].Kind
	case "mtu":
		mtu, _ := strconv.ParseUint(t.Value, 10, 32) // asItWas wrote it
		l.MTU = uint32(mtu)
	case "address":
		l.MAC = t.Value
	case "up", "down":
		l.Up = t.What == "up"
	}
	if links != nil {
		links[t.Link] = l
	}
}

// address is done for an address: that of a link that stays, or one that is given back.
func (s *State) address(t object.Address, in domain.NetnsName, gone bool) {
	links := s.At(t.Netns, in)
	l, ok := links[t.Dev]
	if !ok {
		return
	}
	l.Addresses = filter(l.Addresses, func(a rtnl.Address) bool { return a.Prefix != t.Prefix || a.Peer != t.Peer })
	if !gone {
		l.Addresses = append(l.Addresses, rtnl.Address{Address: t})
	}
	v4 := func(a rtnl.Address) bool { return a.Prefix.Addr().Is4() }
	last := gone && t.Prefix.Addr().Is4() && !slices.ContainsFunc(l.Addresses, v4)
	// A route goes with its source; all of IPv4 with a link's last address.
	stays := func(r rtnl.Route, dev bool) bool {
		return !gone || r.Source != t.Prefix.Addr() && !(last && dev && r.Destination.Addr().Is4())
	}
	l.Routes = filter(l.Routes, func(r rtnl.Route) bool { return stays(r, true) })
	links[t.Dev] = l
	if t.Netns == in {
		s.Routes = filter(s.Routes, func(r rtnl.Route) bool { return stays(r, r.Dev == t.Dev) })
		maps.DeleteFunc(s.Objects, func(_ object.Key, o object.Object) bool {
			needs, ok := o.(interface{ NeedsIPv4() bool })
			return last && ok && needs.NeedsIPv4() && o.On() == t.Dev
		})
	}
}

// reroute is done for a route that is deleted, or given back to a link.
func (s *State) reroute(t object.Route, in domain.NetnsName, gone bool) {
	other := func(r rtnl.Route) bool {
		r.Netns = t.Netns
		return r.Key() != t.Key()
	}
	if t.Netns == in {
		s.Routes = filter(s.Routes, other)
		if !gone {
			s.Routes = append(s.Routes, rtnl.Route{Route: t})
		}
	}
	links := s.At(t.Netns, in)
	if l, ok := links[t.Dev]; ok {
		l.Routes = filter(l.Routes, other)
		if !gone {
			l.Routes = append(l.Routes, rtnl.Route{Route: t, Index: l.Index})
		}
		links[t.Dev] = l
	}
}
