package lifecycle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// Kept is what Keep found and did.
type Kept struct {
	// Tended: there is work on it, see [Host.Tend].
	Tended bool
	// Did are the steps that put the domain right again, none if all was right.
	Did []object.Step
	// Came are links that up does not wait for and that are taken for the first time: what
	// was done is for them, and nobody undid anything.
	Came []string
	// Missing are links of others that are not there, and Bare those that up does not wait
	// for and that have no address yet. What hangs on them was left as it is.
	Missing, Bare []string
	// Early is a link that is there, and that its owner is still at work on; "" if there
	// is none. Nothing was done because of it.
	Early string
}

// ErrGone says that the device of a VRF, or the name of a namespace, is gone. To make
// it again is not enough: what runs is cut off, and has to be started again.
var ErrGone = errors.New("is gone; what runs in it is cut off until it is started again")

// Keep puts a domain right again that is up and that somebody else changed: a link
// that was taken out is taken in again, and so is one that was made again outside.
// A link that is new is left to its owner until it has an address, unless the file gives
// it one; owners remembers such links from call to call. What is not up, or is being
// brought up or down by somebody, is left alone. What the file says since the domain was
// brought up is for reload.
func (h *Host) Keep(id domain.ID, owners Owners) (*Kept, error) {
	t, err := h.standing(id)
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
	text := t.file.Text
	t.file, in, err = kernel.Gather(t.file)
	if err != nil {
		return nil, err
	}
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return nil, err
	}
	defer h.unlock(t.id, lock)
	// While somebody brought it up, what its file said was not known: see remember. What he did
	// is a change, so it is looked at again.
	if now, err := h.standing(id); err != nil || now.file == nil || !bytes.Equal(now.file.Text, text) {
		return &Kept{}, err
	}
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
	kept, err := w.keep(owners)
	if err == nil {
		kept.Tended = d.f.Tended()
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

func (w *work) keep(owners Owners) (*Kept, error) {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return nil, err
	}
	if !have.Exists || w.f.Kind == conf.VRF && have.Inside[w.f.Domain.VRF.String()].Kind != "vrf" {
		return nil, fmt.Errorf("%s %w", w.f.Domain, ErrGone)
	}
	k := &Kept{Missing: missing(w.f, have), Bare: bare(w.f, have, w.r)}
	w.leave(slices.Concat(k.Missing, k.Bare))
	p, err := plan.Up(w.f, have, w.r)
	if err != nil || len(p.Steps) == 0 {
		return k, err
	}
	for _, l := range w.f.Links {
		now, isNew := remadeOutside(l, w.f, have, w.r)
		if !isNew {
			continue
		}
		if !isGiven(l) && owners.at(now) {
			k.Early = now.Name
			return k, nil
		}
		was := object.Taken{Netns: w.Netns, Name: now.Name}
		if e := w.r.Find(was.Key()); l.Later && (e == nil || e.Made.Index != now.Index) {
			k.Came = append(k.Came, now.Name)
		}
		if !isGiven(l) && addressed(now) { // its addresses count, not those of the one before it
			w.r = w.r.Minus(&record.Record{Entries: []record.Entry{{Object: was}}})
		}
	}
	err = w.up(false)
	k.Did = w.did
	return k, err
}
