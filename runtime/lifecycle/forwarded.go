package lifecycle

import (
	"fmt"
	"slices"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/nat"
	"rdgen/runtime/object"
)

// dropped says which tables drop the packets that a file has leave an outer domain, and
// what would let them pass.
func (h *Host) dropped(v *view) (problems []string, err error) {
	for _, l := range v.f.Links {
		if len(v.f.NATRules(l)) == 0 {
			continue
		}
		outer := v.have.Outers[l.Outer.ID].Domain.Netns
		filters, err := h.filters(outer)
		if err != nil {
			return nil, err
		}
		problems = append(problems, drops(filters, v.f, l, outer)...)
	}
	return problems, nil
}

func drops(filters []nat.Filter, file *conf.File, l conf.Link, outer domain.NetnsName) (problems []string) {
	for _, f := range filters {
		for _, r := range file.NATRules(l) {
			if !f.Drops(l.Peer.String(), r.IPv6) {
				continue
			}
			problems = append(problems, fmt.Sprintf("chain %s of table %s %s in %s drops what is forwarded %s %s (%s); to let it pass: %s",
				f.Chain, f.Family, f.Table, where(outer), map[bool]string{false: "from", true: "to"}[r.What == "publish"],
				l.Peer, object.Family(r.IPv6), f.Passes(l.Peer.String(), r.What == "publish")))
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

// clash returns what of a file with NAT another file has already.
func (h *Host) clash(f *conf.File) error {
	if !slices.ContainsFunc(f.Links, func(l conf.Link) bool { return len(f.NATRules(l)) > 0 }) {
		return nil
	}
	return h.files().Clash(f.Path)
}
