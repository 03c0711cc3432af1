package native

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// packagedUnit is a unit of a Debian package as it is put into the machine.
type packagedUnit struct {
	// name is what is started: of a template an instance.
	name, file, text string
	// program is what ExecStart= executes, and others all other commands'.
	program string
	others  []string
	// users, folders and variables have to be there, or are made; files has those of
	// EnvironmentFile=.
	users, groups, folders, variables, files []string
}

// shells are programs that other units need as they are.
var shells = []string{"/bin/sh", "/usr/bin/sh", "/bin/bash", "/usr/bin/env"}

// packagedUnits reads the units that `make fixtures` unpacks from Debian's packages.
func packagedUnits(t *testing.T) (units []packagedUnit) {
	t.Helper()
	for _, from := range []string{"RDGEN_DAEMONS_ROOT", "RDGEN_COMPANIONS_ROOT"} {
		for _, lib := range []string{"lib", "usr/lib"} {
			files, _ := filepath.Glob(filepath.Join(os.Getenv(from), lib, "systemd/system/*.service"))
			for _, file := range files {
				if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() {
					units = append(units, readPackaged(t, file))
				}
			}
		}
	}
	if len(units) < 100 {
		need.Missing(t, need.Native, "fewer than 100 units of packages below RDGEN_DAEMONS_ROOT and RDGEN_COMPANIONS_ROOT (make fixtures)")
	}
	slices.SortFunc(units, func(a, b packagedUnit) int { return strings.Compare(a.name, b.name) })
	units = slices.CompactFunc(units, func(a, b packagedUnit) bool { return a.name == b.name })
	var daemons []string
	for _, u := range units {
		daemons = append(daemons, u.program)
	}
	for i := range units {
		units[i].helpers(daemons)
	}
	return units
}

// helpers gives another name to each program that a unit runs beside its daemon, and
// that is a daemon of one of them: asked to check its files, a stand-in would stay.
func (u *packagedUnit) helpers(daemons []string) {
	for _, a := range assignment.FindAllStringSubmatch(u.text, -1) {
		if !strings.HasPrefix(a[1], "Exec") || a[1] == "ExecStart" {
			continue
		}
		p := program(a[2])
		if slices.Contains(daemons, p) {
			u.text = strings.Replace(u.text, a[0], strings.Replace(a[0], p, p+".helper", 1), 1)
			p += ".helper"
		}
		u.others = append(u.others, p)
	}
}

var (
	assignment = regexp.MustCompile(`(?m)^([A-Z][A-Za-z]*)=(.*)$`)
	variable   = regexp.MustCompile(`\$\{?([A-Z_]+)`)
)

// alone has a unit run by itself, without others and without waiting.
var alone = strings.NewReplacer("\\\n", " ", "BindsTo=", "Wants=", "Requisite=", "Wants=", "while [ ! -S", "while [ -S", "RefuseManualStart=", "X-",
	"LimitNOFILE=1048576", "LimitNOFILE=10000") // more than a container permits

func readPackaged(t *testing.T, file string) packagedUnit {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	u := packagedUnit{file: filepath.Base(file), text: alone.Replace(string(data))}
	u.name = strings.Replace(strings.TrimSuffix(u.file, ".service"), "@", "@lab", 1)
	if strings.Contains(u.file, "@") && !strings.HasSuffix(u.file, "@.service") {
		u.name = strings.TrimSuffix(u.file, ".service")
	}
	all := assignment.FindAllStringSubmatch(u.text, -1)
	for _, a := range all {
		if a[1] == "ExecStart" {
			u.program = program(a[2])
		}
	}
	for _, a := range all {
		value := strings.NewReplacer("%p", strings.TrimSuffix(u.file, ".service"), "%i", "lab", "%I", "lab").Replace(strings.TrimSpace(a[2]))
		switch a[1] {
		case "ExecStart":
			if slices.Contains(shells, u.program) { // which would not stay
				u.text = strings.Replace(u.text, a[0], strings.Replace(a[0], u.program, u.program+".daemon", 1), 1)
				u.program += ".daemon"
			}
			u.variables = append(u.variables, value)
		case "User":
			u.users = append(u.users, value)
		case "Group", "SupplementaryGroups":
			u.groups = append(u.groups, strings.Fields(value)...)
		case "WorkingDirectory", "ReadWritePaths", "ReadWriteDirectories":
			for _, f := range strings.Fields(value) {
				u.folders = append(u.folders, strings.TrimLeft(f, "-+"))
			}
		case "EnvironmentFile":
			u.files = append(u.files, strings.TrimPrefix(value, "-"))
		}
	}
	return u
}

