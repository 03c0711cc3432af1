package services

import (
	"path"
	"slices"

	"rdgen/generators"
	"rdgen/problem"
)

// boundBeside refuses a socket unit that binds what it listens on to another link than its VRF
// or a member of that (BindToDevice=). systemd does so as root after the VRF's program bound
// the socket, and the look opens sockets of its own.
func (sd *Systemd) boundBeside(s generators.Systemd) error {
	if s.Domain.VRF.IsZero() {
		return nil // a namespace has no link of another one
	}
	members := []string{s.Domain.VRF.String()}
	if f := sd.confs.domains().Of(s.Domain); f != nil {
		for _, l := range f.Links {
			members = append(members, l.Name.String())
		}
	}
	for _, unit := range s.Units {
		all := unit.All("Socket", "BindToDevice")
		if path.Ext(unit.Name) != ".socket" || len(all) == 0 {
			continue
		}
		if set := all[len(all)-1]; set.Value != "*" && !slices.Contains(members, set.Value) {
			return problem.New(placeOf(set), "BindToDevice=%s binds the socket to that link, which is not in %s, and that wins over conf.d", set.Value, s.Domain).
				WithHint("BindToDevice=" + s.Domain.VRF.String() + " in a drop-in of " + unit.Name)
		}
	}
	return nil
}
