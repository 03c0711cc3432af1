package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

func TestAsGenerator(t *testing.T) {
	for args, want := range map[string]bool{
		"/run/systemd/generator /run/systemd/generator.early /run/systemd/generator.late": true,
		"/tmp/out": true, "": false, "systemd ssh": false, "systemd": false, "/a /b": false, "/a b /c": false, "check /a /b": false,
	} {
		if got := asGenerator(strings.Fields(args)); got != want {
			t.Errorf("asGenerator(%q) = %v; want %v", args, got, want)
		}
	}
}

const socketUnit = "[Socket]\nListenStream=80\n"

// TestGenerator: each service gets its files or, alone, one with which it fails.
func TestGenerator(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	write(t, root,
		"lib/systemd/system/rdomain@.service", "[Service]\n",
		"lib/systemd/system/good.service", daemonUnit,
		"lib/systemd/system/bad.service", daemonUnit, "lib/systemd/system/bad.socket", socketUnit,
		"lib/systemd/system/other.service", daemonUnit,
		"lib/systemd/system/ssh.service", daemonUnit+"[Install]\nAlias=sshd.service\n",
		"lib/systemd/system/undefined.service", daemonUnit,
		"lib/systemd/system/off.service", daemonUnit, "etc/systemd/system/off.service", "",
		"lib/systemd/system/own.service", daemonUnit,
		"etc/systemd/system/own.service.d/zz-rdomain.conf", "[Service]\n",
		"etc/rdomain/mgmt.conf", "[Domain]\nKind=vrf\nTable=10\n",
		"etc/conf.d/good", "vrf=mgmt\n",
		"etc/conf.d/bad", "netns=$(hostname)\n",
		"etc/conf.d/other", "opts='-v'\n",
		"etc/conf.d/sshd", "netns=blue\n",
		"etc/conf.d/undefined", "vrf=nosuch\n",
		"lib/systemd/system/slip.service", daemonUnit, "etc/conf.d/slip", "# a comment\nnetns = blue\n",
		"etc/conf.d/off", "netns=blue\n",
		"etc/conf.d/own", "netns=blue\n",
		"etc/conf.d/legacy", "netns=blue\n", "etc/init.d/legacy", "#!/bin/sh\n", // systemd-sysv-generator makes the unit
		"etc/conf.d/old.sh", "netns=blue\n", "etc/init.d/old.sh", "#!/bin/sh\n", // and calls it old.service
		"etc/conf.d/foreign", "netns=blue\n", // its unit may come from another generator
		// Another generator is writing at the moment: half a file, and none, which was a mask.
		"etc/conf.d/half", "netns=blue\n", "run/systemd/generator/half.service", "[Service]\n",
		"etc/conf.d/begun", "netns=blue\n", "run/systemd/generator.late/begun.service", "",
		"etc/conf.d/written", "netns=blue\n", // so may this one's, but rdgen's drop-in is there
		"etc/systemd/system/written.service.d/zz-rdomain.conf", "ExecStartPre=+/usr/sbin/rdexec --look -n blue\n",
		"etc/conf.d/good.service", "vrf=mgmt\n", // the same service, the same domain
		"lib/systemd/system/scan@.service", daemonUnit, "lib/systemd/system/scan.socket", socketUnit+"Accept=yes\n",
		"etc/conf.d/scan", "netns=blue\n",
		"lib/systemd/system/tpl@.service", daemonUnit, "etc/conf.d/tpl", "netns=blue\n",
		"etc/systemd/system/tpl@own.service.d/x.conf", "[Service]\n",
		"lib/systemd/system/job.service", daemonUnit, "lib/systemd/system/nightly.timer", "[Timer]\nUnit=job.service\n",
		"etc/conf.d/nightly.timer", "netns=blue\n",
		"etc/conf.d/other.two", "netns=blue\n",
		"lib/systemd/system/web.service", daemonUnit, "lib/systemd/system/web.socket", socketUnit, "etc/conf.d/web.conf", "netns=blue\n",
	)
	var log bytes.Buffer
	if code := runGenerator(root, out, &log); code != exitHeld {
		t.Errorf("exit %d; want %d", code, exitHeld)
	}
	made := contents(t, out)
	want := map[string]string{ // file -> a line that it has
		"good.service.d/zz-rdomain.conf":      "BPFProgram=sock_create:/sys/fs/bpf/rdomain/mgmt",
		"other.two.service":                   "Description=A daemon (two)",
		"other.two.service.d/zz-rdomain.conf": "NetworkNamespacePath=/run/netns/blue",
		"bad.service.d/zz-rdomain.conf":       `ExecStartPre=+/bin/sh -c "printf '%%s\\n' '<3>rdgen: error: /etc/conf.d/bad:1: netns`,
		"bad.socket.d/zz-rdomain.conf":        `ExecStartPre=+/bin/sh -c "printf '%%s\\n' '<3>rdgen: error: /etc/conf.d/bad:1: netns`,
		"ssh.service.d/zz-rdomain.conf":       "put the line into /etc/conf.d/ssh",
		"undefined.service.d/zz-rdomain.conf": "vrf nosuch is not defined: there is no /etc/rdomain/nosuch.conf",
		"slip.service.d/zz-rdomain.conf":      "/etc/conf.d/slip:2: this does not set netns",
		"own.service.d/zz-rdomain.conf":       "SourcePath=/etc/conf.d/own",
		"legacy.service.d/zz-rdomain.conf":    "ExecStartPre=+/usr/sbin/rdexec --look -n blue",
		"old.service.d/zz-rdomain.conf":       "put the line into /etc/conf.d/old",
		"half.service.d/zz-rdomain.conf":      "there is no half.service",
		"begun.service.d/zz-rdomain.conf":     "there is no begun.service",
		"foreign.service.d/zz-rdomain.conf":   "there is no foreign.service",
		"scan@.service.d/zz-rdomain.conf":     "ExecStartPre=+/usr/sbin/rdexec --look -n blue",
		"scan.socket.d/zz-rdomain.conf":       "ExecStartPre=+/usr/sbin/rdexec --look -n blue",
		"tpl@.service.d/zz-rdomain.conf":      "put the line into /etc/conf.d/tpl@INSTANCE",
		"tpl@own.service.d/zz-rdomain.conf":   "put the line into /etc/conf.d/tpl@INSTANCE",
		"web.service.d/zz-rdomain.conf":       "put the line into /etc/conf.d/web;", // or it would run outside
		"web.socket.d/zz-rdomain.conf":        "put the line into /etc/conf.d/web;",
		"job.service.d/zz-rdomain.conf":       "nightly.timer is no service, and the line is for a service",
	}
	for name, line := range want {
		if !strings.Contains(made[name], line) {
			t.Errorf("%s has no %q:\n%s", name, line, made[name])
		}
		delete(made, name)
	}
	for name := range made {
		t.Errorf("%s was made", name)
	}
	for _, line := range []string{
		"rdgen: error: /etc/conf.d/bad:1: netns",
		"rdgen: error: /etc/conf.d/sshd:1: there is no sshd.service",
		"rdgen: error: /etc/conf.d/undefined:1: vrf nosuch is not defined",
		"rdgen: error: /etc/conf.d/foreign:1: there is no foreign.service",
		"rdgen: error: /etc/conf.d/nightly.timer:1: nightly.timer is no service",
		"rdgen: warning: /etc/conf.d/off:1: off.service is masked",
		"rdgen: warning: /etc/systemd/system/own.service.d/zz-rdomain.conf wins over what conf.d says",
	} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("not logged: %s\n%s", line, &log)
		}
	}
	again := t.TempDir()
	runGenerator(root, again, &bytes.Buffer{})
	if d := cmp.Diff(contents(t, out), contents(t, again)); d != "" {
		t.Errorf("the second run makes something else:\n%s", d)
	}
}

