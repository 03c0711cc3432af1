package generators

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/systemd"
)

// look is the place of the look from inside among the commands of a unit, and is
// the data of templates/systemd-dropin.tmpl.
//
// It is the first ExecStartPre=, because a failure of that is a failure of the
// unit, also where systemd itself cannot set the command up (exit codes 200 to
// 243, systemd.exec(5)): as it is without a domain. To come first it resets the
// unit's own lines, which then follow as they stand.
//
// A unit with an ExecCondition= has the look as the first of those, because no
// command of the unit may run outside of the domain. There, and only there, what
// systemd cannot set up is skipped, with the look and without it.
//
// A unit with an ExecStopPost= has it before those once more: systemd runs them also after
// a start that failed by the look.
type look struct {
	// Key is ExecStartPre or ExecCondition.
	Key string
	// Earlier are the unit's own values of it, word for word, and StopPost those of
	// ExecStopPost.
	Earlier, StopPost []string
}

// newLook finds the place of the look, and refuses a unit in which it would not
// be what it has to be.
func newLook(unit *systemd.Unit) (look, error) {
	l := look{Key: "ExecStartPre"}
	section := sectionOf(unit.Name)
	if section == "Service" && len(unit.All(section, "ExecCondition")) > 0 {
		l.Key = "ExecCondition"
	}
	for _, set := range unit.All(section, l.Key) {
		l.Earlier = append(l.Earlier, set.Repeated())
	}
	for _, set := range unit.All(section, "ExecStopPost") {
		l.StopPost = append(l.StopPost, set.Repeated())
	}
	for _, set := range unit.Settings {
		if set.Section == section && slices.Contains(ours, set.Key) && set.DropIn() > systemd.DropIn {
			return look{}, laterDropIn(set)
		}
	}
	for _, set := range unit.All(section, "SuccessExitStatus") {
		for _, word := range strings.Fields(set.Value) {
			if isLookFailure(word, starves(unit)) || strings.TrimPrefix(word, "SIG") == "PIPE" && hearsPipe(unit) {
				return look{}, problem.New(place(set), "%s would count as success when the look into the domain fails with it", word).
					WithHint("leave out " + word)
			}
		}
	}
	return l, nil
}

// lookTasks is how many threads the look may have. Go's runtime started 5.
const lookTasks = 8

// tasks returns what TasksMax= of a unit has to be for the look, or 0 if it is enough:
// systemd counts all that is in the unit's cgroup.
func tasks(unit *systemd.Unit) int {
	n, err := strconv.ParseUint(unit.Last(sectionOf(unit.Name), "TasksMax"), 0, 64)
	if err != nil || n == 0 || n >= lookTasks { // systemd ignores 0
		return 0
	}
	return lookTasks
}

// laterDropIn is the error for a setting that undoes one of rdgen's.
func laterDropIn(set systemd.Setting) error {
	return problem.New(place(set), "%s= in a drop-in that systemd reads after rdgen's would undo it", set.Key).
		WithHint("rename it, so that its name sorts before " + systemd.DropIn)
}

// Leaves reports whether what a command starts ends up somewhere else than in d, as far as
// its words say.
func Leaves(e systemd.Entering, d domain.Domain) bool {
	if e.Unsure {
		return true
	}
	if e.Contains || e.Moves {
		return !d.VRF.IsZero() || e.Netns != "" && e.Netns != d.Netns.String()
	}
	if e.ID != "" {
		return e.ID != d.ID()
	}
	host := e.Netns == systemd.HostNetns && d.Netns.IsZero() // the VRF is there, and the cgroup stays
	stays := (e.Netns == "" || e.Netns == d.Netns.String() || host) && (e.VRF == "" || e.VRF == d.VRF.String())
	return e.Asks != "" || e.Netns == "" && e.VRF == "" || !stays
}

// Refuses reports whether a command makes its unit one that is refused: the service's own,
// which does nothing but go to another place. What a shell does may be more than that.
func Refuses(e systemd.Entering, d domain.Domain) bool {
	return e.Key == "ExecStart" && e.All && e.Asks == "" && !e.Serves && Leaves(e, d)
}

// Loses is the fault of a command that leaves d.
func Loses(e systemd.Entering, d domain.Domain) error {
	if e.Contains && !d.VRF.IsZero() {
		program, _, _ := strings.Cut(e.By, " ")
		return problem.New(place(e.Setting), "%s= starts %s by %s, with cgroups or namespaces of their own, and no VRF holds those",
			e.Key, cmp.Or(systemd.Guests(program), "containers"), e.By).
			WithHint("netns= in place of vrf=: a namespace holds them")
	}
	if e.Unsure {
		return problem.New(place(e.Setting), "%s= may leave %s by %s, which is not known before it runs", e.Key, d, e.By).
			WithHint("write the words out, or take it out of the command by a drop-in, or the line out of conf.d")
	}
	return problem.New(place(e.Setting), "%s= leaves %s by %s", e.Key, d, e.By).
		WithHint("take it out of the command by a drop-in, or the line out of conf.d")
}

// Elsewhere returns the fault of a program, with its arguments, that goes to another place than
// d by itself; or nil. pos is where it is named.
func Elsewhere(prog []string, pos problem.Pos, d domain.Domain) error {
	if d.IsDefault() {
		return nil
	}
	for _, e := range systemd.InCommand(systemd.Setting{Value: strings.Join(prog, " ")}) {
		if e.All && e.Asks == "" && !e.Contains && Leaves(e, d) {
			verb := "leaves"
			if e.Unsure {
				verb = "may leave"
			}
			return problem.New(pos, "the command %s %s by %s", verb, d, e.By).
				WithHint("take it out of the command, or the line out of conf.d")
		}
	}
	return nil
}

