package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"rdgen/parallel"
	"rdgen/runtime/conf"
	"rdgen/runtime/dhcp"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/object"
	"rdgen/runtime/rtnl"
)

// acquire asks for the leases that the domain's links lack, for all at once, as long as
// TimeoutSec= says, and gives the links what it got. A server that does not answer is no
// error: nothing of the domain goes elsewhere meanwhile, and the watch goes on asking.
// Routers were heard from when the links went up, and are asked last: see [work.advertised].
func (w *work) acquire() error {
	asked, err := w.askings()
	defer func() {
		for _, a := range asked {
			a.client.Close()
		}
	}()
	if err != nil {
		return err
	}
	until := time.Now().Add(time.Duration(w.f.Timeout) * time.Second)
	parallel.Each(len(asked), len(asked), func(i int) {
		if asked[i].by != object.Routers {
			asked[i].got, asked[i].err = asked[i].client.Acquire(until)
		}
	})
	for i := range asked {
		if a := &asked[i]; a.by != object.Routers {
			if err := w.give(a, until); err != nil {
				return err
			}
		}
	}
	return w.advertised(asked)
}

// askings opens a client for each thing that the domain's links lack.
func (w *work) askings() (asked []asking, err error) {
	for _, l := range w.plain.Links {
		for _, by := range l.Asked() {
			if _, has := l.Leased(w.r.Leases, by, dhcp.Uptime()); has {
				continue
			}
			c, err := w.DHCP(l.Name.String(), by)
			if err != nil {
				return asked, w.giveUpLease(l, by, err)
			}
			asked = append(asked, asking{client: c, link: l, by: by})
		}
	}
	return asked, nil
}

// mostDeclined is how many addresses of a server are declined, one after the other.
const mostDeclined = 3

// give gives a link what a server said. An address that another host has is declined, and
// the server asked for another.
func (w *work) give(a *asking, until time.Time) error {
	for declined := 0; ; declined++ {
		switch {
		case errors.Is(a.err, dhcp.ErrNoAnswer):
			w.h.say(w.id, "%s: %v%s; it is up without an address there, and rdomain watch goes on asking", w.f.At(a.link.AskedAt(a.by)), a.err, after(w.f.Timeout))
			return nil
		case a.err != nil:
			return w.giveUpLease(a.link, a.by, a.err)
		}
		link := a.link.Name.String()
		w.offered = a.got.Address.Addr()
		err := w.provide(putLease(w.r.Leases, link, a.by, a.got), false)
		if !errors.Is(err, errTaken) {
			return err
		}
		if err := w.decline(a.client, *a.got); err != nil {
			return err
		}
		w.h.say(w.id, "%s: %s of the %s is that of another host on link %s; declined", w.f.At(a.link.AskedAt(a.by)), a.got.Address.Addr(), a.by.Server(), link)
		if declined == mostDeclined {
			return nil
		}
		a.got, a.err = a.client.Acquire(until)
	}
}

// errTaken says that the address of a lease is another host's already.
var errTaken = errors.New("the address is that of another host")

// decline takes the address of a lease away and says to its server that another host has it.
func (w *work) decline(c kernel.DHCP, l object.Lease) error {
	if d, ok := c.(interface{ Decline(object.Lease) error }); ok {
		_ = d.Decline(l) // a server that does not hear it is told so again
	}
	return w.provide(putLease(w.r.Leases, l.Link, l.Protocol(), nil), true)
}

// asking is a link that a server is asked for, and what it said.
type asking struct {
	client kernel.DHCP
	link   conf.Link
	by     object.Protocol
	got    *object.Lease
	err    error
}

func (w *work) giveUpLease(l conf.Link, by object.Protocol, err error) error {
	err = fmt.Errorf("%s: %s on link %s: %w", w.f.At(l.AskedAt(by)), by, l.Name, err)
	if len(w.did) > 0 {
		return w.giveUp(w.r, err)
	}
	return err
}

// ask asks for a lease, for the one that there is if there is one. lost: the link had no
// carrier meanwhile.
func (w *work) ask(l conf.Link, by object.Protocol, now *object.Lease, lost bool, until time.Time) (*object.Lease, error) {
	c, err := w.DHCP(l.Name.String(), by)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if now != nil && lost {
		return c.Confirm(*now, until)
	}
	if now != nil {
		return c.Renew(*now, until)
	}
	return c.Acquire(until)
}

// putLease returns leases with that of a link and a protocol, or without one.
func putLease(leases []object.Lease, link string, by object.Protocol, l *object.Lease) []object.Lease {
	rest := slices.DeleteFunc(slices.Clone(leases), func(o object.Lease) bool { return o.Link == link && o.Protocol() == by })
	if l == nil {
		return rest
	}
	return append(rest, *l)
}

// provide makes the domain have what leases say, and no more what those before said. It
// writes down the leases.
func (w *work) provide(leases []object.Lease, reload bool) error {
	w.r = w.r.Clone()
	w.r.Leases = leases
	w.f = w.plain.With(leases, dhcp.Uptime())
	w.Forget()
	if err := w.up(reload); err != nil {
		return err // errTaken is no failure of the domain: see give
	}
	err := w.lengthen()
	if err == nil {
		err = w.save(w.r)
	}
	if err != nil && len(w.did) > 0 {
		return w.giveUp(w.r, err)
	}
	return err
}

