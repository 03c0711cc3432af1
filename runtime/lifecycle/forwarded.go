package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/nat"
	"rdgen/runtime/object"
)

// dropped says which tables drop the packets that a file has leave an outer domain, or get
// in, and what would let them pass.
func (h *Host) dropped(v *view) (problems []string, err error) {
	for _, l := range v.f.Links {
		rules := v.f.NATRules(l)
		if len(rules) == 0 {
			continue
		}
		outer := v.have.Outers[l.Outer.ID].Domain.Netns
		filters, err := h.filters(outer)
		if err != nil {
			return nil, err
		}
		for _, f := range filters {
			for _, in := range []bool{false, true} {
				if text := drops(f, l, rules, in, where(outer)); text != "" {
					problems = append(problems, text)
				}
			}
		}
	}
	return problems, nil
}

// drops says what a filter of a namespace drops of the packets that leave by a link, or get
// in; "" if it is nothing.
func drops(f nat.Filter, l conf.Link, rules []object.NATRule, in bool, where string) string {
	var families []string
	var packet nat.Packet
	first, answers := false, false
	for _, r := range rules {
		if r.What != map[bool]string{false: "masquerade", true: "publish"}[in] {
			continue
		}
		p := nat.Packet{Link: l.Peer.String(), Address: r.Connect.Addr(), IPv6: r.IPv6, In: in, Published: in}
		for _, a := range l.Addresses {
			if !in && a.Prefix.Addr().Is6() == r.IPv6 && !p.Address.IsValid() {
				p.Address = a.Prefix.Addr()
			}
		}
		answer := p
		answer.In, answer.Answer = !in, true
		one, other := f.Drops(p), f.Drops(answer)
		if !one && !other {
			continue
		}
		first, answers, packet = first || one, answers || other, p
		if family := object.Family(r.IPv6); !slices.Contains(families, family) {
			families = append(families, family)
		}
	}
	if len(families) == 0 {
		return ""
	}
	what := map[bool]string{false: "what is forwarded from ", true: "what is forwarded to "}[in]
	if !first {
		what = map[bool]string{false: "the answers to what is forwarded from ", true: "the answers to what is forwarded to "}[in]
	}
	return fmt.Sprintf("%s in %s drops %s%s (%s); to let it pass: %s", f, where, what, l.Peer, strings.Join(families, ", "), f.Passes(packet, first, answers))
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

// clash returns what of a file with NAT another file has already. One as it was brought up came
// first.
func (h *Host) clash(f *conf.File) error {
	if f.Recalled() || !slices.ContainsFunc(f.Links, func(l conf.Link) bool { return len(f.NATRules(l)) > 0 }) {
		return nil
	}
	return h.files().Clash(f.Path)
}
