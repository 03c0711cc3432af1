package lifecycle

import (
	"errors"
	"fmt"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/kernel"
	"rdgen/runtime/object"
)

// replace gives a link another lease, the same one for longer, or none.
func (h *Host) replace(t target, link string, by object.Protocol, lease *object.Lease) error {
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	// The server was asked without the lock, and somebody may have reloaded it meanwhile.
	if t, err = h.standing(t.id); err != nil || t.file == nil || !asks(t.file, link, by) {
		return err
	}
	full, in, err := kernel.Gather(t.file)
	if err != nil {
		return err
	}
	t.file = full
	d, err := h.resolve(t)
	if err != nil {
		return err
	}
	if !d.r.Complete || d.r.Empty() || d.remade() {
		return nil // it was taken down meanwhile
	}
	leases := putLease(d.r.Leases, link, by, lease)
	if lease == nil && len(leases) == len(d.r.Leases) {
		return nil
	}
	w, err := h.begin(d, in)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := h.outers(t, d.f.Domain, in); err != nil {
		return err
	}
	have, err := w.Read(w.f, w.r)
	if err != nil {
		return err
	}
	w.leave(slices.Concat(missing(w.f, have), bare(w.f, have, w.r))) // another link may be away
	if lease != nil {
		w.offered = lease.Address.Addr()
	}
	err = w.provide(leases, true)
	if errors.Is(err, errTaken) {
		c, err := w.DHCP(link, by)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := w.decline(c, *lease); err != nil {
			return err
		}
		return fmt.Errorf("link %s: %s of the %s is that of another host; declined", link, lease.Address.Addr(), by.Server())
	}
	return err
}

// asks reports whether a link of a file is to have what a server gives.
func asks(f *conf.File, link string, by object.Protocol) bool {
	return slices.ContainsFunc(f.Links, func(l conf.Link) bool {
		return l.Name.String() == link && slices.Contains(l.Asked(), by)
	})
}

// unleased says which links of a domain that is up have no lease.
func unleased(f *conf.File, leases []object.Lease) (problems []string) {
	for _, l := range f.Links {
		for _, by := range l.Asked() {
			if _, has := l.Leased(leases, by, dhcp.Uptime()); !has && by != object.Routers {
				problems = append(problems, problem.New(f.At(l.AskedAt(by)), "link %s has no lease: no %s has answered", l.Name, by.Server()).Error())
			}
		}
	}
	return problems
}
