package plan

import (
	"fmt"
	"strings"

	"rdgen/runtime/conf"
	"rdgen/runtime/nsswitch"
	"rdgen/runtime/object"
	"rdgen/runtime/record"
)

// Mark is how a file of rdomain begins. One that does not is the administrator's.
const Mark = "# Made by rdomain from "

// ResolverFiles are the names that DNS= may make.
var ResolverFiles = []string{"resolv.conf", "nsswitch.conf"}

// wantedFiles returns the resolver files of the domain.
func wantedFiles(f *conf.File, hosts string) (list []object.File) {
	if !f.HasResolver() {
		return nil
	}
	dir, head := f.Domain.Etc(), Mark+f.Path+"\n"
	text := head
	for _, s := range f.DNS {
		text += "nameserver " + s.Addr.String() + "\n"
	}
	if len(f.DNS) == 0 {
		text += "# No DHCP server and no router has named a resolver.\n"
	}
	if len(f.Search) > 0 {
		text += "search " + strings.Join(f.Search, " ") + "\n"
	}
	list = append(list, object.File{Path: dir + "/resolv.conf", Text: text})
	if body, leaks := hostsByDNS(hosts); leaks {
		list = append(list, object.File{Path: dir + "/nsswitch.conf", Text: head + body})
	}
	return list
}

// NotInEffect says that DNS= is without effect, where the administrator has a file in its
// place that says something else.
func NotInEffect(f *conf.File, have *State) []string {
	for _, want := range wantedFiles(f, "") {
		now, exists := have.Files[want.Path]
		if _, text, _ := strings.Cut(want.Text, "\n"); exists && !strings.HasPrefix(now, Mark) && now != text {
			return []string{fmt.Sprintf("%s: DNS= is not in effect: %s is not of rdomain", f.At(f.DNSLine), want.Path)}
		}
	}
	return nil
}

// hostsByDNS returns an nsswitch.conf whose names of hosts come from files and
// DNS alone, and whether it differs: modules such as nss-resolve ask a server of
// the machine's own domain, through a socket that has a path.
func hostsByDNS(was string) (text string, differs bool) {
	for line := range strings.Lines(was) {
		if sources, is := nsswitch.OfHosts(line); is {
			differs = differs || strings.Contains(line, "[")
			for _, name := range sources {
				differs = differs || !nsswitch.ByDNS(name)
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
		record.Of(p.old, func(old object.File, _ record.Identity) { // an up that was killed may have made it
			want.NewDir = want.NewDir || old.NewDir
		})
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
