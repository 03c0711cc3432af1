package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/record"
)

// kind says who makes a domain.
type kind int

const (
	// ours: rdomain makes it.
	ours kind = iota
	// foreign: somebody else made it, and no file says anything of it.
	foreign
	// awaited: its file leaves making it to somebody else (Managed=no).
	awaited
)

// resolved is what the name of a domain means.
type resolved struct {
	target
	kind kind
	// f is the domain's file; where there is none, what it would say, without a Path.
	f *conf.File
	// r is what is recorded.
	r *record.Record
}

// lookUp is find and resolve.
func (h *Host) lookUp(id domain.ID) (*resolved, error) {
	t, err := h.find(id)
	if err != nil {
		return nil, err
	}
	return h.resolve(t)
}

// stands is standing and resolve.
func (h *Host) stands(id domain.ID) (*resolved, error) {
	t, err := h.standing(id)
	if err != nil {
		return nil, err
	}
	return h.resolve(t)
}

// resolve says what a target is. What it says holds as long as the domain's lock is
// held.
func (h *Host) resolve(t target) (*resolved, error) {
	r, err := h.load(t.id)
	if err != nil {
		return nil, err
	}
	d := &resolved{target: t, f: t.file, r: r}
	if t.file == nil {
		var isForeign bool
		if d.f, isForeign, err = h.means(t, r); err != nil {
			return nil, err
		}
		if isForeign {
			d.kind = foreign
		}
	} else if !t.file.Managed {
		d.kind = awaited
	}
	return d, nil
}

// Domain returns the domain that an ID names, for entering it.
func (h *Host) Domain(id domain.ID) (domain.Domain, error) {
	d, err := h.lookUp(id)
	if err != nil {
		return domain.Domain{}, err
	}
	return d.f.Domain, nil
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

// means returns what a target without a file is: by what is recorded or exists; and
// otherwise a namespace that is yet to be made. isForeign says that somebody else made
// it.
func (h *Host) means(t target, r *record.Record) (f *conf.File, isForeign bool, err error) {
	f = &conf.File{Kind: conf.Netns, Managed: true}
	if both, ok := t.id.Both(); ok {
		f.Kind, f.Domain = conf.VRF, both
		if exists, err := h.hasVRF(both); err != nil || exists {
			return f, true, err
		}
		return nil, false, &problem.Error{
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
		return nil, false, &problem.Error{
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
	w, err := h.open(d.Netns)
	if err != nil {
		return false, err
	}
	defer w.Close()
	c, err := w.Conn(d.Netns)
	if err != nil {
		return false, nil
	}
	l, err := c.Link(d.VRF.String())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return l.Kind == "vrf", err
}

// exists reports whether there is a domain of that ID, whoever made it.
func (h *Host) exists(id domain.ID) (bool, error) {
	if both, ok := id.Both(); ok {
		return h.hasVRF(both)
	}
	switch _, err := netns.Lookup(id.String()); {
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, netns.ErrNotNamespace):
		return false, err
	}
	vrf, err := domain.ParseVRF(id.String())
	if err != nil {
		return false, nil // too long for a VRF
	}
	return h.hasVRF(domain.Domain{VRF: vrf})
}