// program is the first word of a command line, without what stands before it.
func program(command string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(command), "-@:+!|"), " ")
	return word
}

// made are the folders that the unit has systemd make.
func (u packagedUnit) made() (list []string) {
	for key, root := range map[string]string{"RuntimeDirectory": "/run/", "StateDirectory": "/var/lib/", "CacheDirectory": "/var/cache/", "LogsDirectory": "/var/log/"} {
		for _, a := range assignment.FindAllStringSubmatch(u.text, -1) {
			for _, f := range strings.Fields(a[2]) {
				if a[1] == key && !strings.Contains(f, "%") {
					list = append(list, root+f)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestDebianUnits starts the units of Debian's packages, with a stand-in for each
// daemon, by systemd and by what rdgen s6 makes of them, and compares the processes.
// What is refused is so for a reason that debianRefused has.
func TestDebianUnits(t *testing.T) {
	units := packagedUnits(t)
	each(t, systemds, func(t *testing.T, m *Machine) {
		putPackaged(t, m, units)
		right, lost, refused := 0, 0, map[string]int{}
		for _, u := range units {
			facts := func(how string) []string {
				out := m.Sh(t, ". /usr/local/lib/same.sh\npackaged "+how+" "+u.name+" "+u.program+" "+strings.Join(u.made(), " ")+" || :")
				return strings.Split(strings.TrimSpace(out), "\n")[1:]
			}
			s6 := facts("s6")
			if said := strings.Join(s6, "\n"); strings.HasPrefix(said, "refused: ") {
				if reason := debianRefused(said); reason != "" {
					refused[reason]++
				} else {
					t.Errorf("%s is %s", u.name, said)
				}
				continue
			}
			got, want := settledPackaged(u, s6), settledPackaged(u, facts("systemd"))
			switch {
			case !slices.Equal(got, want):
				t.Errorf("%s: %s", u.name, sameDiff(want, got))
			case slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, "failed: ") }):
				t.Errorf("%s: %s", u.name, strings.Join(got, "\n"))
			case slices.ContainsFunc(s6, losesMore):
				t.Logf("%s: %s", u.name, strings.Join(slices.DeleteFunc(slices.Clone(s6), func(f string) bool { return !losesMore(f) }), "; "))
				lost++
			default:
				right++
			}
		}
		if right+lost < 45 {
			t.Errorf("%d units are started by s6; want 45 or more", right+lost)
		}
		t.Logf("%d units: %d the same, %d the same except what is named, refused: %v", len(units), right, lost, refused)
	})
}

// around are settings that are of no process but of when one is started, and again.
var around = []string{"After=", "Before=", "Wants=", "Requires=", "Requisite=", "PartOf=", "BindsTo=", "Conflicts=", "OnFailure=", "Restart=", "RestartSec=",
	"RestartPreventExitStatus=", "StartLimitInterval=", "StartLimitIntervalSec=", "StartLimitBurst=", "DefaultDependencies=", "RequiresMountsFor=",
	"SuccessExitStatus=", "ReloadPropagatedFrom=", "IgnoreOnIsolate=", "ConditionPathExists=", "AssertPathExists="}

// losesMore reports whether rdgen names more than those as lost, sockets perhaps.
func losesMore(fact string) bool {
	if strings.HasPrefix(fact, "lost: ") && strings.Contains(fact, "systemd hands it what") {
		return true
	}
	_, names, named := strings.Cut(fact, "not carried over: ")
	return named && strings.HasPrefix(fact, "lost: ") && slices.ContainsFunc(strings.Fields(names), func(n string) bool {
		return strings.HasSuffix(n, "=") && !slices.Contains(around, n) && !strings.HasPrefix(n, "X-")
	})
}

// debianRefused returns which of the reasons a message gives, or "".
func debianRefused(said string) string {
	for _, reason := range []string{
		"has no counterpart in s6", "goes to the background by itself", "oneshot is no process to supervise", "start it again and again",
		"which only systemd sets", "only systemd knows", "begins with", "has several commands", "is given twice",
	} {
		if strings.Contains(said, reason) && strings.Contains(said, ".service:") && strings.Contains(said, "hint: ") {
			return reason
		}
	}
	return ""
}

// settledPackaged leaves out what systemd says of itself, as its releases do.
func settledPackaged(u packagedUnit, facts []string) (kept []string) {
	for _, f := range facts {
		name, _, _ := strings.Cut(strings.TrimPrefix(f, "env: "), "=")
		switch {
		case strings.HasPrefix(f, "lost: "):
		case strings.HasPrefix(f, "env: ") && slices.Contains(ofInit, name):
		case strings.HasPrefix(f, "env: WATCHDOG_") && strings.Contains(u.text, "WatchdogSec="):
		case f == "env: USER=root" && !strings.Contains(u.text, "User="):
		default:
			kept = append(kept, strings.Join(strings.Fields(f), " "))
		}
	}
	return kept
}

// putPackaged makes the machine one in which the packages seem to be installed.
func putPackaged(t *testing.T, m *Machine, units []packagedUnit) {
	t.Helper()
	m.PutProgram(t, "/usr/lib/rdgen-idle", "test/native/idle")
	m.PutProgram(t, "/usr/local/bin/facts", "test/native/facts")
	m.Put(t, "/usr/local/lib/same.sh", 0o644, []byte(guest.Await+script(t, "same")))
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	add("rdomain up same; id mosquitto >/dev/null 2>&1 || useradd -r mosquitto")
	for _, u := range units {
		m.Put(t, "/usr/lib/systemd/system/"+u.file, 0o644, []byte(u.text))
		m.Put(t, "/run/systemd/system/"+u.name+".service.d/test.conf", 0o644, []byte("[Unit]\nConditionPathExists=\nAssertPathExists=\n\n"))
		for _, g := range slices.Concat(u.groups, u.users) {
			add("getent group '%s' >/dev/null || groupadd '%s'", g, g)
		}
		for _, n := range u.users {
			add("id '%s' >/dev/null 2>&1 || useradd -m -d '/home/%s' -g '%s' -G audio '%s'", n, n, n, n)
		}
		for _, f := range u.folders {
			add("mkdir -p '%s'", f)
		}
		for _, f := range u.files {
			add("mkdir -p '%s'; for v in %s; do echo \"$v=-x -y\"; done >'%s'", filepath.Dir(f), words(variable, u.variables), f)
		}
		for _, p := range u.others {
			add("[ -e '%s' ] || { mkdir -p '%s'; printf '#!/bin/sh\\n' >'%s'; chmod +x '%s'; }", p, filepath.Dir(p), p, p)
		}
	}
	for _, u := range units {
		if u.program != "" {
			add("mkdir -p '%s'; ln -f /usr/lib/rdgen-idle \"$(realpath -m '%s')\"", filepath.Dir(u.program), u.program)
		}
	}
	add("systemctl daemon-reload")
	m.Sh(t, b.String())
}

func words(pattern *regexp.Regexp, texts []string) string {
	var list []string
	for _, text := range texts {
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
	}
	return strings.Join(list, " ")
}
