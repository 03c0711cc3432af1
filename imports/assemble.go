package imports

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/draft"
)

// assembly makes the files of domains of what was read.
type assembly struct {
	*reader
	files  []*draft.File
	result Result
	// done are the other ends of veths, whose link is in another section.
	done map[*link]bool
	// search are the names that the resolvers of a domain search.
	search map[*draft.Section][]item
}

func (r *reader) assemble() (*Result, error) {
	a := &assembly{reader: r, done: map[*link]bool{}, search: map[*draft.Section][]item{}}
	a.result.Services = r.services
	for _, name := range r.namespaces {
		if _, err := a.file(domain.Domain{}, name, problem.Pos{}); err != nil {
			return nil, err
		}
	}
	if !r.netns.IsZero() {
		if _, err := a.file(domain.Domain{}, r.netns.String(), problem.Pos{}); err != nil {
			return nil, err
		}
	}
	for _, step := range []func() error{a.vrfs, a.allLinks, a.allRoutes, a.allRules, a.allSysctls} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	a.result.Left = append(a.result.Left, r.left...)
	for _, f := range a.files {
		a.searched(f.Find("Domain"))
		text, err := f.Text(a.root)
		if err != nil {
			return nil, err
		}
		a.result.Domains = append(a.result.Domains, Domain{f.ID, text})
	}
	if len(a.files) == 0 {
		e := &problem.Error{Msg: "nothing that is read is in a VRF or a namespace"}
		return nil, e.WithHint("--netns NAME puts all of it into the namespace NAME")
	}
	return &a.result, nil
}

// file returns the file of a VRF, or that of a namespace where d is zero; it is made if
// there is none.
func (a *assembly) file(d domain.Domain, netns string, at problem.Pos) (*draft.File, error) {
	name := netns
	if !d.VRF.IsZero() {
		if name = d.VRF.String(); netns != "" {
			name += "@" + netns
		}
	}
	id, err := domain.ParseID(name)
	if err != nil {
		return nil, problem.New(at, "%w", err)
	}
	for _, f := range a.files {
		if f.ID == id {
			return f, nil
		}
	}
	f := &draft.File{ID: id}
	s := f.Add("Domain", at)
	if d.VRF.IsZero() {
		s.Set("Kind", "netns", at)
	} else {
		s.Set("Kind", "vrf", at)
	}
	a.files = append(a.files, f)
	return f, nil
}

// vrfs makes the files of VRFs.
func (a *assembly) vrfs() error {
	for _, l := range a.links {
		if l.kind != "vrf" {
			continue
		}
		vrf, err := domain.ParseVRF(l.name)
		if err != nil {
			return problem.New(l.at, "%w", err)
		}
		if clash := slices.ContainsFunc(a.files, func(f *draft.File) bool { return l.netns == "" && f.ID.String() == l.name }); clash {
			return problem.New(l.at, "%s is the name of a VRF and of a namespace; rename one", l.name)
		}
		f, err := a.file(domain.Domain{VRF: vrf}, l.netns, l.at)
		if err != nil {
			return err
		}
		s := f.Section("Domain", l.at)
		if l.table == "" {
			return problem.New(l.at, "vrf %s has no table, a number of its own", l.name)
		}
		s.Set("Table", l.table, l.tableAt)
		for _, k := range l.keys {
			switch k.key {
			case "RequiresLink":
				if l.netns == "" { // those of the default domain are waited for
					s.Set(k.key, k.value, k.at)
				}
			case "Description":
				s.Set(k.key, k.value, k.at)
			case "Address":
				s.Note(lineNote(k.at, "an address of the VRF itself ("+k.value+") has no counterpart; a dummy link in the VRF can have it"))
			default:
				s.Note(lineNote(k.at, k.key+"="+k.value+" of the VRF itself has no counterpart"))
			}
		}
		a.resolvers(s, l)
		for _, n := range l.notes {
			s.Note(n)
		}
	}
	return nil
}

// home returns the file of the domain that a link is in, nil if that is the default one. The
// second is the bridge that it is a port of.
func (a *assembly) home(l *link) (f *draft.File, bridge string, err error) {
	at, seen := l, map[*link]bool{}
	for at.master != "" && !seen[at] {
		seen[at] = true
		master := a.find(at.netns, at.master)
		switch {
		case master == nil:
			return nil, "", problem.New(l.at, "link %s is a member of %s, and no file that is read makes that", at.name, at.master).
				WithHint("name the file that does, too")
		case master.kind == "vrf":
			vrf, err := domain.ParseVRF(master.name)
			if err != nil {
				return nil, "", problem.New(l.at, "%w", err)
			}
			f, err := a.file(domain.Domain{VRF: vrf}, at.netns, l.at)
			return f, bridge, err
		}
		if at == l {
			bridge = master.name
		}
		at = master
	}
	if l.netns == "" {
		return nil, "", nil
	}
	f, err = a.file(domain.Domain{}, l.netns, l.at)
	return f, bridge, err
}

