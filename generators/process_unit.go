package generators

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/s6"
	"rdgen/systemd"
)

// unitProcess reads the settings of a unit that have a meaning for any
// supervisor, and lists the rest.
func unitProcess(u *systemd.Unit, files map[string][]byte, canListen bool) (process, error) {
	r := unitReader{unit: u, files: files, p: process{Pos: problem.Pos{File: u.Path}, Dir: "/", Umask: "0022"}}
	r.foreground(canListen)
	r.confined()
	r.foreign()
	r.signals()
	r.timeouts()
	r.user()
	r.folders()
	r.environment()
	r.home()
	r.rights()
	r.limits()
	r.priorities()
	r.scheduling()
	r.streams()
	r.program()
	r.rest()
	return r.p, r.err
}

// unitReader collects a process and the first error.
type unitReader struct {
	unit *systemd.Unit
	// files are the texts of EnvironmentFile=, as far as they are there.
	files map[string][]byte
	p     process
	err   error
	// carried are the settings that have a counterpart.
	carried []string
	// lost are settings that are carried over otherwise, but not here.
	lost []string
}

func (r *unitReader) fail(s systemd.Setting, hint, format string, args ...any) {
	if r.err == nil {
		r.err = problem.New(problem.Pos{File: s.File, Line: s.Line}, "%s= "+format, append([]any{s.Key}, args...)...).
			WithHint(hint)
	}
}

// value returns the last assignment of a setting with specifiers replaced.
func (r *unitReader) value(key string) (text string, set systemd.Setting, ok bool) {
	all := r.unit.All("Service", key)
	if len(all) == 0 {
		return "", systemd.Setting{}, false
	}
	set = all[len(all)-1]
	text, err := systemd.Specifiers(r.unit.Name, set.Value)
	if err != nil {
		r.fail(set, "", "%v", err)
	}
	return text, set, true
}

// foreground refuses what does not stay in the foreground.
func (r *unitReader) foreground(canListen bool) {
	switch t, set, _ := r.value("Type"); t {
	case "forking":
		r.fail(set, "s6 needs a process that stays in the foreground: make a drop-in with Type=simple and an ExecStart= that does",
			"is forking, so the daemon goes to the background by itself")
	case "oneshot":
		r.fail(set, "write a oneshot by hand that runs it through rdexec", "is oneshot, and oneshot is no process to supervise")
	case "notify", "notify-reload":
		r.p.listen("Type="+t, canListen)
	case "dbus":
		r.p.Notes = append(r.p.Notes, "readiness (Type=dbus) is not carried over")
	}
}

func (r *unitReader) user() {
	for key, name := range map[string]*string{"User": &r.p.User, "Group": &r.p.Group} {
		text, set, _ := r.value(key)
		empty := text == "" && set.Value != "" // %i of what is no instance, which systemd does not start
		if *name = text; strings.ContainsAny(text, " \t:") || strings.HasPrefix(text, "-") || empty {
			r.fail(set, "write its name into a drop-in", "%q is no user and group", text)
		}
	}
	if r.p.User == "0" { // systemd has the names of a number that is known
		r.p.User = "root"
	}
	if r.p.User == "root" && r.p.Group == "" || r.p.Group == "0" {
		r.p.Group = "root"
	}
	if r.p.Group == "root" { // systemd looks for no others of the user then
		r.p.Alone = r.p.User != ""
		if r.p.User == "" {
			r.p.Group = ""
		}
	}
	r.groups()
	r.login()
	if mask, set, ok := r.value("UMask"); ok {
		if r.p.Umask = mask; !octal.MatchString(mask) {
			r.fail(set, "", "%q is not octal", mask)
		}
	}
	if dir, set, ok := r.value("WorkingDirectory"); ok {
		r.p.Dir, r.p.DirOptional = strings.CutPrefix(dir, "-")
		named := r.p.User != "" && !numeric(r.p.User) && r.p.User != "nobody"
		if !strings.HasPrefix(r.p.Dir, "/") && (r.p.Dir != "~" || !named) {
			r.fail(set, "write an absolute path into a drop-in", "%q is not a path that s6 could know", dir)
		}
	}
}

// groups reads SupplementaryGroups=.
func (r *unitReader) groups() {
	r.carried = append(r.carried, "SupplementaryGroups")
	for _, set := range r.unit.All("Service", "SupplementaryGroups") {
		text, err := systemd.Specifiers(r.unit.Name, set.Value)
		if err != nil {
			r.fail(set, "", "%v", err)
		}
		for _, name := range strings.Fields(cmp.Or(text, set.Value)) {
			if !groupName.MatchString(name) {
				r.fail(set, "write the names into a drop-in", "%q is no group", name)
			}
			r.p.Groups = append(r.p.Groups, name)
		}
	}
}

