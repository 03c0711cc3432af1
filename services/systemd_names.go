package services

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// A name of conf.d that leads to no unit would be a line without effect: the
// service runs where it always did. What else the name can mean is looked for here,
// for the message, and for what must not start until the line can be followed.

// bare is a service's name without the suffix of its unit: "nginx" and
// "nginx.service" are one service, as they are for systemctl.
func bare(name string) string { return strings.TrimSuffix(name, ".service") }

// notFound is the hint where nothing is known of a name.
const notFound = "install it, or correct the name of the conf.d file"

// find returns the unit that a service's name stands for: NAME.service; or, where
// there is none that could start, NAME@.service if NAME.socket starts it; or what
// systemd-sysv-generator makes of a script. The error is that of unit.
func (sd *Systemd) find(s generators.Service) (*systemd.Unit, error) {
	unit, err := sd.unit(s)
	missing := errors.Is(err, fs.ErrNotExist)
	if err == nil || !missing && !errors.Is(err, systemd.ErrMasked) {
		return unit, err
	}
	units, unreadable := sd.units()
	if unreadable != nil {
		return nil, unreadable
	}
	if unit := units.Accepted(bare(s.Name)); unit != nil {
		return unit, nil
	}
	if script := sd.sysvScript(bare(s.Name)); script != "" && missing {
		return &systemd.Unit{Name: bare(s.Name) + ".service", Path: script}, nil
	}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Hint == notFound {
		if script := provider(sd.fsys, bare(s.Name)); script != "" {
			e.Hint += provided(script, bare(s.Name))
		}
		e.Hint += "; where another generator of systemd makes the unit: systemctl daemon-reload"
	}
	return nil, err
}

// unit finds NAME.service. The error matches fs.ErrNotExist if there is none, or
// systemd.ErrMasked.
func (sd *Systemd) unit(s generators.Service) (*systemd.Unit, error) {
	units, err := sd.units()
	if err != nil {
		return nil, err
	}
	if suffix := systemd.Suffix(s.Name); suffix != "" && suffix != ".service" {
		return nil, sd.noService(units, s)
	}
	name := bare(s.Name) + ".service"
	unit, err := units.Unit(name)
	switch {
	case err == nil:
		return unit, nil
	case errors.Is(err, fs.ErrNotExist):
		_, hint := sd.meant(units, bare(s.Name))
		if hint == "" {
			hint = notFound
		}
		return nil, &problem.Error{Pos: s.Place(), Hint: hint, Err: fs.ErrNotExist,
			Msg: "there is no " + name + " below " + strings.Join(systemd.Folders(), ", ")}
	case errors.Is(err, systemd.ErrMasked):
		unmask := []string{"systemctl", "unmask"}
		if units.MaskedAtRuntime(name) {
			unmask = append(unmask, "--runtime")
		}
		masked := &problem.Error{Pos: s.Place(), Hint: sd.confs.onRoot(append(unmask, problem.Operands([]string{name})...)...), Err: systemd.ErrMasked, Msg: name + " is masked"}
		if units.MaskedByPackage(name) {
			masked.Msg += " by its package"
			if _, masked.Hint = sd.meant(units, bare(s.Name)); masked.Hint == "" {
				masked.Hint = "the daemon has a unit of another name, and the line belongs into the conf.d file of that: systemctl list-unit-files"
			}
		}
		return nil, masked
	}
	wrong := problem.New(s.Place(), "%v", err)
	if errors.Is(err, systemd.ErrBadName) {
		return nil, wrong.WithHint("no service is called so: correct the name of the conf.d file, or remove it")
	}
	return nil, wrong
}

// noService is the error for a name that is a unit's, but no service's.
func (sd *Systemd) noService(units *systemd.Units, s generators.Service) error {
	suffix := systemd.Suffix(s.Name)
	base := strings.TrimSuffix(s.Name, suffix)
	service := bare(units.Started(s.Name))
	if service == "" {
		service = base
	}
	hint := "put the line into /etc/conf.d/" + service
	switch suffix {
	case ".socket":
		hint += "; a service's sockets come along"
	case ".timer", ".path":
	default:
		hint = "put the line into the conf.d file of each of its services"
		for _, one := range []string{base, base + "@"} {
			if _, err := units.Unit(one + ".service"); err == nil {
				hint += ", as /etc/conf.d/" + one
				break
			}
		}
	}
	return problem.New(s.Place(), "%s is no service, and the line is for a service", s.Name).WithHint(hint)
}

// meant returns the units that somebody means who names a service that has no unit,
// as far as that can be known, and what to do.
func (sd *Systemd) meant(units *systemd.Units, name string) (names []string, hint string) {
	if base, ok := strings.CutSuffix(name, sysvSuffix); ok && sd.sysvScript(base) != "" {
		return []string{base + ".service"}, "systemd-sysv-generator calls its unit " + base + ".service: put the line into /etc/conf.d/" + base
	}
	if others := units.Aliases(name + ".service"); len(others) > 0 {
		return others, "it is an alias of " + strings.Join(others, " and ") + ": put the line into /etc/conf.d/" + bare(others[0])
	}
	if _, err := units.Unit(name + "@.service"); err == nil {
		return []string{name + "@.service"}, "there is a template, " + name + "@.service: put the line into /etc/conf.d/" + name +
			"@INSTANCE, or /etc/conf.d/" + name + "@ for all of its instances"
	}
	if other, service := units.Other(name); service != "" {
		return []string{service, other}, "there is " + other + ", which starts " + service + ": put the line into /etc/conf.d/" + bare(service)
	} else if other != "" {
		return nil, "there is " + other + ", which is no service: put the line into the conf.d file of each of its services"
	}
	if base, ok := sd.slipped(name); ok {
		return []string{base + ".service"}, "put the line into /etc/conf.d/" + base + "; or, if an instance is meant, call it something else than a file"
	}
	if units.ForUsers(name + ".service") {
		return nil, "it is a unit of systemd --user, and only root may enter a domain: make it a system service with User="
	}
	return nil, ""
}

