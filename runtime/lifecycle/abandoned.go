package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/domain"
	"rdgen/runtime/record"
)

// abandoned is what is said of a trial whose process was killed.
const abandoned = "a change is on trial, and the process that kept it is gone"

// wayOut says how such a trial ends.
func wayOut(id domain.ID) string {
	return fmt.Sprintf("rdomain confirm %s keeps the change, rdomain watch takes it back", id)
}

// isAbandoned reports whether a domain is on a trial that no process keeps. Who may not know
// is told nothing.
func (h *Host) isAbandoned(id domain.ID) bool {
	if h.store == nil {
		return false
	}
	mark, err := h.store.Trial(id)
	if err != nil {
		return false
	}
	defer mark.Close()
	return !mark.Kept()
}

// endAbandoned ends a trial that no process keeps, of a domain that is down now. One that is
// kept goes on: it finds out by itself.
func (h *Host) endAbandoned(id domain.ID) error {
	mark, err := h.store.Trial(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer mark.Close()
	if mark.Kept() {
		return nil
	}
	if err = mark.Unmark(id); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Guard stands by a trial that another process keeps.
type Guard struct {
	h    *Host
	id   domain.ID
	mark *record.Trial
}

// Guard stands by the trial that a domain is on. The error matches fs.ErrNotExist if it is on
// none.
func (h *Host) Guard(id domain.ID) (*Guard, error) {
	mark, err := h.store.Trial(id)
	if err != nil {
		return nil, err
	}
	return &Guard{h, id, mark}, nil
}

// Same reports whether both stand by the same trial.
func (g *Guard) Same(o *Guard) bool { return g.mark.Same(o.mark) }

// Close gives the descriptor back, and lets the trial go.
func (g *Guard) Close() { g.mark.Close() }

// Wait waits until no other process keeps the trial. If that process was killed before the end
// it returns the trial, which is kept by this one, and else nil. Where the error is not nil,
// nothing can be taken back.
func (g *Guard) Wait() (*Trial, error) {
	t, err := g.wait()
	if err != nil {
		g.mark.Leave()
		return nil, fmt.Errorf("%s: %s, and cannot be taken back: %w", g.id, abandoned, err)
	}
	return t, nil
}

func (g *Guard) wait() (*Trial, error) {
	if err := g.mark.Keep(); err != nil {
		return nil, err
	}
	b, left, err := g.mark.Read()
	if err != nil || !slices.ContainsFunc(b.List, g.mark.Marked) {
		return nil, err
	}
	h := newHost(g.h.home, g.h.store) // which reads again what this one has read once
	h.Say = g.h.Say
	t := &Trial{h: h, list: b.List, up: b.Up, needs: b.Needs, left: left, mark: g.mark}
	return t, t.recall(b.Was)
}

// recall has the trial know the domains as they were.
func (t *Trial) recall(list []record.Standing) error {
	for _, one := range list {
		was := target{id: one.ID}
		if one.Was != nil {
			var err error
			if was, err = recall(one.ID, *one.Was); err != nil {
				return err
			}
		}
		t.was = append(t.was, was)
	}
	return nil
}
