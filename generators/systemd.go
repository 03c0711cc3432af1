package generators

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"rdgen/generators/tree"
	"rdgen/installed"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
	"rdgen/templates"
)

// Systemd is a service of systemd.
type Systemd struct {
	Service
	// Units are the units to be given a drop-in: the service's own, its sockets. One
	// that systemd-sysv-generator makes has nothing but its name and the script's path.
	Units []*systemd.Unit
	// Resolves is true where the domain is a VRF with resolver files of its own.
	Resolves bool
	// Links are the machine's; nil for the usual ones.
	Links Links
	// Outside are the names of the sockets that conf.d lets stay in the default domain.
	Outside []string
	// Instance is what a unit of the service's own is made from, in place of Units; or nil.
	Instance *Instance
	// Installed reports that a package has rdomain@.service in place.
	Installed bool
	// AtBoot is true for files that systemd has made at each daemon-reload.
	AtBoot bool
}

// Covered returns the names of the units that the conf.d file of the service speaks
// for, the service's own first.
func (s Systemd) Covered() (names []string) {
	for _, u := range s.Units {
		names = append(names, u.Name)
	}
	if s.Instance != nil {
		names = append(names, s.Name+".service")
	}
	return names
}

// Files makes the drop-ins of a service and its sockets, and the unit of the
// domain; systemd 249 and newer (BPFProgram=, systemd.resource-control(5)).
//
// The directives that enter a domain are systemd's own, so the unit's sandbox and
// its User= are kept. Each of them can be ignored with a warning, and then the
// service would run in the default domain, so it is guarded three times: Requires=
// and After= for the domain's unit, an assertion on the file that stands for the
// domain, and a look from inside the unit before its first program, see [look].
func (s Systemd) Files() (tree.Tree, []string, error) {
	var t tree.Tree
	var notes []string
	add := func(path, template string, data any) error {
		text, err := templates.Render(template, data)
		if err != nil {
			return err
		}
		if !s.AtBoot {
			text = seal(text)
		}
		return t.Add(unitFile(path, text))
	}
	units := s.Units
	if i := s.Instance; i != nil {
		unit, about, err := i.unit(s.Service)
		if err != nil {
			return tree.Tree{}, nil, err
		}
		units, notes = []*systemd.Unit{unit}, about
		data := instanceUnit{From: s.from(i.Base.Path), Again: s.again(), Sections: sections(unit)}
		if err := add(unit.Name, "systemd-instance", data); err != nil {
			return tree.Tree{}, nil, err
		}
		unit.Settings = append(unit.Settings, i.DropIns...)
	}
	for _, unit := range units {
		if len(unit.Name) > systemd.MaxDropIns {
			return tree.Tree{}, nil, problem.New(s.Place(), "the name of %s is too long: it has %d bytes, and above %d a unit has no drop-ins of its own",
				unit.Name, len(unit.Name), systemd.MaxDropIns).WithHint("give it a shorter name")
		}
		d, err := newDropIn(s, unit)
		if err == nil {
			err = add(unit.Name+".d/"+systemd.DropIn, "systemd-dropin", d)
		}
		if err != nil {
			return tree.Tree{}, nil, err
		}
	}
	if !s.Installed {
		if err := t.Add(unitFile(systemd.Rdomain, installed.At(systemd.RdomainService))); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	if _, nested := namespace(s.Domain); nested {
		if err := add("rdomain@"+s.Domain.ID()+".service.d/50-netns.conf", "systemd-nested", s.Domain); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	return t, notes, nil
}

// again is the command that makes the service's files again.
func (s Systemd) again() string {
	if s.AtBoot {
		return "systemctl daemon-reload"
	}
	return s.regenerate("systemd", s.Name)
}

// Disabled makes drop-ins with which the units fail and say why. source is the
// conf.d file that cannot be followed. undone reports whether a drop-in that systemd
// reads later would let a unit out, see [Undoes]: then the unit does not say it. A unit of
// which the name is too long for drop-ins is masked, and says nothing.
func Disabled(units []string, undone func(unit string) bool, source, why string) (tree.Tree, error) {
	var t tree.Tree
	for _, name := range units {
		if len(name) > systemd.MaxDropIns {
			if err := t.Add(tree.File{Path: path.Join(systemd.Etc, name), Link: "/dev/null"}); err != nil {
				return tree.Tree{}, err
			}
			continue
		}
		// "<3>" makes it an error in the journal (sd-daemon(3)).
		words, err := templates.Sh("<3>" + strings.ReplaceAll(legible(why), "\n", "\n<3>"))
		if err != nil {
			return tree.Tree{}, err
		}
		text, err := templates.Render("systemd-disabled", disabled{
			Source: source, Section: sectionOf(name), Undone: undone(name), Say: "printf '%s\\n' " + words + " >&2; exit 255"})
		if err != nil {
			return tree.Tree{}, err
		}
		if err := t.Add(unitFile(name+".d/"+systemd.DropIn, text)); err != nil {
			return tree.Tree{}, err
		}
	}
	return t, nil
}

// legible returns a text that a line of a unit file can have: systemd ignores a line that
// is not UTF-8 or is longer than 1 MiB, and no argument is longer than 128 KiB.
func legible(s string) string {
	const most = 8 << 10
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}

// disabled is the data of templates/systemd-disabled.tmpl.
type disabled struct {
	Source, Section, Say string
	Undone               bool
}

// Undoes reports whether a setting is in a drop-in that systemd reads after rdgen's, and
// is one that takes away what a disabled unit fails by, or adds a command that runs before
// that or after it.
func Undoes(set systemd.Setting) bool {
	if set.DropIn() <= systemd.DropIn {
		return false
	}
	switch set.Key {
	case "ExecStartPre":
		return set.Value == ""
	case "SuccessExitStatus", "RootDirectory", "RootImage", "RootDirectoryStartOnly":
		return true
	case "ExtensionImages", "ExtensionDirectories": // another /bin/sh
		return set.Value != ""
	case "ExecCondition", "ExecReload", "ExecReloadPost", "ExecStop", "ExecStopPre", "ExecStopPost":
		return set.Value != ""
	}
	return false
}

// instanceUnit is the data of templates/systemd-instance.tmpl.
type instanceUnit struct {
	From, Again string
	Sections    []section
}

func unitFile(name string, text []byte) tree.File {
	return tree.File{Path: path.Join(systemd.Etc, name), Mode: 0o644, Data: text}
}

// dropIn is the data of templates/systemd-dropin.tmpl.
type dropIn struct {
	From, Again string
	Source      string // conf.d file, if systemd is to warn when it is newer
	Section     string // Service or Socket
	Domain      domain.Domain
	Netns, Pin  string // paths, or ""
	Needs       string // a program whose absence would not be a failure, or ""
	Check       []string
	Look        look
	View        view
	Tasks       int // what TasksMax= is raised to, or 0
	Resolver    []bind
	Hide        []string
}

// bind is a file that is seen in another place. Optional is "-" where it need not be there.
type bind struct{ From, To, Optional string }

// resolverUnits are the services that listen in domain.ResolverDirs.
var resolverUnits = map[string][]string{
	"/run/nscd":            {"nscd.service", "unscd.service"},
	"/run/systemd/resolve": {"systemd-resolved.service"},
	"/run/avahi-daemon":    {"avahi-daemon.service"},
}

func newDropIn(s Systemd, unit *systemd.Unit) (d dropIn, err error) {
	d = dropIn{From: s.from(""), Again: s.again(), Section: sectionOf(unit.Name), Domain: s.Domain}
	if s.AtBoot {
		d.Source = s.Pos.File
	}
	if !s.Domain.Netns.IsZero() {
		d.Netns = s.Domain.Netns.Path()
	}
	d.Resolver = resolver(s)
	if len(d.Resolver) > 0 {
		for _, dir := range domain.ResolverDirs {
			if !slices.Contains(resolverUnits[dir], unit.Name) {
				d.Hide = append(d.Hide, dir)
			}
		}
	}
	if !s.Domain.VRF.IsZero() {
		d.Pin = s.Domain.Pin()
	}
	d.Check = append([]string{rdexec}, domain.Command{Domain: s.Domain, Look: true}.Args()...)
	if err := elsewhere(unit, s.Domain, len(s.Units) == 0 || unit == s.Units[0]); err != nil {
		return dropIn{}, err
	}
	if d.Look, err = newLook(unit); err == nil {
		if d.Look.Key == "ExecCondition" {
			d.Needs = rdexec
		}
		links := s.Links
		if links == nil {
			links = UsualLinks()
		}
		d.Tasks = tasks(unit)
		d.View, err = newView(unit, needed(d), links)
		err = cmp.Or(err, d.shown(unit, links), d.undone(unit))
	}
	return d, err
}

// resolver returns the files by which a service looks up names that are not the host's:
// those of its namespace that are there, and those of a VRF. Without its resolv.conf a
// service of that VRF does not start.
func resolver(s Systemd) (files []bind) {
	vrf, netns := s.Domain.Etc(), s.Domain.Netns.Etc()
	if s.Resolves {
		files = []bind{{vrf + "/resolv.conf", "/etc/resolv.conf", ""}, {vrf + "/nsswitch.conf", "/etc/nsswitch.conf", "-"}}
	}
	for _, name := range []string{"resolv.conf", "hosts", "nsswitch.conf"} {
		if !s.Domain.Netns.IsZero() && (!s.Resolves || name == "hosts") {
			files = append(files, bind{netns + "/" + name, "/etc/" + name, "-"})
		}
	}
	return files
}

// sectionOf returns the section of a unit file that has its commands.
func sectionOf(unit string) string {
	if path.Ext(unit) == ".socket" {
		return "Socket"
	}
	return "Service"
}
