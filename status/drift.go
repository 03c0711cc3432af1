package status

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/services"
)

// Kind is a way in which something is where it should not be.
type Kind string

// The kinds of drift.
const (
	// Elsewhere: in another domain than the file names.
	Elsewhere Kind = "elsewhere"
	// Before: so, because it was started before the file said so.
	Before Kind = "before"
	// Gone: in what the domain was, which is gone.
	Gone Kind = "gone"
	// Unguarded: in its VRF, and nothing keeps its sockets there; or others than root can
	// take it out.
	Unguarded Kind = "unguarded"
	// Resolver: it looks up names by the host's file, although the domain has one.
	Resolver Kind = "resolver"
	// Socket: it listens in another domain, by a socket that it was given.
	Socket Kind = "socket"
)

// Kinds are all kinds of drift.
var Kinds = []Kind{Elsewhere, Before, Gone, Unguarded, Resolver, Socket}

// Drift is one thing that is where it should not be.
type Drift struct {
	Kind Kind   `json:"kind"`
	PID  int    `json:"pid"`
	What string `json:"what"`
	Hint string `json:"hint"`
}

// drift is what is wrong with one process of a service, of which all is known.
func (o owned) drift(d Declared, p Seen) (list []Drift) {
	add := func(kind Kind, format string, args ...any) {
		hint := o.restart
		switch {
		case kind != Before && o.again != "":
			hint = o.again
		case kind == Socket && o.reopen != "":
			hint = o.reopen
		}
		list = append(list, Drift{kind, p.PID, said(d.Name, p.PID, p.Command) + " " + fmt.Sprintf(format, args...), hint})
	}
	switch at, want := p.At, d.Domain.ID(); {
	case at.Outlived != "":
		add(Gone, "is in what %s was before it was taken down", at.Outlived)
		return list
	case at.Unnamed && o.left(p, want):
		return nil // it has a namespace of its own making, and nothing of the default one's
	case at.Unnamed:
		add(Gone, "is in a network namespace without a name, and not in %s: what had the name when it started is gone", d.Domain)
		return list
	case at.Gone:
		add(Gone, "is bound to a vrf that is gone")
		return list
	case at.ID != want:
		began, file := before(d, o.recorded, p)
		if began {
			add(Before, "is in %s and not in %s: it was started before %s said so", place(p), d.Domain, file)
		} else {
			add(Elsewhere, "is in %s and not in %s", place(p), d.Domain)
		}
		return list
	}
	if p.At.Leaves {
		add(Unguarded, "is in %s, but nothing keeps its sockets there: the programs of rdexec are not attached", d.Domain)
	}
	if p.At.Delegated != "" {
		add(Unguarded, "is in %s, but %s", d.Domain, p.At.Delegated)
	}
	if p.HostResolver {
		add(Resolver, "looks up names by the host's /etc/resolv.conf, and not by %s/resolv.conf", d.Domain.Etc())
	}
	for _, l := range p.Listens {
		if l.Gone {
			add(Gone, "listens at %s %s by a device that is gone, and hears nothing there", l.Protocol, l.Address)
		}
		if l.Outside && !d.SocketsStay {
			of := "of the default domain"
			if !d.Domain.VRF.IsZero() && !d.Domain.Netns.IsZero() {
				of = "outside of " + d.Domain.String()
			}
			add(Socket, "listens at %s %s %s", l.Protocol, l.Address, of)
		}
	}
	return list
}

// waiting is what systemd listens at for a service, where that should not be. What a process of
// the service has open too is its drift already.
func (m Machine) waiting(d Declared, o owned) (list []Drift) {
	for _, w := range m.astray(d) {
		has := func(p Seen) bool {
			return slices.ContainsFunc(p.Listens, func(l Listener) bool { return l.Protocol == w.Protocol && l.Address == w.Address })
		}
		if slices.ContainsFunc(o.list, has) {
			continue
		}
		of, hint := "the default domain", o.reopen // it does not start beside its service
		if w.Netns != "" {
			of = "netns " + w.Netns
		}
		if len(o.list) == 0 || hint == "" {
			hint = services.ReopenSocket(w.Unit)
		}
		list = append(list, Drift{Socket, 1, fmt.Sprintf("%s: %s listens at %s %s of %s", d.Name, w.Unit, w.Protocol, w.Address, of), hint})
	}
	return list
}

// astray are the sockets at which systemd listens for a service, and which are not where they
// should be: a socket that is open stays where it was made, whatever its unit says since.
func (m Machine) astray(d Declared) (list []Waiting) {
	for _, t := range d.Traces {
		for _, w := range m.Waiting {
			if t.Waits(w.Unit) && !w.belongs(d) {
				list = append(list, w)
			}
		}
	}
	return list
}

// belongs reports whether a socket of a service's is where it should be. One of the default
// domain that is bound to a link is in a VRF.
func (w Waiting) belongs(d Declared) bool {
	switch {
	case d.SocketsStay:
		return w.Netns == ""
	case w.Netns != "":
		return w.Netns == d.Domain.Netns.String()
	default:
		return w.Bound && d.Domain.Netns.IsZero()
	}
}

// left reports whether a process has left the domain for a namespace that it made: a
// process above it, of the same service, is in the domain.
func (o owned) left(p Seen, want string) bool {
	for at := p.Parent; ; {
		parent, ok := o.process(at)
		if !ok {
			return false
		}
		if parent.At.ID == want && parent.Unseen == "" {
			return true
		}
		at = parent.Parent
	}
}

func (o owned) process(pid int) (Seen, bool) {
	for _, p := range o.list {
		if p.PID == pid {
			return p, true
		}
	}
	return Seen{}, false
}

// before reports whether a process is elsewhere because it is older than the line. OpenRC
// records where a service was started; else the file is younger.
func before(d Declared, recorded string, p Seen) (is bool, file string) {
	file = d.File
	if d.Line > 0 {
		file = fmt.Sprintf("%s:%d", d.File, d.Line)
	}
	if recorded != "" {
		vrf, netns, _ := strings.Cut(recorded, "@")
		return domain.SpellID(netns, vrf) == p.At.ID, file
	}
	return !d.Changed.IsZero() && p.Began.Before(d.Changed), file
}

// said is a process of a service, for messages.
func said(name string, pid int, command string) string {
	return fmt.Sprintf("%s: process %d (%s)", name, pid, command)
}
