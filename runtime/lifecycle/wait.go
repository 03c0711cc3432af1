package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/kernel"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
	"rdgen/runtime/rtnl"
)

// after says how long was waited.
func after(seconds uint32) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf(" after %d s", seconds)
}

// errLate is wait's error for what has not come to exist.
var errLate = errors.New("does not exist")

// patience is how long rdomain waits in silence for what others make.
const patience = time.Second

// wait waits until something exists, or so many seconds. After a second it says for
// what: late returns the name of it, and the line that asks for it.
func (h *Host) wait(id domain.ID, seconds uint32, late func() (string, problem.Pos), exists func() (bool, error)) error {
	return h.waitSilent(patience, id, seconds, late, exists)
}

// waitSilent is wait with another patience.
func (h *Host) waitSilent(patience time.Duration, id domain.ID, seconds uint32, late func() (string, problem.Pos),
	exists func() (bool, error)) error {
	start, said := time.Now(), false
	deadline := start.Add(time.Duration(seconds) * time.Second)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if ok, err := exists(); ok || err != nil {
			return err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return errLate
		}
		if !said && time.Since(start) >= patience {
			what, at := late()
			h.say(id, "waiting for %s, at most %d s more (%s)", what, (left+time.Second-1)/time.Second, at)
			said = true
		}
		time.Sleep(min(pause, left))
	}
}

// say tells the user something about a domain at once.
func (h *Host) say(id domain.ID, format string, args ...any) {
	if h.Say != nil {
		h.Say(id, fmt.Sprintf(format, args...))
	}
}

// await waits for a domain with Managed=no.
func (h *Host) await(id domain.ID, f *conf.File) error {
	late := func() (string, problem.Pos) { return f.Domain.String(), f.At(f.KindLine) }
	err := h.wait(id, f.Timeout, late, func() (bool, error) {
		if f.Kind == conf.VRF {
			return h.hasVRF(f.Domain)
		}
		_, err := netns.Lookup(f.Domain.Netns.String())
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
			return false, nil
		}
		return err == nil, err
	})
	if errors.Is(err, errLate) {
		return plan.Conflict(f.At(f.KindLine), "%s does not exist%s; Managed=no leaves making it to somebody else", f.Domain, after(f.Timeout))
	}
	return err
}

// required is a link that must exist before the domain can be made.
type required struct {
	kernel.At
	line int
	// inside: it will do if the domain's namespace has it already.
	inside bool
	// alone: no plan says what the link is for.
	alone bool
}

func at(netns domain.NetnsName, link string) kernel.At { return kernel.At{Netns: netns, Link: link} }

// needs returns the links that must exist before the domain can be made.
func (w *work) needs() (list []required) {
	f := w.f
	made := map[kernel.At]bool{at(w.Netns, f.Domain.VRF.String()): true}
	record.Of(w.r, func(t object.Taken, _ record.Identity) { // it came once, and may have another name
		made[at(t.From, t.Name)] = true
	})
	for _, l := range f.Links {
		if l.Kind != "" {
			made[at(w.Netns, l.Name.String())] = true
		}
	}
	add := func(n required) {
		if n.Link != "" && !made[n.At] {
			list = append(list, n)
		}
	}
	outside := domain.NetnsName{}
	for _, d := range f.RequiresLinks {
		add(required{At: at(outside, d.Name.String()), line: d.Line, alone: true})
	}
	for _, l := range f.Links {
		name := l.Name.String()
		if l.Kind == "" && name != "lo" {
			add(required{At: at(outside, name), line: l.Line, inside: true})
			made[at(w.Netns, name)] = true
		}
		if object.HasOuter(l.Kind) {
			outer := w.Inputs.Outers[l.Outer.ID].Domain.Netns
			add(required{At: at(outer, l.Parent.String()), line: l.LineOf("Parent")})
			add(required{At: at(outer, l.PeerBridge.String()), line: l.LineOf("PeerBridge")})
		}
	}
	return list
}

// awaitLinks waits for links that others make: hardware that is found late, and
// what another program sets up. What does not come is for the plan to speak of.
func (w *work) awaitLinks() error {
	f := w.f
	if err := w.heldElsewhere(); err != nil {
		return err
	}
	var late required
	came := map[string]bool{}
	say := func() (string, problem.Pos) {
		return "link " + late.Link + " in " + domain.Domain{Netns: late.Netns}.String(), f.At(late.line)
	}
	err := w.h.wait(w.id, f.Timeout, say, func() (bool, error) {
		for _, n := range w.needs() {
			if ok, err := w.hasLink(n); !ok || err != nil {
				late = n
				came[n.Link] = n.Netns.IsZero()
				return false, err
			}
		}
		return true, nil
	})
	if err == nil {
		return w.awaitOwners(came)
	}
	if errors.Is(err, errLate) && late.alone {
		return plan.Conflict(f.At(late.line), "there is no link %s in the default domain%s", late.Link, after(f.Timeout))
	}
	if errors.Is(err, errLate) {
		return nil
	}
	return err
}

// heldElsewhere returns an error if a link that the domain takes is in another one:
// it will not come by itself, and need not be waited for.
func (w *work) heldElsewhere() error {
	for _, n := range w.needs() {
		if here, err := w.hasLink(n); err != nil || here || !n.inside {
			if err != nil {
				return err
			}
			continue
		}
		ids, err := w.h.store.IDs()
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, err := w.h.store.Load(id)
			if err != nil || id == w.id || r.Find(object.Taken{Netns: r.Domain.Netns, Name: n.Link}.Key()) == nil {
				continue // one that cannot be read is its own domain's trouble
			}
			other, err := w.h.open(r.Domain.Netns)
			if err != nil {
				return err
			}
			there, err := other.hasLink(required{At: at(r.Domain.Netns, n.Link)})
			other.Close()
			if err != nil {
				return err
			}
			if there {
				return plan.Conflict(w.f.At(n.line), "link %s is in %s, by %s", n.Link, r.Domain, r.File)
			}
		}
	}
	return nil
}

func (w *work) hasLink(n required) (bool, error) {
	places := []domain.NetnsName{n.Netns}
	if n.inside && n.Netns != w.Netns {
		places = append(places, w.Netns)
	}
	for _, netns := range places {
		c, err := w.Conn(netns)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			_, err = c.Link(n.Link)
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err == nil, w.byItsName(err)
		}
	}
	return false, nil
}

// byItsName gives the error for a link's alternative name the line that has it.
func (w *work) byItsName(err error) error {
	other, ok := errors.AsType[*rtnl.AlternativeName](err)
	if !ok {
		return err
	}
	for _, n := range w.needs() {
		if n.Link == other.Name {
			return problem.New(w.f.At(n.line), "%v", other).WithHint("write " + other.Link + ": rdomain takes links by their own names")
		}
	}
	return err
}
