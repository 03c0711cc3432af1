package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// withRules calls f while nobody else changes the rules of the domain's
// namespace, with what was changed in s.rules.
func (s *session) withRules(f func() error) error {
	id := s.id()
	if id == (netns.ID{}) {
		return f() // the namespace is gone, and its rules are
	}
	lock, err := s.h.store.LockRules(id)
	if err != nil {
		return err
	}
	s.rules, err = s.h.store.LoadRules(id)
	if errors.Is(err, fs.ErrNotExist) {
		s.rules, err = &record.Rules{Netns: s.netns}, nil
	}
	if err != nil {
		lock.Unlock()
		return err
	}
	s.fresh = &record.Rules{Netns: s.rules.Netns, Added: slices.Clone(s.rules.Added), Deleted: slices.Clone(s.rules.Deleted)}
	err = f()
	if len(s.rules.Added)+len(s.rules.Deleted) == 0 {
		// A save that was killed may have left a file.
		if left := s.h.store.RemoveRules(id); err == nil {
			err = left
		}
		lock.Remove()
	} else {
		lock.Unlock()
	}
	s.rules, s.fresh = nil, nil
	return err
}

// changesRule returns the rule that a step adds or deletes and that is to be
// taken back with the last VRF. The rule that the kernel adds with the first VRF
// is the kernel's, also where it had to be added again: it stays.
func changesRule(step object.Step) (object.Rule, bool) {
	rule, ok := step.Object.(object.Rule)
	return rule, ok && rule.Shared() && rule.Pref != plan.PrefL3mdev
}

// intendRules writes down which rules the steps change, before they do.
func (s *session) intendRules(steps []object.Step) error {
	changes := false
	for _, step := range steps {
		rule, ok := changesRule(step)
		if !ok {
			continue
		}
		changes = true
		list := &s.rules.Added
		if step.Verb == object.Delete {
			list = &s.rules.Deleted
		}
		if !slices.ContainsFunc(*list, rule.Same) {
			*list = append(*list, rule)
		}
	}
	if !changes {
		return nil
	}
	return s.h.store.SaveRules(s.id(), s.rules)
}

// forgetRule takes out of the record a rule that was there before.
func (s *session) forgetRule(rule object.Rule) {
	if s.rules != nil {
		s.rules.Added = slices.DeleteFunc(s.rules.Added, rule.Same)
	}
}

// undoRules takes back the changes of rules that the session did. Those that it
// meant to do, and did not come to, are no longer recorded.
func (s *session) undoRules() error {
	if s.rules == nil || s.fresh == nil {
		return nil
	}
	var added, deleted []object.Rule
	for _, step := range s.did {
		rule, ok := changesRule(step)
		switch {
		case !ok:
		case step.Verb == object.Delete:
			deleted = append(deleted, rule)
		default:
			added = append(added, rule)
		}
	}
	s.rules = s.fresh
	return s.restoreRules(added, deleted)
}

// restoreRules takes rules back in the kernel, then in the record.
func (s *session) restoreRules(added, deleted []object.Rule) error {
	c, err := s.conn(s.netns)
	if err != nil {
		return nil // gone with the namespace
	}
	var have []object.Rule
	for _, v6 := range []bool{false, true} {
		rules, err := c.Rules(v6)
		if err != nil {
			return err
		}
		have = append(have, rules...)
	}
	for _, step := range plan.LastRules(s.netns, added, deleted, have) {
		if _, err := s.do(step, &record.Record{}); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	if len(s.rules.Added)+len(s.rules.Deleted) == 0 {
		return nil // withRules removes the record
	}
	return s.h.store.SaveRules(s.id(), s.rules)
}

// lastVRF takes the rules back if there is no VRF left in the namespace.
func (s *session) lastVRF() error {
	c, err := s.conn(s.netns)
	if err != nil || s.rules == nil {
		return nil // gone with the namespace
	}
	vrfs, err := c.Links("vrf")
	if err != nil || len(vrfs) > 0 {
		return err
	}
	added, deleted := s.rules.Added, s.rules.Deleted
	if len(added)+len(deleted) == 0 {
		return nil
	}
	s.rules.Added, s.rules.Deleted = nil, nil
	return s.restoreRules(added, deleted)
}
