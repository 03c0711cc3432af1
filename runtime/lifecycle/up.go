package lifecycle

import (
	"errors"
	"fmt"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// Up makes the kernel have what the domain's file wants. It is idempotent. If a
// step fails, what this call did is taken back in reverse and the error names
// the step and the line of the file that it comes from.
func (h *Host) Up(id domain.ID) error {
	t, err := h.find(id)
	if err != nil {
		return err
	}
	_, both := id.Both()
	if hint := h.unknown(t); hint != "" && !both {
		h.say(id, "making an empty namespace: %s", hint)
	}
	return h.bringUp(t, false, nil)
}

// Reload removes what was made and the file no longer wants, and then does what Up
// does. What both want is not touched. What nobody knows is an error.
func (h *Host) Reload(id domain.ID) error {
	t, err := h.find(id)
	if err != nil {
		return err
	}
	if hint := h.unknown(t); hint != "" {
		return &problem.Error{Msg: fmt.Sprintf("%s: nothing of that name is up, and %s", id, hint)}
	}
	return h.bringUp(t, true, nil)
}

// bringUp brings a domain up that those in chain wait for: what it requires first,
// then the namespace that a VRF lives in, then the domain itself.
func (h *Host) bringUp(t target, reload bool, chain []domain.ID) error {
	if t.file == nil {
		return h.bringUpOne(t, &kernel.Inputs{}, reload)
	}
	// Whatever may be wrong with the file is found before anything is made.
	full, in, err := kernel.Gather(t.file)
	if err != nil {
		return err
	}
	t.file = full
	itself := func() error { return h.bringUpOne(t, in, reload) }
	if !t.file.Managed {
		return itself()
	}
	chain = append(slices.Clip(chain), t.id)
	if err := h.require(t, chain); err != nil {
		return err
	}
	if n := t.outer(); !n.IsZero() {
		return h.whileUp(n, t, chain, itself)
	}
	return itself()
}

// bringUpOne brings one domain up under its lock.
func (h *Host) bringUpOne(t target, in *kernel.Inputs, reload bool) error {
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	return h.remember(t, func() error {
		err := h.decide(t, in, reload)
		if errors.Is(err, kernel.ErrMeanwhile) {
			err = h.decide(t, in, reload) // and find that it is foreign
		}
		return err
	})
}

// whileUp calls f while the namespace of a VRF is up, as a domain of its own, and
// cannot be brought down. If f fails, a namespace that was not up before is
// brought down again. chain are the domains that wait for the namespace.
func (h *Host) whileUp(n domain.NetnsName, vrf target, chain []domain.ID, f func() error) error {
	id := n.ID()
	was := h.store.Has(id)
	t, err := h.needed(vrf, id)
	if err == nil {
		err = h.bringUp(t, false, chain)
	}
	if err != nil {
		return fmt.Errorf("netns %s for %s: %w", n, vrf.id, err)
	}
	if !h.store.Has(id) {
		return f() // used, not owned
	}
	lock, err := h.store.Share(id)
	if err != nil {
		return err
	}
	err = f()
	lock.Unlock()
	if err != nil && !was {
		if _, down := h.down(id, true); down != nil {
			return fmt.Errorf("%w; taking back netns %s: %w", err, n, down)
		}
	}
	return err
}

// unlock gives a domain's lock back, and removes its file where there is no
// record, so that none is left of what is not up.
func (h *Host) unlock(id domain.ID, lock *record.Lock) {
	if h.store.Has(id) {
		lock.Unlock()
	} else {
		lock.Remove()
	}
}

// decide finds out what a domain is, and makes it, pins the program of a VRF that
// somebody else made, or leaves it alone. The caller holds the domain's lock.
func (h *Host) decide(t target, in *kernel.Inputs, reload bool) error {
	d, err := h.resolve(t)
	if err != nil {
		return err
	}
	if d.kind == foreign && d.f.Kind == conf.Netns {
		return nil
	}
	if reload && d.remade() {
		if _, err := h.removeAll(t.id, d.r); err != nil {
			return err
		}
		d.r = &record.Record{}
	}
	if d.kind == awaited {
		if err := h.await(d.id, d.f); err != nil {
			return err
		}
	}
	w, err := h.begin(d, in)
	if err != nil {
		return err
	}
	defer w.Close()
	switch {
	case d.kind != ours && d.f.Kind == conf.Netns:
		return nil
	case d.kind != ours:
		if err := w.useVRF(); err != nil {
			return err
		}
		return w.KnowMembers(w.f.Domain)
	}
	if t.file != nil {
		if err := h.clash(t.file); err != nil {
			return err
		}
		if err := h.outers(t, d.f.Domain, in); err != nil {
			return err
		}
		if err := w.leaveLater(); err != nil {
			return w.byItsName(err)
		}
		if err := w.awaitLinks(); err != nil {
			return err
		}
	}
	if err := w.up(reload); err != nil {
		return err
	}
	if err := w.acquire(); err != nil {
		return err
	}
	if d.f.Kind == conf.VRF {
		if err := w.KnowMembers(w.f.Domain); err != nil {
			return err
		}
	}
	w.warn()
	return nil
}

// begin opens what the work on a domain needs.
func (h *Host) begin(d *resolved, in *kernel.Inputs) (*work, error) {
	if d.r.Home == (netns.ID{}) {
		d.r.Home = h.home.ID()
	} else if !d.r.Home.Same(h.home.ID()) {
		return nil, fmt.Errorf("%s was brought up from another network namespace; run rdomain there", d.id)
	}
	d.r.Requires = nil
	for _, ref := range d.f.Requirements(d.id) {
		d.r.Requires = append(d.r.Requires, ref.ID)
	}
	if n := d.outer(); !n.IsZero() {
		d.r.Requires = append(d.r.Requires, n.ID())
	}
	w, err := h.open(d.f.Domain.Netns)
	if err != nil {
		return nil, err
	}
	w.id, w.plain, w.r, w.found = d.id, d.f, d.r, d.r
	w.f = d.f.With(d.r.Leases, dhcp.Uptime())
	w.Inputs, w.Timeout = in, d.f.Timeout
	return w, nil
}

// remade reports whether a reload cannot change what is recorded into what the
// file wants, but must remove all of it first.
func (d *resolved) remade() bool {
	if d.r.Domain.IsDefault() {
		return false
	}
	other := d.r.Domain != d.f.Domain || d.kind == awaited
	record.Of(d.r, func(l object.Link, _ record.Identity) {
		other = other || l.Kind == "vrf" && l.Table != d.f.Table
	})
	return other
}

// useVRF pins the program of a VRF that somebody else made.
func (w *work) useVRF() error {
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return err
	}
	name := w.f.Domain.VRF.String()
	if table := have.Inside[name].Table; w.f.Table != 0 && table != w.f.Table {
		return plan.Conflict(w.f.At(w.f.KindLine), "vrf %s has table %d, want %d", name, table, w.f.Table)
	}
	p := &plan.Plan{Steps: plan.Foreign(w.f.Domain, have), Record: w.r.Clone()}
	p.Record.Domain, p.Record.File = w.f.Domain, w.f.Path
	return w.apply(p)
}

