package generators

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/systemd"
)

// instance is a service of its own, NAME.INSTANCE, that runs the same unit as
// NAME: with its own pid file, runtime directory and configuration, so that both
// run side by side. Each directory of its own appears inside where the program
// expects that of NAME.
type instance struct {
	unit     *systemd.Unit // of the name NAME.INSTANCE.service
	base     *systemd.Unit
	units    *systemd.Units
	sections []section
	notes    []string
}

// section is one section of the instance's unit file.
type section struct {
	Name  string
	Lines []string
}

// directories are the settings by which systemd makes directories for a unit,
// and where each makes them (systemd.exec(5)).
var directories = map[string]string{
	"RuntimeDirectory": "/run", "StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log",
}

// newInstance makes s.Name, which is NAME.INSTANCE, of the unit of NAME.
func (l *Loader) newInstance(s Service, base *systemd.Unit) (*instance, error) {
	_, tag, _ := strings.Cut(s.Name, ".")
	if bus := base.Last("Service", "BusName"); bus != "" {
		return nil, problem.New(s.place(), "%s owns %s on the message bus, which two services cannot", base.Name, bus)
	}
	units, err := l.units()
	if err != nil {
		return nil, err
	}
	i := &instance{base: base, units: units, unit: &systemd.Unit{Name: s.Name + ".service", Path: path.Join(systemd.Etc, s.Name+".service")}}
	var binds, readOnly []string
	renames := []string{} // old and new paths, for a strings.Replacer
	for _, key := range []string{"RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory"} {
		for _, set := range base.All("Service", key) {
			for _, name := range strings.Fields(set.Value) {
				name, _, _ = strings.Cut(name, ":")
				old, own := path.Join(directories[key], name), path.Join(directories[key], tagged(name, tag))
				if strings.Contains(name, "%") {
					continue // it follows the unit's name
				}
				binds = append(binds, "BindPaths="+own+":"+old)
			}
		}
	}
	if pid := base.Last("Service", "PIDFile"); pid != "" && !strings.Contains(pid, "%") {
		pid = strings.Replace(pid, "/var/run/", "/run/", 1)
		own := ownPath(pid, tag)
		renames = append(renames, pid, own, "/var"+pid, own)
		i.notes = append(i.notes, base.Path+": the pid file of "+s.Name+" is "+own+": its configuration must say so too")
	}
	files := configuration(base)
	suggested := files[0]
	for _, file := range files {
		if _, err := fs.Stat(l.fsys, file[1:]); err == nil {
			suggested = file
		}
		own := ownPath(file, tag)
		if _, err := fs.Stat(l.fsys, own[1:]); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, problem.Unreadable(own, err)
		}
		readOnly = append(readOnly, "BindReadOnlyPaths="+own+":"+file)
	}
	if len(readOnly) == 0 {
		i.notes = append(i.notes, base.Path+": "+s.Name+" reads the same configuration as "+strings.TrimSuffix(base.Name, ".service")+
			"; give it its own, such as "+ownPath(suggested, tag))
	}
	replace := strings.NewReplacer(renames...)
	for _, name := range []string{"Unit", "Service", "Install"} {
		sec := section{Name: name}
		for _, set := range base.Settings {
			if set.Section != name {
				continue
			}
			if line, ok := i.own(l.fsys, set, tag, replace); ok {
				sec.Lines = append(sec.Lines, line)
			}
		}
		if name == "Service" {
			sec.Lines = append(append(sec.Lines, binds...), readOnly...)
		}
		i.sections = append(i.sections, sec)
		for _, line := range sec.Lines {
			key, value, _ := strings.Cut(line, "=")
			i.unit.Settings = append(i.unit.Settings, systemd.Setting{Section: name, Key: key, Value: value, File: i.unit.Path})
		}
	}
	if names, err := units.Belonging(base); err == nil {
		for _, other := range names[1:] {
			i.notes = append(i.notes, base.Path+": not carried over to "+s.Name+": "+other)
		}
	}
	return i, nil
}

// own returns a setting as the instance has it; ok is false if it has it not.
func (i *instance) own(fsys fs.FS, set systemd.Setting, tag string, replace *strings.Replacer) (line string, ok bool) {
	value := replace.Replace(set.Value)
	switch {
	case set.Key == "Description":
		value += " (" + tag + ")"
	case set.Key == "Before" || set.Key == "Wants" || set.Key == "DefaultDependencies" || set.Key == "WantedBy" || set.Key == "RequiredBy":
		if _, _, early := i.units.Early(i.base); early {
			return i.later(set)
		}
	case set.Key == "Alias" || set.Key == "Also" || set.Key == "Sockets":
		return "", false
	case directories[set.Key] != "":
		var names []string
		for _, name := range strings.Fields(value) {
			name, _, _ = strings.Cut(name, ":")
			names = append(names, tagged(name, tag))
		}
		value = strings.Join(names, " ")
	case set.Key == "EnvironmentFile":
		// Read by systemd itself, outside of the service's view of files.
		file := strings.TrimPrefix(value, "-")
		if own := ownPath(file, tag); path.IsAbs(file) {
			if _, err := fs.Stat(fsys, own[1:]); err == nil {
				value = strings.Replace(value, file, own, 1)
			}
		}
	}
	return set.Key + "=" + value, true
}

// later takes what makes a unit run before domains can be out of a setting: the
// instance is an ordinary service.
func (i *instance) later(set systemd.Setting) (line string, ok bool) {
	switch set.Key {
	case "DefaultDependencies":
		return "", false
	case "Before", "Wants":
		kept := slices.DeleteFunc(strings.Fields(set.Value), func(name string) bool {
			unit, err := i.units.Unit(name)
			if err != nil {
				return strings.HasSuffix(name, ".target")
			}
			_, _, early := i.units.Early(unit)
			return early || strings.HasSuffix(name, ".target")
		})
		return set.Key + "=" + strings.Join(kept, " "), len(kept) > 0
	}
	return set.Key + "=multi-user.target", true
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
	for _, dir := range directories {
		if rest, ok := strings.CutPrefix(file, dir+"/"); ok && strings.Contains(rest, "/") {
			return path.Join(dir, tagged(rest, tag))
		}
	}
	suffix := path.Ext(file)
	return strings.TrimSuffix(file, suffix) + "." + tag + suffix
}
