package lifecycle

import (
	"cmp"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// view is a domain as it is wanted and as it is.
type view struct {
	*resolved
	have *plan.State
	// links are the members of a VRF, or the links of a namespace but lo, and interfaces
	// what they are.
	links      []string
	interfaces []Interface
	// refused is how many packets were refused to a VRF's sockets, nil where that is not known.
	refused *uint32
	// later are the links that up does not wait for and that cannot be taken yet; f is without.
	later []string
}

// look reads all there is to know of a domain and changes nothing. No lock is
// taken: what is being changed by somebody is seen as it is at the moment.
func (h *Host) look(id domain.ID) (*view, error) {
	d, err := h.lookUp(id)
	if err != nil {
		return nil, err
	}
	return h.see(d)
}

// see is look at what is resolved already.
func (h *Host) see(d *resolved) (*view, error) {
	f, in, err := kernel.Gather(d.f)
	d.f = f
	if err == nil {
		err = h.outers(d.target, d.f.Domain, in)
	}
	if err != nil {
		return nil, err
	}
	w, err := h.open(d.f.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	d.f = d.f.With(d.r.Leases, dhcp.Uptime())
	w.Inputs, w.f, w.r = in, d.f, d.r
	v := &view{resolved: d}
	if v.have, err = w.Read(v.f, v.r); err != nil {
		return nil, w.byItsName(err)
	}
	if v.later = later(v.f, v.have, v.r); len(v.later) > 0 {
		v.f = without(v.f, v.later)
	}
	if v.kind == foreign && v.f.Kind == conf.VRF { // no file names its table
		v.have.Routes = nil
		if err := w.Routes(map[uint32]bool{v.have.Inside[v.f.Domain.VRF.String()].Table: true}, v.have); err != nil {
			return nil, err
		}
	}
	if v.interfaces, err = w.linksOf(v.f, v.have); err != nil {
		return nil, w.byItsName(err)
	}
	if v.f.Kind == conf.VRF && v.exists() {
		if v.refused, err = w.Refused(v.f.Domain); err != nil {
			return nil, w.byItsName(err)
		}
	}
	for _, i := range v.interfaces {
		v.links = append(v.links, i.Name)
	}
	return v, nil
}

func (w *work) linksOf(f *conf.File, have *plan.State) (list []Interface, err error) {
	if !have.Exists {
		return nil, nil
	}
	c, err := w.Conn(w.Netns)
	if err != nil {
		return nil, err
	}
	links, err := c.Links("")
	if err != nil {
		return nil, err
	}
	vrf, isVRF := have.Inside[f.Domain.VRF.String()]
	for _, l := range links {
		if isVRF && l.Master == vrf.Index || f.Kind == conf.Netns && !slices.Contains(fallback, l.Name) {
			i := Interface{Name: l.Name, Kind: l.Kind, Up: l.Up, Addresses: []string{}, Traffic: l.Traffic}
			addresses, err := c.Addresses(l.Index)
			if err != nil {
				return nil, err
			}
			for _, a := range addresses {
				i.Addresses = append(i.Addresses, a.Prefix.String())
			}
			if l.Kind == "wireguard" {
				if i.Peers, err = w.peers(l.Name); err != nil {
					return nil, err
				}
			}
			if at := slices.IndexFunc(f.Links, func(of conf.Link) bool { return of.Name.String() == l.Name }); at >= 0 {
				of := f.Links[at]
				i.Peer, i.Outer, i.Masquerade = cmp.Or(of.Peer.String(), of.Parent.String()), of.Outer.ID.String(), len(of.Masquerades()) > 0
			}
			list = append(list, i)
		}
	}
	return list, nil
}

func (v *view) exists() bool {
	if v.f.Kind == conf.Netns {
		return v.have.Exists
	}
	return v.have.Inside[v.f.Domain.VRF.String()].Kind == "vrf"
}

// steps returns what up would do, or why it cannot.
func (v *view) steps() ([]object.Step, error) {
	switch {
	case v.kind != ours && v.f.Kind == conf.Netns, v.kind == awaited && !v.exists():
		return nil, nil
	case v.kind != ours:
		return plan.Foreign(v.f.Domain, v.have), nil
	}
	p, err := plan.Up(v.f, v.have, v.r)
	if err != nil {
		return nil, err
	}
	return p.Steps, nil
}

// reload returns what Reload would do, or why it cannot: first what it would remove,
// and then what up would do when that is gone.
func (h *Host) reload(v *view) ([]object.Step, error) {
	if v.kind != ours {
		return v.steps() // what is pinned is made again, which changes nothing
	}
	after := *v
	var removal []object.Step
	switch {
	case v.remade():
		had, err := h.recordedState(v.r)
		if err != nil {
			return nil, err
		}
		removal = plan.Down(v.r, had).Steps
		d := *v.resolved
		d.r = &record.Record{}
		after.resolved = &d
		if v.r.Domain.Netns == v.f.Domain.Netns {
			after.have = v.have.After(removal, v.f.Domain.Netns)
		} else {
			after.have = v.have.With(had, had.After(removal, v.r.Domain.Netns), v.f.Domain.Netns)
		}
	default:
		unwanted := plan.Unwanted(v.f, v.have, v.r)
		if unwanted.Empty() {
			break
		}
		removal = plan.Down(unwanted, v.have).Steps
		d := *v.resolved
		d.r = v.r.Minus(unwanted)
		after.resolved, after.have = &d, v.have.After(removal, v.f.Domain.Netns)
	}
	steps, err := after.steps()
	return append(removal, steps...), err
}

// recordedState reads what down looks at.
func (h *Host) recordedState(r *record.Record) (*plan.State, error) {
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return w.Read(nil, r)
}
