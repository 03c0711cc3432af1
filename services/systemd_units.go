package services

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// covered returns the units that share the domain of unit: itself, the sockets
// that start it, its companions and theirs. One that is masked cannot start.
func (sd *Systemd) covered(units *systemd.Units, unit *systemd.Unit, d domain.Domain) ([]*systemd.Unit, error) {
	names, err := sd.coveredNames(units, unit)
	if err != nil {
		return nil, err
	}
	if len(names) == 1 {
		if err := sd.dispatched(units, unit, d); err != nil {
			return nil, err
		}
	}
	var list []*systemd.Unit
	for _, name := range names {
		u, err := units.Unit(name)
		switch {
		case name == unit.Name:
			u, err = unit, nil // there is no file yet of one that is made of a script
		case errors.Is(err, fs.ErrNotExist):
			// A socket's link that leads nowhere, or not before something is mounted.
			u, err = &systemd.Unit{Name: name}, nil
		case errors.Is(err, systemd.ErrMasked):
			continue
		}
		if err != nil {
			return nil, problem.New(problem.Pos{File: unit.Path}, "%v", err)
		}
		list = append(list, u)
	}
	return list, nil
}

// dispatched refuses a unit that runs no daemon, where others are its daemons, and the line is not
// for those: it says which they are.
func (sd *Systemd) dispatched(units *systemd.Units, unit *systemd.Unit, d domain.Domain) error {
	runs, ok := systemd.Dispatches(unit)
	if !ok {
		return nil
	}
	base := bare(unit.Name)
	refuse := func(fact, name, more string) error {
		return problem.New(placeOf(runs.Setting), "%s %s, and %s: this is not the daemon", unit.Name, runs.What, fact).
			WithHint("put the line into the conf.d file of the daemon's own unit: /etc/conf.d/" + name + more)
	}
	if started := sd.outside(units, runs.Starts, nil); len(started) > 0 {
		if len(started) > 1 {
			return refuse(strings.Join(started, ", ")+" are not in "+d.String(), bare(started[0]), ", and into those of the others")
		}
		return refuse(started[0]+" is not in "+d.String(), bare(started[0]), "")
	}
	behind, target := units.Behind(unit.Name)
	behind = slices.DeleteFunc(behind, sd.hasOwnDomain)
	switch {
	case len(runs.Starts) > 0:
		return nil // they are where their own lines say
	case len(behind) > 0:
		return refuse(strings.Join(behind, ", ")+" stops with it by "+target, bare(behind[0]), "")
	case target != "" || runs.Sleeps || !units.Kin(unit, units.Aliases(unit.Name)):
		return nil
	}
	more := " that " + problem.Command(append([]string{"systemctl", "list-dependencies"}, problem.Operands([]string{unit.Name})...)...) + " shows"
	if units.Has(base + "@.service") {
		return refuse("no unit is PartOf= it", base+"@INSTANCE", ", or another"+more)
	}
	return problem.New(placeOf(runs.Setting), "%s %s, and no unit is PartOf= it: this is not the daemon", unit.Name, runs.What).
		WithHint("put the line into the conf.d file of the daemon's own unit, one" + more)
}

// coveredNames returns the names of these. What cannot be read belongs to what it is
// called as. The error is of the first among them that only may be one of these.
func (sd *Systemd) coveredNames(units *systemd.Units, unit *systemd.Unit) (names []string, wrong error) {
	services := []string{unit.Name}
	for i := 0; i < len(services); i++ {
		service, err := units.Unit(services[i])
		switch {
		case errors.Is(err, systemd.ErrMasked):
			continue
		case err != nil:
			service = &systemd.Unit{Name: services[i]}
		}
		belonging, unsure := units.Belonging(service)
		names = append(names, belonging...)
		companions, may := units.Companions(service.Name)
		wrong = cmp.Or(wrong, unsure, may)
		enqueue := func(name string) {
			if !sd.hasOwnDomain(name) && !slices.Contains(services, name) {
				services = append(services, name)
			}
		}
		join := func(name string) {
			if path.Ext(name) == ".service" {
				enqueue(name)
				return
			}
			starts := units.Started(name)
			if starts != "" && sd.hasOwnDomain(starts) {
				return // it is where that is
			}
			names = append(names, name)
			if units.Has(starts) { // its connections are served where they are made
				enqueue(starts)
			}
		}
		for _, companion := range companions {
			join(companion)
		}
		if !IsTemplate(service.Name) {
			continue
		}
		for _, instance := range units.Instances(service.Name) {
			enqueue(instance)
		}
		for _, t := range units.TiedToInstances(service.Name) {
			if !sd.hasOwnDomain(t.Owner) {
				join(t.Unit)
			}
		}
	}
	names = append(names, sd.instances(units, names)...)
	slices.Sort(names)
	first := func(name string) bool { return name == unit.Name }
	return append([]string{unit.Name}, slices.DeleteFunc(slices.Compact(names), first)...), wrong
}

// sockets returns the names of the sockets that start a service.
func (sd *Systemd) sockets(unit *systemd.Unit) ([]string, error) {
	units, err := sd.units()
	if err != nil {
		return nil, err
	}
	names, err := units.Belonging(unit)
	return slices.DeleteFunc(names, func(name string) bool { return path.Ext(name) != ".socket" }), err
}

// hasOwnDomain reports whether a unit's own conf.d file says where it runs, or is
// not certain: another's does not speak for it then. What is not read as a file of conf.d
// (a folder, what an editor left) says nothing, as nobody would make files for it.
func (sd *Systemd) hasOwnDomain(unit string) bool {
	listed, err := sd.confs.listed()
	for _, name := range []string{strings.TrimSuffix(unit, path.Ext(unit)), unit} {
		if err == nil && !listed[name] {
			continue
		}
		_, s, err := sd.confs.read(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !s.Domain.IsDefault() {
			return true
		}
	}
	return false
}

// instances returns those instances of the templates among names that have files
// of their own. Their commands are not the template's, and what follows the look
// has to be theirs. One that has a domain of its own has its own drop-in.
func (sd *Systemd) instances(units *systemd.Units, names []string) []string {
	var list []string
	for _, name := range names {
		if !IsTemplate(name) {
			continue
		}
		for _, instance := range units.Instances(name) {
			if !slices.Contains(names, instance) && !sd.hasOwnDomain(instance) {
				list = append(list, instance)
			}
		}
	}
	return list
}
