package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/plan"
)

// require brings up what a file requires. chain are the domains that are waiting
// for this one.
func (h *Host) require(t target, chain []domain.ID) error {
	for _, ref := range t.file.Requirements(t.id) {
		if err := inCircle(t.file, ref, chain); err != nil {
			return err
		}
		at := func(err error) error {
			return fmt.Errorf("%s:%d: requires %s: %w", t.file.Path, ref.Line, ref.ID, err)
		}
		other, err := h.needed(t, ref.ID)
		if err != nil {
			return at(err)
		}
		if other.file != nil {
			if err := h.bringUp(other, false, chain); err != nil {
				return at(err)
			}
			continue
		}
		// Without a file it is for somebody else to make: a misspelt name must
		// not make an empty namespace.
		exists := func() (bool, error) { return h.exists(ref.ID) }
		late := func() (string, problem.Pos) { return "domain " + ref.ID.String(), t.file.At(ref.Line) }
		if err := h.wait(t.id, t.file.Timeout, late, exists); err != nil {
			if !errors.Is(err, errLate) {
				return at(err)
			}
			return plan.Conflict(t.file.At(ref.Line), "%s does not exist%s, and no file defines it", ref.ID, after(t.file.Timeout))
		}
	}
	return nil
}

// inCircle is the error for a domain that requires one of those that wait for it.
func inCircle(f *conf.File, ref conf.Ref, chain []domain.ID) error {
	at := slices.Index(chain, ref.ID)
	if at < 0 {
		return nil
	}
	var names []string
	for _, c := range append(slices.Clip(chain[at:]), ref.ID) {
		names = append(names, c.String())
	}
	return problem.New(f.At(ref.Line), "domains require each other: %s", strings.Join(names, ", "))
}

// outers fills in what the other sides of a file's links are.
func (h *Host) outers(t target, own domain.Domain, in *kernel.Inputs) error {
	if t.file == nil {
		return nil
	}
	in.Outers[domain.ID{}] = plan.Outer{}
	for _, l := range t.file.Links {
		id := l.Outer.ID
		if _, done := in.Outers[id]; done {
			continue
		}
		o := plan.Outer{Domain: own, Table: t.file.Table}
		if id != t.id {
			other, err := h.stands(id)
			if err != nil {
				return fmt.Errorf("%s:%d: Outer=%s: %w", t.file.Path, l.Outer.Line, id, err)
			}
			o.Domain, o.Table = other.f.Domain, other.f.Table
		}
		if err := h.lookAt(&o); err != nil {
			return err
		}
		in.Outers[id] = o
	}
	return nil
}

// lookAt reads what a VRF that exists is like.
func (h *Host) lookAt(o *plan.Outer) error {
	if o.Domain.VRF.IsZero() {
		return nil
	}
	w, err := h.open(o.Domain.Netns)
	if err != nil {
		return err
	}
	defer w.Close()
	c, err := w.Conn(w.Netns)
	if err != nil {
		return nil // yet to be made
	}
	l, err := c.Link(o.Domain.VRF.String())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	o.Table = l.Table
	have := &plan.State{Exists: true}
	err = w.ReadSysctls([]string{"net/ipv4/udp_l3mdev_accept"}, have)
	o.Accept = have.Sysctls["net/ipv4/udp_l3mdev_accept"] == "1"
	return err
}
