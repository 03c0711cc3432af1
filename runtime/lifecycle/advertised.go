package lifecycle

import (
	"errors"
	"slices"
	"time"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// spoken is how long a router is waited for that gave an address already. It answers at most
// once in three seconds (RFC 4861, 6.2.6).
const spoken = 4 * time.Second

// advertised waits until the links that take router advertisements have an address by one,
// as long as TimeoutSec= says. The kernel asks the routers when a link comes up, and does the
// rest; where nobody answers, the domain is up without. What they said of resolvers meanwhile
// is read last.
func (w *work) advertised(asked []asking) error {
	for _, l := range w.plain.Links {
		if l.AcceptRA != "yes" {
			continue
		}
		late := func() (string, problem.Pos) {
			return "a router on " + l.Name.String(), w.f.At(l.LineOf("IPv6AcceptRA"))
		}
		err := w.h.waitSilent(detection, w.id, w.f.Timeout, late, func() (bool, error) { return w.hasAdvertised(l) })
		if errors.Is(err, errLate) {
			_, at := late()
			w.h.say(w.id, "%s: no router advertises an address on %s%s; it is up without, and the kernel takes one that comes", at, l.Name, after(w.f.Timeout))
			continue
		}
		if err != nil {
			return err
		}
		at := slices.IndexFunc(asked, func(a asking) bool { return a.by == object.Routers && a.link.Name == l.Name })
		if at < 0 {
			continue
		}
		if carrier, _, err := w.carrier(l.Name.String()); err != nil {
			return err
		} else if !carrier {
			continue
		}
		got, err := asked[at].client.Acquire(time.Now().Add(spoken))
		if errors.Is(err, dhcp.ErrNoAnswer) {
			continue // the watch goes on asking
		}
		if err != nil {
			return w.giveUpLease(l, object.Routers, err)
		}
		if err := w.provide(putLease(w.r.Leases, l.Name.String(), object.Routers, got), false); err != nil {
			return err
		}
	}
	return nil
}

// hasAdvertised reports whether a link has a usable address of a router's network. One
// without a carrier is not waited for.
func (w *work) hasAdvertised(l conf.Link) (bool, error) {
	c, err := w.Conn(w.Netns)
	if err != nil {
		return false, err
	}
	now, err := c.Link(l.Name.String())
	if err != nil || !now.Carrier {
		return err == nil, ignoreGone(err)
	}
	list, err := c.Addresses(now.Index)
	return slices.ContainsFunc(list, func(a rtnl.Address) bool { return a.Advertised && !a.Tentative }), err
}
