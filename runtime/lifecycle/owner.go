package lifecycle

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Settle is how long a link that has just come is left to its owner, who gives it an
// address once it is there: OpenVPN, PPP, a DHCP client.
const Settle = 5 * time.Second

// quiet is how long an owner leaves a link as it is when he is done. He gives it one
// address after the other, and the next would fail if the link were taken between them.
const quiet = 500 * time.Millisecond

// Owners are links that are not taken yet, as who made them has left them so far.
type Owners map[string]owned

// owned is such a link: since when it is there, and since when it is as it is now.
type owned struct {
	index        int
	state        string
	first, since time.Time
}

// at reports whether the owner of a link is still at work on it.
func (o Owners) at(now plan.LinkState) bool {
	was, state := o[now.Name], fmt.Sprint(now.Up, now.MTU, now.Addresses)
	if was.index != now.Index {
		was = owned{index: now.Index, first: time.Now()}
	}
	if was.state != state {
		was.state, was.since = state, time.Now()
	}
	o[now.Name] = was
	if addressed(now) {
		return time.Since(was.since) < quiet
	}
	return time.Since(was.first) < Settle
}

// addressed reports whether a link is up and has an address that somebody gave it.
func addressed(l plan.LinkState) bool {
	return l.Up && slices.ContainsFunc(l.Addresses, func(a rtnl.Address) bool { return !a.Own && !a.Prefix.Addr().IsLinkLocalUnicast() })
}

// isGiven reports whether the file says which address a link has: it needs none of its owner's.
func isGiven(l conf.Link) bool { return len(l.Addresses) > 0 || l.DHCP || l.DHCP6 }

// awaitOwners waits until the owners of links that the file gives no address are done: of
// those that came while they were waited for, of what only a program makes, and of those
// that are not waited for but are there. Taken at once, such a link would be out of its
// owner's reach.
func (w *work) awaitOwners(came map[string]bool) error {
	var late conf.Link
	owners := Owners{}
	say := func() (string, problem.Pos) {
		return "an address of link " + late.Name.String() + ", by who made it", w.f.At(late.Line)
	}
	err := w.h.wait(w.id, uint32(Settle/time.Second), say, func() (bool, error) {
		for _, l := range w.f.Links {
			if l.Kind != "" || isGiven(l) || l.Name.String() == "lo" {
				continue
			}
			now, err := w.outside(l.Name.String())
			if err != nil {
				return false, err
			}
			if now.Index == 0 {
				continue
			}
			byProgram := (now.Kind == "tun" || now.Kind == "ppp") && l.Bridge.IsZero()
			if came[now.Name] || l.Later || byProgram && !addressed(now) {
				came[now.Name] = true
				late = l
				if owners.at(now) {
					return false, nil
				}
			}
		}
		return true, nil
	})
	if errors.Is(err, errLate) {
		return nil
	}
	return err
}

// outside returns a link of the namespace that rdomain runs in; one that is not there, or
// that was taken already, has no name.
func (w *work) outside(name string) (l plan.LinkState, err error) {
	c, err := w.Conn(domain.NetnsName{})
	if err != nil {
		return l, err
	}
	if l.Link, err = c.Link(name); err == nil {
		l.Addresses, err = c.Addresses(l.Index)
	}
	taken := w.r.Find(object.Taken{Netns: w.Netns, Name: name}.Key())
	if err != nil || taken != nil && taken.Made.Index == l.Index && w.Netns.IsZero() {
		return plan.LinkState{}, ignoreGone(err) // of one that went again the plan speaks
	}
	return l, nil
}

// leave leaves links, and what hangs on them, out of what is to be there.
func (w *work) leave(names []string) {
	if len(names) > 0 {
		w.f, w.plain = without(w.f, names), without(w.plain, names)
	}
}

// leaveLater leaves out the links that are not waited for and that cannot be taken yet.
func (w *work) leaveLater() error {
	have, err := w.Read(w.f, w.r)
	if err == nil {
		w.leave(later(w.f, have, w.r))
	}
	return err
}

// later returns the links that up does not wait for and that cannot be taken yet.
func later(f *conf.File, have *plan.State, r *record.Record) (names []string) {
	absent := missing(f, have)
	for _, l := range f.Links {
		if name := l.Name.String(); l.Later && slices.Contains(absent, name) {
			names = append(names, name)
		}
	}
	return append(names, bare(f, have, r)...)
}

// notYet says of a link that it is one of later.
func notYet(name string) string {
	return "link " + name + " is not there, or has no address yet; rdomain watch takes it in when its owner has given it one"
}

// bare returns the links that up does not wait for, and that their owner has given no
// address yet.
func bare(f *conf.File, have *plan.State, r *record.Record) (names []string) {
	for _, l := range f.Links {
		now, isNew := remadeOutside(l, f, have, r)
		if l.Later && isNew && now.Index != 0 && !isGiven(l) && !addressed(now) {
			names = append(names, now.Name)
		}
	}
	return names
}

// missing returns the links of others that are neither inside nor outside.
func missing(f *conf.File, have *plan.State) (names []string) {
	for _, l := range f.Links {
		name := l.Name.String()
		_, inside := have.Inside[name]
		_, outside := have.Outside[name]
		if l.Kind == "" && name != "lo" && !inside && !outside {
			names = append(names, name)
		}
	}
	return names
}

// without returns what a file says that does not need these links. A gateway may be behind
// one of them, if it is not in a network of another.
func without(f *conf.File, names []string) *conf.File {
	gone := map[string]bool{}
	for _, n := range names {
		gone[n] = true
	}
	for before := -1; before != len(gone); { // what is made on them went with them
		before = len(gone)
		for _, l := range f.Links {
			if gone[l.Parent.String()] {
				gone[l.Name.String()] = true
			}
		}
	}
	c := *f
	c.Objects = slices.DeleteFunc(slices.Clone(f.Objects), func(o conf.Object) bool { return gone[o.On()] })
	c.Links = slices.DeleteFunc(slices.Clone(f.Links), func(l conf.Link) bool { return gone[l.Name.String()] || gone[l.Bridge.String()] })
	c.Routes = slices.DeleteFunc(slices.Clone(f.Routes), func(r conf.Route) bool {
		behind := func(l conf.Link) bool {
			return slices.ContainsFunc(l.Addresses, func(a conf.Address) bool { return a.Prefix.Contains(r.Gateway) })
		}
		return gone[r.Device.String()] || r.Device.IsZero() && r.Gateway.IsValid() && !slices.ContainsFunc(c.Links, behind)
	})
	c.Sysctls = slices.DeleteFunc(slices.Clone(f.Sysctls), func(s conf.Sysctl) bool {
		return slices.ContainsFunc(slices.Collect(maps.Keys(gone)), func(n string) bool { return strings.Contains(s.Path, "/"+n+"/") })
	})
	return &c
}

// remadeOutside returns the link that a section without Kind= is about, if it is about
// to be taken in and is not the one that was taken before. OpenVPN makes its tun first
// and gives it an address then.
func remadeOutside(l conf.Link, f *conf.File, have *plan.State, r *record.Record) (plan.LinkState, bool) {
	name := l.Name.String()
	now, inside := have.Inside[name]
	if f.Kind == conf.Netns {
		now = have.Outside[name]
		return now, l.Kind == "" && !inside
	}
	e := r.Find(object.Taken{Netns: f.Domain.Netns, Name: name}.Key())
	return now, l.Kind == "" && inside && now.Master == 0 && (e == nil || e.Made.Index != now.Index)
}
