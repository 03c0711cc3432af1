package conf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// absent finds links that a route, a neighbour or another link names, and no file has.
func (a *All) absent() (errs []between) {
	there := map[end]bool{}
	for _, f := range a.Files {
		inside := "netns " + f.Domain.Netns.String()
		there[end{inside, "lo"}], there[end{inside, f.Domain.VRF.String()}] = true, true
		for _, l := range f.Links {
			there[end{inside, l.Name.String()}] = true
			there[end{a.side(f, l), l.Peer.String()}] = true
		}
		for _, r := range f.RequiresLinks { // a link of the default domain
			there[end{"netns ", r.Name.String()}] = true
		}
	}
	for _, f := range a.Files {
		for _, d := range f.Devices {
			if there[end{"netns " + f.Domain.Netns.String(), d.Name.String()}] {
				continue
			}
			from := "[Link " + d.Name.String() + "]"
			if f.Domain.Netns.IsZero() {
				from += ", or RequiresLink=" + d.Name.String() + " in [Domain]"
			}
			err := problem.New(f.At(d.Line), "Device=%s is a link that no file has", d.Name).
				WithHint("correct the name, or say where it comes from: " + from)
			errs = append(errs, between{err, nil})
		}
		for _, l := range f.Links {
			errs = append(errs, a.below(f, l, there)...)
		}
	}
	return errs
}

// below finds what a link stands on in its own namespace, and no file has.
func (a *All) below(f *File, l Link, there map[end]bool) (errs []between) {
	inside := "netns " + f.Domain.Netns.String()
	if f.Domain.Netns.IsZero() {
		return nil // somebody else may make it
	}
	on := map[string]domain.LinkName{l.PortKey(): l.Bridge}
	if a.side(f, l) == inside {
		on["Parent"], on["PeerBridge"] = l.Parent, l.PeerBridge
	}
	for _, key := range slices.Sorted(maps.Keys(on)) {
		name := on[key]
		if name.IsZero() || there[end{inside, name.String()}] {
			continue
		}
		do := "correct the name, or say where it comes from: [Link " + name.String() + "]"
		switch key {
		case "Bond":
			do += " with Kind=bond"
		case "Bridge", "PeerBridge":
			do += " with Kind=bridge"
		}
		errs = append(errs, between{problem.New(f.At(l.LineOf(key)), "%s=%s is a link that no file has", key, name).WithHint(do), nil})
	}
	return errs
}

// Awaited returns a note for each domain that a file requires and no file defines: up waits
// for somebody else to make it.
func (a *All) Awaited() (notes []string) {
	byID := a.byID()
	var names []string
	for id := range byID {
		names = append(names, id.String())
	}
	slices.Sort(names)
	for _, f := range a.Files {
		for _, ref := range f.Requirements(a.ids[f]) {
			if byID[ref.ID] != nil {
				continue
			}
			note := fmt.Sprintf("%s: no file defines %s, so up waits until somebody else has made it", f.At(ref.Line), ref.ID)
			if near := problem.Nearest(ref.ID.String(), names...); near != "" {
				note += "; is " + near + " meant?"
			}
			notes = append(notes, note)
		}
	}
	return notes
}

// circles finds domains that require each other.
func (a *All) circles() (errs []between) {
	byID := a.byID()
	done := map[domain.ID]bool{}
	var visit func(id domain.ID, chain []domain.ID)
	visit = func(id domain.ID, chain []domain.ID) {
		f := byID[id]
		if f == nil || done[id] {
			return
		}
		chain = append(slices.Clip(chain), id)
		for _, ref := range f.before(id) {
			if at := slices.Index(chain, ref.ID); at >= 0 {
				err := problem.New(f.At(ref.Line), "domains require each other, so none comes up: %s", circle(chain[at:], ref.ID))
				errs = append(errs, between{err, paths(chain[at:])})
				continue
			}
			visit(ref.ID, chain)
		}
		done[id] = true
	}
	for _, f := range a.Files {
		visit(a.ids[f], nil)
	}
	return errs
}

func circle(chain []domain.ID, back domain.ID) string {
	var names []string
	for _, id := range append(slices.Clip(chain), back) {
		names = append(names, id.String())
	}
	return strings.Join(names, ", ")
}

// paths returns the files of domains.
func paths(ids []domain.ID) (list []string) {
	for _, id := range ids {
		list = append(list, Path(id))
	}
	return list
}

func (a *All) byID() map[domain.ID]*File {
	byID := map[domain.ID]*File{}
	for _, f := range a.Files {
		byID[a.ids[f]] = f
	}
	return byID
}

// Requirements returns the domains that must be up before the file's own, which is
// id: those that it requires, and those in which its links have their other side.
func (f *File) Requirements(id domain.ID) []Ref {
	list := slices.Clone(f.Requires)
	for _, l := range f.Links {
		if o := l.Outer; o.ID != (domain.ID{}) && o.ID != id &&
			!slices.ContainsFunc(list, func(r Ref) bool { return r.ID == o.ID }) {
			list = append(list, o)
		}
	}
	return list
}

// before returns what must be up before the file's domain: what it requires, and the
// namespace that a VRF lives in.
func (f *File) before(id domain.ID) []Ref {
	list := f.Requirements(id)
	if n := f.Domain.Netns; f.Kind == VRF && !n.IsZero() {
		list = append(list, Ref{f.KindLine, n.ID()})
	}
	return list
}
