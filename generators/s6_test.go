package generators_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/templates"
	"rdgen/test/need"
)

// TestRunScriptFromAUnit executes the run script with a stub for rdexec: every
// odd value of the unit must arrive as it is, and variables as systemd expands
// them.
func TestRunScriptFromAUnit(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	var unit strings.Builder
	unit.WriteString("[Service]\nUser=www-data\nGroup=adm\nUMask=0027\nWorkingDirectory=/usr\nEnvironment=\"A=x \\\"$HOME\\\" 50%% \\\\\"\n")
	unit.WriteString("ExecStart=/usr/sbin/daemon $OPTS ${ONE} pre${ONE}post $NONE ${NONE} $$OPTS $${ONE} a\\\\${ONE} x$OPTS")
	for _, s := range odd {
		quoted, err := templates.UnitWord(s)
		if err != nil {
			t.Fatal(err)
		}
		unit.WriteString(" " + quoted)
	}
	fsys := files("lib/systemd/system/web.service", unit.String()+"\n")
	made, notes := generate(t, fsys, parse(t, "t1", "mgmt"), "web", s6Of)
	if len(notes) != 0 {
		t.Errorf("notes = %q; want none", notes)
	}
	dir := t.TempDir()
	script := strings.Replace(text(t, made, "/etc/s6-rc/source/web/run"), generators.Rdexec, stub(t, dir, "rdexec"), 1)
	got, err := execute(t, script, "OPTS=-a  b\tc ", "ONE=o ${OPTS} $ONE")
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	want := domain.Command{Domain: parse(t, "t1", "mgmt")}.Options()
	want = append(want, "s6-envuidgid", "www-data", "s6-envuidgid", "-g", "adm", "s6-applyuidgid", "-U", "-z")
	want = append(want, "/usr/sbin/daemon", "-a", "b", "c", "o ${OPTS} $ONE", "preo ${OPTS} $ONEpost", "", "$OPTS", "${ONE}",
		`a\o ${OPTS} $ONE`, "x$OPTS")
	want = append(want, odd...)
	want = append(want, "cwd=/usr", "umask=0027", `A=x "$HOME" 50% \`)
	checkArgs(t, got, want)
}

// checkArgs compares what the stub printed. fdmove has put stderr there too.
func checkArgs(t *testing.T, got string, want []string) {
	t.Helper()
	got, ok := strings.CutSuffix(got, "to-stderr\n")
	if !ok {
		t.Errorf("stderr does not go where stdout goes: %q", got)
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSuffix(got, "\x00"), "\x00")); d != "" {
		t.Errorf("arguments (-want +got):\n%s", d)
	}
}

func TestRunScriptFromAnInitScript(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	// What OpenRC's eval would match against files is refused by the reader, and
	// so are words that it would split (a value is split before it is unquoted).
	values := slices.DeleteFunc(slices.Clone(odd), func(s string) bool { return strings.ContainsAny(s, "*?[ \t\n") })
	var args []string
	for _, v := range values {
		quoted, err := templates.Sh(v)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, quoted)
	}
	quoted, err := templates.Sh(strings.Join(args, " "))
	if err != nil {
		t.Fatal(err)
	}
	fsys := files(
		"etc/conf.d/web", "netns=private\nWEB_OPTS="+quoted+"\n",
		"etc/init.d/web", "#!/sbin/openrc-run\ncommand=/usr/sbin/daemon\ncommand_args=\"-x $WEB_OPTS\"\ncommand_background=yes\n"+
			"pidfile=/run/x.pid\ncommand_user=www-data\numask=077\n")
	made, _ := generate(t, fsys, domain.Domain{}, "web", s6Of)
	script := strings.Replace(text(t, made, "/etc/s6-rc/source/web/run"), generators.Rdexec, stub(t, t.TempDir(), "rdexec"), 1)
	got, err := execute(t, script)
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	want := append([]string{"-n", "private", "-u", "www-data", "--", "/usr/sbin/daemon", "-x"}, values...)
	checkArgs(t, got, append(want, "cwd=/", "umask=0077", "A="))
}

// TestRunScriptDoesNotStartOutside: without rdexec, or when it refuses, nothing
// of the service runs.
func TestRunScriptDoesNotStartOutside(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	dir := t.TempDir()
	ran := filepath.Join(dir, "ran")
	fsys := files("lib/systemd/system/web.service", "[Service]\nExecStart=/usr/bin/touch "+ran+"\n")
	made, _ := generate(t, fsys, parse(t, "t1", ""), "web", s6Of)
	refuses := filepath.Join(dir, "refuses")
	os.WriteFile(refuses, []byte("#!/bin/sh\nexit 111\n"), 0o755)
	for _, helper := range []string{filepath.Join(dir, "missing"), dir, refuses} {
		script := strings.Replace(text(t, made, "/etc/s6-rc/source/web/run"), generators.Rdexec, helper, 1)
		if _, err := execute(t, script); err == nil {
			t.Errorf("with %s for rdexec, run succeeded", helper)
		}
		if _, err := os.Stat(ran); err == nil {
			t.Fatalf("with %s for rdexec, the service's program ran", helper)
		}
	}
}

func TestOneshots(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	fsys := files("lib/systemd/system/web.service", "[Service]\nExecStart=/bin/x\n")
	made, _ := generate(t, fsys, parse(t, "t1", "mgmt.1"), "web", s6Of)
	helper := stub(t, t.TempDir(), "rdomain")
	for _, verb := range []string{"up", "down"} {
		for _, id := range []string{"t1", "mgmt.1@t1"} {
			script := strings.Replace(text(t, made, "/etc/s6-rc/source/rdomain-"+id+"/"+verb), generators.Rdomain, helper, 1)
			got, err := execute(t, script)
			if want := verb + "\x00" + id + "\x00"; err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("%s of %s runs rdomain with %q, %v; want %q", verb, id, got, err, want)
			}
		}
	}
}

// TestLogger runs the real s6-log by its run script: it makes the folder, says
// that it is ready, and writes what it is given.
func TestLogger(t *testing.T) {
	need.Tools(t, need.S6, "execlineb", "s6-log")
	fsys := files("lib/systemd/system/web.service", "[Service]\nExecStart=/bin/x\n")
	made, _ := generate(t, fsys, parse(t, "t1", ""), "web", s6Of)
	dir := t.TempDir()
	logs := filepath.Join(dir, "web")
	run := filepath.Join(dir, "run")
	script := strings.Replace(text(t, made, "/etc/s6-rc/source/web-log/run"), "/var/log/web", logs, 1)
	if err := os.WriteFile(run, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ready, notify, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("execlineb", "-P", run)
	cmd.Stdin = strings.NewReader("a line\n")
	cmd.ExtraFiles = []*os.File{notify}
	out, err := cmd.CombinedOutput()
	notify.Close()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := feed(ready); got != "\n" {
		t.Errorf("s6-log said %q on descriptor 3; want a newline", got)
	}
	current, err := os.ReadFile(filepath.Join(logs, "current"))
	if err != nil || !strings.HasSuffix(string(current), " a line\n") {
		t.Errorf("the log holds %q, %v", current, err)
	}
}

func TestS6Notes(t *testing.T) {
	fsys := files("lib/systemd/system/web.service",
		"[Unit]\nAfter=a.service\n[Service]\nType=notify\nExecStart=@/bin/x argv0 y\nRestart=always\nMemoryMax=1G\nPrivateTmp=no\n[Install]\nWantedBy=x\n")
	made, notes := generate(t, fsys, parse(t, "t1", ""), "web", s6Of)
	run := text(t, made, "/etc/s6-rc/source/web/run")
	for _, want := range []string{"readiness (Type=notify) is not carried over: there is no s6-notify-fd-from-socket (s6 2.15) here",
		"not carried over: After= Restart= MemoryMax="} {
		if !strings.Contains(run, "\n# "+want+"\n") {
			t.Errorf("run does not say %q:\n%s", want, run)
		}
		if !slices.Contains(notes, "/lib/systemd/system/web.service: "+want) {
			t.Errorf("notes = %q; want %q among them", notes, want)
		}
	}
	if !strings.HasSuffix(run, "\nexec -a argv0\n/bin/x y\n") {
		t.Errorf("run ends otherwise than exec -a argv0 /bin/x y:\n%s", run)
	}
}

func TestNamesThatS6Refuses(t *testing.T) {
	for _, name := range []string{"s6rc-x", "s6-rc-x", strings.Repeat("x", 252)} {
		fsys := files(fmt.Sprintf("etc/init.d/%s", name), "#!/sbin/openrc-run\ncommand=/bin/x\ncommand_background=yes\npidfile=/run/x\n")
		job, err := services.NewLoader(fsys, parse(t, "t1", "")).S6.Load(name)
		if err == nil {
			_, _, err = job.Files()
		}
		if err == nil {
			t.Errorf("a service called %.20s was accepted", name)
		}
	}
}

// TestCarriedOver: signals, timeouts and readiness, of units and of scripts;
// "-" is a file that must not be made.
func TestCarriedOver(t *testing.T) {
	unit := func(lines string) []string {
		return []string{"lib/systemd/system/web.service", "[Service]\nExecStart=/bin/x\n" + lines, "usr/bin/s6-notify-fd-from-socket", ""}
	}
	script := func(lines string) []string {
		return []string{"etc/init.d/web", "#!/sbin/openrc-run\ncommand=/bin/x\ncommand_background=yes\npidfile=/run/x\n" + lines, "usr/bin/s6-notify-fd-from-socket", ""}
	}
	for _, c := range []struct {
		root []string
		want string // file=text ...
		note string
	}{
		{unit("KillSignal=SIGQUIT\nTimeoutStopSec=1min\n"), "down-signal=SIGQUIT timeout-kill=60000 timeout-up=-", ""},
		{unit("ExecStopPost=/bin/a\n"), "timeout-finish=90000", ""},
		{unit("ExecStopPost=/bin/a\nTimeoutSec=2\nTimeoutStopSec=1min\n"), "timeout-finish=60000 timeout-kill=60000", ""},
		{unit("ExecStopPost=/bin/a\nTimeoutStopSec=1min\nTimeoutSec=2\n"), "timeout-finish=2000 timeout-kill=2000", ""},
		{unit("ExecStopPost=/bin/a\nTimeoutSec=infinity\n"), "timeout-finish=0", ""},
		{unit("RuntimeDirectory=a\nTimeoutSec=3\n"), "timeout-finish=-", ""},
		{unit("KillSignal=SIGTERM\nTimeoutStopSec=infinity\n"), "down-signal=- timeout-kill=-", ""},
		{unit("TimeoutSec=7\nSendSIGKILL=no\n"), "timeout-kill=- timeout-down=7000", "a second time"},
		{unit("SendSIGKILL=no\n"), "timeout-kill=- timeout-down=90000", "SendSIGKILL="},
		{unit("TimeoutSec=7\nSendSIGKILL=f\n"), "timeout-kill=-", "SendSIGKILL="},
		{unit("TimeoutSec=7\nSendSIGKILL=y\n"), "timeout-kill=7000", "SendSIGKILL="},
		{unit("TimeoutSec=7\nSendSIGKILL=T\n"), "timeout-kill=7000", "SendSIGKILL="},
		{unit("TimeoutSec=7\nSendSIGKILL=no\nSendSIGKILL=\n"), "timeout-kill=-", "SendSIGKILL="},
		{unit("TimeoutSec=7\nSendSIGKILL=perhaps\n"), "timeout-kill=7000", "SendSIGKILL="},
		{unit("DynamicUser=n\n"), "timeout-kill=90000 timeout-down=-", ""},
		{unit("DynamicUser=F\n"), "timeout-kill=90000", ""},
		{unit("Type=notify\nTimeoutStopSec=7\n"), "timeout-up=90000 timeout-kill=7000", "readiness"},
		{unit("Type=notify\nTimeoutStartSec=7\nTimeoutSec=infinity\n"), "timeout-up=- timeout-kill=-", "readiness"},
		{unit("ExecStop=/bin/kill -INT $MAINPID\nKillSignal=SIGUSR1\n"), "down-signal=SIGINT", "systemd sends SIGUSR1 right after it"},
		{unit("TimeoutStartSec=7\n"), "timeout-up=- notification-fd=-", "TimeoutStartSec="},
		{unit("Type=notify\nTimeoutStartSec=7\n"), "timeout-up=7000 notification-fd=3", "readiness"},
		{unit("TimeoutStopSec=soon\n"), "timeout-kill=90000", "TimeoutStopSec="},
		{unit("ExecReload=/bin/kill -HUP $MAINPID\n"), "reload-signal=-", ""},
		{unit("ExecReload=/usr/bin/kill -s USR2 ${MAINPID}\n"), "reload-signal=SIGUSR2", ""},
		{unit("ExecReload=/bin/kill -10 $MAINPID\n"), "reload-signal=10", ""},
		{unit("ExecReload=/bin/kill -USR1 -$MAINPID\n"), "reload-signal=-", "ExecReload="},
		{unit("ExecReload=/bin/x reload\n"), "reload-signal=-", "ExecReload="},
		{unit("ExecReload=/bin/x -t\nExecReload=/bin/kill -USR1 $MAINPID\n"), "reload-signal=-", "ExecReload="},
		{unit("KillSignal=SIGRTMIN+3\n"), "down-signal=-", "KillSignal="},
		{script("stopsig=SIGINT\n"), "down-signal=SIGINT timeout-kill=-", ""},
		{script("stopsig=SIGINT\nretry=5\n"), "down-signal=SIGINT timeout-kill=- timeout-down=5000", ""},
		{script("retry=USR1/25/KILL/5\n"), "down-signal=USR1 timeout-kill=25000", ""},
		{script("retry=USR1/25\n"), "down-signal=USR1 timeout-kill=- timeout-down=25000", ""},
		{script("retry=TERM/25/QUIT/5\n"), "down-signal=- timeout-kill=- timeout-down=-", "retry="},
		{script("retry=QUIT/25/9/5\n"), "down-signal=- timeout-kill=- timeout-down=-", "retry="},
		{script("retry=-QUIT/25/-9\n"), "down-signal=QUIT timeout-kill=25000", ""},
		{script("retry=2/25/KILL/5\n"), "down-signal=- timeout-kill=- timeout-down=-", "retry="},
		{script("retry=2/25\n"), "down-signal=- timeout-kill=- timeout-down=-", "retry="},
		{script("retry=QUIT/forever/KILL\n"), "down-signal=- timeout-kill=- timeout-down=-", "retry="},
		{script("retry=0\n"), "timeout-kill=- timeout-down=-", "retry="},
		{script("stopsig=INT\nstop() {\n\tebegin x\n\tstart-stop-daemon --stop --pidfile $pidfile --retry QUIT/5/KILL\n\teend $?\n}\n"), "down-signal=QUIT timeout-kill=5000", ""},
		{script("stopsig=INT\nstop() { start-stop-daemon -K -p $pidfile -R 5 -s USR1; }\n"), "down-signal=USR1 timeout-kill=- timeout-down=5000", ""},
		{script("stopsig=INT\nstop() { start-stop-daemon --stop --exec $command; rm -f /run/a; }\n"), "down-signal=- timeout-down=-", "stop() but its start-stop-daemon"},
		{script("retry=5\nstop() { $command quit; }\n"), "down-signal=- timeout-down=-", " stop()"},
		{script("stop() { start-stop-daemon --signal HUP --exec $command; }\n"), "down-signal=-", " stop()"},
		{script("stop() { start-stop-daemon --stop --retry QUIT/5/TERM/9 --exec $command; }\n"), "down-signal=- timeout-down=-", "--retry"},
		{script("default_stop() { :; }\n"), "down-signal=-", "default_stop()"},
		{script("rc_cgroup_cleanup=yes\n"), "down-signal=-", "rc_cgroup_cleanup="},
		{script("notify=fd:4\n"), "notification-fd=4", ""},
		{script("notify=socket:ready\n"), "notification-fd=3", "readiness"},
		{script("notify=pidfile:x\n"), "notification-fd=-", "notify="},
	} {
		made, notes := generate(t, files(c.root...), parse(t, "t1", ""), "web", s6Of)
		have := map[string]string{}
		for _, f := range made.Files() {
			have[f.Path] = strings.TrimSuffix(string(f.Data), "\n")
		}
		for _, w := range strings.Fields(c.want) {
			name, want, _ := strings.Cut(w, "=")
			got, found := have["/etc/s6-rc/source/web/"+name]
			if !found {
				got = "-"
			}
			if got != want {
				t.Errorf("of %q, %s is %q; want %q", c.root[1], name, got, want)
			}
		}
		if all := strings.Join(notes, "\n"); !strings.Contains(all, c.note) || c.note == "" && all != "" {
			t.Errorf("of %q, the notes are %q; want %q", c.root[1], all, c.note)
		}
	}
}

// TestConfined: what systemd would give fewer rights than s6 could is refused.
func TestConfined(t *testing.T) {
	for _, lines := range []string{"DynamicUser=y", "DynamicUser=T", "DynamicUser=1", "DynamicUser=yes\nDynamicUser=", "DynamicUser=on\nDynamicUser=x",
		"RootDirectory=/srv/web", "RootImage=/srv/web.img", "PrivateTmp=yes", "PrivateTmp=disconnected", "ProtectSystem=no\nProtectSystem=strict",
		"ProtectHome=read-only", "PrivateDevices=yes\nPrivateDevices=", "SystemCallFilter=@system-service", "SystemCallFilter=\nSystemCallFilter=~@mount",
		"RestrictAddressFamilies=AF_INET", "RestrictNamespaces=yes", "ProtectProc=invisible", "InaccessiblePaths=/x", "DeviceAllow=/dev/null r",
		"DevicePolicy=closed", "SecureBits=noroot"} {
		fsys := files("lib/systemd/system/web.service", "[Service]\nExecStart=/bin/x\n"+lines+"\n")
		job, err := services.NewLoader(fsys, parse(t, "t1", "")).S6.Load("web")
		if err == nil {
			_, _, err = job.Files()
		}
		if err == nil || !strings.Contains(err.Error(), "has no counterpart in s6") {
			t.Errorf("%q: %v; want that it has no counterpart", lines, err)
		}
	}
}
