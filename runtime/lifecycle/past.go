package lifecycle

import (
	"slices"

	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Past returns what processes of a domain that is up will be known by when it is down;
// ok is false if rdomain did not make it.
func (h *Host) Past(id domain.ID) (p record.Past, ok bool) {
	id, err := h.recorded(id)
	if err != nil {
		return p, false
	}
	r, err := h.load(id)
	if err != nil {
		return p, false
	}
	p = record.Past{ID: id, Netns: r.Home}
	if made := r.Made(); made != nil {
		p.Netns = made.Made.Netns
		return p, true
	}
	record.Of(r, func(l object.Link, made record.Identity) {
		if l.Kind == "vrf" {
			p.VRF = made.Index
		}
	})
	if n := r.Domain.Netns; !n.IsZero() {
		if p.Netns, err = netns.Lookup(n.String()); err != nil {
			return p, false
		}
	}
	return p, p.VRF != 0
}

// Pasts returns the domains that were taken down while processes ran in them.
func (h *Host) Pasts() ([]record.Past, error) {
	if h.store == nil {
		return nil, nil
	}
	return h.store.Pasts()
}

// Remember adds to Pasts, and takes out those in which nothing runs any more.
func (h *Host) Remember(add []record.Past, alive func(record.Past) bool) error {
	return h.store.ChangePasts(add, alive)
}

// Users returns which domains that are up require each of the given ones, and are not
// among them.
func (h *Host) Users(list []domain.ID) map[domain.ID][]domain.ID {
	users := map[domain.ID][]domain.ID{}
	recorded, _ := h.Recorded()
	for _, id := range recorded {
		if r, err := h.load(id); err == nil && !slices.Contains(list, id) {
			for _, other := range r.Requires {
				if slices.Contains(list, other) {
					users[other] = append(users[other], id)
				}
			}
		}
	}
	return users
}
