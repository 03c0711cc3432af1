package systemd

import (
	"path"
	"slices"
)

// Pulls returns the services that systemd starts with a unit, because it wants or requires
// them, by itself or by the links of those that were enabled for it (systemd.unit(5)).
func (u *Units) Pulls(unit *Unit) []string {
	var names []string
	add := func(name string) {
		if path.Ext(name) != ".service" {
			return
		}
		if real, _, err := u.resolve(name); err == nil {
			name = real
		}
		names = append(names, name)
	}
	for _, key := range []string{"Wants", "Requires", "BindsTo", "Upholds"} {
		for _, name := range words(unit.All("Unit", key)) {
			add(closed(expandName(unit.Name, name)))
		}
	}
	for _, folder := range folders {
		for _, suffix := range []string{".wants", ".requires", ".upholds"} {
			entries, _ := listDir(u.fsys, path.Join(folder, unit.Name+suffix)) // mostly there is none
			for _, e := range entries {
				add(e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
