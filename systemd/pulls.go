package systemd

import (
	"io/fs"
	"path"
	"slices"
)

// pulling are what folders of links to units that are started with another one end in.
var pulling = []string{".wants", ".requires", ".upholds"}

// Enabled reports whether a unit is started with another one, by a link that was made for
// that, or because one of those units names it.
func (u *Units) Enabled(name string, by []*Unit) bool {
	for _, folder := range folders {
		entries, _ := listDir(u.fsys, folder)
		for _, e := range entries {
			if !slices.Contains(pulling, path.Ext(e.Name())) {
				continue
			}
			links, _ := listDir(u.fsys, path.Join(folder, e.Name()))
			if slices.ContainsFunc(links, func(l fs.DirEntry) bool { return l.Name() == name }) {
				return true
			}
		}
	}
	return slices.ContainsFunc(by, func(unit *Unit) bool {
		named := words(unit.All("Service", "Sockets"))
		for _, key := range []string{"Wants", "Requires", "BindsTo", "Upholds"} {
			named = append(named, words(unit.All("Unit", key))...)
		}
		return slices.ContainsFunc(named, func(word string) bool { return closed(expandName(unit.Name, word)) == name })
	})
}

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
		for _, suffix := range pulling {
			entries, _ := listDir(u.fsys, path.Join(folder, unit.Name+suffix)) // mostly there is none
			for _, e := range entries {
				add(e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