// rounds bounds how often a plan is made and done. One is enough, unless the
// kernel does something by itself, as it adds a rule with the first VRF or
// drops a route with a link that moves.
const rounds = 3

// up makes what the file wants: it plans, does it, and plans again until nothing is
// left to do. For a VRF it holds the rules that the VRFs of a namespace share.
func (w *work) up(reload bool) error {
	if w.f.Kind == conf.VRF {
		return w.withRules(func() error { return w.make(reload) })
	}
	return w.make(reload)
}

// make is what up does, by a caller that holds the rules of a VRF.
func (w *work) make(reload bool) error {
	if reload {
		if err := w.drop(); err != nil {
			return err
		}
	}
	if d := w.r.Domain; !d.IsDefault() && d != w.f.Domain {
		return fmt.Errorf("%s is up as %s, %s says %s now; reload it", w.id, d, w.f.Path, w.f.Domain)
	}
	w.Half = w.r.Made() != nil
	if err := w.converge(); err != nil {
		return err
	}
	err := w.usable()
	if err != nil && len(w.did) > 0 && !errors.Is(err, errTaken) {
		return w.giveUp(w.r, err)
	}
	return err
}

// converge plans and does until nothing is left to do.
func (w *work) converge() error {
	for range rounds {
		changed, err := w.round()
		if err != nil || !changed || w.f.Kind == conf.Netns && !hasTaken(w.r) {
			return err
		}
	}
	p, err := w.plan()
	if err != nil {
		return err
	}
	if len(p.Steps) > 0 {
		return w.giveUp(w.r, fmt.Errorf("%s: the kernel undoes this step each time: %s", w.id, p.Steps[0]))
	}
	return w.apply(p)
}

// round plans and does all that is to be done now. A plan may be partial: with the
// namespace there, and then its links, more is known.
func (w *work) round() (changed bool, err error) {
	for range rounds {
		p, err := w.plan()
		if err != nil {
			return changed, err
		}
		p.CutAtUnknown(w.r)
		if err := w.apply(p); err != nil {
			return changed, err
		}
		if changed = changed || len(p.Steps) > 0; !p.Partial {
			break
		}
	}
	return changed, nil
}

// plan says what is to be done now. If that fails, what was done is taken back.
func (w *work) plan() (*plan.Plan, error) {
	have, err := w.Read(w.f, w.r)
	if err == nil {
		var p *plan.Plan
		if p, err = plan.Up(w.f, have, w.r); err == nil {
			return p, nil
		}
	}
	if len(w.did) > 0 {
		err = w.giveUp(w.r, err)
	}
	return nil, err
}

// hasTaken reports whether links were taken.
func hasTaken(r *record.Record) (yes bool) {
	record.Of(r, func(object.Taken, record.Identity) { yes = true })
	return yes
}
