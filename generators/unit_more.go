package generators

import (
	"strconv"
	"strings"

	"rdgen/systemd"
)

// foreign refuses what has the process be another one than s6 can start.
func (r *unitReader) foreign() {
	for _, key := range []string{"PAMName", "ExecSearchPath", "OpenFile", "StandardInputText", "StandardInputData",
		"LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted"} {
		r.carried = append(r.carried, key)
		all := r.unit.All("Service", key)
		if len(all) == 0 {
			continue
		}
		hint := "if the service can do without, say so by a drop-in that sets it to nothing; or write its source directory by hand"
		r.fail(all[len(all)-1], hint, "has no counterpart in s6: the program would not find there what systemd gives it")
	}
	r.carried = append(r.carried, "RemainAfterExit")
	if stays, set, _ := r.unit.Bool("Service", "RemainAfterExit"); stays {
		r.fail(set, "write a oneshot by hand that runs it through rdexec", "says that the program may end, and s6 would start it again and again")
	}
}

// kept returns the last assignment that is not empty, of a setting that an empty one
// does not reset.
func (r *unitReader) kept(key string) (text string, set systemd.Setting, ok bool) {
	for _, s := range r.unit.Settings {
		if s.Section == "Service" && s.Key == key && s.Value != "" {
			set, ok = s, true
		}
	}
	if !ok {
		return "", set, false
	}
	text, err := systemd.Specifiers(r.unit.Name, set.Value)
	if err != nil {
		r.fail(set, "", "%v", err)
	}
	return text, set, true
}

// pidFile is what systemd tells the program of PIDFile=.
func (r *unitReader) pidFile() {
	text, _, ok := r.value("PIDFile")
	switch {
	case !ok:
		return
	case !strings.HasPrefix(text, "/"):
		text = "/run/" + text
	case strings.HasPrefix(text, "/var/run/"):
		text = strings.TrimPrefix(text, "/var")
	}
	r.setenv("PIDFILE", text)
	r.carried = append(r.carried, "PIDFile")
}

// unset reads UnsetEnvironment=, which comes after all that sets a variable.
func (r *unitReader) unset() {
	r.carried = append(r.carried, "UnsetEnvironment")
	for _, set := range r.unit.All("Service", "UnsetEnvironment") {
		fields, err := systemd.Fields(set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		for _, f := range fields {
			name, err := systemd.Specifiers(r.unit.Name, f.String())
			if err != nil {
				r.fail(set, "", "%v", err)
			}
			if strings.Contains(name, "=") || name == "PATH" {
				r.fail(set, "write the names alone, and not PATH, in a drop-in", "%q is not the name of a variable that s6 could do without", name)
			}
			r.p.Unset = append(r.p.Unset, name)
		}
	}
}

// scheduling reads CPUSchedulingPolicy= and CPUAffinity=.
func (r *unitReader) scheduling() {
	if all := r.unit.All("Service", "CPUAffinity"); len(all) > 0 {
		var list []string
		for _, set := range all {
			list = append(list, strings.FieldsFunc(set.Value, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' })...)
		}
		cpus := strings.Join(list, ",")
		if strings.Trim(cpus, "0123456789,-") != "" {
			r.fail(all[0], "write the numbers in a drop-in", "%q is no list of processors", cpus)
		}
		r.p.Wrappers = append(r.p.Wrappers, []string{"taskset", "-c", cpus})
	}
	r.carried = append(r.carried, "CPUAffinity")
	policy, set, ok := r.value("CPUSchedulingPolicy")
	if !ok {
		return
	}
	option, known := map[string]string{"other": "-o", "batch": "-b", "idle": "-i", "fifo": "-f", "rr": "-r"}[policy]
	priority := "0"
	if option == "-f" || option == "-r" {
		priority = "1"
		if text, _, given := r.value("CPUSchedulingPriority"); given {
			priority = text
		}
	}
	if _, err := strconv.ParseUint(priority, 10, 8); err != nil || !known {
		r.fail(set, "write its name, and the priority as a number, in a drop-in", "%q with priority %q is no policy", policy, priority)
	}
	words := []string{"chrt", option, priority}
	if reset, _, _ := r.unit.Bool("Service", "CPUSchedulingResetOnFork"); reset {
		words = []string{"chrt", "-R", option, priority}
	}
	r.p.Wrappers = append(r.p.Wrappers, words)
	r.carried = append(r.carried, "CPUSchedulingPolicy", "CPUSchedulingPriority", "CPUSchedulingResetOnFork")
}

// streams reads where standard input, output and error lead. systemd opens files as
// root. The log is s6's own.
func (r *unitReader) streams() {
	elsewhere := false
	for fd, key := range []string{"StandardInput", "StandardOutput", "StandardError"} {
		text, set, ok := r.value(key)
		kind, file, _ := strings.Cut(text, ":")
		mode, isFile := map[string]string{"append": "-a", "truncate": "-w", "file": "-r", "null": "-w"}[kind]
		if kind == "null" {
			file = "/dev/null"
		}
		if fd == 0 && isFile {
			mode = "-r"
		}
		switch {
		case kind == "socket" || kind == "fd":
			r.fail(set, "write its source directory by hand, with s6-tcpserver or s6-ipcserver", "is a socket that only systemd hands over")
		case fd == 0 && (strings.HasPrefix(kind, "tty") || kind == "data"):
			r.fail(set, "write its source directory by hand", "is %s, and s6 has none: the program would not find there what systemd gives it", kind)
		case !ok || kind == "inherit" || fd == 0 && kind == "null":
			if fd == 2 && elsewhere {
				r.p.Wrappers = append(r.p.Wrappers, []string{"fdmove", "-c", "2", "1"})
			}
		case kind == "journal" || kind == "syslog":
		case isFile && strings.HasPrefix(file, "/") && (fd == 0) == (mode == "-r"):
			elsewhere = elsewhere || fd == 1
			r.p.Wrappers = append(r.p.Wrappers, []string{"redirfd", mode, strconv.Itoa(fd), file})
		default:
			continue // named among what is lost
		}
		r.carried = append(r.carried, key)
	}
}
