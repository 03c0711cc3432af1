package generators

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/s6"
)

// scriptProcess reads a declarative OpenRC script, which says what to run rather
// than how (openrc-run(8)): what OpenRC itself would give to start-stop-daemon or
// supervise-daemon, option by option.
func scriptProcess(script *openrc.Script, canListen bool) (process, error) {
	start := script.Start()
	if err := start.Declarative(); err != nil {
		return process{}, err
	}
	r := scriptReader{script: start, whole: script, p: process{Pos: problem.Pos{File: script.Path}, Umask: "0022", Home: true}}
	r.exports()
	r.program()
	if r.p.Dir == "" {
		r.p.Dir = "/"
		if err := start.Moved(); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	r.limits()
	r.folders()
	r.signals()
	r.notify(canListen)
	r.rest()
	return r.p, errors.Join(r.errs...)
}

// notify reads how the service says that it is ready (supervise-daemon).
func (r *scriptReader) notify(canListen bool) {
	kind, value, _ := strings.Cut(r.text("notify"), ":")
	switch fd, err := strconv.ParseUint(value, 10, 16); {
	case kind == "fd" && err == nil && fd > 2:
		r.p.NotifyFD, r.carried = int(fd), append(r.carried, "notify")
	case kind == "socket" && value == "ready":
		r.p.listen("notify=socket:ready", canListen)
		r.carried = append(r.carried, "notify")
	}
}

// scriptReader collects a process and what is wrong with it.
type scriptReader struct {
	// script is the script as far as its start is concerned, and whole all of it.
	script, whole *openrc.Script
	daemon        openrc.Daemon
	p             process
	errs          []error
	// carried are the settings that have a counterpart, and lost the options that
	// have none.
	carried, lost []string
}

func (r *scriptReader) fail(pos problem.Pos, hint, format string, args ...any) {
	r.errs = append(r.errs, problem.New(pos, format, args...).WithHint(hint))
}

func (r *scriptReader) lookup(name string) openrc.Value {
	v, _, err := r.script.Lookup(name)
	if err != nil {
		r.errs = append(r.errs, err)
	}
	return v
}

func (r *scriptReader) text(name string) string { return r.lookup(name).Text }

// exports carries over what conf.d and the script export. OpenRC gives every daemon
// HOME and USER, of root where no option names another user.
func (r *scriptReader) exports() {
	r.p.Env = []variable{{"HOME", "/root"}, {"USER", "root"}}
	exports, err := r.script.Exports()
	if err != nil {
		r.errs = append(r.errs, err)
	}
	for _, v := range exports {
		r.setenv(v.Name, v.Text)
	}
	for _, name := range []string{"SSD_NICELEVEL", "SSD_IONICELEVEL", "SSD_OOM_SCORE_ADJ"} {
		if v, ok := r.script.Exported(name); ok {
			r.option(openrc.Option{Name: priorities[name], Value: v.Text, Pos: v.Pos})
		}
	}
}

// priorities are the options that start-stop-daemon also has as variables.
var priorities = map[string]string{"SSD_NICELEVEL": "nicelevel", "SSD_IONICELEVEL": "ionice", "SSD_OOM_SCORE_ADJ": "oom-score-adj"}

func (r *scriptReader) setenv(name, value string) {
	r.p.Env = slices.DeleteFunc(r.p.Env, func(v variable) bool { return v.Name == name })
	r.p.Env = append(r.p.Env, variable{name, value})
}

// program finds the command line that stays in the foreground. OpenRC runs the
// daemon so when it supervises it, or when it puts it into the background itself;
// command_args_foreground says what any other takes.
func (r *scriptReader) program() {
	d, err := r.script.Daemon()
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	if !d.Foreground {
		words, err := r.script.Args("command_args_foreground")
		if own, _ := r.script.OwnStart(); own != nil {
			r.fail(d.Pos, "write its source directory by hand", "start() starts %s, which goes to the background by itself", d.Prog[0])
		} else if err != nil {
			r.errs = append(r.errs, err)
		} else if len(words) == 0 {
			r.fail(d.Pos, foregroundHint(r.script.Service), "%s goes to the background by itself", d.Prog[0])
		} else if d, err = r.script.Foreground(); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	r.daemon = d
	r.p.Prog, r.p.Name = d.Prog, d.Name
	for _, o := range d.Options {
		r.option(o)
	}
}

func foregroundHint(service string) string {
	return `set command_args_foreground in /etc/conf.d/` + service +
		` to the option that keeps it in the foreground (often "-D", "-F" or "-f"), or command_background="yes" if it needs none`
}

// folders carries over what start_pre makes, or a start() of the script's own.
func (r *scriptReader) folders() {
	if _, has := r.script.Funcs["start_pre"]; has {
		made, all := r.script.Folders()
		r.makes("start_pre", made, all)
	}
	if own, err := r.script.OwnStart(); own != nil && err == nil {
		r.makes("start", own.Folders, !own.More)
	}
}

// makes carries over the folders that a function makes, which may be all that it does.
// What else it does is named among what is lost.
func (r *scriptReader) makes(function string, made []openrc.Folder, all bool) {
	carried := len(r.p.Folders)
	for _, f := range made {
		if f.Mode != "" && !octal.MatchString(f.Mode) || !s6.SafeFolder(f.Path) && !s6.NestedFolder(f.Path) {
			all = false
			continue
		}
		r.p.Folders = append(r.p.Folders, folder{Path: f.Path, Mode: f.Mode, New: f.New, Owner: f.Owner, File: f.File})
	}
	switch {
	case function == "start" && !all:
		r.lost = append(r.lost, "start() but its start-stop-daemon")
	case !all && len(r.p.Folders) > carried:
		r.lost = append(r.lost, function+"() but what it makes")
	case !all:
		r.lost = append(r.lost, function+"()")
	}
	r.carried = append(r.carried, function)
}

var octal = regexp.MustCompile(`^[0-7]{1,4}$`)

// rest notes what s6 does not know of: functions, dependencies and the settings
// of OpenRC that do not change what the process may do.
func (r *scriptReader) rest() {
	if v := r.lookup("rc_cgroup_devices"); v.Text != "" {
		r.fail(v.Pos, moreRights, "rc_cgroup_devices= has no counterpart in s6")
	}
	lost := r.lost
	for _, name := range []string{
		"required_dirs", "required_files", "output_logger", "error_logger", "stopsig", "retry", "notify", "stopgroup",
		"respawn_delay", "respawn_delay_step", "respawn_delay_cap", "respawn_max", "respawn_period", "healthcheck_delay", "healthcheck_timer",
		"rc_cgroup_settings", "rc_cgroup_memory", "rc_cgroup_cpu", "rc_cgroup_cpuacct", "rc_cgroup_cpuset", "rc_cgroup_blkio", "rc_cgroup_pids",
		"rc_cgroup_net_cls", "rc_cgroup_net_prio", "rc_cgroup_hugetlb", "start_inactive", "in_background_fake",
		"rc_cgroup_cleanup", "rc_need", "rc_use", "rc_want", "rc_before", "rc_after", "rc_provide",
	} {
		if _, set, _ := r.script.Lookup(name); set && !slices.Contains(r.carried, name) {
			lost = append(lost, name+"=")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.whole.Funcs)) {
		switch {
		case slices.Contains(r.carried, name), name == "stop":
		default:
			lost = append(lost, name+"()")
		}
	}
	if len(lost) > 0 {
		r.p.Notes = append(r.p.Notes, "not carried over: "+strings.Join(lost, " "))
	}
}
