package plan

import (
	"slices"

	"rdgen/runtime/object"
)

// object plans an object that has no more to it than to be there as it is wanted.
// One that somebody else made is used, not owned.
func (p *planner) object(line int, want object.Object) {
	now, ok := p.have.Objects[want.Key()]
	lost := p.moves(want.On())
	if a, is := want.(object.AltName); is { // it moves with the link
		if _, inside := p.have.Inside[a.Dev]; !inside && slices.Contains(p.have.Outside[a.Dev].AltNames, a.Name) && p.moves(a.Dev) {
			now, ok = want, true
		}
		lost = p.remakes(a.Dev)
	}
	switch {
	case !ok || lost:
		p.add(line, object.Add, want)
	case now != want:
		p.set(line, object.Replace, want, now)
	}
}
