package plan

import (
	"fmt"
	"strings"

	"rdgen/runtime/object"
)

// wantedFirewall returns the firewall of the file, and whether it has one.
func (p *planner) wantedFirewall() (f object.Firewall, ok bool) {
	return object.Firewall{Netns: p.in, File: p.f.Firewall, Tables: p.have.Ruleset}, p.f.Firewall != ""
}

// firewall plans the ruleset of a namespace: all of it, in one step. Of tables that others
// made, those of other names are left alone.
func (p *planner) firewall() error {
	want, ok := p.wantedFirewall()
	now := object.Firewall{Netns: p.in, File: want.File, Tables: p.have.Firewall}
	want.Old = strings.Join(now.Names(), ",")
	now.Old = want.Old
	switch {
	case !ok || now.Tables == want.Tables:
	case now.Tables == "":
		p.add(p.f.FirewallLine, object.Add, want)
	case p.old.Find(want.Key()) == nil && p.old.Made() == nil:
		return p.fail(p.f.FirewallLine, fmt.Sprintf("table %s exists already in %s, and is another one than %s has; delete it or rename one",
			now.Names()[0], p.place(p.in), want.File))
	default:
		p.set(p.f.FirewallLine, object.Replace, want, now)
	}
	return nil
}
