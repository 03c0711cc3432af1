package plan

import (
	"fmt"
	"slices"
	"strconv"

	"rdgen/runtime/domain"
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

// Down returns what is to be done so that nothing is left of what is recorded: the
// list backwards. What does not exist any more needs no step; what has the same name
// but is not the same thing is left alone, with a note.
func Down(r *record.Record, have *State) Removal {
	d := downer{r: r, have: have, in: r.Domain.Netns}
	made := r.Made()
	d.mine = made != nil && have.holds(*made, d.in)
	if made != nil && have.Exists && !d.mine {
		// The namespace died and another one has its name: nothing in it is ours.
		d.note("namespace %s is another one than was made; left alone", d.in)
		d.have = &State{Exists: true, Outside: have.Outside, Others: have.Others, OuterRules: have.OuterRules, Files: have.Files}
	}
	d.Steps = d.have.rename(d.in)
	for _, e := range slices.Backward(r.Entries) {
		d.entry(e)
	}
	return d.Removal
}

type downer struct {
	Removal
	r    *record.Record
	have *State
	in   domain.NetnsName
	// mine: the namespace is ours and goes, with all addresses and routes.
	mine bool
}

func (d *downer) add(verb object.Verb, o object.Object) {
	d.Steps = append(d.Steps, object.Step{Verb: verb, Object: o})
}

func (d *downer) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// entry plans the end of one thing.
func (d *downer) entry(e record.Entry) {
	switch t := e.Object.(type) {
	case object.Netns:
		if d.mine || d.have.Stale {
			d.add(object.Delete, t)
		}
	case object.Link:
		d.link(t, e)
	case object.Taken:
		d.giveBack(t, e.Made.Index)
	case object.Sysctl: // unless somebody has changed it since
		old, known := e.Old.(object.Sysctl)
		if now, ok := d.have.Sysctls[t.Path]; ok && known && !d.mine && now == t.Value && now != old.Value {
			d.add(object.Set, old)
		}
	case object.File:
		d.file(t)
	case object.Pin:
		d.add(object.Delete, t)
	case object.Firewall:
		switch {
		case d.goes(t):
		case d.have.holds(e, d.in):
			d.add(object.Delete, t)
		case object.Only(d.have.Firewall, t.Names()) != "":
			d.note("the ruleset of %s in netns %s was changed since it was loaded; left alone", t.File, d.in)
		}
	case object.NAT:
		switch now, ok := d.have.Objects[t.Key()]; {
		case ok && now == e.Object:
			d.add(object.Delete, t)
		case ok:
			d.note("table inet %s in %s was changed since it was made; left alone", t.Table, domain.Domain{Netns: t.Netns})
		}
	default:
		if !d.goes(t) && d.have.holds(e, d.in) {
			d.add(object.Delete, t)
		}
	}
}

// goes reports whether an object goes by itself, with its namespace or its link.
// The addresses of a taken link are taken away before it is given back.
func (d *downer) goes(o object.Object) bool {
	k := o.Key()
	if _, isAddress := o.(object.Address); d.mine && k.Netns == d.in &&
		!(isAddress && d.r.Find(object.Taken{Netns: d.in, Name: o.On()}.Key()) != nil) {
		return true
	}
	return d.ours(k.Netns, o.On())
}

// ours reports whether a link is one that is going to be deleted, by its own
// name or as the other end of a veth.
func (d *downer) ours(netns domain.NetnsName, name string) bool {
	return name != "" && slices.ContainsFunc(d.r.Entries, func(e record.Entry) bool {
		l, ok := e.Object.(object.Link)
		return ok && (l.Netns == netns && l.Name == name || l.Outer == netns && l.Peer == name) && d.have.holds(e, d.in)
	})
}

// file plans the end of a resolver file that is still as it was made.
func (d *downer) file(f object.File) {
	switch now, ok := d.have.Files[f.Path]; {
	case !ok && d.r.Complete:
	case !ok, now == f.Text: // an up that was killed may have left the half of it
		d.add(object.Delete, f)
	default:
		d.note("%s was changed since it was made; left alone", f.Path)
	}
}

func (d *downer) link(l object.Link, e record.Entry) {
	if _, exists := d.have.Inside[l.Name]; !exists {
		if outer, ok := d.have.At(l.Outer, d.in)[l.Peer]; ok && l.Peer != "" && l.Outer != d.in {
			if lost, ours := lostPeer(d.r, l.Outer, l.Peer, outer); ours {
				d.add(object.Delete, lost)
			}
		}
		return
	}
	if !d.have.holds(e, d.in) {
		d.note("link %s is another one than was made; left alone", l.Name)
		return
	}
	d.add(object.Delete, l)
}

// giveBack plans that a taken link is where it was, as it was.
func (d *downer) giveBack(t object.Taken, index int) {
	now, inside := d.have.Inside[t.Name]
	moved := t.From != d.in
	if inside && index != 0 && now.Index != index {
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

func (d *downer) release(t object.Taken, now LinkState, moved bool) {
	if now.Master != 0 {
		d.add(object.Set, object.Setting{Netns: d.in, Link: t.Name, What: "nomaster"})
	}
	if moved {
		d.add(object.Set, object.Setting{Netns: d.in, Link: t.Name, What: "netns", To: t.From})
	}
}

func (d *downer) asItWas(t object.Taken, now LinkState) {
	set := object.Setting{Netns: t.From, Link: t.Name}
	if t.MTU != 0 && now.MTU != t.MTU {
		set.What, set.Value = "mtu", strconv.Itoa(int(t.MTU))
		d.add(object.Set, set)
	}
	if t.MAC != "" && now.MAC != t.MAC {
		set.What, set.Value = "address", t.MAC
		d.add(object.Set, set)
	}
	for _, a := range t.Addresses {
		a.Netns, a.Dev = t.From, t.Name
		d.add(object.Replace, a)
	}
	if set.What, set.Value = "up", ""; !t.Up {
		set.What = "down"
	}
	d.add(object.Set, set)
	if t.Master != "" {
		if _, ok := d.have.At(t.From, d.in)[t.Master]; ok {
			set.What, set.Value = "master", t.Master
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
