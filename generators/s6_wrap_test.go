package generators_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/s6"
	"rdgen/s6/compile"
	"rdgen/test/need"
)

// enters is a stand-in for rdexec: it says with what it was called and executes
// the rest, in place as rdexec does.
const enters = "#!/bin/sh\nprintf 'rdexec %s\\n' \"$*\" >>\"$LOG\"\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n"

// wrapped makes the run script of a service with the given run, wrapped; rdexec
// is helper.
func wrapped(t *testing.T, run, helper string) string {
	t.Helper()
	fsys := files("etc/s6-rc/source/web/type", "longrun\n", "etc/s6-rc/source/web/run", run)
	made, notes := generate(t, fsys, parse(t, "t1", ""), "web", s6Of)
	if len(notes) > 0 {
		t.Errorf("notes = %q; want none", notes)
	}
	script := text(t, made, "/etc/s6-rc/source/web/run")
	if n := strings.Count(script, generators.Rdexec); n != 1 {
		t.Fatalf("rdexec is %d times in\n%s", n, script)
	}
	return strings.Replace(script, generators.Rdexec, helper, 1)
}

// interpreters are "#!" lines of run scripts, and the language that follows.
func interpreters(t *testing.T, dir string) map[string]s6.Language {
	t.Helper()
	paths := need.Tools(t, need.S6, "execlineb", "dash", "bash", "busybox")
	// As in s6-overlay: what it executes has the environment of the container alone.
	contenv := filepath.Join(dir, "with-contenv")
	os.WriteFile(contenv, []byte("#!"+paths[0]+" -S0\nemptyenv -p\nexport LOG "+dir+"/log\nexec\n$@\n"), 0o755)
	return map[string]s6.Language{
		paths[0] + " -P": s6.Execline, paths[0] + " -S0": s6.Execline,
		paths[1]: s6.Shell, paths[1] + " -eu": s6.Shell, paths[2]: s6.Shell, paths[3] + " sh": s6.Shell,
		"/usr/bin/env bash": s6.Shell, "/usr/bin/env -S dash -e -u": s6.Shell,
		contenv + " sh": s6.Shell, contenv + " bash": s6.Shell, contenv + " execlineb": s6.Execline,
	}
}

// runs is what a script does: say its name, its arguments and whether the mark
// is left in the environment.
func runs(language s6.Language, log string) string {
	body := "printf 'body %s %s %s\\n' \"$0\" \"$*\" \"${rdgen_entered-none}\" >>" + log + "; exit 7"
	if language == s6.Execline {
		return "/bin/sh -c \"echo body >>" + log + "; exit 7\"\n"
	}
	return body + "\n"
}