// elsewhere refuses a unit whose own command goes to another place; and one that is to be in
// a VRF of systemd's own namespace, and is in another namespace by itself: there is no such
// VRF. own reports whether the line is for the unit itself, and not for one that it belongs to.
func elsewhere(unit *systemd.Unit, d domain.Domain, own bool) error {
	if err := leaves(unit, d, own); err != nil {
		return err
	}
	section := sectionOf(unit.Name)
	if set, delegated := delegatesNet(unit); delegated && !d.Netns.IsZero() {
		return problem.New(place(set), "%s= has systemd enter the namespace as a user who may not, and go on without it (the look, which is root's, is inside)", set.Key).
			WithHint("DelegateNamespaces=~net in a drop-in of the unit: the namespace has an owner already")
	}
	private, set, _ := unit.Bool(section, "PrivateNetwork")
	if all := unit.All(section, "NetworkNamespacePath"); len(all) > 0 {
		private, set = true, all[len(all)-1]
	}
	if !private || !d.Netns.IsZero() {
		return nil
	}
	return problem.New(place(set), "%s= puts %s into a namespace in which there is no %s", set.Key, unit.Name, d).
		WithHint("take it out by a drop-in, or name a VRF of that namespace: vrf= and netns=")
}

// leaves refuses a unit whose own command goes to another place, whatever supervises it.
func leaves(unit *systemd.Unit, d domain.Domain, own bool) error {
	for _, e := range systemd.Enters(unit) {
		if Refuses(e, d) {
			return Loses(e, d)
		}
		if e.Pod && own {
			return problem.New(place(e.Setting), "%s= starts a container of a pod, and it is where the pod is", e.Key).
				WithHint("put the line into the conf.d file of the pod's service: it is for the pod's containers too")
		}
	}
	return nil
}

// delegatesNet reports whether the unit's network namespace is to belong to its user namespace,
// and by which line: systemd 258 and newer enter it from in there, and not at all where that is
// not permitted, which is no failure (setup_delegated_namespaces, src/core/exec-invoke.c).
func delegatesNet(unit *systemd.Unit) (by systemd.Setting, yes bool) {
	initial := true
	for _, set := range unit.Settings {
		if set.Section != sectionOf(unit.Name) || set.Key != "DelegateNamespaces" {
			continue
		}
		was := yes
		list, inverted := strings.CutPrefix(set.Value, "~")
		listed := slices.Contains(strings.Fields(list), "net")
		switch all, ok := systemd.ParseBool(set.Value); {
		case set.Value == "":
			initial, yes = true, false
			continue
		case ok:
			yes = all
		case inverted && initial:
			yes = !listed
		case listed:
			yes = !inverted
		}
		initial = false
		if yes && !was {
			by = set
		}
	}
	return by, yes
}

// ours are the settings of the drop-in that another one could undo.
var ours = []string{"ExecCondition", "ExecStartPre", "ExecStopPost", "NetworkNamespacePath", "BPFProgram", "PrivateNetwork", "JoinsNamespaceOf"}

// isLookFailure reports whether a word of SuccessExitStatus= is how a look can
// end that did not find the service in its domain: its own exit code, those of
// systemd (EXIT_CHDIR, 200, and above: src/shared/exit-status.h), and the signals
// that nobody sends. In a unit whose limits can starve it, that is also how Go's runtime ends a
// program that it cannot run. Units that exit with 2 when there was nothing to do are no error
// without such limits: fwupd-refresh is one.
func isLookFailure(word string, starved bool) bool {
	switch strings.TrimPrefix(word, "SIG") {
	case "KILL", "SEGV", "ABRT", "BUS", "FPE", "ILL", "SYS", "TRAP":
		return true
	}
	// A number may be written as in C: 0xff, 0377 (safe_atou8, src/basic/parse-util.h).
	if n, err := strconv.ParseUint(strings.TrimPrefix(word, "+"), 0, 8); err == nil {
		return n >= 200 || starved && n == goFailure
	}
	// By name: those of sysexits.h and of LSB are below 200.
	return starved && word == "INVALIDARGUMENT" || slices.Contains(setUpCodes, word)
}

// goFailure is how Go's runtime ends a program that gets no memory or no thread.
// systemd also knows it as INVALIDARGUMENT.
const goFailure = 2

// starves reports whether a unit has a limit by which the look may get no memory or no thread.
// That of TasksMax= is raised, and MemoryMax= kills.
func starves(unit *systemd.Unit) bool {
	return slices.ContainsFunc([]string{"LimitAS", "LimitDATA", "LimitSTACK", "LimitNPROC"}, func(key string) bool {
		return unit.Last(sectionOf(unit.Name), key) != ""
	})
}

// hearsPipe reports whether SIGPIPE ends a unit's programs: the look too, which writes why it
// failed into a journal that may be gone. systemd has it ignored by default.
func hearsPipe(unit *systemd.Unit) bool {
	ignored, _, set := unit.Bool(sectionOf(unit.Name), "IgnoreSIGPIPE")
	return set && !ignored
}

// setUpCodes are the names of systemd's own exit codes, from 200 on.
var setUpCodes = strings.Fields("CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK STDIN STDOUT CHROOT IOPRIO TIMERSLACK SECUREBITS " +
	"SETSCHEDULER CPUAFFINITY GROUP USER CAPABILITIES CGROUP SETSID CONFIRM STDERR PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP " +
	"SELINUX_CONTEXT PERSONALITY APPARMOR_PROFILE ADDRESS_FAMILIES RUNTIME_DIRECTORY CHOWN SMACK_PROCESS_LABEL KEYRING STATE_DIRECTORY " +
	"CACHE_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS BPF KSM EXCEPTION")

func place(set systemd.Setting) problem.Pos { return problem.Pos{File: set.File, Line: set.Line} }