// runGenerator is rdgen as a generator that has one folder, while others may be writing.
func runGenerator(root, dir string, log *bytes.Buffer) int {
	return generatorRun{root: root, dir: dir, early: dir}.run(log)
}

// TestRefusalThatIsUndone: a drop-in that sorts after rdgen's resets what the unit fails by.
// That was the error which rdgen reported, and the unit started in the default domain.
func TestRefusalThatIsUndone(t *testing.T) {
	for site, hard := range map[string]bool{
		"[Service]\nExecStartPre=\n": true, "[Service]\nExecStartPre=/bin/true\n": false, "[Service]\nPrivateNetwork=yes\n": false,
		"[Service]\nExecStartPre=\nSuccessExitStatus=255\n": true, "[Service]\nPrivateNetwork=yes\nExecStop=\n": false,
		"[Service]\nPrivateNetwork=yes\nExecStopPost=/bin/d\n": true, "[Service]\nPrivateNetwork=yes\nExecCondition=/bin/c\n": true,
		"[Service]\nPrivateNetwork=yes\nExecStop=/bin/d\n": true, "[Service]\nPrivateNetwork=yes\nExecReload=/bin/d\n": true,
	} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "lib/systemd/system/foo.service", daemonUnit, "lib/systemd/system/foo.socket", socketUnit, "etc/conf.d/foo", "netns=q\n",
			"etc/systemd/system/foo.service.d/zz-site.conf", site)
		var log bytes.Buffer
		if code := runGenerator(root, out, &log); code != exitHeld {
			t.Errorf("exit %d; want %d\n%s", code, exitHeld, &log)
		}
		made := contents(t, out)
		service, socket := made["foo.service.d/zz-rdomain.conf"], made["foo.socket.d/zz-rdomain.conf"]
		if got := strings.Contains(service, "\nRequires=rdgen-refuses.service\n"); got != hard || !strings.Contains(service, "exit 255") {
			t.Errorf("%q: the dependency is there: %v; want %v\n%s", site, got, hard, service)
		}
		if strings.Contains(socket, "Requires=") || !strings.Contains(socket, "exit 255") {
			t.Errorf("%q: of the socket nothing is undone, so it has to say why:\n%s", site, socket)
		}
		// systemd runs what stops a unit after a start that failed as well, and while it runs.
		for _, reset := range []string{"\nExecCondition=\n", "\nExecReload=\n", "\nExecStop=\n", "\nExecStopPost=\n"} {
			if !strings.Contains(service, reset) {
				t.Errorf("%q: %q of the unit's own would run outside", site, strings.TrimSpace(reset))
			}
		}
		for _, reset := range []string{"\nExecStopPre=\n", "\nExecStopPost=\n"} {
			if !strings.Contains(socket, reset) {
				t.Errorf("%q: %q of the socket's own would run outside", site, strings.TrimSpace(reset))
			}
		}
	}
}

