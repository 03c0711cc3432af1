package services

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rdgen/generators"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/systemd"
)

// Trace is what an init system leaves behind of a service that it runs, by which its
// processes are known.
type Trace struct {
	Init string
	// Units are what its cgroups are called: "nginx.service", "sshd"; "a@.service" is for
	// all instances, but those that are Apart: their own files say where they are.
	Units, Apart []string
	// Sockets are the socket units that systemd opens for it in its domain.
	Sockets []string
	// Supervised is what a supervisor calls it.
	Supervised string
	// PIDFiles say which process it is.
	PIDFiles []PIDFile
	// Recorded is the domain that it was started in, as OpenRC has it recorded: "VRF@NETNS",
	// each of them perhaps empty; "" for none.
	Recorded string
	// Restart is the command after which it is where the file says, or what to do; "" for Units,
	// see [Trace.RestartOf].
	Restart string
	// Reopen is the command after which its sockets are too, "" where it has none of its own.
	Reopen string

	// members are what systemd's Units are, as their files have it.
	members []Member
}

// PIDFile is a file with the number of a process.
type PIDFile struct {
	PID     int
	Written time.Time
}

// Traces returns what the init systems of the machine have of a service.
func (l *Loader) Traces(name string) (list []Trace) {
	for _, init := range l.Inits() {
		if init.Has(name) {
			list = append(list, l.trace(init, name))
		}
	}
	if l.OpenRC.ByFunctions(name) {
		list = append(list, l.trace(l.OpenRC, name))
	}
	return list
}

func (l *Loader) trace(init Init, name string) Trace {
	t := Trace{Init: init.Name()}
	switch init {
	case Init(l.OpenRC):
		t.Units, t.Supervised, t.Restart = []string{name}, name, problem.Command(append([]string{"rc-service"}, problem.Operands([]string{name, "restart"})...)...)
		text, _ := fs.ReadFile(l.confs.fsys, openrc.StateDir[1:]+"options/"+name+"/rdgen_domain")
		t.Recorded = strings.TrimSpace(string(text))
		t.PIDFiles = l.daemons(name)
	case Init(l.S6):
		t.Supervised = l.S6.longrun(name)
		commands, cannot := l.S6.Restart(name)
		if t.Restart = cannot; len(commands) > 0 {
			t.Restart = problem.Command(commands[len(commands)-1]...)
		}
	case Init(l.Systemd):
		t.Units = []string{bare(name) + ".service"}
		if job, err := init.Load(name); err == nil {
			made := job.(generators.Systemd)
			t.Units = slices.DeleteFunc(made.Covered(), func(u string) bool { return path.Ext(u) != ".service" })
			t.Sockets = slices.DeleteFunc(made.Covered(), func(u string) bool { return !isSocket(u) })
			t.members = l.Systemd.Members(made)
			all := slices.DeleteFunc(slices.Clone(t.members), func(m Member) bool { return IsTemplate(m.Name) })
			if len(all) > 0 && (len(t.Units) < len(made.Covered()) || slices.ContainsFunc(all, func(m Member) bool { return m.Keeps })) {
				t.Reopen = Take(all).String()
			}
			for _, u := range made.Units {
				t.PIDFiles = append(t.PIDFiles, l.pidFile(u)...)
			}
		}
		t.Apart = l.apart(name, slices.Concat(t.Units, t.Sockets))
	}
	return t
}

// Of reports whether a cgroup's unit is one of the service's.
func (t Trace) Of(unit string) bool { return t.among(t.Units, unit) }

// Waits reports whether a socket unit is one of the service's.
func (t Trace) Waits(unit string) bool { return t.among(t.Sockets, unit) }

func (t Trace) among(units []string, unit string) bool {
	template, _, isInstance := systemd.Instance(unit)
	isInstance = isInstance && IsTemplate(template) // and no service of OpenRC
	return slices.Contains(units, unit) || isInstance && slices.Contains(units, template) && !slices.Contains(t.Apart, unit)
}

// RestartOf is Restart for a service of which units were seen: those are restarted, and of a
// template its instances. Where none was seen it is the service's own.
func (t Trace) RestartOf(seen []string) string {
	if t.Restart != "" {
		return t.Restart
	}
	members := t.running(seen)
	if units := slices.DeleteFunc(slices.Clone(t.Units), IsTemplate); len(members) == 0 && len(units) > 0 {
		members = []Member{t.member(units[0])}
	}
	if len(members) == 0 {
		return ""
	}
	for i := range members { // its sockets may stay where they are: see Reopen
		members[i].Keeps, members[i].Preserves = false, false
	}
	return Take(members).String()
}

// ReopenOf is Reopen for a service of which units were seen: no other is started beside the
// sockets.
func (t Trace) ReopenOf(seen []string) string {
	members := t.running(seen)
	if len(members) == 0 || len(t.members) == 0 || t.Reopen == "" {
		return t.Reopen
	}
	for _, m := range t.members {
		if isSocket(m.Name) && !IsTemplate(m.Name) {
			members = append(members, m)
		}
	}
	return Take(members).String()
}

