package systemd

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Belonging returns the names of the units that share the domain of service,
// which is NAME.service: itself first, then every socket whose connections it
// serves, and the template that serves a socket with Accept=yes. A socket that
// is passed to a service keeps the domain that it was made in, so the domain
// must be on the socket as well.
func (u *Units) Belonging(service *Unit) []string {
	sockets := u.sockets()
	names := []string{service.Name}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range service.All("Service", "Sockets") {
		for _, name := range strings.Fields(s.Value) {
			if socket, _, err := u.resolve(name); err == nil {
				add(socket)
			}
		}
	}
	for _, socket := range sockets[service.Name] {
		add(socket)
	}
	if template, instance, ok := Instance(service.Name); ok {
		for _, socket := range sockets[template] {
			if s, ok := instantiate(socket, instance); ok {
				add(s)
			}
		}
	}
	// NAME.socket with Accept=yes runs NAME@.service, the sibling of NAME.service.
	// NAME@.socket does not: its instances start services that have names of their own.
	template := strings.TrimSuffix(service.Name, ".service") + "@.service"
	for _, socket := range sockets[template] {
		if !strings.Contains(socket, "@") {
			add(template)
			add(socket)
		}
	}
	slices.Sort(names[1:])
	return names
}

// readSockets finds the service of every socket: Service=, or the service of the socket's
// name, a template's for Accept=yes (systemd.socket(5)). One that cannot be read is its
// own service's, as far as is known: whoever asks for that finds out what is wrong.
func (u *Units) readSockets() map[string][]string {
	sockets := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		if path.Ext(name) != ".socket" {
			continue
		}
		unit, _ := u.partly(name)
		if unit == nil {
			continue // a mask
		}
		if unit.Name != name {
			continue // an alias, found under its own name
		}
		service := strings.TrimSuffix(name, ".socket") + ".service"
		if accept, _, _ := unit.Bool("Socket", "Accept"); accept {
			service = strings.TrimSuffix(name, ".socket") + "@.service"
		}
		if s := unit.Last("Socket", "Service"); s != "" {
			service = s
		}
		if real, _, err := u.resolve(service); err == nil {
			service = real
		}
		sockets[service] = append(sockets[service], name)
	}
	return sockets
}
