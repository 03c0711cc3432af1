package lifecycle

import (
	"fmt"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/record"
)

// state is how a domain is: whether it is up, and with what.
type state struct {
	up    bool
	known bool
	was   record.Was
}

func (h *Host) state(id domain.ID) state {
	was, err := h.store.Was(id)
	return state{h.store.Has(id), err == nil, was}
}

func (s state) equal(o state) bool {
	return s.up == o.up && s.known == o.known && s.was.Equal(o.was)
}

// Done notes how the trial has left the domains. What others do with them from then on, while
// it waits, is not its to take back.
func (t *Trial) Done() {
	for id := range t.needs {
		t.left[id] = t.h.state(id)
	}
}

// theirs reports whether somebody else has changed a domain since Done, so that it stays: one
// that another of the trial requires in any way, and one of the trial itself by a down. What
// else is done to that is on trial with it.
func (t *Trial) theirs(id domain.ID) bool {
	left, noted := t.left[id]
	now := t.h.state(id)
	switch {
	case !noted || left.equal(now):
		return false
	case slices.Contains(t.list, id):
		return left.up && !now.up
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
			return onTrial(id)
		}
	}
	marks, err := t.h.store.Marks()
	for _, id := range marks {
		for _, other := range t.h.required(id) {
			if slices.Contains(t.list, other) {
				e := onTrial(id)
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

func onTrial(id domain.ID) *problem.Error {
	return &problem.Error{Msg: fmt.Sprintf("%s: a change is on trial already", id),
		Hint: fmt.Sprintf("rdomain confirm %s keeps it, also where what tried it was killed", id)}
}
