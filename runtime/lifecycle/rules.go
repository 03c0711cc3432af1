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
// namespace, with what was changed in w.rules.
func (w *work) withRules(f func() error) error {
	id := w.ID()
	if id == (netns.ID{}) {
		return f() // the namespace is gone, and its rules are
	}
	lock, err := w.h.store.LockRules(id)
	if err != nil {
		return err
	}
	w.rules, err = w.h.store.LoadRules(id)
	if errors.Is(err, fs.ErrNotExist) {
		w.rules, err = &record.Rules{Netns: w.Netns}, nil
	}
	if err != nil {
		lock.Unlock()
		return err
	}
	w.fresh = &record.Rules{Netns: w.rules.Netns, Added: slices.Clone(w.rules.Added), Deleted: slices.Clone(w.rules.Deleted)}
	err = f()
	if len(w.rules.Added)+len(w.rules.Deleted) == 0 {
		// A save that was killed may have left a file.
		if left := w.h.store.RemoveRules(id); err == nil {
			err = left
		}
		lock.Remove()
	} else {
		lock.Unlock()
	}
	w.rules, w.fresh = nil, nil
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
func (w *work) intendRules(steps []object.Step) error {
	changes := false
	for _, step := range steps {
		rule, ok := changesRule(step)
		if !ok {
			continue
		}
		changes = true
		list := &w.rules.Added
		if step.Verb == object.Delete {
			list = &w.rules.Deleted
		}
		if !slices.ContainsFunc(*list, rule.Same) {
			*list = append(*list, rule)
		}
	}
	if !changes {
		return nil
	}
	return w.h.store.SaveRules(w.ID(), w.rules)
}

// forgetRule takes out of the record a rule that was there before.
func (w *work) forgetRule(rule object.Rule) {
	if w.rules != nil {
		w.rules.Added = slices.DeleteFunc(w.rules.Added, rule.Same)
	}
}

// undoRules takes back the changes of rules that the work did. Those that it
// meant to do, and did not come to, are no longer recorded.
func (w *work) undoRules() error {
	if w.rules == nil || w.fresh == nil {
		return nil
	}
	var added, deleted []object.Rule
	for _, step := range w.did {
		rule, ok := changesRule(step)
		switch {
		case !ok:
		case step.Verb == object.Delete:
			deleted = append(deleted, rule)
		default:
			added = append(added, rule)
		}
	}
	w.rules = w.fresh
	return w.restoreRules(added, deleted)
}

// restoreRules takes rules back in the kernel, then in the record.
func (w *work) restoreRules(added, deleted []object.Rule) error {
	c, err := w.Conn(w.Netns)
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
	for _, step := range plan.LastRules(w.Netns, added, deleted, have) {
		if _, err := w.Do(step, &record.Record{}); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	if len(w.rules.Added)+len(w.rules.Deleted) == 0 {
		return nil // withRules removes the record
	}
	return w.h.store.SaveRules(w.ID(), w.rules)
}

// lastVRF takes the rules back if there is no VRF left in the namespace.
func (w *work) lastVRF() error {
	c, err := w.Conn(w.Netns)
	if err != nil || w.rules == nil {
		return nil // gone with the namespace
	}
	vrfs, err := c.Links("vrf")
	if err != nil || len(vrfs) > 0 {
		return err
	}
	added, deleted := w.rules.Added, w.rules.Deleted
	if len(added)+len(deleted) == 0 {
		return nil
	}
	w.rules.Added, w.rules.Deleted = nil, nil
	return w.restoreRules(added, deleted)
}
