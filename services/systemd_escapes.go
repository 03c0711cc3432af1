package services

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// Escapes returns what of a service's units would not be in its domain although the
// generated files are as they are to be.
func (sd *Systemd) Escapes(job generators.Job) []error {
	s := job.(generators.Systemd)
	errs, _ := sd.wins(s)
	return append(errs, sd.lifted(s)...)
}

// Remarks returns what a service's units say themselves of where they run, and which
// does no harm: a place, and what wins.
func (sd *Systemd) Remarks(s generators.Systemd) []string {
	_, notes := sd.wins(s)
	return slices.Concat(notes, sd.unmade(s), sd.unread(s), sd.pulls(s))
}

// wins judges what units say themselves of where they run, against conf.d.
func (sd *Systemd) wins(s generators.Systemd) (errs []error, notes []string) {
	judged := s.Units
	if s.Instance != nil {
		judged = []*systemd.Unit{s.Instance.Base}
	}
	for _, socket := range s.Outside {
		notes = append(notes, fmt.Sprintf("%s: %s stays in the default domain, and %s is in %s", s.SocketsStay, socket, s.Name, s.Domain))
	}
	for _, unit := range judged {
		if d, ok := systemd.Dispatches(unit); ok && len(s.Units) == 1 && len(d.Starts) == 0 && !d.Sleeps {
			notes = append(notes, fmt.Sprintf("%s: %s %s; the line is for nothing else", placeOf(d.Setting), unit.Name, d.What))
		}
		if sd.isForeign(unit) && !sd.holds(unit.Name, s.Domain) {
			fact := "is not held in " + s.Domain.String()
			if text, err := fs.ReadFile(sd.fsys, path.Join(systemd.Generated[1:], unit.Name+".d", systemd.DropIn)); err == nil && systemd.IsMade(text) {
				fact = "does not start"
			}
			errs = append(errs, problem.New(s.Place(), "%s %s: another generator of systemd makes it, and rdgen's did not see it", unit.Name, fact).
				WithHint("systemctl daemon-reload; if that does not help, "+sd.confs.onRoot(append([]string{"rdgen", "systemd"}, problem.Operands([]string{s.Name}, "-o", path.Join(cmp.Or(sd.confs.root, "/"), "etc"))...)...)+" before it"))
		}
		for _, judge := range []func(*systemd.Unit, domain.Domain) ([]error, []string){sd.commands, directives, mounts, survives, sd.joins, sd.activated, sd.sessions, sd.keeps, ends, sd.waits, sd.mountable} {
			e, n := judge(unit, s.Domain)
			errs, notes = append(errs, e...), append(notes, n...)
		}
	}
	return errs, notes
}

// isForeign reports whether a generator made the unit that is neither rdgen nor
// systemd-sysv-generator, which makes nothing but what rdgen knows.
func (sd *Systemd) isForeign(unit *systemd.Unit) bool {
	if !strings.HasPrefix(unit.Path, "/run/systemd/generator") || sd.sysvScript(bare(unit.Name)) != "" {
		return false
	}
	return !sd.isMade(unit)
}

// holds reports whether a drop-in of rdgen's is in place with which a unit enters the
// domain, its own or its template's.
func (sd *Systemd) holds(unit string, d domain.Domain) bool {
	names := []string{unit}
	if template, _, ok := systemd.Instance(unit); ok {
		names = append(names, template)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return sd.hasLook(systemd.Etc, name, d) || sd.hasLook(systemd.Generated, name, d)
	})
}

// isMade reports whether the unit is one that rdgen made, an instance.
func (sd *Systemd) isMade(unit *systemd.Unit) bool {
	text, err := fs.ReadFile(sd.fsys, unit.Path[1:])
	return err == nil && systemd.IsMade(text)
}

// commands judges those that go somewhere else: they run after the unit is in its
// domain, so they win.
func (sd *Systemd) commands(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	for _, e := range systemd.Enters(unit) {
		pos := placeOf(e.Setting)
		switch {
		case generators.Refuses(e, d): // who makes the files says so
		case e.Unsure:
			errs = append(errs, generators.Loses(e, d))
		case systemd.Runtimes[e.By] != nil:
			err, note := sd.asksRuntime(e, d)
			errs, notes = append(errs, err...), append(notes, note...)
		case e.Again && !generators.Leaves(e, d):
			notes = append(notes, fmt.Sprintf("%s: podman restart starts this container once more where it is typed; Network=ns:%s in its Quadlet file keeps it in %s", pos, d.Netns.Path(), d))
		case (e.Contains || e.Moves) && !generators.Leaves(e, d):
		case !generators.Leaves(e, d):
			notes = append(notes, fmt.Sprintf("%s: %s enters %s once more, which changes nothing", pos, e.By, d))
		case e.Asks != "":
			errs = append(errs, problem.New(pos, "%s= asks %s by %s to run something, which would not run in %s", e.Key, e.Asks, e.By, d).
				WithHint("start the program from the unit, or put the line into the conf.d file of the service that starts it"))
		case e.Contains:
			errs = append(errs, generators.Loses(e, d))
		default:
			errs = append(errs, problem.New(pos, "%s= leaves %s by %s, and that wins over conf.d", e.Key, d, e.By).
				WithHint("take it out of the command by a drop-in, or the line out of conf.d"))
		}
	}
	return errs, notes
}

