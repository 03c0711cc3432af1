package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
	"rdgen/runtime/netns"
	"rdgen/runtime/object"
	"rdgen/runtime/plan"
	"rdgen/runtime/record"
)

// requirements returns the domains that must be up before the file's own: those
// that it requires, and those in which its links have their other side.
func requirements(f *conf.File, id domain.ID) []conf.Ref {
	list := slices.Clone(f.Requires)
	for _, l := range f.Links {
		if o := l.Outer; o.ID != (domain.ID{}) && o.ID != id &&
			!slices.ContainsFunc(list, func(r conf.Ref) bool { return r.ID == o.ID }) {
			list = append(list, o)
		}
	}
	return list
}

// require brings up what a file requires. chain are the domains that are waiting
// for this one.
func (h *Host) require(t target, chain []domain.ID) error {
	for _, ref := range requirements(t.file, t.id) {
		if err := inCircle(t.file, ref, chain); err != nil {
			return err
		}
		at := func(err error) error {
			return fmt.Errorf("%s:%d: requires %s: %w", t.file.Path, ref.Line, ref.ID, err)
		}
		other, err := h.find(ref.ID)
		if err != nil {
			return at(err)
		}
		if other.file != nil {
			if err := h.upAfter(ref.ID, false, chain); err != nil {
				return at(err)
			}
			continue
		}
		// Without a file it is for somebody else to make: a misspelt name must
		// not make an empty namespace.
		exists := func() (bool, error) { return h.exists(ref.ID) }
		if err := wait(t.file.Timeout, exists); err != nil {
			if err != errLate {
				return at(err)
			}
			return &plan.Conflict{At: conf.Error{Path: t.file.Path, Line: ref.Line, Msg: fmt.Sprintf(
				"%s does not exist%s, and no file defines it", ref.ID, after(t.file.Timeout))}}
		}
	}
	return nil
}

// inCircle is the error for a domain that requires one of those that wait for it.
func inCircle(f *conf.File, ref conf.Ref, chain []domain.ID) error {
	at := slices.Index(chain, ref.ID)
	if at < 0 {
		return nil
	}
	var names []string
	for _, c := range append(slices.Clip(chain[at:]), ref.ID) {
		names = append(names, c.String())
	}
	return &conf.Error{Path: f.Path, Line: ref.Line, Msg: "domains require each other: " + strings.Join(names, ", ")}
}

// after says how long was waited.
func after(seconds uint32) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf(" after %d s", seconds)
}

// errLate is wait's error for what has not come to exist.
var errLate = errors.New("does not exist")

// wait waits until something exists, or so many seconds.
func wait(seconds uint32, exists func() (bool, error)) error {
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if ok, err := exists(); ok || err != nil {
			return err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return errLate
		}
		time.Sleep(min(pause, left))
	}
}

// exists reports whether there is a domain of that ID, whoever made it.
func (h *Host) exists(id domain.ID) (bool, error) {
	if both, ok := id.Both(); ok {
		return h.hasVRF(both)
	}
	switch _, err := netns.Lookup(id.String()); {
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, netns.ErrNotNamespace):
		return false, err
	}
	vrf, err := domain.ParseVRF(id.String())
	if err != nil {
		return false, nil // too long for a VRF
	}
	return h.hasVRF(domain.Domain{VRF: vrf})
}

// outers fills in what the other sides of a file's links are.
func (h *Host) outers(t target, own domain.Domain, in *inputs) error {
	if t.file == nil {
		return nil
	}
	in.outers[domain.ID{}] = plan.Outer{}
	for _, l := range t.file.Links {
		id := l.Outer.ID
		if _, done := in.outers[id]; done {
			continue
		}
		o := plan.Outer{Domain: own, Table: t.file.Table}
		if id != t.id {
			other, err := h.find(id)
			if err != nil {
				return fmt.Errorf("%s:%d: Outer=%s: %w", t.file.Path, l.Outer.Line, id, err)
			}
			f, err := h.known(other)
			if err != nil {
				return fmt.Errorf("%s:%d: Outer=%s: %w", t.file.Path, l.Outer.Line, id, err)
			}
			o.Domain, o.Table = f.Domain, f.Table
		}
		if err := h.lookAt(&o); err != nil {
			return err
		}
		in.outers[id] = o
	}
	return nil
}

