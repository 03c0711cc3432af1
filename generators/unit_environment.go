package generators

import (
	"path"
	"slices"
	"strings"

	"rdgen/s6"
	"rdgen/systemd"
)

// EnvironmentFiles returns the files that a unit takes variables from, which its
// process is made of too.
func EnvironmentFiles(u *systemd.Unit) (files []string) {
	for _, set := range u.All("Service", "EnvironmentFile") {
		text, err := systemd.Specifiers(u.Name, set.Value)
		if file := strings.TrimPrefix(text, "-"); err == nil && path.IsAbs(file) && path.Clean(file) == file {
			files = append(files, file)
		}
	}
	return files
}

func (r *unitReader) environment() {
	r.pidFile()
	r.unset()
	for _, set := range r.unit.All("Service", "Environment") {
		fields, err := systemd.Fields(set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		for _, f := range fields {
			text, err := systemd.Specifiers(r.unit.Name, f.String())
			if err != nil {
				r.fail(set, "", "%v", err)
			}
			name, value, ok := strings.Cut(text, "=")
			if !ok || !isVariable(name) {
				r.fail(set, "remove it in a drop-in: systemd ignores it", "%q is not NAME=VALUE", text)
			}
			r.setenv(name, value)
		}
	}
	for _, set := range r.unit.All("Service", "EnvironmentFile") {
		text, err := systemd.Specifiers(r.unit.Name, set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		file, optional := strings.CutPrefix(text, "-")
		if !path.IsAbs(file) || path.Clean(file) != file || strings.ContainsAny(file, "*?[") {
			r.fail(set, "name each file by itself in a drop-in", "%q is not one absolute path", file)
		}
		r.p.EnvFiles = append(r.p.EnvFiles, envFile{file, optional})
		data, there := r.files[file]
		values, err := s6.EnvironmentFile(file, data)
		if err != nil && r.err == nil {
			r.err = err
		}
		for _, v := range values {
			if v.Name == "PATH" { // the file comes after Environment=, and run has it in force at once
				r.p.Env = slices.DeleteFunc(r.p.Env, func(v variable) bool { return v.Name == "PATH" })
			}
		}
		if !there && !optional {
			r.p.Notes = append(r.p.Notes, file+" is not here: s6 reads it by envfile(1), which knows fewer quotes than systemd")
		}
	}
}

func isVariable(name string) bool {
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && name != "" && (name[0] < '0' || name[0] > '9')
}

func (r *unitReader) setenv(name, value string) {
	r.p.Env = slices.DeleteFunc(r.p.Env, func(v variable) bool { return v.Name == name })
	r.p.Env = append(r.p.Env, variable{name, value})
}

// owned are the settings that have systemd make directories, where, and the
// variable that then names them (systemd.exec(5)).
var owned = []struct{ key, root, variable string }{
	{"RuntimeDirectory", "/run", "RUNTIME_DIRECTORY"},
	{"StateDirectory", "/var/lib", "STATE_DIRECTORY"},
	{"CacheDirectory", "/var/cache", "CACHE_DIRECTORY"},
	{"LogsDirectory", "/var/log", "LOGS_DIRECTORY"},
	{"ConfigurationDirectory", "/etc", "CONFIGURATION_DIRECTORY"},
}

// folders reads the directories that belong to the service. All but those in /etc
// are the user's; those in /run are removed when it stops.
func (r *unitReader) folders() {
	for _, d := range owned {
		var made []string
		mode, set, ok := r.value(d.key + "Mode")
		if !ok {
			mode = "0755"
		}
		if !octal.MatchString(mode) {
			r.fail(set, "", "%q is not octal", mode)
		}
		preserve, _, _ := r.value(d.key + "Preserve")
		if kept, ok := systemd.ParseBool(preserve); ok && !kept {
			preserve = ""
		}
		for _, set := range r.unit.All("Service", d.key) {
			text, err := systemd.Specifiers(r.unit.Name, set.Value)
			if err != nil {
				r.fail(set, "", "%v", err)
			}
			names, err := systemd.Fields(text)
			if err != nil {
				r.fail(set, "", "%v", err)
			}
			for _, field := range names {
				name := field.String()
				if slices.Contains(made, d.root+"/"+name) {
					continue
				}
				f := folder{Path: d.root + "/" + name, Mode: mode, Removed: d.root == "/run" && preserve == ""}
				if !s6.SafeFolder(f.Path) && !s6.NestedFolder(f.Path) || strings.Contains(name, ":") {
					r.fail(set, "make it by hand in a drop-in with ExecStartPre=+", "%q is not a directory that root could make for s6", name)
				}
				if d.root != "/etc" {
					f.Owner = r.owner()
				}
				r.p.Folders, made = append(r.p.Folders, f), append(made, f.Path)
			}
		}
		if len(made) > 0 {
			r.setenv(d.variable, strings.Join(made, ":"))
		}
		r.carried = append(r.carried, d.key, d.key+"Mode", d.key+"Preserve")
	}
}

// owner is the user and group as the folders have them.
func (r *unitReader) owner() string {
	if r.p.User == "" && r.p.Group == "" {
		return ""
	}
	return r.p.User + ":" + r.p.Group
}

// home refuses WorkingDirectory=~ where the unit says another HOME.
func (r *unitReader) home() {
	_, set, _ := r.value("WorkingDirectory")
	other := r.sets("HOME")
	for _, f := range r.p.EnvFiles {
		values, _ := s6.EnvironmentFile(f.Path, r.files[f.Path])
		for _, v := range values {
			other = other || v.Name == "HOME"
		}
	}
	if r.p.Dir == "~" && other {
		r.fail(set, "write the folder out in a drop-in", "is ~, which is the home of the user for systemd before 262, and HOME as the unit sets it for 262")
	}
}
