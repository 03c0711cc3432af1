package generators

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// stateFolders are where programs keep what two of them may not share: pid files,
// control sockets, locks, databases.
var stateFolders = []string{"/run", "/var/lib", "/var/spool"}

// ofTheSystem are directories there that all services use.
var ofTheSystem = []string{"/run/systemd", "/run/dbus", "/run/lock", "/run/user"}

// Made is a path that something else than the unit makes for it (tmpfiles.d(5)),
// and the line that says so.
type Made struct {
	problem.Pos
	Path string
}

// shared refuses an instance that would work in a directory of the service that it
// is an instance of, or by a control socket of it: both would read and write there.
// What systemd makes for the unit is the instance's own, and so is its pid file.
func (i *Instance) shared(name string) error {
	for _, set := range i.Base.Settings {
		if set.Section != "Service" || !namesPaths(set.Key) {
			continue
		}
		value, err := systemd.Specifiers(i.Base.Name, set.Value)
		if err != nil {
			value = set.Value
		}
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\"'=:,;", r) }) {
			if p, ok := i.sharedPath(strings.TrimLeft(word, "-+!@|")); ok {
				return i.sharing(name, p, place(set), set.Key+"= names it")
			}
		}
	}
	for _, made := range i.Made {
		if p, ok := i.sharedPath(made.Path); ok {
			return i.sharing(name, p, made.Pos, "it is made here")
		}
	}
	return nil
}

func (i *Instance) sharing(name, p string, pos problem.Pos, why string) error {
	return problem.New(pos, "%s would share %s with %s: %s, and the unit does not (RuntimeDirectory=, StateDirectory=)", name, p, i.Base.Name, why).
		WithHint("write /etc/systemd/system/" + name + ".service, a unit with directories of its own; the line in its conf.d file is for that then")
}

// namesPaths reports whether a setting tells where a program keeps its state.
func namesPaths(key string) bool {
	return strings.HasPrefix(key, "Exec") ||
		slices.Contains([]string{"PIDFile", "Environment", "WorkingDirectory", "ReadWritePaths"}, key)
}

// sharedPath returns the path below one of the folders of state that p is or is in;
// ok is false if it is the instance's own, or nobody's.
func (i *Instance) sharedPath(p string) (shared string, ok bool) {
	p = withoutVarRun(path.Clean(p))
	if strings.ContainsAny(p, "$%*\\") || p == withoutVarRun(i.Base.Last("Service", "PIDFile")) && path.Dir(p) == "/run" {
		return "", false
	}
	for _, folder := range stateFolders {
		rest, below := strings.CutPrefix(p, folder+"/")
		if !below {
			continue
		}
		first, _, _ := strings.Cut(rest, "/")
		shared = folder + "/" + first
		return shared, !slices.Contains(ofTheSystem, shared) && !i.owns(shared)
	}
	return "", false
}

// owns reports whether systemd makes the directory for the unit.
func (i *Instance) owns(dir string) bool {
	for _, d := range directories {
		for _, set := range i.Base.All("Service", d.key) {
			for _, name := range strings.Fields(set.Value) {
				name, _, _ = strings.Cut(name, ":")
				first, _, _ := strings.Cut(name, "/")
				if dir == path.Join(d.path, first) {
					return true
				}
			}
		}
	}
	return false
}

// withoutVarRun spells a path below /var/run, a link to /run, as one below /run.
func withoutVarRun(p string) string {
	if rest, ok := strings.CutPrefix(p, "/var/run/"); ok {
		return "/run/" + rest
	}
	return p
}
