package object

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Hop is one of several gateways of a route.
type Hop struct {
	Gateway netip.Addr
	// Dev is the link that leads to it, "" where the kernel finds it.
	Dev string
	// Weight is its share, 1 to 256.
	Weight uint32
}

// Hops are the gateways of a route as text, so that routes can be compared: in order, with
// commas, each "GATEWAY@DEV WEIGHT". No name of a link has a space, and no gateway a comma.
type Hops string

// NewHops returns gateways as text.
func NewHops(list []Hop) Hops {
	var words []string
	for _, h := range list {
		word := h.Gateway.String()
		if h.Dev != "" {
			word += "@" + h.Dev
		}
		words = append(words, word+" "+utoa(h.Weight))
	}
	slices.Sort(words) // the kernel lists those of IPv6 in an order of its own
	return Hops(strings.Join(words, ","))
}

// List returns them one by one.
func (h Hops) List() (list []Hop) {
	for s := range strings.SplitSeq(string(h), ",") {
		rest, weight, ok := cutLast(s, " ")
		if !ok {
			continue
		}
		gateway, dev, _ := strings.Cut(rest, "@")
		a, _ := netip.ParseAddr(gateway)
		n, _ := strconv.ParseUint(weight, 10, 32)
		list = append(list, Hop{a, dev, uint32(n)})
	}
	return list
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// via returns the words for a gateway of a route to an address: one of another family has
// its name.
func via(gateway, to netip.Addr) []string {
	if gateway.Is6() && to.Is4() {
		return []string{"via", "inet6", gateway.String()}
	}
	return []string{"via", gateway.String()}
}

// words are those of ip-route(8) for the gateways, which stand last.
func (h Hops) words(to netip.Addr) (w []string) {
	for _, hop := range h.List() {
		w = append(append(w, "nexthop"), via(hop.Gateway, to)...)
		if hop.Dev != "" {
			w = append(w, "dev", hop.Dev)
		}
		if hop.Weight != 1 {
			w = append(w, "weight", utoa(hop.Weight))
		}
	}
	return w
}

// Same reports whether gateways that are there are those that are wanted. The link of one
// is the kernel's choice unless it is wanted.
func (h Hops) Same(wanted Hops) bool {
	is, want := h.List(), wanted.List()
	return len(is) == len(want) && !slices.ContainsFunc(want, func(w Hop) bool {
		return !slices.ContainsFunc(is, func(i Hop) bool {
			return i.Gateway == w.Gateway && i.Weight == w.Weight && (w.Dev == "" || i.Dev == w.Dev)
		})
	})
}
