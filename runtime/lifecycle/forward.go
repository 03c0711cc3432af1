package lifecycle

import (
	"errors"
	"io/fs"

	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Do does a step. That a namespace forwards is shared by domains, and so it is not the
// kernel alone that knows when it ends.
func (w *work) Do(step object.Step, r *record.Record) (record.Identity, error) {
	f, ok := step.Object.(object.Forwarding)
	if !ok {
		return w.Session.Do(step, r)
	}
	err := w.forward(step.Verb, f)
	if step.Verb == object.Delete && errors.Is(err, fs.ErrNotExist) {
		err = nil // it went with its namespace
	}
	return record.Identity{}, err
}

// forward has a namespace forward for this domain, or no longer. What there was before
// is written down first.
func (w *work) forward(verb object.Verb, f object.Forwarding) error {
	id, err := w.Place(f.Netns)
	if err != nil {
		return err
	}
	family := object.Family(f.IPv6)
	lock, err := w.h.store.LockForwarding(id, family)
	if err != nil {
		return err
	}
	was, err := w.h.store.LoadForwarding(id, family)
	if errors.Is(err, fs.ErrNotExist) {
		was, err = nil, nil
	}
	switch {
	case err != nil:
	case verb != object.Delete:
		err = w.hold(f, was)
	case was == nil || was.Release(w.id, w.h.store.Has):
		if err = w.release(f, was); err == nil {
			lock.Remove()
			return nil
		}
	default:
		err = w.h.store.SaveForwarding(id, family, was)
	}
	lock.Unlock()
	return err
}

// hold has a namespace forward for this domain.
func (w *work) hold(f object.Forwarding, was *record.Forwarding) error {
	id, err := w.Place(f.Netns)
	if err != nil {
		return err
	}
	on, links, err := w.Forwards(f)
	if err != nil {
		return err
	}
	if was == nil {
		was = &record.Forwarding{On: on, Links: links}
	}
	was.Hold(w.id)
	if err := w.h.store.SaveForwarding(id, object.Family(f.IPv6), was); err != nil || on {
		return err
	}
	return w.Forward(f, true, nil)
}

// release gives the forwarding back as it was before the first domain needed it.
func (w *work) release(f object.Forwarding, was *record.Forwarding) error {
	id, err := w.Place(f.Netns)
	if err == nil && was != nil && !was.On {
		err = w.Forward(f, false, was.Links)
	}
	if err != nil {
		return err
	}
	return w.h.store.RemoveForwarding(id, object.Family(f.IPv6)) // and what a save that was killed left
}