// start executes a script as s6-supervise does: ./run, with the service's name.
func start(t *testing.T, dir, script string, env ...string) int {
	t.Helper()
	if err := os.WriteFile(dir+"/run", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Remove(dir + "/log")
	cmd := exec.Command("./run", "web", "two words")
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LOG=" + dir + "/log"}, env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cmd.ProcessState.ExitCode()
}

// TestWrappedScriptsRunOnce: whatever the interpreter, the script enters and then runs
// once, with its own name and arguments.
func TestWrappedScriptsRunOnce(t *testing.T) {
	dir := t.TempDir()
	helper := filepath.Join(dir, "rdexec")
	os.WriteFile(helper, []byte(enters), 0o755)
	for shebang, language := range interpreters(t, dir) {
		script := wrapped(t, "#!"+shebang+"\n"+runs(language, dir+"/log"), helper)
		// A mark that somebody left is none: neither another process's, nor another domain's.
		for _, mark := range []string{"rdgen_entered=", "rdgen_entered=1:t1", fmt.Sprintf("rdgen_entered=%d:t1", os.Getpid()), "BASHOPTS=execfail"} {
			code := start(t, dir, script, mark)
			log, _ := os.ReadFile(dir + "/log")
			lines := strings.Split(strings.TrimSpace(string(log)), "\n")
			if code != 7 || len(lines) != 2 || !strings.HasPrefix(lines[0], "rdexec -n t1 -- ") || !strings.HasPrefix(lines[1], "body") ||
				language == s6.Shell && lines[1] != "body ./run web two words none" {
				t.Errorf("#!%s with %s: exit %d, log %q of\n%s", shebang, mark, code, log, script)
			}
		}
	}
}

// TestWrappedScriptsDoNotRunOutside: rdexec is missing, is not executable, or
// refuses; also in a shell that was told to go on after a failed exec.
func TestWrappedScriptsDoNotRunOutside(t *testing.T) {
	dir := t.TempDir()
	refuses := filepath.Join(dir, "refuses")
	os.WriteFile(refuses, []byte("#!/bin/sh\nexit 111\n"), 0o755)
	os.WriteFile(filepath.Join(dir, "plain"), []byte("x"), 0o644)
	for shebang, language := range interpreters(t, dir) {
		for _, helper := range []string{filepath.Join(dir, "missing"), filepath.Join(dir, "plain"), dir, refuses} {
			script := wrapped(t, "#!"+shebang+"\n"+runs(language, dir+"/log"), helper)
			for _, env := range []string{"X=", "BASHOPTS=execfail", "rdgen_entered=t1"} {
				if code := start(t, dir, script, env); code == 0 || code == 7 {
					t.Errorf("#!%s, %s for rdexec, %s: exit %d", shebang, helper, env, code)
				}
				if log, err := os.ReadFile(dir + "/log"); err == nil {
					t.Errorf("#!%s, %s for rdexec, %s: the script ran outside: %q", shebang, helper, env, log)
				}
			}
		}
	}
}

// TestWrappedWithoutS6RC: the domain could not be brought up, so nothing runs.
func TestWrappedWithoutS6RC(t *testing.T) {
	dir := t.TempDir()
	helper := filepath.Join(dir, "rdexec")
	os.WriteFile(helper, []byte(enters), 0o755)
	for shebang, language := range interpreters(t, dir) {
		fsys := files("etc/s6/services/web/run", "#!"+shebang+"\n"+runs(language, dir+"/log"))
		made, _ := generate(t, fsys, parse(t, "t1", ""), "web", s6Of)
		script := strings.Replace(text(t, made, "/etc/s6/services/web/run"), generators.Rdexec, helper, 1)
		for up, want := range map[string]int{"/bin/true": 7, "/bin/false": 111, dir + "/missing": 111} {
			if code := start(t, dir, strings.Replace(script, generators.Rdomain, up, 1)); code != want {
				t.Errorf("#!%s, %s for rdomain: exit %d; want %d", shebang, up, code, want)
			}
			if _, err := os.ReadFile(dir + "/log"); (err == nil) != (want == 7) {
				t.Errorf("#!%s, %s for rdomain: the log: %v", shebang, up, err)
			}
		}
	}
}

// roots are what rdgen s6 is run on, for each flavour.
var roots = map[string][]string{
	"plain": {"etc/s6-rc/source/old/type", "longrun\n", "etc/s6-rc/source/old/run", "#!/bin/sh\nexec x\n", "etc/s6-rc/source/old/finish", "#!/bin/execlineb\nx\n",
		"etc/s6-rc/source/rules/type", "oneshot\n", "etc/s6-rc/source/rules/up", "x\n", "etc/s6-rc/source/rules/down", "x\n", "etc/s6-rc/source/rules/dependencies", "old"},
	"artix": {"etc/s6/sv/old-srv/type", "longrun\n", "etc/s6/sv/old-srv/run", "#!/bin/execlineb -P\nx\n", "etc/s6/sv/old-srv/dependencies.d/mount-filesystems", "",
		"etc/s6/sv/mount-filesystems/type", "bundle\n", "etc/s6/sv/mount-filesystems/contents", "", "etc/s6/adminsv/default/type", "bundle\n", "etc/s6/adminsv/default/contents.d/old-srv", ""},
	"overlay": {"etc/s6-overlay/s6-rc.d/old/type", "longrun\n", "etc/s6-overlay/s6-rc.d/old/run", "#!/command/with-contenv sh\nx\n", "etc/s6-overlay/s6-rc.d/base/type", "bundle\n", "etc/s6-overlay/s6-rc.d/base/contents", "",
		"etc/s6-overlay/s6-rc.d/user/type", "bundle\n", "etc/s6-overlay/s6-rc.d/user/contents.d/old", ""},
	"store": {"usr/share/s6/sources/old/type", "longrun\n", "usr/share/s6/sources/old/run", "#!/bin/sh -e\nx\n"},
}

// TestGeneratedDirectoriesAreValid: s6-rc-compile takes all that is made, in
// every flavour, beside what was there; and nothing of it is left out.
func TestGeneratedDirectoriesAreValid(t *testing.T) {
	for flavor, root := range roots {
		t.Run(flavor, func(t *testing.T) {
			dir := t.TempDir()
			fsys := files(append(root,
				"lib/systemd/system/unit.service", "[Service]\nType=notify\nUser=u\nExecStart=/bin/x $A\nExecReload=/bin/kill -USR2 $MAINPID\nKillSignal=SIGINT\nTimeoutSec=5\n",
				"usr/bin/s6-notify-fd-from-socket", "",
				"etc/init.d/script", "#!/sbin/openrc-run\ncommand=/bin/x\ncommand_background=yes\npidfile=/run/x\nnotify=fd:4\nretry=INT/5/KILL\n")...)
			names := []string{"unit", "script", "old"}
			if flavor == "plain" {
				names = append(names, "rules")
			}
			var all tree.Tree
			for _, name := range names {
				made, _ := generate(t, fsys, parse(t, "t1", "mgmt.1"), name, s6Of)
				if err := generators.Merge(&all, made); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.CopyFS(dir, fsys); err != nil {
				t.Fatal(err)
			}
			if err := all.Write(dir); err != nil {
				t.Fatal(err)
			}
			f, err := s6.FlavorNamed(flavor)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range compile.Check(os.DirFS(dir), f.Folders...) {
				t.Errorf("%s: exit %d, %s", p.File, p.Exit, p.Msg)
			}
			for _, service := range []string{f.Service("script"), f.Service("unit"), f.Logger("unit"), "rdomain-t1", "rdomain-mgmt.1@t1"} {
				if _, err := os.Stat(dir + f.Folders[0] + "/" + service + "/type"); err != nil {
					t.Error(err)
				}
			}
			compile, err := exec.LookPath("s6-rc-compile")
			if err != nil {
				return // Check was compared with it, where it is
			}
			args := []string{t.TempDir() + "/compiled"}
			for _, folder := range f.Folders {
				args = append(args, dir+folder)
			}
			var stderr bytes.Buffer
			cmd := exec.Command(compile, args...)
			cmd.Stderr = &stderr
			if err := cmd.Run(); err != nil || stderr.Len() > 0 {
				t.Errorf("s6-rc-compile: %v\n%s", err, &stderr)
			}
		})
	}
}

// TestWrappedIsTheSameButForTheLine compares byte by byte, and mode by mode.
func TestWrappedIsTheSameButForTheLine(t *testing.T) {
	fsys := files(roots["plain"]...)
	for _, name := range []string{"old", "rules"} {
		made, _ := generate(t, fsys, parse(t, "t1", ""), name, s6Of)
		for _, f := range made.Files() {
			old, err := fs.ReadFile(fsys, f.Path[1:])
			if err != nil || strings.HasSuffix(f.Path, "/dependencies") {
				continue // a new file, or a list of dependencies with one more
			}
			var kept []string
			for line := range strings.Lines(string(f.Data)) {
				if !strings.HasSuffix(line, " "+s6.Mark+"\n") {
					kept = append(kept, line)
				}
			}
			if strings.Join(kept, "") != string(old) || f.Mode != 0o644 {
				t.Errorf("%s, mode %o, is\n%s\nand was\n%s", f.Path, f.Mode, f.Data, old)
			}
		}
	}
}
