package compile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/need"
)

// broken is a corpus of source directories, one for each thing that
// s6-rc-compile minds, and for some that it does not. "PATH=text" is a file; a text
// of "/" makes a directory, and "->X" a symbolic link to X. SRC is the folder.
var broken = []struct {
	name  string
	files []string
	exit  int
	msg   string // the first message; or of a warning, with exit 0
}{
	{"good", []string{"a/type=oneshot\n", "a/up=true\n", "b/type=longrun\n", "b/run=#!/bin/sh\n", "b/dependencies.d/a="}, 0, ""},
	{"type without a newline", []string{"a/type=bundle", "a/contents.d=/"}, 0, ""},
	{"empty up", []string{"a/type=oneshot\n", "a/up=# nothing\n"}, 0, ""},
	{"name with spaces, at and dot", []string{"a b@c.d/type=bundle\n", "a b@c.d/contents="}, 0, ""},
	{"entries with a dot are skipped", []string{".x/type=nonsense\n", "a/type=bundle\n", "a/contents.d/.y=", "a/contents.d/b=", "b/type=oneshot\n", "b/up="}, 0, ""},
	{"a plain file among them", []string{"README=x", "a/type=bundle\n", "a/contents="}, 0, ""},
	{"a bundle's dependencies are ignored", []string{"a/type=bundle\n", "a/contents=", "a/dependencies.d/zzz="}, 0, ""},
	{"dependencies.d wins", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d=/", "a/dependencies=zzz\n"}, 0, ""},
	{"comments in dependencies", []string{"a/type=oneshot\n", "a/up=", "a/dependencies=# zzz\n\n \tb\n", "b/type=bundle\n", "b/contents="}, 0, ""},
	{"link to a directory", []string{"real/type=oneshot\n", "real/up="}, 0, ""},
	{"newlines after a timeout", []string{"a/type=oneshot\n", "a/up=", "a/timeout-up=10\n\n"}, 0, ""},
	{"funnel", []string{"a/type=longrun\n", "a/run=", "a/producer-for=c\n", "b/type=longrun\n", "b/run=", "b/producer-for=c\n",
		"c/type=longrun\n", "c/run=", "c/consumer-for=a\nb\n", "c/pipeline-name=p\n"}, 0, ""},

	{"no type", []string{"a/up=x\n"}, 111, "unable to read SRC/a/type: No such file or directory"},
	{"type is a directory", []string{"a/type=/"}, 111, "unable to read SRC/a/type: Is a directory"},
	{"bad type", []string{"a/type=longrum\n"}, 1, "invalid SRC/a/type: must be oneshot, longrun, or bundle"},
	{"space after the type", []string{"a/type=bundle \n"}, 1, "invalid SRC/a/type: must be oneshot, longrun, or bundle"},
	{"carriage return after the type", []string{"a/type=bundle\r\n"}, 1, "invalid SRC/a/type: must be oneshot, longrun, or bundle"},
	{"reserved name", []string{"s6rc-x/type=bundle\n"}, 1, "in SRC: identifier s6rc-x starts with reserved prefix"},
	{"reserved name of a file", []string{"s6-rc-x="}, 1, "in SRC: identifier s6-rc-x starts with reserved prefix"},
	{"reserved dependency", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d/s6rc-fdholder="}, 1, "in a: identifier s6rc-fdholder starts with reserved prefix"},
	{"newline in a name", []string{"a\nb/type=bundle\n"}, 1, "subdirectory of SRC contains a newline character"},
	{"dangling link", []string{"a=->nothing"}, 111, "unable to stat SRC/a: No such file or directory"},
	{"unknown dependency", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d/zzz="}, 1, "during dependency resolution for service a: undefined service name zzz"},
	{"space after a dependency", []string{"a/type=oneshot\n", "a/up=", "a/dependencies=b \n", "b/type=bundle\n", "b/contents="}, 1, "during dependency resolution for service a: undefined service name b "},
	{"cycle", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d/b=", "b/type=oneshot\n", "b/up=", "b/dependencies.d/a="}, 1, "cyclic service dependency reached from b and involving b"},
	{"cycle with a tail", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d/b=", "b/type=longrun\n", "b/run=", "b/dependencies.d/a=",
		"c/type=oneshot\n", "c/up=", "c/dependencies.d/a="}, 1, "cyclic service dependency reached from c and involving a"},
	{"itself", []string{"a/type=longrun\n", "a/run=", "a/dependencies=a\n"}, 1, "cyclic service dependency reached from a and involving a"},
	{"cycle through a bundle", []string{"a/type=oneshot\n", "a/up=", "a/dependencies.d/b=", "b/type=bundle\n", "b/contents.d/a="}, 1, "cyclic service dependency reached from a and involving a"},
	{"bundle cycle", []string{"a/type=bundle\n", "a/contents.d/b=", "b/type=bundle\n", "b/contents=a\n"}, 1, "cyclic bundle definition: resolution of a encountered a cycle involving a"},
	{"unknown member", []string{"b/type=bundle\n", "b/contents.d/zz="}, 1, "during resolution of bundle b: undefined service name zz"},
	{"bundle without contents", []string{"a/type=bundle\n"}, 111, "unable to open SRC/a/contents: No such file or directory"},
	{"contents.d is a file", []string{"a/type=bundle\n", "a/contents.d="}, 111, "unable to opendir SRC/a/contents.d: Not a directory"},
	{"no up", []string{"a/type=oneshot\n"}, 111, "unable to open SRC/a/up: No such file or directory"},
	{"up is a directory", []string{"a/type=oneshot\n", "a/up=/"}, 111, "unable to parse SRC/a/up: Is a directory"},
	{"open block in up", []string{"a/type=oneshot\n", "a/up=if { true\n"}, 1, "syntax error in SRC/a/up: unmatched {"},
	{"closed block in down", []string{"a/type=oneshot\n", "a/up=", "a/down=true }\n"}, 1, "syntax error in SRC/a/down: unmatched }"},
	{"open quote in reload", []string{"a/type=oneshot\n", "a/up=", "a/reload=echo \"x\n"}, 1, "syntax error in SRC/a/reload"},
	{"bad escape in up", []string{"a/type=oneshot\n", "a/up=echo \"\\999\"\n"}, 1, "syntax error in SRC/a/up"},
	{"timeout with a unit", []string{"a/type=oneshot\n", "a/up=", "a/timeout-up=10s\n"}, 1, "invalid SRC/a/timeout-up"},
	{"timeout with a space before", []string{"a/type=oneshot\n", "a/up=", "a/timeout-down= 10\n"}, 1, "invalid SRC/a/timeout-down"},
	{"timeout with a space after", []string{"a/type=longrun\n", "a/run=", "a/timeout-up=10 \n"}, 1, "invalid SRC/a/timeout-up"},
	{"timeout that is too long", []string{"a/type=oneshot\n", "a/up=", "a/timeout-up=4294967296\n"}, 1, "invalid SRC/a/timeout-up"},
	{"empty timeout", []string{"a/type=oneshot\n", "a/up=", "a/timeout-up="}, 1, "invalid SRC/a/timeout-up"},
	{"no run", []string{"a/type=longrun\n"}, 1, "unable to find a run script in SRC/a/run"},
	{"run is a directory", []string{"a/type=longrun\n", "a/run=/"}, 1, "SRC/a/run is not a regular file"},
	{"producer alone", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\n", "b/type=longrun\n", "b/run="}, 1, "longrun service a declares being a producer for a service named b that does not declare it back"},
	{"producer for a oneshot", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\n", "b/type=oneshot\n", "b/up="}, 1, "longrun service a declares being a producer for a service named b of type oneshot"},
	{"producer for nothing", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\n"}, 1, "longrun service a declares being a producer for a service named b of type unknown"},
	{"producer for two", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\nc\n"}, 1, "SRC/a/producer-for should only contain one service name"},
	{"consumer of a oneshot", []string{"a/type=oneshot\n", "a/up=", "b/type=longrun\n", "b/run=", "b/consumer-for=a\n"}, 1, "longrun service b declares being the consumer for a service named a of type oneshot"},
	{"two pipeline names", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\n", "b/type=longrun\n", "b/run=", "b/consumer-for=a\n", "b/pipeline-name=p\nq\n"}, 1, "SRC/b/pipeline-name should only contain one name"},
	{"pipeline called as a service", []string{"a/type=longrun\n", "a/run=", "a/producer-for=b\n", "b/type=longrun\n", "b/run=", "b/consumer-for=a\n", "b/pipeline-name=a\n"}, 1,
		"duplicate service definition: a defined in s6-rc-compile internals is already defined and has type longrun"},
	{"pipeline name of no consumer", []string{"a/type=longrun\n", "a/run=", "a/pipeline-name=p\n"}, 0, "SRC/a contains a pipeline-name file despite not being a last consumer; this file will be ignored"},
	{"equal descriptors", []string{"a/type=longrun\n", "a/run=", "a/notification-fd=3\n", "a/lock-fd=3\n"}, 1, "longrun a has the same value for notification-fd and lock-fd"},
	{"low descriptor", []string{"a/type=longrun\n", "a/run=", "a/notification-fd=1\n"}, 0, "longrun a has a notification-fd of 1"},
	{"low lock descriptor", []string{"a/type=longrun\n", "a/run=", "a/lock-fd=2\n"}, 0, "longrun a has a lock-fd of 2"},
	{"notification-fd is a word", []string{"a/type=longrun\n", "a/run=", "a/notification-fd=three\n"}, 111, "unable to read SRC/a/notification-fd: Invalid argument"},
	{"max-death-tally is a word", []string{"a/type=longrun\n", "a/run=", "a/max-death-tally=x\n"}, 111, "unable to read SRC/a/max-death-tally: Invalid argument"},
	{"timeout-kill has a unit", []string{"a/type=longrun\n", "a/run=", "a/timeout-kill=5s\n"}, 111, "unable to read SRC/a/timeout-kill: Invalid argument"},
	{"timeout-finish is negative", []string{"a/type=longrun\n", "a/run=", "a/timeout-finish=-1\n"}, 111, "unable to read SRC/a/timeout-finish: Invalid argument"},
	{"data is a file", []string{"a/type=longrun\n", "a/run=", "a/data=x"}, 1, "SRC/a/data is not a directory"},
	{"env is a file", []string{"a/type=longrun\n", "a/run=", "a/env=x"}, 1, "SRC/a/env is not a directory"},
	{"template is a file", []string{"a/type=longrun\n", "a/run=", "a/template=x"}, 1, "SRC/a/template is not a directory"},
	{"empty folder", nil, 0, "source SRC is empty"},
}

// source writes one case of the corpus into a folder.
func source(t *testing.T, dir string, files []string) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(dir, 0o755))
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		name = filepath.Join(dir, name)
		must(os.MkdirAll(filepath.Dir(name), 0o755))
		target, link := strings.CutPrefix(text, "->")
		switch {
		case text == "/":
			must(os.MkdirAll(name, 0o755))
		case link:
			must(os.Symlink(target, name))
		default:
			must(os.WriteFile(name, []byte(text), 0o755))
		}
	}
}

// first returns what s6-rc-compile would end with, or its first warning.
func first(problems []Problem) (exit int, msg string) {
	for _, p := range problems {
		if p.Exit != 0 {
			return p.Exit, p.Msg
		}
	}
	for _, p := range problems {
		if !p.Silent {
			return 0, p.Msg
		}
	}
	return 0, ""
}

func TestCheck(t *testing.T) {
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			source(t, dir+"/SRC", c.files)
			exit, msg := first(Check(os.DirFS(dir), "SRC"))
			if exit != c.exit || msg != c.msg {
				t.Errorf("Check = %d %q; want %d %q", exit, msg, c.exit, c.msg)
			}
		})
	}
}

func TestCheckSeveralFolders(t *testing.T) {
	dir := t.TempDir()
	source(t, dir+"/n1", []string{"a/type=longrun\n", "a/run="})
	source(t, dir+"/n2", []string{"a/type=oneshot\n", "a/up=", "b/type=oneshot\n", "b/up=", "b/dependencies.d/a="})
	exit, msg := first(Check(os.DirFS(dir), "n1", "n2"))
	if want := "duplicate service definition: a defined in n2 is already defined and has type longrun"; exit != 1 || msg != want {
		t.Errorf("Check = %d %q; want 1 %q", exit, msg, want)
	}
	if exit, msg := first(Check(os.DirFS(dir), "n3")); exit != 111 || msg != "unable to opendir n3: No such file or directory" {
		t.Errorf("Check of a folder that is not there = %d %q", exit, msg)
	}
}

// TestCheckSaysWhatIsLeftOut: what s6-rc-compile drops without a word.
func TestCheckSaysWhatIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	source(t, dir+"/SRC", []string{"a/type=longrun\n", "a/run=", "a/dependecies.d/b=", "a/down=", "a/log/run=", "a/dependencies.d=/", "a/dependencies=x\n",
		"a/down-signal=SIGFOO\n", "a/data=->nothing", "o/type=oneshot\n", "o/up=", "o/finish="})
	var got []string
	for _, p := range Check(os.DirFS(dir), "SRC") {
		if p.Exit != 0 || !p.Silent {
			t.Errorf("%s: exit %d, %s; want nothing but silence", p.File, p.Exit, p.Msg)
		}
		got = append(got, strings.TrimPrefix(p.File, "SRC/"))
	}
	want := "a/dependencies a/data a/down-signal a/dependecies.d a/down a/log o/finish"
	if strings.Join(got, " ") != want {
		t.Errorf("silently left out: %s; want %s", strings.Join(got, " "), want)
	}
}

// TestCheckAgreesWithCompile lets the real s6-rc-compile judge the corpus.
func TestCheckAgreesWithCompile(t *testing.T) {
	compile := need.Tools(t, need.S6RC, "s6-rc-compile")[0]
	for _, c := range broken {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			source(t, dir+"/SRC", c.files)
			exit, msg := compiled(t, compile, dir, "SRC")
			if exit != c.exit || msg != c.msg {
				t.Errorf("s6-rc-compile = %d %q; want %d %q", exit, msg, c.exit, c.msg)
			}
		})
	}
}

// compiled runs s6-rc-compile in dir, and returns its exit code and its first message.
func compiled(t *testing.T, compile, dir string, folders ...string) (exit int, msg string) {
	t.Helper()
	cmd := exec.Command(compile, append([]string{t.TempDir() + "/compiled"}, folders...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	text, _ := strings.CutPrefix(stderr.String(), "s6-rc-compile: ")
	for _, level := range []string{"fatal: ", "warning: "} {
		text = strings.TrimPrefix(text, level)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSuffix(text, "\n")
}