// Meant says what to do about a name that no unit has; "" if nothing is known.
func (sd *Systemd) Meant(name string) string {
	units, err := sd.units()
	if err != nil {
		return ""
	}
	_, hint := sd.meant(units, bare(name))
	return hint
}

// sysvSuffix is what systemd-sysv-generator leaves out of the name of a script.
const sysvSuffix = ".sh"

// sysvScript returns the path of the script of which systemd-sysv-generator makes
// NAME.service, or "". A script of OpenRC is not meant for it. No unit of such a one ends in
// .sh.service: the generator leaves the suffix out.
func (sd *Systemd) sysvScript(name string) string {
	if strings.HasSuffix(name, sysvSuffix) {
		return ""
	}
	for _, script := range []string{openrc.InitDir + name, openrc.InitDir + name + sysvSuffix} {
		info, err := fs.Stat(sd.fsys, script[1:])
		if err == nil && info.Mode().IsRegular() && (sd.AtBoot || !sd.openrc.Has(path.Base(script))) {
			return script
		}
	}
	return ""
}

// unmade names the scripts of which systemd makes no unit, because they cannot be executed
// (systemd-sysv-generator looks for the owner's right to).
func (sd *Systemd) unmade(s generators.Systemd) (notes []string) {
	for _, unit := range s.Units {
		if path.Dir(unit.Path)+"/" != openrc.InitDir {
			continue
		}
		if info, err := fs.Stat(sd.fsys, unit.Path[1:]); err == nil && info.Mode()&0o100 == 0 {
			notes = append(notes, unit.Path+": not executable, so systemd makes no "+unit.Name+" of it: "+problem.Command("chmod", "+x", unit.Path))
		}
	}
	return notes
}

// isWritten reports whether the administrator has a drop-in with which the service
// enters its domain, made while the unit was there.
func (sd *Systemd) isWritten(s generators.Service) bool {
	return sd.hasLook(systemd.Etc, bare(s.Name)+".service", s.Domain)
}

// hasLook reports whether rdgen's drop-in of a unit is in a folder, and looks into the domain.
func (sd *Systemd) hasLook(folder, unit string, d domain.Domain) bool {
	text, err := fs.ReadFile(sd.fsys, path.Join(folder[1:], unit+".d", systemd.DropIn))
	look := strings.Join(domain.Command{Domain: d, Look: true}.Args(), " ")
	return err == nil && strings.Contains(string(text), " "+look+"\n")
}

// UnitsToBlock returns the units that must not start as long as the conf.d file of
// the service cannot be followed: the same that would be put into its domain.
func (sd *Systemd) UnitsToBlock(name string) []string {
	units, err := sd.units()
	if err != nil {
		return byName(name)
	}
	if suffix := systemd.Suffix(name); suffix != "" && suffix != ".service" {
		var names []string
		if suffix == ".socket" {
			names = []string{name}
		}
		if service := units.Started(name); service != "" {
			names = append(names, sd.block(units, service)...)
		}
		return names
	}
	if unit, err := sd.find(generators.Service{Name: name}); err == nil {
		return sd.block(units, unit.Name)
	} else if !systemd.ValidName(bare(name) + ".service") {
		return nil // no unit can have this name
	} else if !errors.Is(err, systemd.ErrMasked) && (units.Has(bare(name)+".service") || !errors.Is(err, fs.ErrNotExist)) {
		// It is there, and cannot be read: what starts by its name is all that is known.
		var names []string
		for _, n := range byName(name) {
			names = append(names, sd.block(units, n)...)
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	meant, _ := sd.meant(units, bare(name))
	var names []string
	for _, n := range meant {
		names = append(names, sd.block(units, n)...)
	}
	if len(names) == 0 && !sd.isMasked(units, name) {
		return []string{bare(name) + ".service"}
	}
	return names
}

// byName returns the units that can start a service, by nothing but its name.
func byName(name string) []string {
	base := bare(name)
	names := []string{base + ".service", base + ".socket"}
	if !strings.Contains(base, "@") {
		names = append(names, base+"@.service")
	}
	return names
}

// block returns the unit and what belongs to it.
func (sd *Systemd) block(units *systemd.Units, name string) []string {
	if path.Ext(name) != ".service" {
		return []string{name}
	}
	unit, err := units.Unit(name)
	if errors.Is(err, systemd.ErrMasked) {
		return []string{name}
	}
	if err != nil {
		unit = &systemd.Unit{Name: name}
	}
	names, _ := sd.coveredNames(units, unit) // what only may belong to it is among them
	return names
}

func (sd *Systemd) isMasked(units *systemd.Units, name string) bool {
	_, err := units.Unit(bare(name) + ".service")
	return errors.Is(err, systemd.ErrMasked)
}

// Undone reports whether a drop-in that systemd reads after rdgen's would let the unit
// start that is to be blocked, or may: one that cannot be read.
func (sd *Systemd) Undone(unit string) bool {
	units, err := sd.units()
	if err != nil {
		return true
	}
	settings, err := units.DropIns(unit)
	return err != nil || slices.ContainsFunc(settings, generators.Undoes)
}