// belowFirst returns the links, each behind the one below it.
func (a *assembly) belowFirst() (list []*link) {
	seen := map[*link]bool{}
	var add func(l *link)
	add = func(l *link) {
		if l == nil || seen[l] {
			return
		}
		seen[l] = true
		if l.parent != "" {
			add(a.find(l.netns, l.parent))
		}
		list = append(list, l)
	}
	for _, l := range a.links {
		add(l)
	}
	return list
}

// allLinks makes the sections of links.
func (a *assembly) allLinks() error {
	for _, l := range a.links {
		if other := a.otherEnd(l); other != nil && !a.done[l] {
			f, _, err := a.home(l)
			if err != nil {
				return err
			}
			if f != nil {
				a.done[other] = true
			} else if f, _, err = a.home(other); err != nil {
				return err
			} else {
				a.done[l] = f != nil
			}
		}
	}
	for _, l := range a.belowFirst() {
		if l.kind == "vrf" || a.done[l] {
			continue
		}
		f, bridge, err := a.home(l)
		if err != nil {
			return err
		}
		switch {
		case l.name == "lo" && len(l.keys)+len(l.notes) == 0: // every namespace has it, and it is up
		case f == nil:
			a.result.Left = append(a.result.Left, lineNote(l.at, "link "+l.name+" is in the default domain, which has no file"))
		default:
			if err := a.section(f, l, bridge); err != nil {
				return err
			}
		}
	}
	return nil
}

// otherEnd returns the other end of a veth, if a source speaks of it.
func (a *assembly) otherEnd(l *link) *link {
	if l.kind != "veth" {
		return nil
	}
	netns := l.netns
	if l.outer != nil {
		netns = *l.outer
	}
	return a.find(netns, l.peer)
}

// section makes a section of a link, and those of its peers.
func (a *assembly) section(f *draft.File, l *link, bridge string) error {
	s := f.Add("Link "+l.name, l.at)
	if l.kind != "" {
		s.Set("Kind", l.kind, l.at)
	}
	if err := a.outside(s, l); err != nil {
		return err
	}
	a.bonded(l)
	if vlans, ok := a.tagged(l); ok {
		l.more = append(l.more, vlans)
	}
	if l.vlans.aware {
		l.set(l.vlans.at, "VLANFiltering", "yes")
	}
	for _, k := range l.keys {
		s.Set(k.key, k.value, k.at)
	}
	if bridge != "" {
		s.Set(a.portKey(l), bridge, l.at)
	}
	a.resolvers(f.Find("Domain"), l)
	for _, n := range l.notes {
		s.Note(n)
	}
	for _, m := range l.more {
		n := f.Add(m.name, m.at)
		n.Set("Device", l.name, m.at)
		for _, k := range m.keys {
			n.Set(k.key, k.value, k.at)
		}
	}
	for _, peer := range l.peers {
		p := f.Add("WireGuardPeer "+l.name, peer[0].at)
		for _, k := range peer {
			if k.key == "" {
				p.Note(k.at.String() + ": " + k.value)
			} else {
				p.Set(k.key, k.value, k.at)
			}
		}
	}
	return nil
}

// outside says where the other side of a link is.
func (a *assembly) outside(s *draft.Section, l *link) error {
	outer := ""
	switch {
	case l.outer != nil:
		outer = *l.outer
	case l.parent != "" && a.find(l.netns, l.parent) != nil, l.kind == "veth" && a.find(l.netns, l.peer) != nil, a.sendsFrom(l):
		outer = l.netns
	}
	if l.parent != "" {
		s.Set("Parent", l.parent, l.at)
	}
	if l.kind != "veth" {
		if outer != "" {
			s.Set("Outer", outer, l.at)
		}
		return nil
	}
	s.Set("Peer", l.peer, l.at)
	end := a.otherEnd(l)
	if end == nil {
		if outer != "" {
			s.Set("Outer", outer, l.at)
		}
		return nil
	}
	f, bridge, err := a.home(end)
	if err != nil {
		return err
	}
	switch {
	case f != nil:
		s.Set("Outer", f.ID.String(), end.at)
	case end.master != "": // a bridge of the default domain
		bridge = end.master
	}
	if bridge != "" {
		s.Set("PeerBridge", bridge, end.at)
	}
	for _, k := range end.keys {
		if k.key == "Address" {
			s.Set("PeerAddress", k.value, k.at)
		} else {
			s.Note(lineNote(k.at, fmt.Sprintf("%s=%s of the other end, %s, has no counterpart", k.key, k.value, end.name)))
		}
	}
	for _, n := range end.notes {
		s.Note(n)
	}
	return nil
}

// sendsFrom reports whether the packets of a tunnel have an address of its own namespace.
func (a *assembly) sendsFrom(l *link) bool {
	local := valueOf(l.keys, "Local")
	return local != "" && slices.ContainsFunc(a.links, func(o *link) bool {
		return o.netns == l.netns && slices.ContainsFunc(o.keys, func(k item) bool {
			return k.key == "Address" && strings.HasPrefix(k.value, local+"/")
		})
	})
}