var groupName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// login has the environment name the user: with User=, and as SetLoginEnvironment= says.
// To systemd, nobody is at home nowhere.
func (r *unitReader) login() {
	r.carried = append(r.carried, "SetLoginEnvironment")
	login, set, ok := r.unit.Bool("Service", "SetLoginEnvironment")
	if !ok {
		login = r.p.User != ""
	}
	name := r.p.User
	switch {
	case login && name == "":
		r.fail(set, "write User=root too", "is for a user that is not named")
	case numeric(name):
		r.p.Notes = append(r.p.Notes, "user "+name+" is a number: its groups, HOME, USER and LOGNAME are not set; write the name")
	case name != "" && !login:
		r.p.Env = append(r.p.Env, variable{"USER", name})
	case name != "":
		r.p.Home = name != "nobody"
		r.p.Env = append(r.p.Env, variable{"USER", name}, variable{"LOGNAME", name})
	}
}

// signals reads by which signals the service is stopped and reads its
// configuration again.
func (r *unitReader) signals() {
	for key, signal := range map[string]*string{"KillSignal": &r.p.DownSignal, "ReloadSignal": &r.p.ReloadSignal} {
		if text, _, ok := r.value(key); ok && s6.ValidSignal(text) {
			*signal, r.carried = text, append(r.carried, key)
		}
	}
	if all := r.unit.All("Service", "ExecStop"); len(all) == 1 {
		if signal := killed(r.unit.Name, all[0].Value); signal != "" {
			last := cmp.Or(r.p.DownSignal, "SIGTERM")
			r.p.Notes = append(r.p.Notes, "ExecStop=: s6 sends "+signal+" and no other signal; systemd sends "+last+" right after it")
			r.p.DownSignal, r.carried = signal, append(r.carried, "ExecStop")
		}
	}
	if all := r.unit.All("Service", "ExecReload"); len(all) == 1 {
		if signal := killed(r.unit.Name, all[0].Value); signal != "" {
			r.p.ReloadSignal, r.carried = signal, append(r.carried, "ExecReload")
		}
	}
	if r.p.DownSignal == "SIGTERM" || r.p.DownSignal == "15" {
		r.p.DownSignal = ""
	}
	if r.p.ReloadSignal == "SIGHUP" || r.p.ReloadSignal == "1" {
		r.p.ReloadSignal = ""
	}
}

// timeouts reads how long the service may take to be ready, and to stop.
func (r *unitReader) timeouts() {
	if r.p.NotifyFD != 0 { // else s6-rc takes it for up as soon as it is started
		r.p.TimeoutUp = r.timeout("TimeoutStartSec")
	}
	r.p.TimeoutKill = r.timeout("TimeoutStopSec")
	if kill, _, ok := r.unit.Bool("Service", "SendSIGKILL"); ok && !kill {
		r.p.TimeoutDown, r.p.TimeoutKill, r.carried = r.p.TimeoutKill, 0, append(r.carried, "SendSIGKILL")
		r.p.Notes = append(r.p.Notes, "SendSIGKILL=: s6 sends its signal once, and systemd a second time before it gives up")
	}
}

// timeout returns a limit in milliseconds, of which 0 is none: the last of key and of
// TimeoutSec, which means two of them, or else systemd's 90 s.
func (r *unitReader) timeout(key string) int {
	limit := 90_000
	for _, set := range r.unit.Settings {
		if set.Section != "Service" || set.Key != key && set.Key != "TimeoutSec" {
			continue
		}
		if ms, ok := systemd.Milliseconds(set.Value); ok { // else systemd ignores the line
			limit, r.carried = ms, append(r.carried, set.Key)
		}
	}
	return limit
}

// rest notes every other setting by its name.
func (r *unitReader) rest() {
	carried := append(r.carried, "Type", "ExecStart", "User", "Group", "UMask", "WorkingDirectory", "Environment", "EnvironmentFile",
		"Description", "Documentation")
	keys := slices.Clone(r.lost)
	for _, s := range r.unit.Settings {
		if s.Section == "Install" || slices.Contains(carried, s.Key) || slices.Contains(keys, s.Key+"=") || s.Value == "" {
			continue
		}
		keys = append(keys, s.Key+"=")
	}
	if len(keys) > 0 {
		r.p.Notes = append(r.p.Notes, "not carried over: "+strings.Join(keys, " "))
	}
}
