package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// work is the transaction on one domain, under its lock: what was done so far, and how
// it was before.
type work struct {
	*kernel.Session
	h  *Host
	id domain.ID
	// offered is the address of a lease that is being tried: see give.
	offered netip.Addr
	// plain is the domain's file, and f that with what its leases provide. r is what is
	// recorded, and found what was at first.
	plain *conf.File
	f     *conf.File
	r     *record.Record
	found *record.Record
	// did are the steps done so far, and before is the record without them.
	did    []object.Step
	before *record.Record
	// rules are the namespace's changed rules; not nil while they are locked.
	// fresh is a copy from when they were locked.
	rules, fresh *record.Rules
}

// open opens the sockets for a domain in the namespace called name, which need not
// exist.
func (h *Host) open(name domain.NetnsName) (*work, error) {
	s, err := h.home.Open(name)
	if err != nil {
		return nil, err
	}
	return &work{Session: s, h: h, r: &record.Record{}, found: &record.Record{}}, nil
}

// apply does a plan. All that it may make is recorded before the first step;
// what a step made is recorded with its identity after it. In the end w.r is
// what is recorded. When a step fails, all that the work did is taken back and the
// record is again what it was.
func (w *work) apply(p *plan.Plan) error {
	if len(p.Steps) == 0 && w.r.Complete {
		return nil
	}
	if w.before == nil {
		w.before = p.Record.Clone()
	}
	intent, done := p.Record.Clone(), p.Record.Clone()
	intent.Complete = false
	for _, step := range p.Steps {
		p.Note(intent, step, record.Identity{})
	}
	err := w.intendRules(p.Steps)
	if err == nil {
		err = w.save(intent)
	}
	if err != nil && len(w.did) > 0 {
		return w.giveUp(done, err)
	}
	if err != nil {
		return err
	}
	for _, step := range p.Steps {
		if err := w.step(p, step, intent, done); err != nil {
			return w.giveUp(done, err)
		}
	}
	done.Complete = !p.Partial
	if err := w.save(done); err != nil {
		return w.giveUp(done, err)
	}
	w.r = done
	return nil
}

// step does one step of a plan. What it made is noted in done, and in intent, which is
// saved where the identity of what was made must be known.
func (w *work) step(p *plan.Plan, step object.Step, intent, done *record.Record) error {
	w.Born = func(id netns.ID) error {
		p.Note(intent, step, record.Identity{Netns: id})
		return w.save(intent)
	}
	made, err := w.do(step, intent)
	exists := errors.Is(err, fs.ErrExist)
	switch t := step.Object.(type) {
	case object.Rule:
		if exists && t.Shared() {
			w.forgetRule(t) // somebody else was first
		}
		if exists {
			return nil
		}
	case object.Address:
		if exists && w.found.Find(t.Key()) != nil {
			// It was ours, and somebody else makes it again at this moment, as networkd
			// does when it takes a link out. The next plan tells whether it is as wanted.
			p.Note(done, step, made)
			return nil
		}
	}
	if err != nil {
		// It may have been done all the same, and only the question about it failed.
		// What exists already is somebody else's.
		if !exists {
			p.Note(done, step, made)
		}
		return w.failure(step, err)
	}
	w.did = append(w.did, step)
	p.Note(done, step, made)
	p.Note(intent, step, made)
	if identifies(step) {
		return w.save(intent)
	}
	return nil
}

// dying is how long is waited for a namespace that has lost its name, in seconds: the
// kernel removes what is in it some time later.
const dying = 10

// do does a step. A link may exist already, by its number or by the name of its other
// end, because of one in a namespace that is about to be gone. The address by which the
// gateway of a taken link is reached may be away for a moment: networkd takes it away and
// gives it again when the link moves.
func (w *work) do(step object.Step, intent *record.Record) (made record.Identity, err error) {
	made, err = w.Do(step, intent)
	late, seconds := error(nil), w.Timeout
	var what string
	switch t := step.Object.(type) {
	case object.Link:
		if step.Verb == object.Add {
			late, seconds, what = fs.ErrExist, min(seconds, dying), fmt.Sprintf("what has the number or the name of link %s to go", t.Name)
		}
	case object.Route:
		if t.Gateway.IsValid() && intent.Find(object.Taken{Netns: t.Netns, Name: t.Dev}.Key()) != nil {
			late, seconds, what = rtnl.ErrUnreachable, min(seconds, uint32(Settle/time.Second)), fmt.Sprintf("the owner of link %s to give it the address for gateway %s again", t.Dev, t.Gateway)
		}
	}
	if late == nil || !errors.Is(err, late) {
		return made, err
	}
	say := func() (string, problem.Pos) { return what, w.f.At(step.Line) }
	_ = w.h.wait(w.id, seconds, say, func() (bool, error) {
		made, err = w.Do(step, intent)
		return !errors.Is(err, late), nil
	})
	return made, err
}