// TestStaticAndGeneratedAreTheSame: where rdgen's own files are in /etc, the
// generator has nothing to say about them.
func TestStaticAndGeneratedAreTheSame(t *testing.T) {
	root, out := daemons(t, 3), t.TempDir()
	if code := run([]string{"systemd", "--all", "--root", root, "-o", root}, &bytes.Buffer{}, os.Stderr); code != 0 {
		t.Fatal("rdgen systemd --all fails")
	}
	var log bytes.Buffer
	if code := runGenerator(root, out, &log); code != 0 || log.Len() > 0 {
		t.Errorf("exit %d, and it logs:\n%s", code, &log)
	}
	made := contents(t, out)
	for name, text := range made {
		static, err := os.ReadFile(filepath.Join(root, "etc/systemd/system", name))
		if err != nil || !bytes.Equal(generators.Settings(static), generators.Settings([]byte(text))) {
			t.Errorf("%s is not what rdgen systemd -o makes: %v", name, err)
		}
	}
	// The unit is edited, the files are not made again: its new command was taken away.
	const unit, dropIn = "lib/systemd/system/d2.service", "d2.service.d/zz-rdomain.conf"
	write(t, root, unit, "[Service]\nExecStartPre=/bin/new\nExecStart=/usr/sbin/d2\n")
	early := filepath.Join(root, "run/systemd/generator.early")
	for range 2 { // with what the first pass has made
		log.Reset()
		code := generatorRun{root: root, dir: out, early: early, pass: last}.run(&log)
		if got := contents(t, early); code != 0 || len(got) != 1 || !strings.Contains(got[dropIn], "--look -n blue\nExecStartPre=/bin/new\n") {
			t.Errorf("after an edit of the unit: exit %d, and what wins over /etc is %q", code, got)
		}
		generatorRun{root: root, dir: out, early: early, pass: first}.run(&log)
		if got := "rdgen: warning: /etc/systemd/system/" + dropIn + " is not what rdgen makes of d2.service today"; !strings.Contains(log.String(), got) {
			t.Errorf("after an edit of the unit it logs\n%s", &log)
		}
	}
	// Nor does the check mind what is there for systemd, only what is behind.
	var found bytes.Buffer
	run([]string{"check", "--root", root}, &found, &found)
	if got := found.String(); strings.Contains(got, "generator.early") || !strings.Contains(got, "d2 would not run in netns blue under systemd: its files are missing or not up to date") {
		t.Errorf("after an edit of the unit, check says\n%s", got)
	}
	// What somebody edited is left to hold.
	edited := filepath.Join(root, "etc/systemd/system", dropIn)
	text, err := os.ReadFile(edited)
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, "etc/systemd/system/"+dropIn, string(text)+"Nice=5\n")
	os.RemoveAll(early)
	log.Reset()
	if code := (generatorRun{root: root, dir: out, early: early}).run(&log); code != 0 || !strings.Contains(log.String(), "d2.service.d/zz-rdomain.conf wins over") {
		t.Errorf("what is edited: exit %d\n%s", code, &log)
	}
	if _, err := os.Stat(filepath.Join(early, dropIn)); err == nil {
		t.Error("what is edited does not win")
	}
	write(t, root, "etc/systemd/system/"+dropIn, string(text), unit, daemonUnit)
	log.Reset()
	// The domain is edited, the files are not made again: the unit would be in the earlier one.
	write(t, root, "etc/conf.d/d1", "netns=red\n")
	code := runGenerator(root, out, &log)
	if got := log.String(); code != exitHeld || strings.Count(got, "\n") != 2 || !strings.Contains(got, "/etc/systemd/system/d1.service.d/zz-rdomain.conf: systemd reads this for d1.service") {
		t.Errorf("after an edit: exit %d, and it logs:\n%s", code, got)
	}
	if got := contents(t, out)["d1.service.d/zzz-rdomain.conf"]; !strings.Contains(got, "exit 255") {
		t.Errorf("after an edit, the unit is not refused: %q", got)
	}
}

