package lifecycle

import (
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// DryReload returns what Reload would do now.
func (h *Host) DryReload(id domain.ID) ([]object.Step, error) {
	v, err := h.look(id)
	if err != nil {
		return nil, err
	}
	return h.reload(v)
}

// DryDown returns what Down would do now.
func (h *Host) DryDown(id domain.ID) ([]object.Step, error) {
	if h.store == nil {
		return nil, nil
	}
	id, err := h.recorded(id)
	if err != nil {
		return nil, err
	}
	r, err := h.load(id)
	if err != nil || r.Empty() {
		return nil, err
	}
	have, err := h.recordedState(r)
	if err != nil {
		return nil, err
	}
	return plan.Down(r, have).Steps, nil
}

// DryRun returns a function that says what Up would do, for the domains that one
// requires too. Steps that an earlier call returned count as done.
func (h *Host) DryRun() func(domain.ID) ([]object.Step, error) {
	s := &dryRun{h: h, planned: map[domain.ID]bool{}}
	return func(id domain.ID) ([]object.Step, error) {
		from := len(s.steps)
		err := s.add(id, nil)
		return s.steps[from:], err
	}
}

// dryRun is what up would do for several domains.
type dryRun struct {
	h       *Host
	planned map[domain.ID]bool
	steps   []object.Step
}

// add plans a domain that those in chain wait for, after what it requires.
func (s *dryRun) add(id domain.ID, chain []domain.ID) error {
	if s.planned[id] {
		return nil
	}
	s.planned[id] = true
	v, err := s.h.look(id)
	if err != nil {
		return err
	}
	if v.kind == ours && v.file != nil {
		chain = append(slices.Clip(chain), v.id)
		before := v.f.Requirements(v.id)
		if n := v.outer(); !n.IsZero() {
			before = append(before, conf.Ref{Line: v.f.KindLine, ID: n.ID()})
		}
		for _, ref := range before {
			if err := inCircle(v.f, ref, chain); err != nil {
				return err
			}
			if err := s.add(ref.ID, chain); err != nil {
				return fmt.Errorf("%s for %s: %w", ref.ID, v.id, err)
			}
		}
	}
	v.have.Before = s.steps
	own, err := v.steps()
	s.steps = append(s.steps, own...)
	return err
}
