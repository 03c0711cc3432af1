package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// maker is what makes a link, or brings it to where it is.
type maker struct {
	file *File
	link Link
	// peer: it is the other end of a veth.
	peer bool
}

// addresses are those that the end has.
func (m maker) addresses() []Address {
	if m.peer {
		return m.link.PeerAddresses
	}
	return m.link.Addresses
}

// makers returns what makes the links of each namespace.
func (a *All) makers() map[end][]maker {
	made := map[end][]maker{}
	for _, f := range a.Files {
		inside := "netns " + f.Domain.Netns.String()
		for _, l := range f.Links {
			if l.Kind != "" || f.Kind == Netns { // a VRF makes no link that it is given
				at := end{inside, l.Name.String()}
				made[at] = append(made[at], maker{f, l, false})
			}
			if !l.Peer.IsZero() {
				at := end{a.side(f, l), l.Peer.String()}
				made[at] = append(made[at], maker{f, l, true})
			}
		}
	}
	return made
}

// want is what a file cannot do without: a link, or an address of one.
type want struct {
	line int
	// what the file says, and how the link has to do with it.
	what, how string
	end
	addr netip.Addr
	// own: addr is the link's, not one that it leads to.
	own bool
	// waits: up waits until the link is there.
	waits bool
	// route is what is routed there.
	route netip.Prefix
}

// wants returns what a file needs of links that it does not make itself.
func (a *All) wants(f *File) (list []want) {
	inside := "netns " + f.Domain.Netns.String()
	for _, d := range f.Devices {
		list = append(list, want{line: d.Line, what: "Device=" + d.Name.String(), end: end{inside, d.Name.String()}})
	}
	for _, s := range f.Sysctls {
		if link := sysctlLink(s.Path); link != "" {
			list = append(list, want{line: s.Line, what: s.Path, how: "is of", end: end{inside, link}})
		}
	}
	for _, r := range f.Routes {
		if r.Gateway.IsValid() && r.Device.IsZero() {
			list = append(list, want{line: r.Line, what: "Gateway=" + r.Gateway.String(), how: "is behind", end: end{inside, ""}, addr: r.Gateway, route: r.Destination})
		}
		for _, h := range r.Hops {
			if h.Dev == "" {
				list = append(list, want{line: r.Line, what: "MultiPathRoute=" + h.Gateway.String(), how: "is behind", end: end{inside, ""}, addr: h.Gateway, route: r.Destination})
			}
		}
		if r.Source.IsValid() {
			list = append(list, want{line: r.Line, what: "PreferredSource=" + r.Source.String(), how: "is an address of", end: end{inside, ""}, addr: r.Source, own: true})
		}
	}
	for _, l := range f.RequiresLinks {
		list = append(list, want{line: l.Line, what: "RequiresLink=" + l.Name.String(), end: end{"netns ", l.Name.String()}, waits: true})
	}
	for _, l := range f.Links {
		side := a.side(f, l)
		if l.Kind == "" && l.Name.String() != "lo" && !l.Later {
			from := side
			if f.Kind == VRF {
				from = inside
			}
			list = append(list, want{line: l.Line, what: fmt.Sprintf("[Link %s]", l.Name), end: end{from, l.Name.String()}, waits: true})
		}
		if !l.Parent.IsZero() {
			list = append(list, want{line: l.LineOf("Parent"), what: "Parent=" + l.Parent.String(), end: end{side, l.Parent.String()}, waits: true})
		}
		if !l.PeerBridge.IsZero() {
			list = append(list, want{line: l.LineOf("PeerBridge"), what: "PeerBridge=" + l.PeerBridge.String(), end: end{side, l.PeerBridge.String()}, waits: true})
		}
		if !l.Bridge.IsZero() {
			list = append(list, want{line: l.LineOf(l.PortKey()), what: l.PortKey() + "=" + l.Bridge.String(), end: end{inside, l.Bridge.String()}})
		}
	}
	return list
}