// known returns what a target is.
func (h *Host) known(t target) (*conf.File, error) {
	r, err := h.load(t.id)
	if err != nil {
		return nil, err
	}
	f, _, err := h.means(t, r)
	return f, err
}

// lookAt reads what a VRF that exists is like.
func (h *Host) lookAt(o *plan.Outer) error {
	if o.Domain.VRF.IsZero() {
		return nil
	}
	s, err := h.newSession(o.Domain.Netns)
	if err != nil {
		return err
	}
	defer s.close()
	c, err := s.conn(s.netns)
	if err != nil {
		return nil // yet to be made
	}
	l, err := c.Link(o.Domain.VRF.String())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	o.Table = l.Table
	have := &plan.State{Exists: true}
	err = s.readSysctls([]string{"net/ipv4/udp_l3mdev_accept"}, have)
	o.Accept = have.Sysctls["net/ipv4/udp_l3mdev_accept"] == "1"
	return err
}

// required is a link that must exist before the domain can be made.
type required struct {
	at
	line int
	// inside: it will do if the domain's namespace has it already.
	inside bool
	// alone: no plan says what the link is for.
	alone bool
}

func (s *session) needs(f *conf.File, r *record.Record) (list []required) {
	made := map[at]bool{{s.netns, f.Domain.VRF.String()}: true}
	record.Of(r, func(t object.Taken, _ record.Identity) { // it came once, and may have another name
		made[at{t.From, t.Name}] = true
	})
	for _, l := range f.Links {
		if l.Kind != "" {
			made[at{s.netns, l.Name.String()}] = true
		}
	}
	add := func(n required) {
		if n.link != "" && !made[n.at] {
			list = append(list, n)
		}
	}
	outside := domain.Netns{}
	for _, d := range f.RequiresLinks {
		add(required{at: at{outside, d.Name.String()}, line: d.Line, alone: true})
	}
	for _, l := range f.Links {
		name := l.Name.String()
		if l.Kind == "" && name != "lo" {
			add(required{at: at{outside, name}, line: l.Line, inside: true})
			made[at{s.netns, name}] = true
		}
		if object.HasOuter(l.Kind) {
			outer := s.inputs.outers[l.Outer.ID].Domain.Netns
			add(required{at: at{outer, l.Parent.String()}, line: l.LineOf("Parent")})
			add(required{at: at{outer, l.PeerBridge.String()}, line: l.LineOf("PeerBridge")})
		}
	}
	return list
}

// awaitLinks waits for links that others make: hardware that is found late, and
// what another program sets up. What does not come is for the plan to speak of.
func (s *session) awaitLinks(f *conf.File, r *record.Record) error {
	var late required
	err := wait(f.Timeout, func() (bool, error) {
		for _, n := range s.needs(f, r) {
			if ok, err := s.hasLink(n); !ok || err != nil {
				late = n
				return false, err
			}
		}
		return true, nil
	})
	if err == errLate && late.alone {
		return &plan.Conflict{At: conf.Error{Path: f.Path, Line: late.line, Msg: fmt.Sprintf(
			"there is no link %s in the default domain%s", late.link, after(f.Timeout))}}
	}
	if err == errLate {
		return nil
	}
	return err
}

func (s *session) hasLink(n required) (bool, error) {
	places := []domain.Netns{n.netns}
	if n.inside && n.netns != s.netns {
		places = append(places, s.netns)
	}
	for _, netns := range places {
		c, err := s.conn(netns)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			_, err = c.Link(n.link)
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}