// directives judges those of systemd that put a unit somewhere, or bind it.
func directives(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	section := "Service"
	if strings.HasSuffix(unit.Name, ".socket") {
		section = "Socket"
	}
	for _, key := range []string{"NetworkNamespacePath", "BindNetworkInterface", "RestrictNetworkInterfaces"} {
		all := unit.All(section, key)
		if len(all) == 0 {
			continue
		}
		set := all[len(all)-1]
		switch {
		case key == "NetworkNamespacePath" && d.Netns.IsZero(): // who makes the files refuses it
		case key == "NetworkNamespacePath":
			notes = append(notes, fmt.Sprintf("%s: conf.d wins over %s=%s: %s is in %s", placeOf(set), key, set.Value, unit.Name, d))
		case key == "RestrictNetworkInterfaces":
			notes = append(notes, fmt.Sprintf("%s: %s= holds as well, with the numbers that the links have in systemd's own namespace; "+
				"what a VRF receives counts as its member's", placeOf(set), key))
		case d.Netns.IsZero() && set.Value == d.VRF.String():
			notes = append(notes, fmt.Sprintf("%s: %s= binds to %s as well, which changes nothing", placeOf(set), key, d))
		default:
			errs = append(errs, problem.New(placeOf(set), "%s=%s binds the sockets of %s to that link of systemd's own namespace, and that wins over conf.d",
				key, set.Value, unit.Name).WithHint("take it out by a drop-in, or the line out of conf.d"))
		}
	}
	if on, set, _ := unit.Bool(section, "PrivateNetwork"); on && !d.Netns.IsZero() {
		notes = append(notes, fmt.Sprintf("%s: conf.d wins over PrivateNetwork=: %s is in %s", placeOf(set), unit.Name, d))
	}
	return errs, notes
}

// joins judges JoinsNamespaceOf=: of units with namespaces of their own that are
// joined, the one that starts first decides.
func (sd *Systemd) joins(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	units, err := sd.units()
	if err != nil || d.Netns.IsZero() {
		return nil, nil
	}
	judge := func(pos problem.Pos, other *systemd.Unit, by string) {
		_, s, _ := sd.confs.read(bare(other.Name))
		switch {
		case s.Domain.Netns == d.Netns:
			notes = append(notes, fmt.Sprintf("%s: %s changes nothing, it is in %s too", pos, by, d))
		case shares(other) || !s.Domain.Netns.IsZero():
			errs = append(errs, problem.New(pos, "%s wins over conf.d where %s runs first, and then %s does not start", by, other.Name, unit.Name).
				WithHint("put "+other.Name+" into "+d.String()+" too, or take this out of the unit"))
		}
	}
	for _, set := range unit.All("Unit", "JoinsNamespaceOf") {
		for _, name := range strings.Fields(set.Value) {
			if other, err := units.Unit(name); err == nil {
				judge(placeOf(set), other, "JoinsNamespaceOf="+name)
			}
		}
	}
	for _, name := range units.Joining(unit.Name) {
		other, err := units.Unit(name)
		if err != nil || sd.hasOwnDomain(name) {
			continue // or it is judged for its own line
		}
		if all := other.All("Unit", "JoinsNamespaceOf"); len(all) > 0 {
			judge(placeOf(all[0]), other, "JoinsNamespaceOf= of "+name)
		}
	}
	return errs, notes
}

// shares reports whether a unit has namespaces of its own that systemd keeps for those that
// join it: without one for the network, there is none for them either (seen on 252, 257, 262).
func shares(unit *systemd.Unit) bool {
	for _, key := range []string{"PrivateNetwork", "PrivateTmp", "PrivateIPC"} {
		if on, _, _ := unit.Bool("Service", key); on {
			return true
		}
	}
	return unit.Last("Service", "NetworkNamespacePath") != "" || unit.Last("Service", "IPCNamespacePath") != ""
}

// busFolders have the files of services that the system's message bus starts.
var busFolders = []string{"etc/dbus-1/system-services", "run/dbus-1/system-services", "usr/local/share/dbus-1/system-services",
	"usr/share/dbus-1/system-services", "lib/dbus-1/system-services"}

// activated judges who else starts the program of a service with a name on the message bus:
// the bus does it itself, where the name's file does not have it ask systemd.
func (sd *Systemd) activated(unit *systemd.Unit, d domain.Domain) (errs []error, notes []string) {
	bus := unit.Last("Service", "BusName")
	for _, folder := range busFolders {
		file := path.Join(folder, path.Base(bus)+".service")
		data, err := fs.ReadFile(sd.fsys, file)
		if bus == "" || err != nil {
			continue
		}
		starts := systemd.Unit{Settings: systemd.Read("/"+file, data)}
		if exec := starts.All("D-BUS Service", "Exec"); len(exec) > 0 && path.Base(exec[0].Value) != "false" && starts.Last("D-BUS Service", "SystemdService") == "" {
			errs = append(errs, problem.New(placeOf(exec[0]), "the message bus starts this itself for %s, and that would not run in %s", bus, d).
				WithHint("add SystemdService="+unit.Name+" to that file"))
		}
		break // the first one wins
	}
	return errs, notes
}

func placeOf(set systemd.Setting) problem.Pos { return problem.Pos{File: set.File, Line: set.Line} }
