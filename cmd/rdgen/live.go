package main

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/services"
	"rdgen/systemd"
)

// loaded is a unit as systemd has it.
type loaded struct {
	services.Member
	// stops are the units that systemd stops with it, and triggers those that start it.
	stops, triggers []string
	accepts         bool // a socket that starts an instance for each connection
}

// shown are the properties by which a unit is known: see [readShown].
const shown = "ActiveState,Accept,ExecStop,ExecStopPre,ExecStopPost,FileDescriptorStoreMax,FileDescriptorStorePreserve," +
	"RefuseManualStart,RefuseManualStop,ConsistsOf,RequiredBy,BoundBy,PropagatesStopTo,TriggeredBy"

// askSystemd returns what has to be done with the units of a service: what systemd has loaded of
// them, and what it stops with those that run. An instance that has a file of its own is none.
func askSystemd(ask func(...string) (string, error), loader *services.Loader, service string, units []string) ([]services.Member, error) {
	names := slices.DeleteFunc(slices.Clone(units), services.IsTemplate)
	if len(names) < len(units) {
		text, err := ask("list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager")
		if err != nil {
			return nil, err
		}
		var all []string
		for line := range strings.Lines(text) {
			if fields := strings.Fields(line); len(fields) > 0 {
				all = append(all, fields[0])
			}
		}
		for _, unit := range loader.Among(service, units, all) {
			if !slices.Contains(names, unit) {
				names = append(names, unit)
			}
		}
	}
	known := map[string]loaded{}
	for next := slices.Clone(names); len(next) > 0; next = next[1:] {
		if _, is := known[next[0]]; is {
			continue
		}
		text, err := ask(slices.Concat([]string{"show", "--no-pager", "--property=" + shown}, problem.Operands(next[:1]))...)
		if err != nil {
			return nil, err
		}
		u := readShown(text)
		known[next[0]] = u
		next = slices.Concat(next, u.stops, u.triggers)
	}
	var list []services.Member
	within := func(unit string) bool {
		return slices.ContainsFunc(list, func(m services.Member) bool { return m.Name == unit })
	}
	add := func(unit string, along bool) {
		m := known[unit].Member
		m.Name, m.Along, m.Connection = unit, along, served(known, unit)
		list = append(list, m)
	}
	for _, unit := range names {
		add(unit, false)
	}
	for i := 0; i < len(list); i++ { // it grows
		for _, unit := range known[list[i].Name].stops {
			if list[i].Active && !list[i].Connection && known[unit].Active && !within(unit) && path.Ext(unit) != ".device" && path.Ext(unit) != ".scope" {
				add(unit, true)
			}
		}
	}
	return list, nil
}

// served reports whether a unit serves one connection of a socket with Accept=yes.
func served(known map[string]loaded, unit string) bool {
	template, _, isInstance := systemd.Instance(unit)
	if !isInstance || path.Ext(unit) != ".service" {
		return false
	}
	for name, u := range known {
		prefix, _, _ := strings.Cut(strings.TrimSuffix(name, ".socket"), "@")
		if u.accepts && prefix+"@.service" == template {
			return true
		}
	}
	return false
}

// readShown reads what systemctl show prints of a unit.
func readShown(text string) (u loaded) {
	store := ""
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch key {
		case "ActiveState":
			// Between two starts of a service that fails it is activating.
			u.Active = slices.Contains([]string{"active", "reloading", "refreshing", "activating"}, value)
		case "Accept":
			u.accepts = value == "yes"
		case "ExecStop", "ExecStopPre", "ExecStopPost":
			u.Commands = u.Commands || value != ""
		case "FileDescriptorStoreMax":
			u.Keeps = strings.Trim(value, "0") != ""
		case "FileDescriptorStorePreserve":
			store = value
		case "RefuseManualStart":
			u.NoStart = value == "yes"
		case "RefuseManualStop":
			u.NoStop = value == "yes"
		case "ConsistsOf", "RequiredBy", "BoundBy", "PropagatesStopTo":
			u.stops = append(u.stops, strings.Fields(value)...)
		case "TriggeredBy":
			u.triggers = append(u.triggers, strings.Fields(value)...)
		}
	}
	u.Preserves = u.Keeps && store == "yes"
	return u
}