// lengthen gives the addresses of leases that are there already the time that they have
// now.
func (w *work) lengthen() error {
	for _, l := range w.f.Links {
		for _, a := range l.Addresses {
			given := object.NewAddress(w.Netns, l.Name.String(), a.Prefix)
			given.Valid, given.Preferred = a.Valid, a.Valid
			isNew := slices.ContainsFunc(w.did, func(s object.Step) bool { return s.Object == given })
			if a.Valid == 0 || isNew {
				continue
			}
			step := object.Step{Verb: object.Replace, Object: given, Line: a.Line}
			if _, err := w.Do(step, w.r); err != nil {
				return w.failure(step, err)
			}
		}
	}
	return nil
}

// releaseLeases gives the leases of a domain back that is about to be taken down.
func (w *work) releaseLeases(leases []object.Lease) {
	for _, l := range leases {
		if c, err := w.DHCP(l.Link, l.Protocol()); err == nil && l.Holds(dhcp.Uptime()) {
			_ = c.Release(l) // a server that does not hear it takes it back at its end
			c.Close()
		}
	}
}

// patient is how long the watch asks before it looks for other work, and again how long it
// waits where nobody answers.
const patient, pausing = 10 * time.Second, 20 * time.Second

// Tend renews the leases of a domain that is up, asks for those that it lacks, and looks up
// the names of endpoints again. It returns after which time it is to be called again, 0 for
// never, and what became of them. carriers remembers, from call to call, how often the carrier
// of a link had changed when a lease was asked for: where it did
// again, another network may be, so the lease is asked for at once.
func (h *Host) Tend(id domain.ID, carriers map[string]uint32) (next time.Duration, notes []string, err error) {
	t, err := h.standing(id)
	if err != nil || t.file == nil || !t.file.Managed || !t.file.Tended() || !h.store.Has(id) {
		return 0, nil, err
	}
	next = time.Hour
	var again []domain.LinkName
	for _, l := range t.file.Links {
		for _, by := range l.Asked() {
			after, note, err := h.tend(t, l, by, carriers)
			if note != "" {
				notes = append(notes, fmt.Sprintf("link %s: %s", l.Name, note))
			}
			if err != nil {
				return pausing, notes, err
			}
			next = min(next, after)
		}
		if l.ReResolve > 0 {
			again = append(again, l.Name)
			next = min(next, time.Duration(l.ReResolve)*time.Second)
		}
	}
	if len(again) > 0 {
		moved, err := h.reResolve(t, again)
		notes = append(notes, moved...)
		if err != nil {
			return pausing, notes, err
		}
	}
	return next, notes, nil
}

// tend is Tend for one link and protocol. The server is asked without the domain's lock.
func (h *Host) tend(t target, l conf.Link, by object.Protocol, carriers map[string]uint32) (next time.Duration, note string, err error) {
	link := l.Name.String()
	key := string(by) + " on " + link
	r, err := h.store.Load(t.id)
	if err != nil || !r.Complete {
		return pausing, "", ignoreGone(err)
	}
	now := dhcp.Uptime()
	lease, has := l.Leased(r.Leases, by, now)
	if !has && len(putLease(r.Leases, link, by, nil)) < len(r.Leases) { // the kernel took the address away
		if err := h.replace(t, link, by, nil); err != nil {
			return pausing, "", err
		}
		note = "what the " + by.Server() + " gave has ended"
	}
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return pausing, note, err
	}
	defer w.Close()
	w.Inputs = &kernel.Inputs{}
	carrier, changes, err := w.carrier(link)
	before, seen := carriers[key]
	if !seen && err == nil {
		carriers[key] = changes
	}
	lost := seen && changes != before
	switch {
	case err != nil:
		return pausing, note, err
	case !carrier && has:
		return lasts(lease, now), note, nil
	case !carrier:
		return time.Hour, note, nil // the watch is told when there is one
	case has && lease.Renew > now && !lost:
		return time.Duration(lease.Renew-now) * time.Second, note, nil
	}
	var known *object.Lease
	long := patient
	if has {
		known, long = &lease, min(long, lasts(lease, now)) // its end is seen at once
	}
	got, err := w.ask(l, by, known, lost, time.Now().Add(long))
	if !errors.Is(err, dhcp.ErrNoAnswer) {
		carriers[key] = changes
	}
	switch {
	case errors.Is(err, dhcp.ErrNoAnswer) && has:
		return min(lasts(lease, dhcp.Uptime()), pausing), "no " + by.Server() + " answers; what one gave goes on until it ends", nil
	case errors.Is(err, dhcp.ErrNoAnswer):
		return pausing, "no " + by.Server() + " answers", h.replace(t, link, by, nil)
	case errors.Is(err, dhcp.ErrRefused):
		return time.Millisecond, "the " + by.Server() + " refused to renew " + lease.Address.String() + "; it is taken away", h.replace(t, link, by, nil)
	case err != nil:
		return pausing, "", err
	}
	if err := h.replace(t, link, by, got); err != nil {
		return pausing, "", err
	}
	if by != object.Routers && (!has || got.Address != lease.Address) {
		note = "has " + got.Address.String() + " by " + string(by)
	}
	return max(time.Duration(got.Renew-dhcp.Uptime())*time.Second, time.Second), note, nil
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lasts is how long a lease holds.
func lasts(l object.Lease, now int64) time.Duration {
	if l.End == 0 {
		return time.Hour
	}
	return max(time.Duration(l.End-now)*time.Second, time.Second)
}

// carrier reports whether a link of the domain is there and has a carrier, and how often that
// changed.
func (w *work) carrier(link string) (has bool, changes uint32, err error) {
	c, err := w.Conn(w.Netns)
	if err == nil {
		var l rtnl.Link
		l, err = c.Link(link)
		return err == nil && l.Carrier, l.CarrierChanges, ignoreGone(err)
	}
	return false, 0, ignoreGone(err)
}
