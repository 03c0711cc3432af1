package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/record"
)

// Trial is a change of domains that is taken back if nobody confirms it, and how they were
// before.
type Trial struct {
	h    *Host
	list []domain.ID
	// up are all domains that were up.
	up []domain.ID
	// was are those of the list, and of what they require, that were up, as they were then:
	// each behind what it requires.
	was []target
	// needs are what each domain of the list required, and what those did.
	needs map[domain.ID][]domain.ID
	// left are all of them as they were when the change was made.
	left map[domain.ID]record.State
	// mark says that it is on trial, for who confirms it and for who takes it back where this
	// process is killed.
	mark *record.Trial
}

// Try begins a trial of domains, before anything is changed. It is an error if one is on trial
// already, and if one that is up could not be made what it is again.
func (h *Host) Try(list []domain.ID) (t *Trial, err error) {
	t = &Trial{h: h, needs: map[domain.ID][]domain.ID{}, left: map[domain.ID]record.State{}}
	if t.up, err = h.Recorded(); err != nil {
		return nil, err
	}
	for _, asked := range list {
		id, err := h.recorded(asked)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(t.list, id) {
			t.list = append(t.list, id)
		}
	}
	for _, id := range t.list {
		if err := t.add(id); err != nil {
			return nil, err
		}
	}
	before := record.Before{List: t.list, Up: t.up, Needs: t.needs}
	for _, was := range t.was {
		one := record.Standing{ID: was.id}
		if was.file != nil {
			w, err := h.store.Was(was.id)
			if err != nil {
				return nil, err
			}
			one.Was = &w
		}
		before.Was = append(before.Was, one)
	}
	t.mark, err = h.store.Begin(before, t.alone)
	return t, err
}

// Close lets the trial go, which has come to its end.
func (t *Trial) Close() { t.mark.Close() }

// add notes how a domain is, behind those that it requires: they are brought up before it, and
// so changed if their files were.
func (t *Trial) add(id domain.ID) error {
	if _, seen := t.needs[id]; seen {
		return nil
	}
	t.needs[id] = nil
	if now, err := t.h.find(id); err == nil && now.file != nil { // else nothing is brought up
		required := now.file.Requirements(id)
		if n := now.outer(); !n.IsZero() {
			required = append(required, conf.Ref{ID: n.ID()})
		}
		for _, ref := range required {
			other, err := t.h.recorded(ref.ID)
			if err == nil {
				t.needs[id] = append(t.needs[id], other)
				err = t.add(other)
			}
			if err != nil {
				return err
			}
		}
	}
	if !slices.Contains(t.up, id) {
		return nil
	}
	was, err := t.h.asItWas(id)
	if err != nil {
		return err
	}
	d, err := t.h.resolve(was)
	if err == nil {
		_, err = t.h.see(d) // and so its keys are known
	}
	if err != nil {
		return fmt.Errorf("%s could not be taken back: %w", id, err)
	}
	t.was = append(t.was, was)
	return nil
}

// asItWas returns a domain that is up with its file as that was then.
func (h *Host) asItWas(id domain.ID) (t target, err error) {
	was, err := h.store.Was(id)
	if errors.Is(err, fs.ErrNotExist) {
		if r, err := h.store.Load(id); err != nil || r.File == "" {
			return target{id: id}, err
		}
		return t, &problem.Error{Msg: fmt.Sprintf("%s: what its file said when it was brought up is not known, so nothing could be taken back", id), Err: err,
			Hint: fmt.Sprintf("an older rdomain brought it up, or one that was killed meanwhile; rdomain reload %s, without --try, with the file as it was", id)}
	}
	if err != nil {
		return t, err
	}
	return recall(id, was)
}

// recall returns a domain with the file that it was brought up with.
func recall(id domain.ID, was record.Was) (t target, err error) {
	root := conf.Recall(was.Notes)
	if was.Notes == nil {
		root = conf.Machine()
	}
	f, err := conf.Parse(conf.Path(id), id, was.Text, root)
	if err != nil {
		return t, fmt.Errorf("%s as it was brought up: %w", id, err)
	}
	f.Text = was.Text
	return target{id, f}, nil
}

// standing returns a domain with its file, and what that names, as it was when it was brought
// up: what the files say since then is not up yet. Where that was not written down, or not for the
// caller, it is as its file is. Where it was, and cannot be understood, that is an error.
func (h *Host) standing(id domain.ID) (target, error) {
	if h.store == nil {
		return h.find(id)
	}
	t, err := h.asItWas(id)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), err == nil && t.file == nil:
		return h.find(id)
	}
	return t, err
}

