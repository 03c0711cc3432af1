package plan

import "rdgen/runtime/object"

// object plans an object that has no more to it than to be there as it is wanted.
// One that somebody else made is used, not owned.
func (p *planner) object(line int, want object.Object) {
	now, ok := p.have.Objects[want.Key()]
	switch {
	case !ok || p.moves(want.On()):
		p.add(line, object.Add, want)
	case now != want:
		p.set(line, object.Replace, want, now)
	}
}
