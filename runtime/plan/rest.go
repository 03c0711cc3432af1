package plan

import (
	"fmt"
	"slices"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/object"
)

// rule plans one rule that is the domain's own; have are the rules of its
// namespace. One that somebody else made is used, not owned.
func (p *planner) rule(line int, want object.Rule, have []object.Rule) {
	if !contains(have, want) && !p.has(want) {
		p.add(line, object.Add, want)
	}
}

func contains(rules []object.Rule, want object.Rule) bool {
	want.Netns = ""
	return slices.ContainsFunc(rules, want.Same)
}

// hasRule reports whether there is a rule, in whatever namespace; in is that of
// the domain.
func (s *State) hasRule(want object.Rule, in string) bool {
	if want.Netns == in {
		return contains(s.Rules, want)
	}
	return contains(s.OuterRules[want.Netns], want)
}

// wantedRules returns the rules that a section asks for. They are of protocol
// kernel, lest systemd-networkd delete them.
func (p *planner) wantedRules(r conf.Rule) (list []object.Rule) {
	r.Netns, r.Protocol = p.in, object.ProtocolKernel
	if r.IPv4 {
		list = append(list, r.Rule)
	}
	if r.IPv6 && p.have.IPv6 {
		six := r.Rule
		six.IPv6 = true
		list = append(list, six)
	}
	return list
}

func (s *State) hasNeighbor(want object.Neighbor) bool {
	want.Netns = ""
	return slices.Contains(s.Neighbors, want)
}

func wantedNeighbor(in string, n conf.Neighbor) object.Neighbor {
	return object.Neighbor{Netns: in, Dev: n.Device.String(), Address: n.Address, MAC: n.MAC}
}

func (p *planner) neighbor(n conf.Neighbor) {
	want := wantedNeighbor(p.in, n)
	if p.have.hasNeighbor(want) && !p.moves(want.Dev) {
		return
	}
	for _, now := range p.have.Neighbors {
		if now.Key() == want.Key() && !p.moves(want.Dev) {
			now.Netns = p.in
			p.set(n.Line, object.Replace, want, now)
			return
		}
	}
	p.add(n.Line, object.Add, want)
}

// sysctls plans the variables that are a link's (net.ipv4.conf.LINK...), or the
// others.
func (p *planner) sysctls(ofLinks bool) error {
	for _, s := range p.f.Sysctls {
		if p.ofLink(s.Key) != ofLinks {
			continue
		}
		want := object.Sysctl{Netns: p.in, Key: s.Key, Value: s.Value}
		now, ok := p.have.Sysctls[s.Key]
		if ofLinks && p.remakes(strings.Split(s.Key, "/")[3]) {
			ok = false
		}
		switch {
		case !ok && !p.have.Exists, !ok && ofLinks:
			p.add(s.Line, object.Set, want) // it comes with the namespace or the link
		case !ok:
			return p.fail(s.Line, fmt.Sprintf("there is no variable %s in %s", s.Key, p.place(p.in)))
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
func (p *planner) ofLink(key string) bool {
	parts := strings.Split(key, "/")
	return len(parts) > 4 && slices.ContainsFunc(p.f.Links, func(l conf.Link) bool { return l.Name.String() == parts[3] })
}

// Mark is how a file of rdomain begins. One that does not is the administrator's.
const Mark = "# Made by rdomain from "

// EtcNetns is the directory of a namespace's resolver files (ip-netns(8)).
func EtcNetns(netns string) string { return "/etc/netns/" + netns }

// ResolverFiles are the names that DNS= may make.
var ResolverFiles = []string{"resolv.conf", "nsswitch.conf"}

// wantedFiles returns the resolver files of the namespace.
func wantedFiles(f *conf.File, nsswitch string) (list []object.File) {
	if len(f.DNS) == 0 {
		return nil
	}
	dir, head := EtcNetns(f.Domain.Netns.String()), Mark+f.Path+"\n"
	text := head
	for _, s := range f.DNS {
		text += "nameserver " + s.Addr.String() + "\n"
	}
	if len(f.Search) > 0 {
		text += "search " + strings.Join(f.Search, " ") + "\n"
	}
	list = append(list, object.File{Path: dir + "/resolv.conf", Text: text})
	if body, leaks := hostsByDNS(nsswitch); leaks {
		list = append(list, object.File{Path: dir + "/nsswitch.conf", Text: head + body})
	}
	return list
}

// hostsByDNS returns an nsswitch.conf whose names of hosts come from files and
// DNS alone, and whether it differs: modules such as nss-resolve ask a server of
// the machine's own domain, through a socket that has a path.
func hostsByDNS(nsswitch string) (text string, differs bool) {
	for line := range strings.Lines(nsswitch) {
		words := strings.Fields(line)
		if len(words) > 0 && words[0] == "hosts:" {
			for _, w := range words[1:] {
				differs = differs || w != "files" && w != "dns" && w != "myhostname"
			}
			line = "hosts: files dns\n"
		}
		text += line
	}
	return text, differs
}

func (p *planner) files() {
	for _, want := range wantedFiles(p.f, p.have.Nsswitch) {
		want.NewDir = !p.have.Dir
		for _, old := range p.old.Files { // an up that was killed may have made it
			want.NewDir = want.NewDir || old.NewDir
		}
		now, exists := p.have.Files[want.Path]
		switch {
		case !exists:
			p.add(p.f.DNSLine, object.Add, want)
		case now == want.Text || !strings.HasPrefix(now, Mark):
		default:
			p.set(p.f.DNSLine, object.Replace, want, object.File{Path: want.Path, Text: now, NewDir: want.NewDir})
		}
	}
}