// sysctlLink returns the link of a variable, "" for one of all links.
func sysctlLink(path string) string {
	parts := strings.Split(path, "/") // net/ipv4/conf/LINK/...
	if len(parts) < 5 || parts[2] != "conf" && parts[2] != "neigh" || slices.Contains([]string{"all", "default", "lo"}, parts[3]) {
		return ""
	}
	return parts[3]
}

// of returns what makes the link that is needed, or one that has or leads to the address.
func (n want) of(makers map[end][]maker, places map[string][]maker) (list []maker) {
	if n.link != "" {
		return makers[n.end]
	}
	for _, m := range places[n.where] {
		if slices.ContainsFunc(m.addresses(), func(x Address) bool {
			return n.own && x.Prefix.Addr() == n.addr || !n.own && x.Reaches(n.addr)
		}) {
			list = append(list, m)
		}
	}
	return list
}

// fromNothing finds what works while everything is up, and not when it comes up: the
// link that a domain's route leads through may be made by another domain, which comes
// up after it, or waits for it.
func (a *All) fromNothing() (errs []between) {
	makers, byID := a.makers(), a.byID()
	places := map[string][]maker{}
	for at, list := range makers {
		places[at.where] = append(places[at.where], list...)
	}
	for _, f := range a.Files {
		for _, n := range a.wants(f) {
			var others []maker
			found := f.leadsTo(n)
			for _, m := range n.of(makers, places) {
				found = found || m.file == f || a.requires(byID, f, m.file)
				others = append(others, m)
			}
			if found || len(others) == 0 {
				continue
			}
			slices.SortFunc(others, func(x, y maker) int { return strings.Compare(x.file.Path, y.file.Path) })
			if err := a.late(f, n, others[0], a.requires(byID, others[0].file, f)); err != nil {
				errs = append(errs, between{err, []string{others[0].file.Path}})
			}
		}
	}
	return errs
}

// leadsTo reports whether a route of the file leads to an address that is needed.
func (f *File) leadsTo(n want) bool {
	return n.addr.IsValid() && !n.own && slices.ContainsFunc(f.Routes, func(r Route) bool {
		return !r.Device.IsZero() && !r.Gateway.IsValid() && r.Destination.Contains(n.addr)
	})
}

// late says that a link comes too late; waiting reports that its maker waits for f.
func (a *All) late(f *File, n want, m maker, waiting bool) *problem.Error {
	link, id, own := m.link.Name, a.ids[m.file], a.ids[f]
	if m.peer {
		link = m.link.Peer
	}
	is := n.what + " is a link"
	if n.how != "" {
		is = fmt.Sprintf("%s %s link %s,", n.what, n.how, link)
	}
	at := m.file.At(m.link.Line)
	if !waiting {
		if n.waits {
			return nil // it comes by itself
		}
		return problem.New(f.At(n.line), "%s that %s makes (%s), which may come up later: nothing says which is first", is, id, at).
			WithHint(fmt.Sprintf("write Requires=%s into [Domain]", id))
	}
	hint := fmt.Sprintf("let %s itself have the link, or move this to a file that requires %s", own, id)
	if m.peer && !n.own && !n.waits {
		hint = fmt.Sprintf("leave it out here, and write a PeerRoute= into [Link %s] of %s: such a route comes with the link", m.link.Name, m.file.Path)
		if n.route.IsValid() {
			hint = strings.Replace(hint, "PeerRoute=", "PeerRoute="+n.route.String(), 1)
		}
	}
	return problem.New(f.At(n.line), "%s that %s makes (%s), and %s waits until %s is up: neither comes up from nothing, as at boot",
		is, id, at, id, own).WithHint(hint)
}

// requires reports whether f comes up only after other.
func (a *All) requires(byID map[domain.ID]*File, f, other *File) bool {
	seen := map[*File]bool{f: true}
	for list := []*File{f}; len(list) > 0; list = list[1:] {
		for _, ref := range list[0].before(a.ids[list[0]]) {
			next := byID[ref.ID]
			if next == other {
				return true
			}
			if next != nil && !seen[next] {
				seen[next] = true
				list = append(list, next)
			}
		}
	}
	return false
}