// TestShadowed: a file of the generator's name that systemd reads in its place. The unit
// ran where that file says, or nowhere special.
func TestShadowed(t *testing.T) {
	const dropIn, look = "zz-rdomain.conf", "[Service]\nExecStartPre=+/usr/sbin/rdexec --look -n "
	for place, c := range map[string]struct {
		text string
		held bool
	}{
		"etc/systemd/system/foo-bar@.service.d":           {"# Made by rdgen\n" + look + "q\n", true},
		"etc/systemd/system/foo-.service.d":               {look + "q\n", true},
		"etc/systemd/system.control/foo-bar@x.service.d":  {"", true},
		"run/systemd/system/foo-bar@x.service.d":          {"[Service]\n", true},
		"run/systemd/transient/foo-bar@.service.d":        {"[Service]\n", true},
		"run/systemd/generator.early/foo-bar@.service.d":  {"[Service]\n", false}, // made at the same time: not known
		"etc/systemd/system/foo-bar@.socket.d":            {"[Service]\n", false},
		"etc/systemd/system/foo-bar@y.service.d":          {"[Service]\n", false},
		"usr/lib/systemd/system/foo-bar@x.service.d":      {"[Service]\n", false},
		"etc/systemd/system/service.d":                    {"[Service]\n", false},
		"run/systemd/system.attached/foo-bar@.service.d":  {look + "p\n", false}, // it holds, too
		"etc/systemd/system.attached/foo-bar@x.service.d": {look + "pp\n", true},
	} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "usr/lib/systemd/system/foo-bar@.service", daemonUnit, "usr/lib/systemd/system-generators/rdgen", "",
			"etc/conf.d/foo-bar@x", "netns=p\n", "etc/systemd/system/.keep", "", place+"/"+dropIn, c.text)
		var log bytes.Buffer
		code := runGenerator(root, out, &log)
		refusal := contents(t, out)["foo-bar@x.service.d/zzz-rdomain.conf"]
		if held := code == exitHeld && strings.Contains(refusal, "exit 255"); held != c.held {
			t.Errorf("%s: exit %d, refused with %q; want that it is: %v\n%s", place, code, refusal, c.held, &log)
		}
		if said := strings.Contains(log.String(), "error: /"+place+"/"+dropIn+": systemd reads this for foo-bar@x.service"); said != c.held {
			t.Errorf("%s: it logs\n%s", place, &log)
		}
		var found bytes.Buffer
		run([]string{"check", "--root", root}, &found, &found)
		if said := strings.Contains(found.String(), "error: /"+place+"/"+dropIn+": systemd reads this"); c.held && !said {
			t.Errorf("%s: check says\n%s", place, &found)
		}
	}
	// What systemd passes over, and hides rdgen's by its name.
	for kind, put := range map[string]func(file string) error{
		"a link to nowhere": func(file string) error { return os.Symlink("/nope", file) },
		"a folder":          func(file string) error { return os.Mkdir(file, 0o755) },
	} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "usr/lib/systemd/system/foo.service", daemonUnit, "etc/conf.d/foo", "netns=p\n", "etc/systemd/system/foo.service.d/a.conf", "")
		if err := put(filepath.Join(root, "etc/systemd/system/foo.service.d", dropIn)); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		code := runGenerator(root, out, &log)
		if got := contents(t, out)["foo.service.d/zzz-rdomain.conf"]; code != exitHeld || !strings.Contains(got, "exit 255") {
			t.Errorf("%s: exit %d, refused with %q\n%s", kind, code, got, &log)
		}
	}
	// Somebody has a file of the second name, too.
	root, out := t.TempDir(), t.TempDir()
	write(t, root, "usr/lib/systemd/system/foo.service", daemonUnit, "etc/conf.d/foo", "netns=$(x)\n",
		"run/systemd/system/foo.service.d/zz-rdomain.conf", "[Service]\n", "run/systemd/system/foo.service.d/zzz-rdomain.conf", "[Unit]\n")
	runGenerator(root, out, &bytes.Buffer{})
	if got := contents(t, out)["foo.service.d/zzzz-rdomain.conf"]; !strings.Contains(got, "exit 255") {
		t.Errorf("with both names taken, the unit is not refused: %q", got)
	}
}

