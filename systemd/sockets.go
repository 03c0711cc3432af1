package systemd

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Belonging returns the names of the units that share the domain of service,
// which is NAME.service: itself first, then every socket whose connections it
// serves, and the template that serves a socket with Accept=yes. A socket that
// is passed to a service keeps the domain that it was made in, so the domain
// must be on the socket as well. The error is of a socket that may be one, and is among
// them if its name is known.
func (u *Units) Belonging(service *Unit) (names []string, err error) {
	sockets := u.sockets()
	names = []string{service.Name}
	var errs []error
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range words(service.All("Service", "Sockets")) {
		expanded := expandName(service.Name, name)
		if strings.Contains(expanded, unknownMark) {
			errs = append(errs, fmt.Errorf("%s: Sockets=%s has a specifier that only systemd knows: write the name out, by a drop-in", service.Path, name))
			continue
		}
		if socket, _, err := u.resolve(closed(expanded)); err == nil {
			add(socket)
		}
		// Of a template, each instance may have a socket that is called after it alone.
		for other := range u.files {
			if instance, ok := solve(expanded, other); ok && instance != "" {
				add(other)
			}
		}
	}
	tied, err := sockets.of(u, service.Name)
	errs = append(errs, err)
	for _, socket := range tied {
		add(socket)
	}
	// NAME.socket with Accept=yes runs NAME@.service, the sibling of NAME.service.
	// NAME@.socket does not: its instances start services that have names of their own.
	template := strings.TrimSuffix(service.Name, ".service") + "@.service"
	for _, socket := range sockets.plain[template] {
		if !strings.Contains(socket, "@") {
			add(template)
			add(socket)
		}
	}
	slices.Sort(names[1:])
	return names, errors.Join(errs...)
}

// readSockets finds the service of every socket. One that cannot be read is its own
// service's, as far as is known: whoever asks for that finds out what is wrong.
func (u *Units) readSockets() *ties {
	sockets := &ties{plain: map[string][]string{}}
	for _, name := range u.withSuffix(".socket") {
		unit, _ := u.partly(name)
		if unit == nil {
			continue // a mask
		}
		if unit.Name != name {
			continue // an alias, found under its own name
		}
		service, set := serviceOf(unit)
		sockets.add(u, name, service, set)
	}
	return sockets
}

// serviceOf returns the service of a socket: Service=, or the service of the socket's
// name, a template's for Accept=yes (systemd.socket(5)). An instance that is not known is
// left open.
func serviceOf(socket *Unit) (service string, set Setting) {
	if accept, _, _ := socket.Bool("Socket", "Accept"); accept {
		prefix, _, _ := strings.Cut(strings.TrimSuffix(socket.Name, ".socket"), "@")
		service = prefix + "@.service"
	} else {
		service = expandName(socket.Name, "%N.service")
	}
	for _, s := range socket.Settings {
		// What is no service's name is ignored, and so is an empty one: it resets nothing.
		if s.Section == "Socket" && s.Key == "Service" && strings.HasSuffix(s.Value, ".service") {
			service, set = expandName(socket.Name, s.Value), s
		}
	}
	return service, set
}

// ListensAtPaths reports whether a socket unit listens at paths alone, and at least at one: sockets
// and FIFOs of the file system are of no network namespace. One whose name is abstract ("@") is of
// one, and so is one of netlink (systemd.socket(5)).
func ListensAtPaths(socket *Unit) bool {
	some := false
	for _, key := range []string{"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenNetlink"} {
		for _, set := range socket.All("Socket", key) {
			if !strings.HasPrefix(strings.TrimPrefix(set.Value, "%t"), "/") {
				return false
			}
			some = true
		}
	}
	return some || len(socket.All("Socket", "ListenFIFO")) > 0
}

// withSuffix returns the names of the units of a type that have a file, and of the
// instances that have drop-ins, sorted.
func (u *Units) withSuffix(suffix string) []string {
	found := map[string]bool{}
	for name := range u.files {
		if path.Ext(name) == suffix {
			found[name] = true
		}
	}
	for name := range u.dropins {
		if template, _, ok := Instance(name); ok && path.Ext(name) == suffix && u.files[template] != "" {
			found[u.called(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
