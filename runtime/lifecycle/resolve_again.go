package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"

	"rdgen/parallel"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// reResolve looks the names of the endpoints of wireguard links up again, of peers that have not
// been heard of for a while, and gives those that have moved their new address. A peer that
// works is left where it is, wherever its name leads by now.
func (h *Host) reResolve(t target, links []domain.LinkName) (notes []string, err error) {
	r, err := h.store.Load(t.id)
	if err != nil || !r.Complete {
		return nil, ignoreGone(err)
	}
	in := &kernel.Inputs{Outers: map[domain.ID]plan.Outer{}}
	if err := h.outers(t, r.Domain, in); err != nil {
		return nil, err
	}
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return nil, ignoreGone(err)
	}
	defer w.Close()
	w.Inputs = in
	var peers []object.WireGuardPeer
	record.Of(r, func(p object.WireGuardPeer, _ record.Identity) {
		if p.Endpoint == "" || !slices.ContainsFunc(links, func(l domain.LinkName) bool { return l.String() == p.Link }) {
			return
		}
		if _, absent := w.Conn(in.Outers[p.Outer].Domain.Netns); absent != nil { // opened once, for all
			err = absent
			return
		}
		peers = append(peers, p)
	})
	if err != nil {
		return nil, ignoreGone(err)
	}
	to, moved := eachMoved(peers, w.Moved)
	for i, p := range peers {
		switch {
		case errors.Is(moved[i], fs.ErrNotExist): // the link is gone, and keep says so
		case moved[i] != nil:
			notes = append(notes, fmt.Sprintf("link %s: %v", p.Link, moved[i]))
		case to[i] != nil:
			if err := h.move(t, w, p, to[i]); err != nil {
				return notes, ignoreGone(err)
			}
			notes = append(notes, fmt.Sprintf("link %s: peer %s was silent, and %s is %s now", p.Link, p.PublicKey, p.Endpoint, to[i]))
		}
	}
	return notes, nil
}

// lookups is how many names are looked up at once: a resolver that does not answer takes its
// time for all of them once.
const lookups = 16

// eachMoved calls moved for each peer, as many at once as lookups says.
func eachMoved(peers []object.WireGuardPeer, moved func(object.WireGuardPeer) (*net.UDPAddr, error)) ([]*net.UDPAddr, []error) {
	to, errs := make([]*net.UDPAddr, len(peers)), make([]error, len(peers))
	parallel.Each(len(peers), lookups, func(i int) { to[i], errs[i] = moved(peers[i]) })
	return to, errs
}

// move gives a peer its endpoint's new address, unless it was changed meanwhile.
func (h *Host) move(t target, w *work, p object.WireGuardPeer, to *net.UDPAddr) error {
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	r, err := h.store.Load(t.id)
	if err != nil {
		return err
	}
	if e := r.Find(p.Key()); e == nil || e.Object != p {
		return nil
	}
	return w.Move(p, to)
}
