package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratorOthers: what other generators made is read once they have ended: a unit that
// conf.d names, one that is PartOf= such a unit, and a first command for one. The second
// of these started outside. As long as they run, what conf.d names is held.
func TestGeneratorOthers(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	write(t, root, "lib/systemd/system/rdomain@.service", "[Service]\n", "lib/systemd/system/foo.service", daemonUnit,
		"etc/conf.d/foo", "netns=q\n", "etc/conf.d/made", "netns=q\n", "etc/conf.d/nick", "netns=q\n", "etc/conf.d/bad", "netns=$(x)\n",
		"etc/conf.d/none", "netns=q\n", "lib/systemd/system/bad.service", daemonUnit, "lib/systemd/system/real.service", daemonUnit,
		"run/systemd/generator/made.service", daemonUnit,
		"run/systemd/generator/comp.service", "[Unit]\nPartOf=foo.service\n"+daemonUnit,
		"run/systemd/generator/foo.service.d/more.conf", "[Service]\nExecStartPre=/bin/more\n")
	if err := os.Symlink("../../../lib/systemd/system/real.service", filepath.Join(root, "run/systemd/generator/nick.service")); err != nil {
		t.Fatal(err)
	}
	enters := func(unit string) bool {
		return strings.Contains(contents(t, out)[unit+".d/zz-rdomain.conf"], "NetworkNamespacePath=/run/netns/q\n")
	}
	refused := func(unit string) bool {
		return strings.Contains(contents(t, out)[unit+".d/zz-rdomain.conf"], "exit 255")
	}
	var log bytes.Buffer
	code := generatorRun{root: root, dir: out, early: out, pass: first}.run(&log)
	if code != exitHeld || !enters("foo.service") || !refused("made.service") || !refused("nick.service") || !refused("bad.service") {
		t.Errorf("while others run: exit %d, made %v", code, contents(t, out))
	}
	if said := log.String(); !strings.Contains(said, "/etc/conf.d/bad:1: ") || strings.Contains(said, "there is no") {
		t.Errorf("while others run it logs\n%s", said)
	}
	log.Reset()
	code = generatorRun{root: root, dir: out, early: out, pass: last}.run(&log)
	for _, unit := range []string{"foo.service", "made.service", "comp.service", "real.service"} {
		if !enters(unit) {
			t.Errorf("%s is not in its domain", unit)
		}
	}
	made := contents(t, out)
	if _, left := made["nick.service.d/zz-rdomain.conf"]; left || code != exitHeld || !refused("bad.service") || !refused("none.service") {
		t.Errorf("at the end: exit %d, made %v", code, made)
	}
	if !strings.Contains(made["foo.service.d/zz-rdomain.conf"], "ExecStartPre=/bin/more\n") {
		t.Errorf("foo.service has\n%s", made["foo.service.d/zz-rdomain.conf"])
	}
	if said := log.String(); strings.Contains(said, "/etc/conf.d/bad:1: ") || strings.Count(said, "there is no") != 1 || !strings.Contains(said, "there is no none.service") {
		t.Errorf("at the end it logs\n%s", said)
	}
	// Where that one was not read, check says so; and that it is once it was.
	root = t.TempDir()
	write(t, root, "usr/lib/systemd/system-generators/rdgen", "", "lib/systemd/system/rdomain@.service", "[Service]\n",
		"lib/systemd/system/foo.service", daemonUnit, "etc/conf.d/foo", "netns=q\n", "etc/systemd/system/.keep", "",
		"run/systemd/generator/comp.service", "[Unit]\nPartOf=foo.service\n"+daemonUnit)
	for _, held := range []bool{false, true} {
		if held {
			generatorRun{root: root, dir: filepath.Join(root, "run/systemd/generator"), early: t.TempDir(), pass: last}.run(&bytes.Buffer{})
		}
		var said bytes.Buffer
		code := run([]string{"check", "--root", root}, &said, &said)
		if got := strings.Contains(said.String(), "comp.service is not held in netns q: another generator of systemd makes it"); got == held || (code == 0) != held {
			t.Errorf("held: %v; check says, with exit %d:\n%s", held, code, &said)
		}
	}
}

// askOthers has the test binary be rdgen that asks whether all others have ended.
const askOthers = "RDGEN_TEST_OTHERS"

// TestOthersEnded: the processes are as systemd has them: one parent of a generator that
// takes its time, and of the shell whose child asks. By hand there is nobody to wait for.
func TestOthersEnded(t *testing.T) {
	if file := os.Getenv(askOthers); file != "" {
		ended := othersEnded(os.Getenv)
		_, err := os.Stat(file)
		fmt.Println("all have ended:", ended, "it is whole:", err == nil)
		return
	}
	for shell, want := range map[string]string{
		"$$": "all have ended: true it is whole: true\n", "$PPID": "all have ended: false it is whole: false\n", "": "all have ended: false it is whole: false\n",
	} {
		whole := filepath.Join(t.TempDir(), "whole")
		ask := "SYSTEMD_EXEC_PID=" + shell + " \"" + os.Args[0] + "\" -test.run=^TestOthersEnded$; :"
		cmd := exec.Command("sh", "-c", "{ seq 1 3000000 >/dev/null; : >'"+whole+"'; } &\nsh -c '"+ask+"' &\nwait")
		cmd.Env = append(os.Environ(), askOthers+"="+whole)
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("SYSTEMD_EXEC_PID=%s: %q, %v; want %q", shell, out, err, want)
		}
	}
}
