package lifecycle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

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
	// Was are files that the command of the first of them names, and that have something else
	// by now: what they had when the domain was brought up was taken.
	Was []string
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
	// While somebody brings it up, what it is brought up with is not known: see remember.
	lock, err := h.store.Lock(id)
	if err != nil {
		return nil, err
	}
	defer h.unlock(id, lock)
	t, err := h.standing(id)
	switch {
	case err != nil:
		return nil, err
	case t.id != id || t.file != nil && !t.file.Managed:
		return &Kept{}, nil
	case t.file == nil:
		return &Kept{}, h.isThere(t)
	}
	var in *kernel.Inputs
	if t.file, in, err = kernel.Gather(t.file); err != nil {
		return nil, err
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
		kept.Was = changed(t, kept.Did)
	}
	if n := w.f.Domain.Netns; err == nil && w.f.Kind == conf.VRF && !n.IsZero() {
		err = w.KnowMembers(w.f.Domain) // those of home's VRFs are told by the watch
	}
	return kept, err
}

// changed returns the files that the command of the first of the steps names, and that have
// something else by now than what the step did: it was done with what they had.
func changed(t target, did []object.Step) (files []string) {
	if len(did) == 0 {
		return nil
	}
	command, now := did[0].String(), conf.Now(t.id, t.file)
	_, _, _ = kernel.Gather(now) // what is wrong with them was not read
	for file, text := range t.file.Notes() {
		if strings.Contains(command, file) && !bytes.Equal(text, now.Notes()[file]) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}

// isThere looks for the namespace of a domain without a file, which has nothing else. The
// caller holds the domain's lock.
func (h *Host) isThere(t target) error {
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

// isAnother reports whether the VRF is not the one that was made: sockets and programs are bound
// to that one's number.
func (w *work) isAnother(have *plan.State) bool {
	if w.f.Kind != conf.VRF {
		return false
	}
	name := w.f.Domain.VRF.String()
	e := w.r.Find(object.Link{Netns: w.Netns, Name: name}.Key())
	return e != nil && e.Made.Index != 0 && e.Made.Index != have.Inside[name].Index
}

func (w *work) keep(owners Owners) (*Kept, error) {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return nil, err
	}
	if !have.Exists || w.f.Kind == conf.VRF && have.Inside[w.f.Domain.VRF.String()].Kind != "vrf" {
		return nil, fmt.Errorf("%s %w", w.f.Domain, ErrGone)
	}
	if w.isAnother(have) {
		return nil, fmt.Errorf("%s was made again by somebody, and the one that it was %w", w.f.Domain, ErrGone)
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
