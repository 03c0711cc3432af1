package systemd

import "strings"

// Placed is a service that a setting of its own unit puts into a named network namespace.
type Placed struct {
	Unit  string
	Netns string
	Setting
}

// Placed returns those services, sorted; whoever wrote the setting. What cannot be read is
// nowhere.
func (u *Units) Placed() (list []Placed) {
	for _, name := range u.withSuffix(".service") {
		unit, _ := u.partly(name)
		if unit == nil || unit.Name != name {
			continue // a mask; an alias is found under its own name
		}
		all := unit.All("Service", "NetworkNamespacePath")
		if len(all) == 0 {
			continue
		}
		last := all[len(all)-1]
		netns := netnsOf(expandName(name, last.Value))
		if netns != "" && !strings.Contains(netns, "/") {
			list = append(list, Placed{name, netns, last})
		}
	}
	return list
}
