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
	names := slices.DeleteFunc(u.pulled(unit), func(name string) bool { return path.Ext(name) != ".service" })
	slices.Sort(names)
	return slices.Compact(names)
}

// pulled is Pulls of units of any type.
func (u *Units) pulled(unit *Unit) (names []string) {
	for _, key := range []string{"Wants", "Requires", "BindsTo", "Upholds"} {
		for _, name := range words(unit.All("Unit", key)) {
			names = append(names, u.called(closed(expandName(unit.Name, name))))
		}
	}
	for _, other := range append([]string{unit.Name}, u.namesOf(unit.Name)...) {
		all := dropInNames(other)
		for _, name := range all[:len(all)-1] {
			for _, folder := range u.pulls[name] {
				entries, _ := listDir(u.fsys, folder)
				for _, e := range entries {
					names = append(names, u.called(e.Name()))
				}
			}
		}
	}
	return names
}
