package services

import (
	"rdgen/generators"
	"rdgen/problem"
	"rdgen/systemd"
)

// lifted returns what takes the hold away from a service's units, by which they do not
// start before rdgen's generator has come to its end.
func (sd *Systemd) lifted(s generators.Systemd) (errs []error) {
	units, err := sd.units()
	if err != nil || !sd.generates() {
		return nil // nothing has to be held where the files are somebody's own
	}
	for _, name := range s.Covered() {
		resets, instead := units.LiftsHold(name)
		for _, set := range resets {
			errs = append(errs, problem.New(placeOf(set), "%s= resets the assertion that holds %s: where rdgen's generator is killed, it starts outside of %s", set.Key, name, s.Domain).
				WithHint("rename the file, so that its name sorts before "+systemd.DropIn))
		}
		if instead != "" {
			errs = append(errs, problem.New(problem.Pos{File: instead}, "systemd reads this for %s in place of rdgen's %s, which holds it until rdgen's generator has come to its end", name, systemd.Held).
				WithHint("remove it, or give it a name that sorts before "+systemd.DropIn))
		}
	}
	return errs
}
