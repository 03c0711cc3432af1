package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// Up makes the kernel have what the domain's file wants. It is idempotent. If a
// step fails, what this call did is taken back in reverse and the error names
// the step and the line of the file that it comes from.
func (h *Host) Up(id domain.ID) error { return h.up(id, false) }

// Reload removes what was made and the file no longer wants, and then is Up.
// What both want is not touched.
func (h *Host) Reload(id domain.ID) error { return h.up(id, true) }

func (h *Host) up(id domain.ID, reload bool) error { return h.upAfter(id, reload, nil) }

// upAfter is up for a domain that those in chain wait for.
func (h *Host) upAfter(id domain.ID, reload bool, chain []domain.ID) error {
	t, err := h.find(id)
	if err != nil {
		return err
	}
	in := &inputs{}
	if t.file != nil {
		// Whatever may be wrong with the file is found before anything is made.
		if in, err = gather(t.file); err != nil {
			return err
		}
		if t.file.Managed {
			if err := h.require(t, append(slices.Clip(chain), t.id)); err != nil {
				return err
			}
		}
	}
	n := t.outer()
	if n.IsZero() || t.file == nil || !t.file.Managed {
		return h.one(t, in, reload)
	}
	return h.inside(n, t.id, func() error { return h.one(t, in, reload) })
}

// one brings one domain up under its lock.
func (h *Host) one(t target, in *inputs, reload bool) error {
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	if err = h.locked(t, in, reload); errors.Is(err, errMeanwhile) {
		err = h.locked(t, in, reload) // and find that it is foreign
	}
	return err
}

// inside calls f while the namespace of a VRF is up, as a domain of its own, and
// cannot be brought down. If f fails, a namespace that was not up before is
// brought down again.
func (h *Host) inside(n domain.Netns, vrf domain.ID, f func() error) error {
	id := n.ID()
	_, was := h.store.Load(id)
	if err := h.Up(id); err != nil {
		return fmt.Errorf("netns %s for %s: %w", n, vrf, err)
	}
	if _, err := h.store.Load(id); err != nil {
		return f() // used, not owned
	}
	lock, err := h.store.Share(id)
	if err != nil {
		return err
	}
	err = f()
	lock.Unlock()
	if err != nil && errors.Is(was, fs.ErrNotExist) {
		if _, down := h.down(id, true); down != nil {
			return fmt.Errorf("%w; taking back netns %s: %w", err, n, down)
		}
	}
	return err
}

// unlock gives a domain's lock back, and removes its file where there is no
// record, so that none is left of what is not up.
func (h *Host) unlock(id domain.ID, lock *record.Lock) {
	if _, err := h.store.Load(id); errors.Is(err, fs.ErrNotExist) {
		lock.Remove()
		return
	}
	lock.Unlock()
}

// outer returns the namespace that a VRF lives in, zero for home's.
func (t target) outer() domain.Netns {
	if t.file != nil && t.file.Kind == conf.VRF {
		return t.file.Domain.Netns
	}
	d, _ := t.id.Both()
	return d.Netns
}

func (h *Host) locked(t target, in *inputs, reload bool) error {
	r, err := h.load(t.id)
	if err != nil {
		return err
	}
	f, foreign, err := h.means(t, r)
	if err != nil || foreign && f.Kind == conf.Netns {
		return err
	}
	if reload && remade(f, r) {
		if _, err := h.removeAll(t.id, r); err != nil {
			return err
		}
		r = &record.Record{}
	}
	if !f.Managed {
		if err := h.await(f); err != nil {
			return err
		}
	}
	if r.Home == (netns.ID{}) {
		r.Home = h.home.ID()
	} else if r.Home != h.home.ID() {
		return fmt.Errorf("%s was brought up from another network namespace; run rdomain there", t.id)
	}
	s, err := h.newSession(f.Domain.Netns)
	if err != nil {
		return err
	}
	defer s.close()
	s.inputs, s.timeout = in, f.Timeout
	r.Requires = nil
	for _, ref := range requirements(f, t.id) {
		r.Requires = append(r.Requires, ref.ID)
	}
	if n := t.outer(); !n.IsZero() {
		r.Requires = append(r.Requires, n.ID())
	}
	if t.file != nil && f.Managed {
		if err := h.outers(t, f.Domain, in); err != nil {
			return err
		}
		if err := s.awaitLinks(f, r); err != nil {
			return err
		}
	}
	switch {
	case f.Managed && !foreign && f.Kind == conf.VRF:
		return s.withRules(func() error { return s.up(t.id, f, r, reload) })
	case f.Managed && !foreign:
		return s.up(t.id, f, r, reload)
	case f.Kind == conf.VRF:
		return s.useVRF(t.id, f, r)
	}
	return nil
}

// remade reports whether a reload cannot change what is recorded into what the
// file wants, but must begin anew.
func remade(f *conf.File, r *record.Record) bool {
	if r.Domain.IsDefault() {
		return false
	}
	other := r.Domain != f.Domain || !f.Managed
	record.Of(r, func(l object.Link, _ record.Identity) {
		other = other || l.Kind == "vrf" && l.Table != f.Table
	})
	return other
}

// load returns the record, or one that records nothing.
func (h *Host) load(id domain.ID) (*record.Record, error) {
	if h.store == nil {
		return &record.Record{}, nil
	}
	r, err := h.store.Load(id)
	if errors.Is(err, fs.ErrNotExist) {
		return &record.Record{}, nil
	}
	return r, err
}

