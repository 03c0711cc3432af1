package plan

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/object"
)

// sysctls plans the variables that are a link's (net.ipv4.conf.LINK...), or the
// others.
func (p *planner) sysctls(ofLinks bool) error {
	for _, s := range p.f.Sysctls {
		if p.ofLink(s.Path) != ofLinks {
			continue
		}
		want := s.Sysctl
		now, ok := p.have.Sysctls[s.Path]
		if ofLinks && p.remakes(strings.Split(s.Path, "/")[3]) {
			ok = false
		}
		switch {
		case !ok && !p.have.Exists, !ok && ofLinks:
			p.add(s.Line, object.Set, want) // it comes with the namespace or the link
		case !ok:
			return p.fail(s.Line, fmt.Sprintf("there is no variable %s in %s", s.Path, p.place(p.in)))
		case now != s.Value:
			old := want
			old.Value = now
			p.set(s.Line, object.Set, want, old)
		}
	}
	return nil
}

// ofLink reports whether a variable is that of a link of the file: the fourth
// part of net/ipv4/conf/NAME/forwarding.
func (p *planner) ofLink(path string) bool {
	parts := strings.Split(path, "/")
	return len(parts) > 4 && slices.ContainsFunc(p.f.Links, func(l conf.Link) bool { return l.Name.String() == parts[3] })
}
