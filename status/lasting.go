package status

import "slices"

// Lasting returns the later of two reports without the drift of processes of which the earlier
// one has none: a process that is on its way into its domain is outside for a moment.
func Lasting(earlier, later Report) Report {
	type key struct {
		service string
		pid     int
	}
	stood := map[key]bool{}
	for _, d := range earlier.Domains {
		for _, s := range d.Services {
			for _, one := range s.Drift {
				stood[key{s.Name, one.PID}] = true
			}
		}
	}
	later.Drift = 0
	for i := range later.Domains {
		list := later.Domains[i].Services
		for j := range list {
			list[j].Drift = slices.DeleteFunc(list[j].Drift, func(one Drift) bool { return !stood[key{list[j].Name, one.PID}] })
			later.Drift += len(list[j].Drift)
		}
	}
	return later
}
