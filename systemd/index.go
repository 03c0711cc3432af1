package systemd

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// index is what is known of all services together: it is made once, in one pass.
type index struct {
	// aliased are the services that have a name as Alias= of [Install].
	aliased map[string][]string
	// companions are the services and sockets that are PartOf= or BindsTo= a service.
	companions *ties
	// targets are by service the targets that are PartOf= or BindsTo= it, and behind by target the
	// services that are so.
	targets, behind map[string][]string
	// joined are by service the units that have it in JoinsNamespaceOf=.
	joined map[string][]string
}

func (u *Units) readIndex() index {
	x := index{map[string][]string{}, &ties{plain: map[string][]string{}}, map[string][]string{}, map[string][]string{}, map[string][]string{}}
	for name, file := range u.others {
		if path.Ext(name) == ".target" {
			x.readTarget(u, name, file)
		}
	}
	for _, name := range append(u.withSuffix(".service"), u.withSuffix(".socket")...) {
		unit, _ := u.partly(name)
		if unit == nil || unit.Name != name {
			continue // a mask; an alias is found under its own name
		}
		for _, alias := range words(unit.All("Install", "Alias")) {
			if path.Ext(name) != ".service" {
				break
			}
			x.aliased[alias] = append(x.aliased[alias], name)
		}
		for _, other := range words(unit.All("Unit", "JoinsNamespaceOf")) {
			other = expandName(name, other)
			if real, _, err := u.resolve(other); err == nil {
				other = real
			}
			x.joined[other] = append(x.joined[other], name)
		}
		for _, set := range append(unit.All("Unit", "PartOf"), unit.All("Unit", "BindsTo")...) {
			for _, owner := range words([]Setting{set}) {
				switch owner = expandName(name, owner); path.Ext(owner) {
				case ".service":
					x.companions.add(u, name, owner, set)
				case ".target":
					x.behind[owner] = append(x.behind[owner], name)
				}
			}
		}
	}
	return x
}

// readTarget adds a target to the services that it is tied to.
func (x *index) readTarget(u *Units, name, file string) {
	data, _ := u.readFile(file)
	settings, _ := u.DropIns(name)
	target := Unit{Name: name, Settings: append(Read("/"+file, data), settings...)}
	for _, owner := range words(append(target.All("Unit", "PartOf"), target.All("Unit", "BindsTo")...)) {
		if owner = expandName(name, owner); path.Ext(owner) == ".service" {
			x.targets[owner] = append(x.targets[owner], name)
		}
	}
}

// Behind returns the services that are PartOf= or BindsTo= a target which is so of a service, and
// the target.
func (u *Units) Behind(service string) (services []string, target string) {
	x := u.index()
	for _, t := range slices.Sorted(slices.Values(x.targets[service])) {
		for _, name := range x.behind[t] {
			if path.Ext(name) == ".service" && name != service && !slices.Contains(services, name) {
				services, target = append(services, name), t
			}
		}
	}
	slices.Sort(services)
	return services, target
}

// words returns the names in settings that list units; systemd unquotes them.
func words(settings []Setting) (list []string) {
	for _, s := range settings {
		list = append(list, strings.Fields(strings.NewReplacer(`"`, "", `'`, "").Replace(s.Value))...)
	}
	return list
}

// Aliases returns the names of the services that would have name as an alias if
// they were enabled (Alias= of [Install]), for a hint.
func (u *Units) Aliases(name string) []string { return u.index().aliased[name] }

// Joining returns the units that have a service in their JoinsNamespaceOf=, by which each of
// them joins the other, whichever runs first.
func (u *Units) Joining(service string) []string { return u.index().joined[service] }

// Companions returns the services and sockets that start and stop with service, because
// they are PartOf= or BindsTo= it: the daemons of a service that only runs true(1) itself
// (tor@default of tor), and the helpers of one (sssd-nss of sssd). The error is of a unit
// that may be one, and is among them.
func (u *Units) Companions(service string) ([]string, error) {
	found, err := u.index().companions.of(u, service)
	return slices.DeleteFunc(found, func(name string) bool { return name == service }), err
}

// Kin reports whether another service may be the daemon of one that runs nothing itself: it
// has that one's name and more, or is started with it. names are what that one is called.
func (u *Units) Kin(unit *Unit, names []string) bool {
	for _, key := range []string{"Wants", "Requires", "Requisite", "BindsTo", "Upholds", "Before", "PropagatesReloadTo", "PropagatesStopTo"} {
		if slices.ContainsFunc(words(unit.All("Unit", key)), func(w string) bool { return path.Ext(w) == ".service" }) {
			return true
		}
	}
	for _, name := range append(names, unit.Name) {
		base, _ := strings.CutSuffix(name, ".service")
		for other := range u.files {
			if strings.HasPrefix(other, base+"@") || strings.HasPrefix(other, base+"-") {
				return true
			}
		}
		for _, folder := range folders {
			for _, dir := range []string{".wants", ".requires", ".upholds"} {
				if _, err := fs.Stat(u.fsys, path.Join(folder, name+dir)); err == nil {
					return true
				}
			}
		}
	}
	return false
}

// instantiate returns the instance of a template; ok is false for what is none.
func instantiate(template, instance string) (name string, ok bool) {
	prefix, suffix, ok := strings.Cut(template, "@.")
	return prefix + "@" + instance + "." + suffix, ok
}
