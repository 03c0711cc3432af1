package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// Kept is what Keep found and did.
type Kept struct {
	// Tended: there is work on it, see [Host.Tend].
	Tended bool
	// Did are the steps that put the domain right again, none if all was right.
	Did []object.Step
	// Missing are links of others that are not there. What hangs on them was left as
	// it is.
	Missing []string
	// Early is a link that is there, and that its owner has not given an address yet;
	// "" if there is none. Nothing was done because of it.
	Early string
}

// ErrGone says that the device of a VRF, or the name of a namespace, is gone. To make
// it again is not enough: what runs is cut off, and has to be started again.
var ErrGone = errors.New("is gone; what runs in it is cut off until it is started again")

// Keep puts a domain right again that is up and that somebody else changed: a link
// that was taken out is taken in again, and so is one that was made again outside.
// With patience, a link that is new is left to its owner until it has an address,
// unless the file gives it one. What is not up, or is being brought up or down by
// somebody, is left alone.
func (h *Host) Keep(id domain.ID, patience bool) (*Kept, error) {
	t, err := h.find(id)
	if err != nil {
		return nil, err
	}
	if t.file == nil {
		return &Kept{}, h.isThere(t)
	}
	if !t.file.Managed {
		return &Kept{}, nil
	}
	var in *kernel.Inputs
	t.file, in, err = kernel.Gather(t.file)
	if err != nil {
		return nil, err
	}
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return nil, err
	}
	defer h.unlock(t.id, lock)
	d, err := h.resolve(t)
	if err != nil {
		return nil, err
	}
	if !d.r.Complete || d.r.Empty() || d.remade() {
		return &Kept{}, nil
	}
	w, err := h.begin(d, in)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := h.outers(t, d.f.Domain, in); err != nil {
		return nil, err
	}
	kept, err := w.keep(patience)
	if err == nil {
		kept.Tended = w.plain.Tended()
	}
	if n := w.f.Domain.Netns; err == nil && w.f.Kind == conf.VRF && !n.IsZero() {
		err = w.KnowMembers(w.f.Domain) // those of home's VRFs are told by the watch
	}
	return kept, err
}

// isThere looks for the namespace of a domain without a file, which has nothing else.
func (h *Host) isThere(t target) error {
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	d, err := h.resolve(t)
	if err != nil || !d.r.Complete || d.r.Empty() || d.kind == foreign || d.remade() {
		return err
	}
	_, err = netns.Lookup(d.f.Domain.Netns.String())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
		return fmt.Errorf("%s %w", d.f.Domain, ErrGone)
	}
	return err
}

func (w *work) keep(patience bool) (*Kept, error) {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return nil, err
	}
	if !have.Exists || w.f.Kind == conf.VRF && have.Inside[w.f.Domain.VRF.String()].Kind != "vrf" {
		return nil, fmt.Errorf("%s %w", w.f.Domain, ErrGone)
	}
	k := &Kept{}
	if k.Missing = missing(w.f, have); len(k.Missing) > 0 {
		w.f = without(w.f, k.Missing)
	}
	p, err := plan.Up(w.f, have, w.r)
	if err != nil || len(p.Steps) == 0 {
		return k, err
	}
	for _, l := range w.f.Links {
		now, isNew := remadeOutside(l, w.f, have, w.r)
		switch addressed := hasGlobal(now); {
		case !isNew || len(l.Addresses) > 0 || len(l.Asked()) > 0:
		case now.Up && addressed: // its addresses count, not those of the one before it
			w.r = w.r.Minus(&record.Record{Entries: []record.Entry{{Object: object.Taken{Netns: w.Netns, Name: now.Name}}}})
		case patience:
			k.Early = now.Name
			return k, nil
		}
	}
	err = w.up(false)
	k.Did = w.did
	return k, err
}

// missing returns the links of others that are neither inside nor outside.
func missing(f *conf.File, have *plan.State) (names []string) {
	for _, l := range f.Links {
		name := l.Name.String()
		_, inside := have.Inside[name]
		_, outside := have.Outside[name]
		if l.Kind == "" && !inside && !outside {
			names = append(names, name)
		}
	}
	return names
}

// without returns what a file says that does not need these links: a gateway may be
// behind one of them, and so may what stands in another section.
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
	c.Objects = nil
	c.Links = slices.DeleteFunc(slices.Clone(f.Links), func(l conf.Link) bool { return gone[l.Name.String()] || gone[l.Bridge.String()] })
	c.Routes = slices.DeleteFunc(slices.Clone(f.Routes), func(r conf.Route) bool { return r.Device.IsZero() || gone[r.Device.String()] })
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

// hasGlobal reports whether a link has an address that somebody gave it.
func hasGlobal(l plan.LinkState) bool {
	return slices.ContainsFunc(l.Addresses, func(a rtnl.Address) bool { return !a.Own && !a.Prefix.Addr().IsLinkLocalUnicast() })
}
