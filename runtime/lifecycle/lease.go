package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"rdgen/parallel"
	"rdgen/problem"
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
func (w *work) acquire() error {
	var asked []asking
	defer func() {
		for _, a := range asked {
			a.client.Close()
		}
	}()
	for _, l := range w.plain.Links {
		for _, v6 := range l.Asked() {
			if _, has := l.Leased(w.r.Leases, v6, dhcp.Uptime()); has {
				continue
			}
			c, err := w.DHCP(l.Name.String(), v6)
			if err != nil {
				return w.giveUpLease(l, err)
			}
			asked = append(asked, asking{client: c, link: l, v6: v6})
		}
	}
	until := time.Now().Add(time.Duration(w.f.Timeout) * time.Second)
	parallel.Each(len(asked), len(asked), func(i int) { asked[i].got, asked[i].err = asked[i].client.Acquire(until) })
	for _, a := range asked {
		switch {
		case errors.Is(a.err, dhcp.ErrNoAnswer):
			at := w.f.At(a.link.LineOf("DHCP"))
			w.h.say(w.id, "%s: %v%s; it is up without an address there, and rdomain watch goes on asking", at, a.err, after(w.f.Timeout))
			continue
		case a.err != nil:
			return w.giveUpLease(a.link, a.err)
		}
		if err := w.provide(putLease(w.r.Leases, a.link.Name.String(), a.v6, a.got), false); err != nil {
			return err
		}
	}
	return nil
}

// asking is a link that a server is asked for, and what it said.
type asking struct {
	client kernel.DHCP
	link   conf.Link
	v6     bool
	got    *object.Lease
	err    error
}

func (w *work) giveUpLease(l conf.Link, err error) error {
	err = fmt.Errorf("%s: DHCP on link %s: %w", w.f.At(l.LineOf("DHCP")), l.Name, err)
	if len(w.did) > 0 {
		return w.giveUp(w.r, err)
	}
	return err
}

// ask asks for a lease, for the one that there is if there is one.
func (w *work) ask(l conf.Link, v6 bool, now *object.Lease, until time.Time) (*object.Lease, error) {
	c, err := w.DHCP(l.Name.String(), v6)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if now != nil {
		return c.Renew(*now, until)
	}
	return c.Acquire(until)
}