// giveUp takes back what the work did, because of err.
func (w *work) giveUp(done *record.Record, err error) error {
	undo := w.undo(done)
	if undo == nil {
		undo = w.save(w.before)
	}
	if undo != nil {
		return fmt.Errorf("%w; taking back what was done: %w", err, undo)
	}
	return err
}

// identifies reports whether a step makes something whose identity must be
// known to remove it. That of a namespace is written down by Born.
func identifies(s object.Step) bool {
	switch t := s.Object.(type) {
	case object.Link:
		return true
	case object.Setting:
		return t.What == "netns"
	}
	return false
}

// failure is the error of a step: which line asked for it, what ip(8) would call
// it, and what the kernel said.
func (w *work) failure(step object.Step, err error) error {
	if step.Line != 0 {
		return fmt.Errorf("%s:%d: %s: %w", w.f.Path, step.Line, step, err)
	}
	return fmt.Errorf("%s: %s: %w", w.id, step, err)
}

// undo takes back the steps that were done: first what they changed, last one
// first, then what they added, as down would.
func (w *work) undo(done *record.Record) error {
	for _, step := range slices.Backward(w.did) {
		_, isFile := step.Object.(object.File)
		if isFile && w.before.Find(step.Object.Key()) == nil {
			continue // it was made, and changed when there was a lease: as it is now, it goes
		}
		if back, ok := step.Undo(); ok {
			if _, err := w.Do(back, done); err != nil {
				return fmt.Errorf("%s: %w", back, err)
			}
		}
	}
	if err := w.UndoWireGuard(); err != nil {
		return err
	}
	added := done.Minus(w.before)
	have, err := w.Read(nil, added)
	if err != nil {
		return err
	}
	if err := w.remove(plan.Down(added, have).Steps, added); err != nil {
		return err
	}
	return w.undoRules()
}

// remove does steps that remove what r records, and stops at the first that
// fails: a link that could not be given back must not die with its namespace.
func (w *work) remove(steps []object.Step, r *record.Record) error {
	for _, step := range steps {
		if _, err := w.Do(step, r); err != nil {
			return notRemoved(step, err)
		}
	}
	return nil
}

// notRemoved is the error of a step that removes: for a link that is given back where its
// name is another's by now, with what to do.
func notRemoved(step object.Step, err error) error {
	set, ok := step.Object.(object.Setting)
	if !ok || set.What != "netns" || !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", step, err)
	}
	return &problem.Error{Msg: fmt.Sprintf("%s: %v", step, err), Err: err, Temporary: true,
		Hint: fmt.Sprintf("rename or delete %s in %s, then try again", set.Link, where(set.To))}
}

// where names a namespace for a message.
func where(n domain.NetnsName) string {
	if n.IsZero() {
		return "the default domain"
	}
	return "netns " + n.String()
}

// save writes the record, or removes it if it records nothing.
func (w *work) save(r *record.Record) error {
	if r.Empty() {
		return w.h.store.Remove(w.id)
	}
	return w.h.store.Save(w.id, r)
}

// drop removes what is recorded and the file no longer wants, and takes it out of the
// record.
func (w *work) drop() error {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return err
	}
	unwanted := plan.Unwanted(w.f, have, w.r)
	if unwanted.Empty() {
		return nil
	}
	if err := w.remove(plan.Down(unwanted, have).Steps, unwanted); err != nil {
		return fmt.Errorf("%s: %w", w.id, err)
	}
	w.r = w.r.Minus(unwanted)
	w.r.Complete = false
	w.Forget()
	return w.save(w.r)
}
