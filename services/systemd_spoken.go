package services

import (
	"errors"
	"maps"
	"slices"

	"rdgen/generators"
	"rdgen/systemd"
)

// A unit has several names: aliases, its template's, that with ".service". And another
// service's line may speak for it: that of which it is a companion. Here is asked which files
// of conf.d say where it runs, whatever name somebody gives.

// SpokenFor returns the unit that a name stands for, and the services whose lines put it into
// a domain, but the one that is called so. The error is of those lines that may, and that
// cannot be followed.
func (sd *Systemd) SpokenFor(name string) (unit string, by []generators.Service, err error) {
	found, err := sd.find(generators.Service{Name: name})
	if err != nil || !sd.Follows(generators.Service{Name: name}) {
		return "", nil, nil // nothing can speak for it
	}
	called := []string{found.Name}
	if template, _, ok := systemd.Instance(found.Name); ok {
		called = append(called, template)
	}
	is := func(unit string) bool { return slices.Contains(called, unit) }
	names, broken, err := sd.confs.declaredAndBroken(sd.confs.isDefined)
	errs := []error{err}
	for _, other := range names {
		job, err := sd.Load(other)
		if made, ok := job.(generators.Systemd); ok && err == nil && other != name && slices.ContainsFunc(made.Covered(), is) {
			by = append(by, made.Service)
		}
	}
	return found.Name, by, errors.Join(append(errs, sd.blocking(name, broken, is)...)...)
}

// BlockedBy returns the errors of the files of conf.d, but of the service's own, that cannot
// be followed and keep its unit from starting.
func (sd *Systemd) BlockedBy(name string) []error {
	found, err := sd.find(generators.Service{Name: name})
	if err != nil || !sd.confs.given.IsDefault() {
		return nil
	}
	_, broken, err := sd.confs.declaredAndBroken(sd.confs.isDefined)
	if err != nil {
		return []error{err}
	}
	return sd.blocking(name, broken, func(unit string) bool { return unit == found.Name })
}

// blocking returns those of the errors, by service, that keep such a unit from starting, but
// that of one service.
func (sd *Systemd) blocking(but string, broken map[string]error, unit func(string) bool) (errs []error) {
	for _, other := range slices.Sorted(maps.Keys(broken)) {
		if other != but && slices.ContainsFunc(sd.UnitsToBlock(other), unit) {
			errs = append(errs, broken[other])
		}
	}
	return errs
}