// TestOneUnitTwoDomains: it is not known which is meant, so the unit is in neither.
func TestOneUnitTwoDomains(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	write(t, root, "lib/systemd/system/ssh.service", daemonUnit, "etc/systemd/system/.keep", "",
		"etc/conf.d/ssh", "netns=blue\n", "etc/conf.d/sshd", "netns=red\n")
	if err := os.Symlink("/lib/systemd/system/ssh.service", filepath.Join(root, "etc/systemd/system/sshd.service")); err != nil {
		t.Fatal(err)
	}
	if code := runGenerator(root, out, &bytes.Buffer{}); code != exitHeld {
		t.Errorf("exit %d; want %d", code, exitHeld)
	}
	if got := contents(t, out)["ssh.service.d/zz-rdomain.conf"]; !strings.Contains(got, "exit 255") || strings.Contains(got, "NetworkNamespacePath") {
		t.Errorf("ssh.service is not disabled:\n%s", got)
	}
}

// TestOneUnitTwoSockets: of two files for one unit only one lets its socket stay outside.
// The socket was inside, and nobody was told.
func TestOneUnitTwoSockets(t *testing.T) {
	for _, files := range [][]string{{"ssh", "sshd"}, {"sshd", "ssh"}} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "lib/systemd/system/ssh.service", daemonUnit, "lib/systemd/system/ssh.socket", socketUnit,
			"etc/systemd/system/.keep", "", "etc/conf.d/"+files[0], "netns=blue\n", "etc/conf.d/"+files[1], "netns=blue\nsocket_domain=default\n")
		if err := os.Symlink("/lib/systemd/system/ssh.service", filepath.Join(root, "etc/systemd/system/sshd.service")); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		if code := runGenerator(root, out, &log); code != exitHeld || !strings.Contains(log.String(), "/etc/conf.d/"+files[0]+":1") || !strings.Contains(log.String(), "/etc/conf.d/"+files[1]+":2") {
			t.Errorf("exit %d, and it logs:\n%s", code, &log)
		}
		made := contents(t, out)
		for _, unit := range []string{"ssh.service", "ssh.socket"} {
			if got := made[unit+".d/zz-rdomain.conf"]; !strings.Contains(got, "exit 255") || strings.Contains(got, "NetworkNamespacePath") {
				t.Errorf("%s: %s is not disabled:\n%s", files, unit, got)
			}
		}
	}
}

