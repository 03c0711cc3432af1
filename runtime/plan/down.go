package plan

import (
	"fmt"
	"slices"
	"strconv"

	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Removal is what takes back what a record records.
type Removal struct {
	// Steps are in the order in which they are to be done: the reverse of up's.
	Steps []object.Step
	// Notes say what was left alone because it is no longer what was made.
	Notes []string
}

// Down returns what is to be done so that nothing is left of what is recorded.
// What does not exist any more needs no step; what bears the same name but is
// not the same thing is left alone, with a note.
func Down(r *record.Record, have *State) Removal {
	d := downer{r: r, have: have, in: r.Netns}
	d.mine = r.Made != nil && have.Exists && (r.Made.ID == netns.ID{} || r.Made.ID == have.ID)
	if r.Made != nil && have.Exists && !d.mine {
		// The namespace died and another one bears its name: nothing in it
		// is ours.
		d.note("namespace %s is another one than was made; left alone", r.Made.Name)
		d.have = &State{Exists: true, Outside: have.Outside, Others: have.Others, OuterRules: have.OuterRules, Files: have.Files}
	}
	d.Steps = d.have.rename(d.in)
	d.routes(false)
	d.rules()
	d.neighbors()
	d.addresses()
	d.peers()
	for _, t := range slices.Backward(r.Taken) {
		d.giveBack(t)
	}
	for _, l := range slices.Backward(r.Links) {
		d.link(l)
	}
	d.routes(true)
	d.sysctls()
	d.files()
	if r.Pin != nil {
		d.add(object.Delete, *r.Pin)
	}
	if r.Made != nil && (d.mine || have.Stale) {
		d.add(object.Delete, object.Netns{Name: r.Made.Name})
	}
	return d.Removal
}

type downer struct {
	Removal
	r    *record.Record
	have *State
	in   string
	// mine: the namespace is ours and goes, with all addresses and routes.
	mine bool
}

func (d *downer) add(verb object.Verb, thing object.Object) {
	d.Steps = append(d.Steps, object.Step{Verb: verb, Object: thing})
}

func (d *downer) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// routes plans the end of the recorded routes: of those that end a VRF's table,
// if last, or of all others. The end of a table stays as long as there is
// something to be kept in it.
func (d *downer) routes(last bool) {
	for _, r := range slices.Backward(d.r.Routes) {
		if d.mine || d.ours(d.in, r.Dev) || last != (r.Metric == LastMetric && r.Type != "unicast") {
			continue // goes with its namespace or its link, or at another time
		}
		if found, ok := d.have.route(r.Key()); ok && same(found, r) {
			d.add(object.Delete, r)
		}
	}
}

func (d *downer) addresses() {
	for _, a := range slices.Backward(d.r.Addresses) {
		if a.Netns == d.in && d.mine && !d.takes(a.Dev) || d.ours(a.Netns, a.Dev) {
			continue
		}
		if hasAddress(d.have.At(a.Netns, d.in)[a.Dev], a) {
			d.add(object.Delete, a)
		}
	}
}

func (d *downer) rules() {
	for _, r := range slices.Backward(d.r.Rules) {
		if !(d.mine && r.Netns == d.in) && d.have.hasRule(r, d.in) {
			d.add(object.Delete, r)
		}
	}
}

func (d *downer) neighbors() {
	for _, n := range slices.Backward(d.r.Neighbors) {
		if !d.mine && !d.ours(d.in, n.Dev) && d.have.hasNeighbor(n) {
			d.add(object.Delete, n)
		}
	}
}

func (d *downer) peers() {
	for _, p := range d.r.Peers {
		if _, ok := d.have.WireGuard[p.Link].Peers[p.PublicKey]; ok && !d.mine && !d.ours(d.in, p.Link) {
			d.add(object.Delete, p)
		}
	}
}

// sysctls plans that variables have the values that they had, unless somebody
// has changed them since.
func (d *downer) sysctls() {
	for _, s := range slices.Backward(d.r.Sysctls) {
		if now, ok := d.have.Sysctls[s.Key]; ok && !d.mine && now == s.Value && now != s.Old {
			back := s.Sysctl
			back.Value = s.Old
			d.add(object.Set, back)
		}
	}
}

// files plans the end of resolver files that are still as they were made.
func (d *downer) files() {
	for _, f := range d.r.Files {
		switch now, ok := d.have.Files[f.Path]; {
		case !ok && d.r.Complete:
		case !ok: // an up that was killed may have left the half of it
			d.add(object.Delete, f)
		case now == f.Text:
			d.add(object.Delete, f)
		default:
			d.note("%s was changed since it was made; left alone", f.Path)
		}
	}
}

// ours reports whether a link is one that is going to be deleted, by its own
// name or as the other end of a veth.
func (d *downer) ours(netns, name string) bool {
	return name != "" && slices.ContainsFunc(d.r.Links, func(l record.Link) bool {
		return (l.Netns == netns && l.Name == name || l.Outer == netns && l.Peer == name) && d.isSame(l)
	})
}

func (d *downer) takes(name string) bool {
	return slices.ContainsFunc(d.r.Taken, func(t record.Taken) bool { return t.Name == name })
}

func (d *downer) isSame(l record.Link) bool {
	now, ok := d.have.Inside[l.Name]
	return ok && now.Kind == l.Kind && (l.Index == 0 || l.Index == now.Index)
}

func (d *downer) link(l record.Link) {
	if _, exists := d.have.Inside[l.Name]; !exists {
		if outer, ok := d.have.At(l.Outer, d.in)[l.Peer]; ok && l.Peer != "" && l.Outer != d.in {
			if lost, ours := lostPeer(d.r, l.Outer, l.Peer, outer); ours {
				d.add(object.Delete, lost)
			}
		}
		return
	}
	if !d.isSame(l) {
		d.note("link %s is another one than was made; left alone", l.Name)
		return
	}
	d.add(object.Delete, l.Link)
}

// giveBack plans that a taken link is where it was, as it was.
func (d *downer) giveBack(t record.Taken) {
	now, inside := d.have.Inside[t.Name]
	moved := t.From != d.in
	if inside && t.Index != 0 && now.Index != t.Index {
		d.note("link %s is another one than was taken; left alone", t.Name)
		inside = false
		if !moved {
			return
		}
	}
	switch {
	case inside:
		d.release(t, now, moved)
	case moved:
		var ok bool
		if now, ok = d.have.Outside[t.Name]; !ok {
			d.note("link %s is gone and cannot be given back", t.Name)
			return
		}
		// A down that was killed had moved it already, or its namespace died.
		now.Addresses, now.Routes = nil, nil
	default:
		d.note("link %s is gone and cannot be given back", t.Name)
		return
	}
	d.asItWas(t, now)
}

func (d *downer) release(t record.Taken, now Link, moved bool) {
	if now.Master != 0 {
		d.add(object.Set, object.Setting{Netns: d.in, Link: t.Name, Key: "nomaster"})
	}
	if moved {
		d.add(object.Set, object.Setting{Netns: d.in, Link: t.Name, Key: "netns", Value: t.From})
	}
}

func (d *downer) asItWas(t record.Taken, now Link) {
	set := object.Setting{Netns: t.From, Link: t.Name}
	if t.MTU != 0 && now.MTU != t.MTU {
		set.Key, set.Value = "mtu", strconv.Itoa(int(t.MTU))
		d.add(object.Set, set)
	}
	if t.MAC != "" && now.MAC != t.MAC {
		set.Key, set.Value = "address", t.MAC
		d.add(object.Set, set)
	}
	for _, a := range t.Addresses {
		a.Netns, a.Dev = t.From, t.Name
		d.add(object.Replace, a)
	}
	if set.Key, set.Value = "up", ""; !t.Up {
		set.Key = "down"
	}
	d.add(object.Set, set)
	if t.Master != "" {
		if _, ok := d.have.At(t.From, d.in)[t.Master]; ok {
			set.Key, set.Value = "master", t.Master
			d.add(object.Set, set)
		} else {
			d.note("link %s was a member of %s, which is gone", t.Name, t.Master)
		}
	}
	for _, r := range t.Routes {
		if r.Netns, r.Dev = t.From, t.Name; t.Up {
			d.add(object.Replace, r)
		}
	}
}

// Minus returns what r records and old does not.
func Minus(r, old *record.Record) *record.Record {
	c := r.Clone()
	if old.Made != nil {
		c.Made = nil
	}
	if old.Pin != nil {
		c.Pin = nil
	}
	c.Links = slices.DeleteFunc(c.Links, func(l record.Link) bool {
		return slices.ContainsFunc(old.Links, func(o record.Link) bool { return o.Name == l.Name })
	})
	c.Taken = slices.DeleteFunc(c.Taken, func(t record.Taken) bool {
		return slices.ContainsFunc(old.Taken, func(o record.Taken) bool { return o.Name == t.Name })
	})
	c.Addresses = minus(c.Addresses, old.Addresses)
	c.Routes = minus(c.Routes, old.Routes)
	c.Rules = minus(c.Rules, old.Rules)
	c.Neighbors = minus(c.Neighbors, old.Neighbors)
	c.Files = minus(c.Files, old.Files)
	c.Peers = slices.DeleteFunc(c.Peers, func(p object.WireGuardPeer) bool {
		return slices.ContainsFunc(old.Peers, func(o object.WireGuardPeer) bool { return o.Link == p.Link && o.PublicKey == p.PublicKey })
	})
	c.Sysctls = slices.DeleteFunc(c.Sysctls, func(s record.Sysctl) bool {
		return slices.ContainsFunc(old.Sysctls, func(o record.Sysctl) bool { return o.Key == s.Key })
	})
	return c
}

func minus[T comparable](list, old []T) []T {
	return slices.DeleteFunc(list, func(e T) bool { return slices.Contains(old, e) })
}