// needed finds another domain that a target needs: as it was brought up, if the target is.
func (h *Host) needed(t target, id domain.ID) (target, error) {
	if t.file.Recalled() {
		return h.standing(id)
	}
	return h.find(id)
}

// remember calls f, which brings a domain up, and writes down with what. While f works, and
// where it was killed, that is not known; where it fails, it is what it was.
func (h *Host) remember(t target, f func() error) error {
	var now record.Was
	has := t.file != nil
	if has {
		now = record.Was{Text: t.file.Text, Notes: t.file.Notes()}
	}
	was, err := h.store.Was(t.id)
	known, there := err == nil, !errors.Is(err, fs.ErrNotExist)
	if known == has && there == known && was.Equal(now) {
		return f()
	}
	if there {
		if err := h.store.Forget(t.id); err != nil {
			return err
		}
	}
	failed := f()
	if failed != nil {
		now, has = was, known
	}
	if has {
		if err := h.store.SaveWas(t.id, now); err != nil { // it is up all the same
			h.say(t.id, "%v; so reload --try can take nothing back", err)
		}
	}
	return failed
}

// Confirmed reports whether somebody has confirmed each domain of the trial.
func (t *Trial) Confirmed() bool { return !slices.ContainsFunc(t.list, t.mark.Marked) }

// End ends the trial: nobody can confirm it any more. It returns the domains that nobody has
// confirmed before.
func (t *Trial) End() (left []domain.ID, err error) {
	for _, id := range t.list {
		switch e := t.mark.Unmark(id); {
		case errors.Is(e, fs.ErrNotExist):
		default:
			left, err = append(left, id), errors.Join(err, e)
		}
	}
	return left, err
}

// Back makes domains, which are those that End returned, and what they required what they were:
// those that were up as their files were then, and the others down, with what they brought up.
// What the confirmed ones require stays, and what others did since Done.
func (t *Trial) Back(left []domain.ID) (err error) {
	confirmed := slices.DeleteFunc(slices.Clone(t.list), func(id domain.ID) bool { return slices.Contains(left, id) })
	changed, kept := t.with(left), t.with(confirmed)
	for _, was := range t.was {
		switch {
		case !slices.Contains(changed, was.id) || slices.Contains(kept, was.id):
			continue
		case t.theirs(was.id):
			t.h.say(was.id, "it was changed by another call meanwhile, and stays as it is")
			continue
		}
		if e := t.h.bringUp(was, true, nil); e != nil {
			err = errors.Join(err, fmt.Errorf("taking back %s: %w", was.id, e))
		}
	}
	stays := t.made(confirmed)
	made, e := t.spare(slices.DeleteFunc(t.made(left), func(id domain.ID) bool { return slices.Contains(stays, id) || t.theirs(id) }))
	err = errors.Join(err, e)
	for _, wave := range t.h.Waves(made) {
		for _, id := range wave {
			if _, e := t.h.Down(id); e != nil {
				err = errors.Join(err, fmt.Errorf("taking back %s: %w", id, e))
			}
		}
	}
	return err
}

// with returns domains of the trial, and what they required.
func (t *Trial) with(of []domain.ID) (list []domain.ID) {
	for list = slices.Clone(of); len(of) > 0; of = of[1:] {
		for _, other := range t.needs[of[0]] {
			if !slices.Contains(list, other) {
				list, of = append(list, other), append(slices.Clone(of), other)
			}
		}
	}
	return list
}

// made are domains, and those that they require, that were not up before.
func (t *Trial) made(of []domain.ID) (list []domain.ID) {
	var add func(domain.ID)
	add = func(id domain.ID) {
		if slices.Contains(t.up, id) || slices.Contains(list, id) || !t.h.store.Has(id) {
			return
		}
		list = append(list, id)
		r, err := t.h.store.Load(id)
		if err != nil {
			r = &record.Record{}
		}
		for _, other := range r.Requires {
			add(other)
		}
	}
	for _, id := range t.with(of) { // one that was up may have come to require others
		id, _ = t.h.recorded(id)
		add(id)
	}
	return list
}

// Confirm ends the trials of domains, so that what was changed stays.
func (h *Host) Confirm(asked domain.ID) error {
	id, err := h.recorded(asked)
	if err != nil {
		return err
	}
	if err = h.store.Unmark(id); errors.Is(err, fs.ErrNotExist) {
		return &problem.Error{Msg: fmt.Sprintf("%s: no change is on trial", id)}
	}
	return err
}

// Tried returns the domains that have a change on trial.
func (h *Host) Tried() ([]domain.ID, error) { return h.store.Marks() }
