package lifecycle

import (
	"fmt"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/record"
)

// state is how a domain is.
func (h *Host) state(id domain.ID) record.State {
	s := record.State{Up: h.store.Has(id)}
	if was, err := h.store.Was(id); err == nil {
		s.Was = &was
	}
	return s
}

// Done notes how the trial has left the domains. What others do with them from then on, while
// it waits, is not its to take back.
func (t *Trial) Done() error {
	for id := range t.needs {
		t.left[id] = t.h.state(id)
	}
	return t.mark.Note(t.left)
}

// theirs reports whether somebody else has changed a domain since Done, so that it stays: one
// that another of the trial requires in any way, and one of the trial itself by a down. What
// else is done to that is on trial with it.
func (t *Trial) theirs(id domain.ID) bool {
	left, noted := t.left[id]
	now := t.h.state(id)
	switch {
	case !noted || left.Equal(now):
		return false
	case slices.Contains(t.list, id):
		return left.Up && !now.Up
	}
	return true
}

// spare leaves out of domains that are to be brought down those that one requires which is up,
// and stays so. What was asked for by its name is brought down in any case, as down does.
func (t *Trial) spare(down []domain.ID) ([]domain.ID, error) {
	up, err := t.h.Recorded()
	for i := 0; i < len(up) && err == nil; i++ {
		if slices.Contains(down, up[i]) {
			continue
		}
		r, e := t.h.load(up[i])
		if e != nil {
			return nil, e
		}
		for _, other := range r.Requires {
			if at := slices.Index(down, other); at >= 0 && !slices.Contains(t.list, other) {
				down = slices.Delete(down, at, at+1)
				i = -1 // that one requires others
			}
		}
	}
	return down, err
}

// alone refuses a trial of domains of which some are on another already: as what a domain
// requires, or because they require one.
func (t *Trial) alone() error {
	for id := range t.needs {
		if t.h.store.Marked(id) {
			return t.h.onTrial(id)
		}
	}
	marks, err := t.h.store.Marks()
	for _, id := range marks {
		for _, other := range t.h.required(id) {
			if slices.Contains(t.list, other) {
				e := t.h.onTrial(id)
				e.Msg += fmt.Sprintf(", and it requires %s", other)
				return e
			}
		}
	}
	return err
}

// required returns what a domain that is up requires, and what those do.
func (h *Host) required(id domain.ID) (list []domain.ID) {
	for todo := []domain.ID{id}; len(todo) > 0; todo = todo[1:] {
		r, err := h.load(todo[0])
		if err != nil {
			continue
		}
		for _, other := range r.Requires {
			if !slices.Contains(list, other) {
				list, todo = append(list, other), append(todo, other)
			}
		}
	}
	return list
}

func (h *Host) onTrial(id domain.ID) *problem.Error {
	if h.isAbandoned(id) {
		return &problem.Error{Msg: fmt.Sprintf("%s: %s", id, abandoned), Hint: wayOut(id)}
	}
	return &problem.Error{Msg: fmt.Sprintf("%s: a change is on trial already", id), Hint: fmt.Sprintf("rdomain confirm %s keeps it", id)}
}
