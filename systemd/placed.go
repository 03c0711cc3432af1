package systemd

import "strings"

// Placed is a service that a setting of its own unit puts somewhere.
type Placed struct {
	Unit string
	// Name is that of the network namespace, or of the link.
	Name string
	Setting
}

// Placed returns those services that are put into a named network namespace, sorted; whoever
// wrote the setting. What cannot be read is nowhere.
func (u *Units) Placed() []Placed {
	return u.having("NetworkNamespacePath", netnsOf)
}

// Bound returns likewise those whose sockets are bound to a link.
func (u *Units) Bound() []Placed {
	return u.having("BindNetworkInterface", func(value string) string { return value })
}

func (u *Units) having(key string, nameOf func(string) string) (list []Placed) {
	for _, name := range u.withSuffix(".service") {
		unit, _ := u.partly(name)
		if unit == nil || unit.Name != name {
			continue // a mask; an alias is found under its own name
		}
		all := unit.All("Service", key)
		if len(all) == 0 {
			continue
		}
		last := all[len(all)-1]
		where := nameOf(expandName(name, last.Value))
		if where != "" && !strings.Contains(where, "/") {
			list = append(list, Placed{name, where, last})
		}
	}
	return list
}
