package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/domain"
	"rdgen/runtime/enter"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// Down removes what is recorded for a domain and is still the same thing, and
// gives taken links back. The domain's file is not needed. What is not up is
// down already. notes say what was left alone and why.
func (h *Host) Down(id domain.ID) (notes []string, err error) { return h.down(id, false) }

// notUp says why nothing was taken down, where that is no matter of course.
func (h *Host) notUp(id domain.ID) (notes []string, err error) {
	exists, err := h.exists(id)
	if err != nil {
		return nil, err
	}
	t, wrong := h.find(id)
	if wrong != nil || t.file != nil { // a file with a mistake names it, too
		return nil, nil
	}
	if hint := h.unknown(t); hint != "" {
		return []string{"nothing of that name is up, and " + hint}, nil
	}
	if exists {
		return []string{"it was made by somebody else; left alone"}, nil
	}
	return nil, nil
}

// down is Down; with ifEmpty it leaves a namespace alone that has links which
// are not its own.
func (h *Host) down(id domain.ID, ifEmpty bool) (notes []string, err error) {
	if id, err = h.recorded(id); err != nil {
		return nil, err
	}
	lock, err := h.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer h.unlock(id, lock)
	r, err := h.store.Load(id)
	if errors.Is(err, fs.ErrNotExist) {
		// A Save that was killed before its rename may have left a file.
		if err := errors.Join(h.store.Remove(id), h.leftRules(id), h.endAbandoned(id)); err != nil {
			return nil, err
		}
		return h.notUp(id)
	}
	if err != nil {
		return nil, err
	}
	if ifEmpty {
		if inhabited, err := h.inhabited(r); inhabited || err != nil {
			return nil, err
		}
	}
	if notes, err = h.removeAll(id, r); err == nil {
		err = h.endAbandoned(id)
	}
	return notes, err
}

// Waves puts domains into the order in which they are to be brought down: one
// that another of them requires comes in a later wave than that one. Those of a
// wave can be brought down at once.
func (h *Host) Waves(list []domain.ID) [][]domain.ID {
	requires := map[domain.ID][]domain.ID{}
	level := map[domain.ID]int{}
	for _, id := range list {
		level[id] = 0
		if r, err := h.load(id); err == nil {
			requires[id] = r.Requires
		}
	}
	// As many rounds as there can be levels; a circle, which up refuses, ends.
	for range list {
		changed := false
		for id, others := range requires {
			for _, o := range others {
				if l, ok := level[o]; ok && l <= level[id] && level[id] < len(list) {
					level[o], changed = level[id]+1, true
				}
			}
		}
		if !changed {
			break
		}
	}
	var waves [][]domain.ID
	for _, id := range list {
		for level[id] >= len(waves) {
			waves = append(waves, nil)
		}
		waves[level[id]] = append(waves[level[id]], id)
	}
	return waves
}

// leftRules takes rules back that nobody else will: the last VRF was removed by
// somebody else, or an up was killed before it recorded anything.
func (h *Host) leftRules(id domain.ID) error {
	d, _ := id.Both()
	w, err := h.open(d.Netns)
	if err != nil {
		return err
	}
	defer w.Close()
	return w.withRules(w.lastVRF)
}

// inhabited reports whether a namespace has links that are not recorded in r.
func (h *Host) inhabited(r *record.Record) (bool, error) {
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return false, err
	}
	defer w.Close()
	if !w.Exists() || w.Netns.IsZero() {
		return false, nil
	}
	names, err := w.strangers(r)
	return len(names) > 0, err
}

// recorded returns the ID under which a domain is recorded: a VRF in a namespace
// may have a file of another name.
func (h *Host) recorded(id domain.ID) (domain.ID, error) {
	want, both := id.Both()
	if !both || h.store.Has(id) {
		return id, nil
	}
	ids, err := h.store.IDs()
	for _, other := range ids {
		if r, err := h.store.Load(other); err == nil && r.Domain == want {
			return other, nil
		}
	}
	return id, err
}