// putLease returns leases with that of a link and a family, or without one.
func putLease(leases []object.Lease, link string, v6 bool, l *object.Lease) []object.Lease {
	rest := slices.DeleteFunc(slices.Clone(leases), func(o object.Lease) bool { return o.Link == link && o.Is6() == v6 })
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
		return err
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
		if c, err := w.DHCP(l.Link, l.Is6()); err == nil && l.Holds(dhcp.Uptime()) {
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
// never, and what became of them. lost remembers, from call to call, links without a carrier:
// where they have one again another network may be, so the lease is asked for at once.
func (h *Host) Tend(id domain.ID, lost map[string]bool) (next time.Duration, notes []string, err error) {
	t, err := h.find(id)
	if err != nil || t.file == nil || !t.file.Managed || !t.file.Tended() || !h.store.Has(id) {
		return 0, nil, err
	}
	next = time.Hour
	for _, l := range t.file.Links {
		for _, v6 := range l.Asked() {
			after, note, err := h.tend(t, l, v6, lost)
			if note != "" {
				notes = append(notes, fmt.Sprintf("link %s: %s", l.Name, note))
			}
			if err != nil {
				return pausing, notes, err
			}
			next = min(next, after)
		}
		if l.ReResolve > 0 {
			moved, err := h.reResolve(t, l.Name)
			for _, note := range moved {
				notes = append(notes, fmt.Sprintf("link %s: %s", l.Name, note))
			}
			if err != nil {
				return pausing, notes, err
			}
			next = min(next, time.Duration(l.ReResolve)*time.Second)
		}
	}
	return next, notes, nil
}

// tend is Tend for one link and family. The server is asked without the domain's lock.
func (h *Host) tend(t target, l conf.Link, v6 bool, lost map[string]bool) (next time.Duration, note string, err error) {
	link, name := l.Name.String(), protocol(v6)
	key := name + " on " + link
	r, err := h.store.Load(t.id)
	if err != nil || !r.Complete {
		return pausing, "", ignoreGone(err)
	}
	now := dhcp.Uptime()
	lease, has := l.Leased(r.Leases, v6, now)
	if !has && len(putLease(r.Leases, link, v6, nil)) < len(r.Leases) { // the kernel took the address away
		if err := h.replace(t, link, v6, nil); err != nil {
			return pausing, "", err
		}
		note = "its lease of " + name + " has ended"
	}
	w, err := h.open(r.Domain.Netns)
	if err != nil {
		return pausing, note, err
	}
	defer w.Close()
	w.Inputs = &kernel.Inputs{}
	switch carrier, err := w.carrier(link); {
	case err != nil:
		return pausing, note, err
	case !carrier && has:
		lost[key] = true
		return lasts(lease, now), note, nil
	case !carrier:
		return time.Hour, note, nil // the watch is told when there is one
	case has && lease.Renew > now && !lost[key]:
		return time.Duration(lease.Renew-now) * time.Second, note, nil
	}
	delete(lost, key)
	var known *object.Lease
	if has {
		known = &lease
	}
	got, err := w.ask(l, v6, known, time.Now().Add(patient))
	switch {
	case errors.Is(err, dhcp.ErrNoAnswer) && has:
		return min(lasts(lease, dhcp.Uptime()), pausing), "no " + name + " server answers; its lease goes on until it ends", nil
	case errors.Is(err, dhcp.ErrNoAnswer):
		return pausing, "no " + name + " server answers", h.replace(t, link, v6, nil)
	case errors.Is(err, dhcp.ErrRefused):
		return time.Millisecond, "the " + name + " server refused to renew " + lease.Address.String() + "; it is taken away", h.replace(t, link, v6, nil)
	case err != nil:
		return pausing, "", err
	}
	if err := h.replace(t, link, v6, got); err != nil {
		return pausing, "", err
	}
	if !has || got.Address != lease.Address {
		note = "has " + got.Address.String() + " by " + name
	}
	return max(time.Duration(got.Renew-dhcp.Uptime())*time.Second, time.Second), note, nil
}

func protocol(v6 bool) string {
	if v6 {
		return "DHCPv6"
	}
	return "DHCP"
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

// carrier reports whether a link of the domain is there and has a carrier.
func (w *work) carrier(link string) (bool, error) {
	c, err := w.Conn(w.Netns)
	if err == nil {
		var l rtnl.Link
		l, err = c.Link(link)
		return err == nil && l.Carrier, ignoreGone(err)
	}
	return false, ignoreGone(err)
}

// replace gives a link another lease, the same one for longer, or none.
func (h *Host) replace(t target, link string, v6 bool, lease *object.Lease) error {
	full, in, err := kernel.Gather(t.file)
	if err != nil {
		return err
	}
	t.file = full
	lock, err := h.store.Lock(t.id)
	if err != nil {
		return err
	}
	defer h.unlock(t.id, lock)
	d, err := h.resolve(t)
	if err != nil {
		return err
	}
	if !d.r.Complete || d.r.Empty() || d.remade() {
		return nil // it was taken down meanwhile
	}
	leases := putLease(d.r.Leases, link, v6, lease)
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
	return w.provide(leases, true)
}

// unleased says which links of a domain that is up have no lease.
func unleased(f *conf.File, leases []object.Lease) (problems []string) {
	for _, l := range f.Links {
		for _, v6 := range l.Asked() {
			if _, has := l.Leased(leases, v6, dhcp.Uptime()); !has {
				problems = append(problems, problem.New(f.At(l.LineOf("DHCP")), "link %s has no lease: no %s server has answered", l.Name, protocol(v6)).Error())
			}
		}
	}
	return problems
}
