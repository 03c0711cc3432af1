package systemd

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// suffixes are those of the units that there are (unit_type_table,
// src/basic/unit-def.c).
var suffixes = []string{".service", ".socket", ".timer", ".path", ".target", ".slice", ".scope", ".mount", ".automount", ".swap", ".device"}

// Suffix returns the suffix by which name is the full name of a unit, or "".
func Suffix(name string) string {
	if suffix := path.Ext(name); slices.Contains(suffixes, suffix) {
		return suffix
	}
	return ""
}

// userFolders are where the units of systemd --user are (systemd.unit(5)), less
// those of single users.
var userFolders = []string{"etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user", "lib/systemd/user"}

// readUsers lists the units of systemd --user.
func (u *Units) readUsers() map[string]bool {
	found := map[string]bool{}
	for _, folder := range userFolders {
		entries, _ := fs.ReadDir(u.fsys, folder)
		for _, e := range entries {
			found[e.Name()] = true
		}
	}
	return found
}

// ForUsers reports whether systemd --user has a unit of that name.
func (u *Units) ForUsers(name string) bool { return u.users()[name] }

// Other returns the full name of a unit that is called base and is no service, and
// the service that it starts, if it is of a type that does (systemd.socket(5),
// systemd.timer(5), systemd.path(5)); "" if there is none.
func (u *Units) Other(base string) (name, service string) {
	for _, suffix := range suffixes[1:] {
		if u.files[base+suffix] != "" || u.others[base+suffix] != "" {
			return base + suffix, u.Started(base + suffix)
		}
	}
	return "", ""
}

// Started returns the service that a socket, a timer or a path unit starts; "" for
// any other name, and for a unit that is not there.
func (u *Units) Started(name string) string {
	suffix := path.Ext(name)
	if suffix == ".socket" {
		unit, _ := u.partly(name)
		if unit == nil {
			return ""
		}
		service, _ := serviceOf(unit)
		if service = closed(service); strings.Contains(service, unknownMark) {
			return ""
		}
		if real, _, err := u.resolve(service); err == nil {
			return real
		}
		return service
	}
	_, file, err := u.resolve(name)
	if err != nil || suffix != ".timer" && suffix != ".path" {
		return ""
	}
	service := strings.TrimSuffix(name, suffix) + ".service"
	data, _ := u.readFile(file)
	settings, _ := u.DropIns(name)
	for _, set := range append(Read("/"+file, data), settings...) {
		if set.Key == "Unit" && set.Value != "" {
			service = closed(expandName(name, set.Value))
		}
	}
	return service
}

// Accepted returns base@.service if base.socket starts it, once for each connection
// (Accept=yes); nil if that is not so.
func (u *Units) Accepted(base string) *Unit {
	template := base + "@.service"
	if !slices.Contains(u.sockets().plain[template], base+".socket") {
		return nil
	}
	unit, err := u.Unit(template)
	if err != nil {
		return nil
	}
	return unit
}

// MaskedAtRuntime reports whether a unit is masked until the next boot: what is masked below /etc
// is seen first.
func (u *Units) MaskedAtRuntime(name string) bool { return strings.HasPrefix(u.files[name], "run/") }

// MaskedByPackage reports whether it is not the administrator who masked a unit:
// systemctl unmask would do nothing.
func (u *Units) MaskedByPackage(name string) bool {
	file := u.files[name]
	return file != "" && !strings.HasPrefix(file, "etc/") && !strings.HasPrefix(file, "run/")
}