// removeAll removes what is recorded, and then the record.
func (h *Host) removeAll(id domain.ID, r *record.Record) (notes []string, err error) {
	if !r.Home.Same(h.home.ID()) && (r.Domain.Netns.IsZero() || hasTaken(r)) {
		return nil, fmt.Errorf("%s was brought up from another network namespace; run rdomain there", id)
	}
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	w.id = id
	made := r.Made()
	if made != nil && w.Exists() {
		if notes, err = w.inhabitants(id, r); err != nil {
			return notes, err
		}
	}
	w.releaseLeases(r.Leases)
	remove := func() error {
		have, err := w.Read(nil, r)
		if err != nil {
			return err
		}
		removal := plan.Down(r, have)
		notes = append(notes, removal.Notes...)
		if err := w.remove(removal.Steps, r); err != nil {
			return err
		}
		return w.lastVRF()
	}
	if !r.Domain.VRF.IsZero() {
		if err = w.withRules(remove); err == nil {
			err = w.KnowMembers(domain.Domain{Netns: r.Domain.Netns})
		}
	} else {
		err = remove()
	}
	if err != nil {
		return notes, fmt.Errorf("%s: %w", id, err)
	}
	err = nil
	if made != nil {
		err = h.store.ForgetRules(made.Made.Netns)
	}
	if made != nil || !r.Domain.VRF.IsZero() {
		err = errors.Join(err, enter.RemoveEtc(r.Domain))
	}
	if err != nil {
		return notes, err
	}
	return notes, h.store.Remove(id)
}

// inhabitants looks at what else lives in a namespace that is about to be
// removed: VRFs of ours are brought down first, so that the links they took are
// given back; other links are only spoken of.
func (w *work) inhabitants(id domain.ID, r *record.Record) (notes []string, err error) {
	strangers, err := w.strangers(r)
	if err != nil || len(strangers) == 0 {
		return nil, err
	}
	ids, err := w.h.store.IDs()
	if err != nil {
		return nil, err
	}
	for _, other := range ids {
		o, err := w.h.store.Load(other)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return notes, err // what it took would be lost
		}
		if err != nil || other == id || o.Domain.VRF.IsZero() || o.Domain.Netns != w.Netns {
			continue
		}
		more, err := w.h.Down(other)
		if notes = append(notes, more...); err != nil {
			return notes, err
		}
	}
	if strangers, err = w.strangers(r); err != nil {
		return notes, err
	}
	for _, name := range strangers {
		if owner, link := w.h.owner(ids, w.Netns, name); link != "" {
			notes = append(notes, fmt.Sprintf("link %s in netns %s is the other end of %s's %s, which goes with it", name, w.Netns, owner, link))
			continue
		}
		notes = append(notes, fmt.Sprintf("link %s in netns %s was not made by rdomain; it goes with the namespace, "+
			"or back to the first one if it is hardware", name, w.Netns))
	}
	return notes, nil
}

// owner returns the domain that made a link in a namespace as the other end of its own,
// and that one's name.
func (h *Host) owner(ids []domain.ID, netns domain.NetnsName, name string) (id domain.ID, link string) {
	for _, other := range ids {
		r, err := h.store.Load(other)
		if err != nil {
			continue // it is its own domain's trouble
		}
		record.Of(r, func(l object.Link, _ record.Identity) {
			if l.Outer == netns && l.Peer == name {
				id, link = other, l.Name
			}
		})
	}
	return id, link
}

// fallback are the links that tunnel modules put into each new namespace
// (net.core.fb_tunnels_only_for_init_net).
var fallback = []string{"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"}

// strangers returns the names of links in the namespace that are not in r.
func (w *work) strangers(r *record.Record) ([]string, error) {
	c, err := w.Conn(w.Netns)
	if err != nil {
		return nil, err
	}
	links, err := c.Links("")
	if err != nil {
		return nil, err
	}
	known := slices.Clone(fallback)
	var indices []int // somebody may have renamed them
	for _, e := range r.Entries {
		switch t := e.Object.(type) {
		case object.Link:
			known, indices = append(known, t.Name), append(indices, e.Made.Index)
			if t.Outer == w.Netns {
				known = append(known, t.Peer)
			}
		case object.Taken:
			known, indices = append(known, t.Name), append(indices, e.Made.Index)
		}
	}
	var names []string
	for _, l := range links {
		if !slices.Contains(known, l.Name) && !slices.Contains(indices, l.Index) {
			names = append(names, l.Name)
		}
	}
	return names, nil
}
