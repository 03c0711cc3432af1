package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// apply does a plan. All that it may make is recorded before the first step;
// what a step made is recorded with its identity after it. In the end p.Record
// is what is recorded. When a step fails, all that the session did is taken back
// and the record is again what it was.
func (s *session) apply(id domain.ID, f *conf.File, old *record.Record, p *plan.Plan) error {
	if len(p.Steps) == 0 && old.Complete {
		return nil
	}
	if s.before == nil {
		s.before = p.Record.Clone()
	}
	intent, done := p.Record.Clone(), p.Record.Clone()
	intent.Complete = false
	for _, step := range p.Steps {
		p.Note(intent, step, record.Identity{})
	}
	err := s.intendRules(p.Steps)
	if err == nil {
		err = s.save(id, intent)
	}
	if err != nil && len(s.did) > 0 {
		return s.giveUp(id, done, err)
	}
	if err != nil {
		return err
	}
	for _, step := range p.Steps {
		made, err := s.do(step, intent)
		if rule, ok := step.Object.(object.Rule); ok && errors.Is(err, fs.ErrExist) {
			if rule.Shared() {
				s.forgetRule(rule) // somebody else was first
			}
			continue
		}
		if err != nil {
			// It may have been done all the same, and only the question about
			// it failed. What exists already is somebody else's.
			if !errors.Is(err, fs.ErrExist) {
				p.Note(done, step, made)
			}
			return s.giveUp(id, done, failure(f, id, step, err))
		}
		s.did = append(s.did, step)
		p.Note(done, step, made)
		p.Note(intent, step, made)
		if identifies(step) {
			if err := s.save(id, intent); err != nil {
				return s.giveUp(id, done, err)
			}
		}
	}
	done.Complete = !p.Partial
	if err := s.save(id, done); err != nil {
		return s.giveUp(id, done, err)
	}
	p.Record = done
	return nil
}

// giveUp takes back what the session did, because of err.
func (s *session) giveUp(id domain.ID, done *record.Record, err error) error {
	undo := s.undo(done)
	if undo == nil {
		undo = s.save(id, s.before)
	}
	if undo != nil {
		return fmt.Errorf("%w; taking back what was done: %w", err, undo)
	}
	return err
}

// identifies reports whether a step makes something whose identity must be
// known to remove it.
func identifies(s object.Step) bool {
	switch t := s.Object.(type) {
	case object.Netns, object.Link:
		return true
	case object.Setting:
		return t.What == "netns"
	}
	return false
}

// failure is the error of a step: which line asked for it, what ip(8) would call
// it, and what the kernel said.
func failure(f *conf.File, id domain.ID, step object.Step, err error) error {
	if step.Line != 0 {
		return fmt.Errorf("%s:%d: %s: %w", f.Path, step.Line, step, err)
	}
	return fmt.Errorf("%s: %s: %w", id, step, err)
}

// undo takes back the steps that were done: first what they changed, last one
// first, then what they added, as down would.
func (s *session) undo(done *record.Record) error {
	for _, step := range slices.Backward(s.did) {
		if back, ok := step.Undo(); ok {
			if _, err := s.do(back, done); err != nil {
				return fmt.Errorf("%s: %w", back, err)
			}
		}
	}
	if err := s.undoWireGuard(); err != nil {
		return err
	}
	added := done.Minus(s.before)
	have, err := s.read(nil, added)
	if err != nil {
		return err
	}
	if err := s.remove(plan.Down(added, have).Steps, added); err != nil {
		return err
	}
	return s.undoRules()
}

// remove does steps that remove what r records, and stops at the first that
// fails: a link that could not be given back must not die with its namespace.
func (s *session) remove(steps []object.Step, r *record.Record) error {
	for _, step := range steps {
		if _, err := s.do(step, r); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// save writes the record, or removes it if it records nothing.
func (s *session) save(id domain.ID, r *record.Record) error {
	if r.Empty() {
		return s.h.store.Remove(id)
	}
	return s.h.store.Save(id, r)
}

// drop removes what is recorded and the file no longer wants, and takes it out
// of r.
func (s *session) drop(id domain.ID, f *conf.File, r *record.Record) error {
	have, err := s.read(f, r)
	if err != nil {
		return err
	}
	unwanted := plan.Unwanted(f, have, r)
	if unwanted.Empty() {
		return nil
	}
	if err := s.remove(plan.Down(unwanted, have).Steps, unwanted); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	*r = *r.Minus(unwanted)
	r.Complete = false
	clear(s.index)
	return s.save(id, r)
}