// TestOneUnitTwoNames: two names of one unit that say the same are no conflict.
// They were one, and who had written ssh and sshd was locked out by the next boot.
func TestOneUnitTwoNames(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	write(t, root, "lib/systemd/system/ssh.service", daemonUnit, "etc/systemd/system/.keep", "",
		"etc/conf.d/ssh", "netns=blue\n", "etc/conf.d/sshd", "netns=blue\n")
	if err := os.Symlink("/lib/systemd/system/ssh.service", filepath.Join(root, "etc/systemd/system/sshd.service")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if code := runGenerator(root, out, &log); code != 0 || log.Len() > 0 {
		t.Errorf("exit %d, and it logs:\n%s", code, &log)
	}
	if got := contents(t, out)["ssh.service.d/zz-rdomain.conf"]; !strings.Contains(got, "NetworkNamespacePath=/run/netns/blue") {
		t.Errorf("ssh.service is not in its domain:\n%s", got)
	}
}

func TestGeneratorDoesNothingForUsersAndTheInitrd(t *testing.T) {
	for key, c := range map[string]struct {
		code int
		log  string
	}{
		"SYSTEMD_SCOPE=user":  {1, "rdgen: error: systemd --user: a user's services cannot be put into a domain: only root may enter one\nrdgen: hint: make it a system service with User=\n"},
		"SYSTEMD_IN_INITRD=1": {0, ""},
	} {
		out := t.TempDir()
		var log bytes.Buffer
		name, value, _ := strings.Cut(key, "=")
		code := generator([]string{out}, func(k string) string { return map[string]string{name: value}[k] }, &log)
		if code != c.code || log.String() != c.log || len(contents(t, out)) > 0 {
			t.Errorf("with %s: exit %d, log %q, files %v; want %d, %q and none", key, code, &log, contents(t, out), c.code, c.log)
		}
	}
}

// records collects what is written, one write a record.
type records []string

func (r *records) Write(p []byte) (int, error) { *r = append(*r, string(p)); return len(p), nil }

// TestJSONIsDocumented: each field that is printed is in the page of its verb.
func TestJSONIsDocumented(t *testing.T) {
	for verb, values := range map[string][]any{"list": {entry{}, supervisor{}, domain.Domain{}}, "check": {problem.Error{}, problem.Pos{}}} {
		cmd, _, err := rootCommand().Find([]string{verb})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			for field := range reflect.TypeOf(v).Fields() {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "" || name == "-" {
					continue // of the type that it embeds
				}
				if !regexp.MustCompile(`\b` + name + `\b`).MatchString(cmd.Annotations["json"]) {
					t.Errorf("rdgen %s --json has %q, and the page does not", verb, name)
				}
			}
		}
	}
}

func TestKmsg(t *testing.T) {
	var r records
	text := "rdgen: error: a\nrdgen: warning: b\nrdgen: hint: " + strings.Repeat("x", 1000) + "\n"
	if n, err := (kmsg{&r}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	want := records{"<3>rdgen: error: a\n", "<4>rdgen: warning: b\n", "<3>rdgen: hint: " + strings.Repeat("x", 887) + "...\n"}
	if d := cmp.Diff(want, r); d != "" {
		t.Errorf("records (-want +got):\n%s", d)
	}
}
