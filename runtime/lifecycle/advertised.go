package lifecycle

import (
	"errors"
	"slices"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/rtnl"
)

// advertised waits until the links that take router advertisements have an address by one,
// as long as TimeoutSec= says. The kernel asks the routers when a link comes up, and does the
// rest; where nobody answers, the domain is up without.
func (w *work) advertised() error {
	for _, l := range w.f.Links {
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