// means returns what a target is: by its file; without one by what is recorded
// or exists; and otherwise a namespace that is yet to be made. foreign says that
// somebody else made it. The returned file has no Path where there is no file.
func (h *Host) means(t target, r *record.Record) (f *conf.File, foreign bool, err error) {
	if t.file != nil {
		return t.file, false, nil
	}
	f = &conf.File{Kind: conf.Netns, Managed: true}
	if both, ok := t.id.Both(); ok {
		f.Kind, f.Domain = conf.VRF, both
		if exists, err := h.hasVRF(both); err != nil || exists {
			return f, true, err
		}
		return nil, false, &Usage{
			Msg:  fmt.Sprintf("%s: no file defines %s, and it does not exist", t.id, both),
			Hint: fmt.Sprintf("write %s with the two lines\n[Domain]\nTable=10", conf.Path(t.id))}
	}
	name, err := domain.ParseNetns(t.id.String())
	if err != nil {
		return nil, false, err
	}
	f.Domain.Netns = name
	if r.Made() != nil {
		return f, false, nil
	}
	isVRF := false
	if link, err := domain.ParseVRF(t.id.String()); err == nil {
		vrf := domain.Domain{VRF: link}
		if isVRF, err = h.hasVRF(vrf); err != nil {
			return nil, false, err
		}
		if isVRF {
			f.Kind, f.Domain = conf.VRF, vrf
		}
	}
	_, err = netns.Lookup(name.String())
	switch {
	case err == nil && isVRF:
		return nil, false, &Usage{
			Msg:  fmt.Sprintf("%s is the name of a vrf and of a netns", t.id),
			Hint: fmt.Sprintf("write %s with Kind=vrf or Kind=netns", conf.Path(t.id))}
	case err == nil || isVRF:
		return f, true, nil
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace):
		return f, false, nil
	}
	return nil, false, err
}

// hasVRF reports whether there is a VRF of that name. A namespace that does not
// exist has none.
func (h *Host) hasVRF(d domain.Domain) (bool, error) {
	s, err := h.newSession(d.Netns)
	if err != nil {
		return false, err
	}
	defer s.close()
	c, err := s.conn(s.netns)
	if err != nil {
		return false, nil
	}
	l, err := c.Link(d.VRF.String())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return l.Kind == "vrf", err
}

// await waits for a domain with Managed=no.
func (h *Host) await(f *conf.File) error {
	err := wait(f.Timeout, func() (bool, error) {
		if f.Kind == conf.VRF {
			return h.hasVRF(f.Domain)
		}
		_, err := netns.Lookup(f.Domain.Netns.String())
		return err == nil, nil
	})
	if err == errLate {
		return &plan.Conflict{At: conf.Error{Path: f.Path, Line: f.KindLine, Msg: fmt.Sprintf(
			"%s does not exist%s; Managed=no leaves making it to somebody else", f.Domain, after(f.Timeout))}}
	}
	return err
}

// useVRF pins the program of a VRF that somebody else made.
func (s *session) useVRF(id domain.ID, f *conf.File, r *record.Record) error {
	have, err := s.read(f, r)
	if err != nil {
		return err
	}
	name := f.Domain.VRF.String()
	if table := have.Inside[name].Table; f.Table != 0 && table != f.Table {
		return &plan.Conflict{At: conf.Error{Path: f.Path, Line: f.KindLine,
			Msg: fmt.Sprintf("vrf %s has table %d, want %d", name, table, f.Table)}}
	}
	steps := plan.Foreign(f.Domain, have)
	p := &plan.Plan{Steps: steps, Record: r.Clone()}
	p.Record.Domain, p.Record.File = f.Domain, f.Path
	return s.apply(id, f, r, p)
}

// rounds bounds how often a plan is made and done. One is enough, unless the
// kernel does something by itself, as it adds a rule with the first VRF or
// drops a route with a link that moves.
const rounds = 3

func (s *session) up(id domain.ID, f *conf.File, r *record.Record, reload bool) error {
	if reload {
		if err := s.drop(id, f, r); err != nil {
			return err
		}
	}
	if d := r.Domain; !d.IsDefault() && d != f.Domain {
		return fmt.Errorf("%s is up as %s, %s says %s now; reload it", id, d, f.Path, f.Domain)
	}
	s.half = r.Made() != nil
	for round, parts := 0, 0; ; round++ {
		p, err := s.plan(f, r)
		if err == nil && round == rounds && len(p.Steps) > 0 {
			err = fmt.Errorf("%s: the kernel undoes this step each time: %s", id, p.Steps[0])
		}
		if err != nil && len(s.did) > 0 {
			err = s.giveUp(id, r, err)
		}
		if err != nil {
			return err
		}
		p.KnownOld(r)
		if err := s.apply(id, f, r, p); err != nil {
			return err
		}
		*r = *p.Record
		if p.Partial && parts < rounds { // the namespace, then links
			parts++
			round--
			continue
		}
		if len(p.Steps) == 0 || f.Kind == conf.Netns && !hasTaken(r) {
			return nil
		}
	}
}

// hasTaken reports whether links were taken.
func hasTaken(r *record.Record) (yes bool) {
	record.Of(r, func(object.Taken, record.Identity) { yes = true })
	return yes
}

// plan says what is to be done now.
func (s *session) plan(f *conf.File, r *record.Record) (*plan.Plan, error) {
	have, err := s.read(f, r)
	if err != nil {
		return nil, err
	}
	return plan.Up(f, have, r)
}
