package lifecycle

import (
	"errors"
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// view is a domain as it is wanted and as it is.
type view struct {
	t       target
	f       *conf.File
	foreign bool
	r       *record.Record
	have    *plan.State
	// links are the members of a VRF, or the links of a namespace but lo.
	links []string
}

// look reads all there is to know of a domain and changes nothing. No lock is
// taken: what is being changed by somebody is seen as it is at the moment.
func (h *Host) look(id domain.ID) (*view, error) {
	t, err := h.find(id)
	if err != nil {
		return nil, err
	}
	v := &view{t: t}
	if v.r, err = h.load(t.id); err != nil {
		return nil, err
	}
	if v.f, v.foreign, err = h.means(t, v.r); err != nil {
		return nil, err
	}
	in, err := gather(v.f)
	if err == nil {
		err = h.outers(t, v.f.Domain, in)
	}
	if err != nil {
		return nil, err
	}
	s, err := h.newSession(v.f.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.inputs = in
	if v.have, err = s.read(v.f, v.r); err != nil {
		return nil, err
	}
	if v.foreign && v.f.Kind == conf.VRF { // no file names its table
		v.have.Routes = nil
		if err := s.routes(map[uint32]bool{v.have.Inside[v.f.Domain.VRF.String()].Table: true}, v.have); err != nil {
			return nil, err
		}
	}
	v.links, err = s.linksOf(v.f, v.have)
	return v, err
}

func (s *session) linksOf(f *conf.File, have *plan.State) ([]string, error) {
	if !have.Exists {
		return nil, nil
	}
	c, err := s.conn(s.netns)
	if err != nil {
		return nil, err
	}
	links, err := c.Links("")
	vrf, isVRF := have.Inside[f.Domain.VRF.String()]
	var names []string
	for _, l := range links {
		if isVRF && l.Master == vrf.Index || f.Kind == conf.Netns && !slices.Contains(fallback, l.Name) {
			names = append(names, l.Name)
		}
	}
	return names, err
}

// steps returns what up would do, or why it cannot.
func (v *view) steps() ([]object.Step, error) {
	switch {
	case v.foreign && v.f.Kind == conf.Netns, !v.f.Managed && !v.exists():
		return nil, nil
	case v.foreign || !v.f.Managed:
		if v.f.Kind == conf.Netns {
			return nil, nil
		}
		return plan.Foreign(v.f.Domain, v.have), nil
	}
	p, err := plan.Up(v.f, v.have, v.r)
	if err != nil {
		return nil, err
	}
	return p.Steps, nil
}

// unwanted returns what reload would do before it does what up does.
func (v *view) unwanted() []object.Step {
	switch {
	case !v.f.Managed || v.foreign:
		return nil
	case remade(v.f, v.r):
		return plan.Down(v.r, v.have).Steps
	}
	return plan.Down(plan.Unwanted(v.f, v.have, v.r), v.have).Steps
}

// PlanReload returns what Reload would do now.
func (h *Host) PlanReload(id domain.ID) ([]object.Step, error) {
	v, err := h.look(id)
	if err != nil {
		return nil, err
	}
	steps, err := v.steps()
	return append(v.unwanted(), steps...), err
}

// PlanDown returns what Down would do now.
func (h *Host) PlanDown(id domain.ID) ([]object.Step, error) {
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
	s, err := h.newSession(r.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer s.close()
	have, err := s.read(nil, r)
	if err != nil {
		return nil, err
	}
	return plan.Down(r, have).Steps, nil
}

func (v *view) exists() bool {
	if v.f.Kind == conf.Netns {
		return v.have.Exists
	}
	return v.have.Inside[v.f.Domain.VRF.String()].Kind == "vrf"
}

// Plan returns what Up would do now, for the domains that this one requires too.
func (h *Host) Plan(id domain.ID) ([]object.Step, error) { return h.Planner()(id) }

// Planner returns a function that is Plan, but for what it has planned already,
// which is taken for done.
func (h *Host) Planner() func(domain.ID) ([]object.Step, error) {
	s := &schedule{h: h, planned: map[domain.ID]bool{}}
	return func(id domain.ID) ([]object.Step, error) {
		from := len(s.steps)
		err := s.add(id, nil)
		return s.steps[from:], err
	}
}

// schedule is what up would do for several domains.
type schedule struct {
	h       *Host
	planned map[domain.ID]bool
	steps   []object.Step
}

// add plans a domain that those in chain wait for, after what it requires.
func (s *schedule) add(id domain.ID, chain []domain.ID) error {
	if s.planned[id] {
		return nil
	}
	s.planned[id] = true
	v, err := s.h.look(id)
	if err != nil {
		return err
	}
	if v.f.Managed && !v.foreign && v.t.file != nil {
		chain = append(slices.Clip(chain), v.t.id)
		before := requirements(v.f, v.t.id)
		if n := v.t.outer(); !n.IsZero() {
			before = append(before, conf.Ref{Line: v.f.KindLine, ID: n.ID()})
		}
		for _, ref := range before {
			if err := inCircle(v.f, ref, chain); err != nil {
				return err
			}
			if err := s.add(ref.ID, chain); err != nil {
				return fmt.Errorf("%s for %s: %w", ref.ID, v.t.id, err)
			}
		}
	}
	v.have.Before = s.steps
	own, err := v.steps()
	s.steps = append(s.steps, own...)
	return err
}

// Report is what is wrong with a domain.
type Report struct {
	ID string `json:"id"`
	// Problems are in words.
	Problems []string `json:"problems"`
	// Missing is what reload would do, in the syntax of ip(8).
	Missing []string `json:"missing"`
	// Diff is the same as a diff: from what the kernel has to what the file,
	// whose name is File, wants.
	Diff []string `json:"diff"`
	File string   `json:"file,omitempty"`
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems)+len(r.Missing) == 0 }

// Check compares a domain with its file and with what a domain needs.
func (h *Host) Check(id domain.ID) (*Report, error) {
	v, err := h.look(id)
	if err != nil {
		return nil, err
	}
	report := &Report{ID: id.String(), Problems: plan.Problems(v.f, v.have, v.links), Missing: []string{},
		Diff: []string{}, File: v.f.Path}
	if report.Problems == nil {
		report.Problems = []string{}
	}
	steps, err := v.steps()
	var conflict *plan.Conflict
	if errors.As(err, &conflict) {
		report.Problems = append(report.Problems, conflict.Error())
	} else if err != nil {
		return nil, err
	}
	for _, s := range append(v.unwanted(), steps...) {
		report.Missing = append(report.Missing, s.String())
		report.Diff = append(report.Diff, s.Diff()...)
	}
	if !v.f.Managed && v.f.Kind == conf.VRF && v.exists() {
		if table := v.have.Inside[v.f.Domain.VRF.String()].Table; v.f.Table != 0 && table != v.f.Table {
			report.Problems = append(report.Problems, fmt.Sprintf("vrf %s has table %d, %s says %d",
				v.f.Domain.VRF, table, v.f.Path, v.f.Table))
		}
	}
	return report, nil
}

// Domain returns the domain that an ID names, for entering it.
func (h *Host) Domain(id domain.ID) (domain.Domain, error) {
	t, err := h.find(id)
	if err != nil {
		return domain.Domain{}, err
	}
	r, err := h.load(t.id)
	if err != nil {
		return domain.Domain{}, err
	}
	f, _, err := h.means(t, r)
	if err != nil {
		return domain.Domain{}, err
	}
	return f.Domain, nil
}
