package lifecycle

import (
	"errors"
	"io/fs"
	"net/netip"
	"time"

	"rdgen/problem"
	"rdgen/runtime/kernel"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// wanted is an IPv6 address that services are to find usable when up returns.
type wanted struct {
	kernel.At
	addr netip.Addr
	line int
	// taken: the link is not rdomain's. A card that was moved has no carrier for a
	// while, though its cable is there.
	taken bool
}

// noCarrier is how long a taken link may be without a carrier before its addresses
// are left as they are: cards need up to four seconds, and a cable may be missing.
const noCarrier = 5 * time.Second

// detection is how long duplicate address detection is waited for in silence: a
// random second, one for each probe (RFC 4862, 5.4.2; dad_transmits is 1), and more on a
// machine that has much else to do.
const detection = 10 * time.Second

// usable waits until the IPv6 addresses of the domain can be used: until duplicate
// address detection is done, and until then bind(2) fails with EADDRNOTAVAIL. An address on a link
// without a carrier stays as it is until there is one, and is not waited for.
func (w *work) usable() error {
	list := w.addresses6()
	if len(list) == 0 || w.f.Timeout == 0 {
		return nil
	}
	var late wanted
	start := time.Now()
	say := func() (string, problem.Pos) { return late.addr.String() + " on " + late.Link, w.f.At(late.line) }
	err := w.h.waitSilent(detection, w.id, w.f.Timeout, say, func() (bool, error) {
		for _, a := range list {
			done, err := w.isUsable(a, time.Since(start) < noCarrier)
			if err != nil || !done {
				late = a
				return false, err
			}
		}
		return true, nil
	})
	if errors.Is(err, errLate) {
		return plan.Conflict(w.f.At(late.line), "address %s of link %s is not usable%s: duplicate address detection does not end",
			late.addr, late.Link, after(w.f.Timeout))
	}
	return err
}

// addresses6 returns the IPv6 addresses that the file gives to links, and those that
// taken links keep.
func (w *work) addresses6() (list []wanted) {
	add := func(where kernel.At, addr netip.Addr, line int, taken bool) {
		if addr.Is6() {
			list = append(list, wanted{where, addr, line, taken})
		}
	}
	for _, l := range w.f.Links {
		name := l.Name.String()
		if name == "lo" {
			continue // has no neighbours to ask
		}
		for _, a := range l.Addresses {
			add(at(w.Netns, name), a.Prefix.Addr(), a.Line, l.Kind == "")
		}
		for _, a := range l.PeerAddresses {
			add(at(w.Inputs.Outers[l.Outer.ID].Domain.Netns, l.Peer.String()), a.Prefix.Addr(), a.Line, false)
		}
		record.Of(w.r, func(t object.Taken, _ record.Identity) {
			for _, a := range t.Addresses {
				if t.Name == name {
					add(at(w.Netns, name), a.Prefix.Addr(), l.Line, true)
				}
			}
		})
	}
	return list
}

// isUsable reports whether an address needs no waiting any more.
func (w *work) isUsable(a wanted, patient bool) (bool, error) {
	c, err := w.Conn(a.Netns)
	if err != nil {
		return false, err
	}
	l, err := c.Link(a.Link)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // somebody took it away meanwhile: check says so
	}
	if err != nil {
		return false, err
	}
	if !l.Carrier {
		return !(a.taken && patient), nil
	}
	now, err := c.Addresses(l.Index)
	if err != nil {
		return false, err
	}
	there := false
	for _, b := range now {
		switch {
		case b.Prefix.Addr() != a.addr:
			continue
		case b.Duplicate && a.addr == w.offered:
			return false, errTaken
		case b.Duplicate:
			return false, plan.Conflict(w.f.At(a.line), "address %s of link %s is that of another host on the link already", a.addr, a.Link)
		case b.Tentative:
			return false, nil
		}
		there = true
	}
	if !there && a.addr == w.offered { // the kernel deletes one that has an end
		return false, errTaken
	}
	return true, nil
}
