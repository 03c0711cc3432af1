package generators_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/test/need"
)

// failing are services that systemd cannot set up, or that fail by themselves,
// and some that do not: [Service], less its head.
var failing = map[string]string{
	"fine":        "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo\n",
	"chdir":       "Type=oneshot\nWorkingDirectory=/nonexistent\nExecStart=/bin/echo\n",
	"user":        "Type=oneshot\nUser=nosuchuser\nExecStart=/bin/echo\n",
	"group":       "Type=oneshot\nGroup=nosuchgroup\nExecStart=/bin/echo\n",
	"stdout":      "Type=oneshot\nStandardOutput=append:/nonexistent/log\nExecStart=/bin/echo\n",
	"stdin":       "Type=oneshot\nStandardInput=file:/nonexistent/in\nExecStart=/bin/echo\n",
	"bind":        "Type=oneshot\nBindReadOnlyPaths=/nonexistent\nExecStart=/bin/echo\n",
	"writable":    "Type=oneshot\nReadWritePaths=/nonexistent\nExecStart=/bin/echo\n",
	"environment": "Type=oneshot\nEnvironmentFile=/nonexistent\nExecStart=/bin/echo\n",
	"noprogram":   "Type=oneshot\nExecStart=/bin/nosuchprogram\n",
	"notify":      "Type=notify\nWorkingDirectory=/nonexistent\nExecStart=/bin/sleep 1000\n",
	"forking":     "Type=forking\nUser=nosuchuser\nExecStart=/bin/echo\n",
	"exec":        "Type=exec\nWorkingDirectory=/nonexistent\nExecStart=/bin/sleep 1000\n",
	"restarts":    "Type=exec\nWorkingDirectory=/nonexistent\nExecStart=/bin/echo\nRestart=on-failure\nRestartSec=0\n",
	"pre":         "Type=oneshot\nExecStartPre=-/bin/false\nExecStartPre=/bin/sh -c 'exit 3'\nExecStart=/bin/echo\n",
	"ignored":     "Type=oneshot\nRemainAfterExit=yes\nExecStartPre=-/bin/false\nExecStart=/bin/echo\n",
	"skipped":     "Type=oneshot\nExecCondition=/bin/sh -c 'exit 1'\nExecStart=/bin/echo\n",
	"met":         "Type=oneshot\nRemainAfterExit=yes\nExecCondition=/bin/true\nExecStartPre=/bin/true\nExecStart=/bin/echo\n",
	"conditioned": "Type=oneshot\nExecCondition=/bin/true\nUser=nosuchuser\nExecStart=/bin/echo\n",
	"several":     "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo\nExecStart=-/bin/false\nExecStart=/bin/sh -c 'exit 4'\n",
	"root":        "Type=oneshot\nRemainAfterExit=yes\nUser=nobody\nPermissionsStartOnly=yes\nExecStartPre=/bin/sh -c 'test $$(id -u) = 0'\nExecStart=/bin/sh -c 'test $$(id -un) = nobody'\n",
	"prefixes":    "Type=oneshot\nRemainAfterExit=yes\nUser=nobody\nExecStartPre=+/bin/sh -c 'test $$(id -u) = 0'\nExecStartPre=!/bin/sh -c 'test $$(id -u) = 0'\nExecStartPre=@/bin/sh other -c 'test $$0 = x' x\nExecStart=/bin/echo\n",
}

// TestBootedSystemdFailures: what a unit's start comes to is the same in a domain
// as without one: what systemctl start says, the unit's state, its exit status,
// how often it was started again, OnFailure= and those that require it. A unit
// that systemd could not set up was once skipped, and that is no failure.
func TestBootedSystemdFailures(t *testing.T) {
	top := map[string]string{}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range failing {
			if !yield(name) {
				return
			}
		}
	})
	for _, name := range names {
		for _, where := range []string{"in", "out"} {
			unit := fmt.Sprintf("%s-%s.service", where, name)
			text := "[Unit]\nDefaultDependencies=no\nOnFailure=told@%n.service\n[Service]\n" + failing[name]
			top["etc/systemd/system/"+unit] = text
			top["etc/systemd/system/needs-"+unit] = "[Unit]\nDefaultDependencies=no\nRequires=" + unit + "\nAfter=" + unit +
				"\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo\n"
			if where == "out" {
				continue
			}
			made, _ := generate(t, files("lib/systemd/system/"+unit, text), parse(t, "blue", ""), strings.TrimSuffix(unit, ".service"), systemdOf)
			for _, f := range made.Files() {
				top[f.Path[1:]] = string(f.Data)
			}
		}
	}
	top["etc/systemd/system/told@.service"] = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo\n"
	withoutTargets(top)
	got := bootSystemd(t, top, []string{"rdomain@blue.service"}, `
settled() {
	case $(systemctl show -p ActiveState --value $1) in activating|deactivating|reloading) return 1 ;; esac
	case $(systemctl show -p Job --value $1) in ''|0) ;; *) return 1 ;; esac
}
for n in `+strings.Join(names, " ")+`; do
	for w in in out; do
		u=$w-$n.service
		systemctl start $u; echo "start $?" >/host/$w-$n
		until settled $u && settled told@$u.service; do :; done
		systemctl show -p ActiveState,SubState,Result,NRestarts $u >>/host/$w-$n
		systemctl status --lines=0 $u | grep -o 'status=[0-9]*/[A-Z]*' | grep -v 0/SUCCESS | sort -u >>/host/$w-$n
		systemctl is-active told@$u.service >>/host/$w-$n
		systemctl start needs-$u; echo "needs $? $(systemctl is-active needs-$u)" >>/host/$w-$n
	done
done`)
	for _, name := range names {
		if !strings.HasPrefix(got["out-"+name], "start ") {
			t.Errorf("%s was not started", name)
		}
		if d := cmp.Diff(got["out-"+name], got["in-"+name]); d != "" {
			t.Errorf("%s (-without a domain +in one):\n%s", name, d)
		}
	}
}

// buildTop puts rdgen's programs that a service in a domain calls into top.
func buildTop(t *testing.T, top string) {
	t.Helper()
	for _, path := range []string{generators.Rdomain, generators.Rdexec} {
		program, err := need.Program("cmd/" + filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("install", "-D", program, filepath.Join(top, path)).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}
