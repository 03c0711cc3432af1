package lifecycle

import (
	"fmt"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/nat"
	"rdgen/runtime/object"
)

// dropped says which tables drop the packets that a file has leave an outer domain, and
// what would let them pass.
func (h *Host) dropped(v *view) (problems []string, err error) {
	for _, l := range v.f.Links {
		families := l.Masquerades()
		if len(families) == 0 {
			continue
		}
		outer := v.have.Outers[l.Outer.ID].Domain.Netns
		filters, err := h.filters(outer)
		if err != nil {
			return nil, err
		}
		problems = append(problems, drops(filters, l, outer)...)
	}
	return problems, nil
}

func drops(filters []nat.Filter, l conf.Link, outer domain.NetnsName) (problems []string) {
	for _, f := range filters {
		for _, v6 := range l.Masquerades() {
			if !f.Drops(l.Peer.String(), v6) {
				continue
			}
			problems = append(problems, fmt.Sprintf("chain %s of table %s %s in %s drops what is forwarded from %s (%s); to let it pass: %s",
				f.Chain, f.Family, f.Table, where(outer), l.Peer, object.Family(v6), f.Passes(l.Peer.String())))
			break
		}
	}
	return problems
}

// filters returns those of a namespace, which are read once.
func (h *Host) filters(outer domain.NetnsName) ([]nat.Filter, error) {
	h.filterLock.Lock()
	defer h.filterLock.Unlock()
	if list, ok := h.filtersOf[outer]; ok {
		return list, nil
	}
	list, err := h.home.Filters(outer)
	if err == nil {
		h.filtersOf[outer] = list
	}
	return list, err
}
