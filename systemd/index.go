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
	// joined are by service the units that have it in JoinsNamespaceOf=.
	joined map[string][]string
}

func (u *Units) readIndex() index {
	x := index{map[string][]string{}, &ties{plain: map[string][]string{}}, map[string][]string{}}
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
				if owner = expandName(name, owner); path.Ext(owner) == ".service" {
					x.companions.add(u, name, owner, set)
				}
			}
		}
	}
	return x
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

// Dispatches returns the command of a service that runs nothing but true(1): what
// it stands for are other units.
func Dispatches(unit *Unit) (Setting, bool) {
	commands := unit.All("Service", "ExecStart")
	for _, set := range commands {
		_, words, err := ParseCommand(unit.Name, set.Value)
		if err != nil || path.Base(words[0][0].Text) != "true" {
			return Setting{}, false
		}
	}
	if len(commands) == 0 {
		return Setting{}, false
	}
	return commands[0], true
}
