package generators

import (
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// Instance is a service of its own, NAME.INSTANCE, that runs the same unit as
// NAME: with its own pid file, runtime directory and configuration, so that both
// run side by side. Each directory of its own appears inside where the program
// expects that of NAME.
type Instance struct {
	// Base is the unit of NAME.
	Base *systemd.Unit
	// DropIns are the settings of the drop-ins that the instance has already.
	DropIns []systemd.Setting
	// Present has those of InstanceFiles that exist.
	Present map[string]bool
	// Early reports that Base runs before any domain is made, and EarlyUnits which of
	// the units in its Before= and Wants= do.
	Early      bool
	EarlyUnits map[string]bool
	// Made are the paths that tmpfiles.d makes for Base.
	Made []Made
	// Siblings are the units that belong to Base; none of them is carried over.
	Siblings []string
}

// section is one section of the instance's unit file.
type section struct {
	Name  string
	Lines []string
}

// directories are the settings by which systemd makes directories for a unit,
// and where each makes them (systemd.exec(5)).
var directories = []struct{ key, path string }{
	{"RuntimeDirectory", "/run"}, {"StateDirectory", "/var/lib"}, {"CacheDirectory", "/var/cache"}, {"LogsDirectory", "/var/log"},
}

// InstanceFiles returns the files on whose existence it depends what the instance
// called name, which is NAME.INSTANCE, has of its own: what base reads below /etc, and
// the file beside each that would be the instance's.
func InstanceFiles(base *systemd.Unit, name string) []string {
	var files []string
	tag := tagOf(name)
	for _, file := range configuration(base) {
		files = append(files, file, ownPath(file, tag))
	}
	for _, file := range environmentFiles(base) {
		files = append(files, ownPath(file, tag))
	}
	return files
}

// tagOf is the INSTANCE of NAME.INSTANCE.
func tagOf(name string) string {
	_, tag, _ := strings.Cut(name, ".")
	return tag
}

// unit makes the unit of s, with notes for who configures it.
func (i *Instance) unit(s Service) (unit *systemd.Unit, notes []string, err error) {
	if bus := i.Base.Last("Service", "BusName"); bus != "" {
		return nil, nil, problem.New(s.Place(), "%s owns %s on the message bus, which two services cannot", i.Base.Name, bus)
	}
	if err := i.shared(s.Name); err != nil {
		return nil, nil, err
	}
	tag := tagOf(s.Name)
	note := func(text string) { notes = append(notes, i.Base.Path+": "+text) }
	var renames []string // old and new paths, for a strings.Replacer
	if pid := i.Base.Last("Service", "PIDFile"); pid != "" && !strings.Contains(pid, "%") {
		pid = withoutVarRun(pid)
		own := ownPath(pid, tag)
		renames = append(renames, pid, own, "/var"+pid, own)
		note("the pid file of " + s.Name + " is " + own + ": its configuration must say so too")
	}
	configured, suggested := i.configuration(tag)
	if len(configured) == 0 {
		note(s.Name + " reads the same configuration as " + strings.TrimSuffix(i.Base.Name, ".service") +
			"; give it its own, such as " + ownPath(suggested, tag))
	}
	replace := strings.NewReplacer(renames...)
	unit = &systemd.Unit{Name: s.Name + ".service", Path: path.Join(systemd.Etc, s.Name+".service")}
	add := func(section, key, value string) {
		unit.Settings = append(unit.Settings, systemd.Setting{Section: section, Key: key, Value: value, File: unit.Path})
	}
	for _, set := range i.Base.Settings {
		if value, ok := i.setting(set, tag, replace); ok {
			add(set.Section, set.Key, value)
		}
	}
	for _, value := range i.directories(tag) {
		add("Service", "BindPaths", value)
	}
	for _, value := range configured {
		add("Service", "BindReadOnlyPaths", value)
	}
	for _, other := range i.Siblings {
		note("not carried over to " + s.Name + ": " + other)
	}
	return unit, notes, nil
}

// sections returns a unit's settings as its file has them.
func sections(unit *systemd.Unit) (list []section) {
	for _, name := range []string{"Unit", "Service", "Install"} {
		sec := section{Name: name}
		for _, set := range unit.Settings {
			if set.Section == name {
				sec.Lines = append(sec.Lines, set.Key+"="+set.Repeated())
			}
		}
		list = append(list, sec)
	}
	return list
}

// directories are the binds by which each directory of the instance appears where
// that of NAME is expected. A name with a specifier follows the unit's.
func (i *Instance) directories(tag string) (binds []string) {
	for _, d := range directories {
		for _, set := range i.Base.All("Service", d.key) {
			for _, name := range strings.Fields(set.Value) {
				name, _, _ = strings.Cut(name, ":")
				if !strings.Contains(name, "%") {
					binds = append(binds, path.Join(d.path, tagged(name, tag))+":"+path.Join(d.path, name))
				}
			}
		}
	}
	return binds
}

// configuration are the binds by which the instance's own files appear where
// those of NAME are expected. suggested is the file that it should have one for.
func (i *Instance) configuration(tag string) (binds []string, suggested string) {
	files := configuration(i.Base)
	suggested = files[0]
	for _, file := range files {
		if i.Present[file] {
			suggested = file
		}
		if own := ownPath(file, tag); i.Present[own] {
			binds = append(binds, own+":"+file)
		}
	}
	return binds, suggested
}

// setting returns the value of a setting as the instance has it; ok is false if it
// has it not.
func (i *Instance) setting(set systemd.Setting, tag string, replace *strings.Replacer) (value string, ok bool) {
	value = replace.Replace(set.Value)
	switch {
	case set.Key == "Description":
		value += " (" + tag + ")"
	case set.Key == "Before" || set.Key == "Wants" || set.Key == "DefaultDependencies" || set.Key == "WantedBy" || set.Key == "RequiredBy":
		if i.Early {
			return i.later(set)
		}
	case set.Key == "Alias" || set.Key == "Also" || set.Key == "Sockets":
		return "", false
	case makesDirectory(set.Key):
		var names []string
		for _, name := range strings.Fields(value) {
			name, _, _ = strings.Cut(name, ":")
			names = append(names, tagged(name, tag))
		}
		value = strings.Join(names, " ")
	case set.Key == "EnvironmentFile":
		// Read by systemd itself, outside of the service's view of files.
		file := strings.TrimPrefix(value, "-")
		if own := ownPath(file, tag); i.Present[own] {
			value = strings.Replace(value, file, own, 1)
		}
	}
	return value, true
}

func makesDirectory(key string) bool {
	for _, d := range directories {
		if d.key == key {
			return true
		}
	}
	return false
}

// later takes what makes a unit run before domains can be out of a setting: the
// instance is an ordinary service.
func (i *Instance) later(set systemd.Setting) (value string, ok bool) {
	switch set.Key {
	case "DefaultDependencies":
		return "", false
	case "Before", "Wants":
		kept := slices.DeleteFunc(strings.Fields(set.Value), func(name string) bool {
			return strings.HasSuffix(name, ".target") || i.EarlyUnits[name]
		})
		return strings.Join(kept, " "), len(kept) > 0
	}
	return "multi-user.target", true
}

// configuration returns what a unit's program reads below /etc, as far as its
// unit tells: /etc/NAME, /etc/NAME.conf, and what its command lines name.
func configuration(unit *systemd.Unit) []string {
	name := strings.TrimSuffix(unit.Name, ".service")
	files := []string{"/etc/" + name, "/etc/" + name + ".conf"}
	for _, key := range []string{"ExecStartPre", "ExecStart", "ExecReload"} {
		for _, set := range unit.All("Service", key) {
			for _, word := range strings.FieldsFunc(set.Value, func(r rune) bool { return strings.ContainsRune(" \t\"'=", r) }) {
				if rest, ok := strings.CutPrefix(word, "/etc/"); ok && !strings.ContainsAny(word, "%$\\") {
					top, _, below := strings.Cut(path.Clean(rest), "/")
					if file := "/etc/" + top; top != "default" && (below || path.Ext(top) != "") && !slices.Contains(files, file) {
						files = append(files, file)
					}
				}
			}
		}
	}
	return files
}

// environmentFiles returns the paths in EnvironmentFile= that are absolute and clean.
func environmentFiles(unit *systemd.Unit) (files []string) {
	for _, set := range unit.Settings {
		file := strings.TrimPrefix(set.Value, "-")
		if set.Section == "Service" && set.Key == "EnvironmentFile" && path.IsAbs(file) && path.Clean(file) == file && file != "/" {
			files = append(files, file)
		}
	}
	return files
}

// tagged puts the instance's tag behind the first part of a relative path.
func tagged(name, tag string) string {
	if strings.Contains(name, "%") {
		return name
	}
	first, rest, _ := strings.Cut(name, "/")
	return path.Join(first+"."+tag, rest)
}

// ownPath is where an instance has its own of a file: beside it, the tag before
// the suffix. /run/nginx.pid becomes /run/nginx.private.pid, and
// /run/sshd/sshd.pid, in a directory of the service, /run/sshd.mgmt/sshd.pid.
func ownPath(file, tag string) string {
	for _, d := range directories {
		if rest, ok := strings.CutPrefix(file, d.path+"/"); ok && strings.Contains(rest, "/") {
			return path.Join(d.path, tagged(rest, tag))
		}
	}
	suffix := path.Ext(file)
	return strings.TrimSuffix(file, suffix) + "." + tag + suffix
}