// running are those of the units that are the service's.
func (t Trace) running(seen []string) (members []Member) {
	for _, unit := range slices.Compact(slices.Sorted(slices.Values(seen))) {
		if t.Of(unit) {
			members = append(members, t.member(unit))
		}
	}
	return members
}

// member is a unit that runs, as its file has it, or its template's.
func (t Trace) member(unit string) Member {
	m := Member{Active: true}
	template, _, _ := systemd.Instance(unit)
	for _, name := range []string{template, unit} {
		if i := slices.IndexFunc(t.members, func(m Member) bool { return m.Name == name }); i >= 0 {
			m = t.members[i]
		}
	}
	m.Name = unit
	return m
}

// Members returns the units that a service's line speaks for, as their files have them. What serves
// one connection of a socket can be stopped, and only the socket starts another.
func (sd *Systemd) Members(s generators.Systemd) (list []Member) {
	for _, u := range s.Units {
		m := MemberOf(u, sd.version())
		m.NoStart = m.NoStart || slices.ContainsFunc(s.Units, func(socket *systemd.Unit) bool {
			accepts, _, _ := socket.Bool("Socket", "Accept")
			prefix, _, _ := strings.Cut(strings.TrimSuffix(socket.Name, ".socket"), "@")
			return accepts && prefix+"@.service" == u.Name
		})
		list = append(list, m)
	}
	if i := s.Instance; i != nil {
		made := *i.Base
		made.Name, made.Settings = s.Name+".service", slices.Concat(made.Settings, i.DropIns)
		list = append(list, MemberOf(&made, sd.version()))
	}
	return list
}

// Among returns those of the units that systemd has loaded which are units of a service's, or
// instances of a template among them that have no file of their own.
func (l *Loader) Among(service string, units, loaded []string) []string {
	t := Trace{Units: units, Apart: l.apart(service, units)}
	return slices.DeleteFunc(slices.Clone(loaded), func(unit string) bool { return !t.Of(unit) })
}

// apart returns the instances of templates among units that have files of their own, which say
// in which domain they are, or are not certain.
func (l *Loader) apart(name string, units []string) (list []string) {
	if !slices.ContainsFunc(units, IsTemplate) {
		return nil
	}
	listed, _ := l.confs.listed() // whoever asks for services has the error
	for _, other := range slices.Sorted(maps.Keys(listed)) {
		unit := bare(other) + ".service"
		if _, _, isInstance := systemd.Instance(unit); other == name || !isInstance || !l.Systemd.hasOwnDomain(unit) {
			continue
		}
		list = append(list, unit)
		if job, err := l.Systemd.Load(other); err == nil {
			list = append(list, job.(generators.Systemd).Covered()...)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(slices.DeleteFunc(list, func(unit string) bool {
		template, _, _ := systemd.Instance(unit)
		return !slices.Contains(units, template)
	}))))
}

// IsTemplate reports whether the name of a unit is that of one that instances are made of
// (systemd.unit(5)).
func IsTemplate(unit string) bool { return strings.Contains(unit, "@.") }

// daemons reads the pid files that OpenRC has noted of a service's daemons: its own
// start-stop-daemon does so, and for another one, as OpenRC 0.45 has on Debian 12, the shell that
// calls it.
func (l *Loader) daemons(name string) (list []PIDFile) {
	text, _ := fs.ReadFile(l.confs.fsys, openrc.StateDir[1:]+"options/"+name+"/pidfile")
	list = l.pids(strings.TrimSpace(string(text)))
	dir := openrc.StateDir[1:] + "daemons/" + name
	entries, _ := fs.ReadDir(l.confs.fsys, dir) // it has none, or does not run
	for _, e := range entries {
		text, _ := fs.ReadFile(l.confs.fsys, dir+"/"+e.Name())
		for line := range strings.Lines(string(text)) {
			if file, ok := strings.CutPrefix(strings.TrimSpace(line), "pidfile="); ok {
				list = append(list, l.pids(file)...)
			}
		}
	}
	return list
}

// pidFile reads the pid file that a unit names.
func (l *Loader) pidFile(u *systemd.Unit) []PIDFile {
	file := u.Last("Service", "PIDFile")
	if file != "" && !path.IsAbs(file) {
		file = "/run/" + file
	}
	return l.pids(file)
}

// pids reads a pid file. What cannot be read tells nothing.
func (l *Loader) pids(file string) []PIDFile {
	if !path.IsAbs(file) {
		return nil
	}
	name := path.Clean(file)[1:]
	info, err := fs.Stat(l.confs.fsys, name)
	if err != nil {
		return nil
	}
	text, err := fs.ReadFile(l.confs.fsys, name)
	pid, wrong := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || wrong != nil || pid < 2 {
		return nil
	}
	return []PIDFile{{pid, info.ModTime()}}
}
