package main_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/domain"
	"rdgen/test/need"
)

// What rdexec does is tested with package enter, which starts the real
// program. Here is what it is: which packages it is made of, how big it is,
// what it costs before its first line, and how it talks.
//
// These tests run the go command, so a result may come from the cache of `go
// test` although a source has changed: run them with -count=1.

var update = flag.Bool("update", false, "rewrite deps.golden")

func TestDeps(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	// The list differs a little between machines; this is the one to review.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	slices.Sort(deps)
	for _, banned := range []string{"os", "fmt", "net", "github.com/vishvananda/netlink"} {
		if slices.Contains(deps, banned) {
			t.Errorf("rdexec links %s", banned)
		}
	}
	got := strings.Join(deps, "\n") + "\n"
	const golden = "deps.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the packages of rdexec have changed; if that is meant, run the test with -update\n-golden +now\n%s", diff)
	}
}

// build returns rdexec as it is installed.
func build(t *testing.T) string {
	t.Helper()
	file, err := need.Program("cmd/rdexec")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSize(t *testing.T) {
	st, err := os.Stat(build(t))
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(2_000_000); st.Size() > most {
		t.Errorf("rdexec has %d bytes; want at most %d", st.Size(), most)
	}
}

// TestInit: what a package does in its init is paid for at every start of every
// service. Times vary, bytes do not.
func TestInit(t *testing.T) {
	cmd := exec.Command(build(t), "true")
	cmd.Env = []string{"GODEBUG=inittrace=1", "PATH=/usr/bin:/bin"}
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &trace)
	}
	inits := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes`).FindAllStringSubmatch(trace.String(), -1)
	if len(inits) == 0 {
		t.Fatalf("no init in the trace:\n%s", &trace)
	}
	for _, m := range inits {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		if most := 8192; n > most {
			t.Errorf("init of %s allocates %d bytes; want at most %d", m[1], n, most)
		}
	}
}

func TestMessages(t *testing.T) {
	rdexec := build(t)
	for _, c := range []struct {
		args        []string
		code        int
		out, stderr string
	}{
		{[]string{"--help"}, 0, "usage: " + domain.Usage + "\n", ""},
		{nil, 100, "", "rdexec: fatal: no program given\nrdexec: hint: rdexec --help shows what is possible\n"},
		{[]string{"-n", "", "true"}, 100, "", "rdexec: fatal: option -n is empty; leave the option out if none is meant\nrdexec: hint: rdexec --help shows what is possible\n"},
		{[]string{"/none"}, 127, "", "rdexec: fatal: unable to run /none: no such file or directory\n"},
		{[]string{"/"}, 126, "", "rdexec: fatal: unable to run /: permission denied\n"},
		{[]string{"-n", "rdexec-test-none", "true"}, 111, "",
			"rdexec: fatal: unable to enter netns rdexec-test-none (/run/netns/rdexec-test-none): no such file or directory\n"},
		// A look that fails ends in the one code that systemd never takes for "skip".
		{[]string{"--look", "-n", "rdexec-test-none"}, 255, "",
			"rdexec: fatal: unable to check netns rdexec-test-none (/run/netns/rdexec-test-none): no such file or directory\n"},
		{[]string{"--look"}, 255, "", "rdexec: fatal: option --look takes -n, -v or both, and nothing else\nrdexec: hint: rdexec --help shows what is possible\n"},
		{[]string{"--", "echo", "-n", "a  b"}, 0, "a  b", ""},
	} {
		cmd := exec.Command(rdexec, c.args...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != c.code || out.String() != c.out || errs.String() != c.stderr {
			t.Errorf("rdexec %q = %d, stdout %q, stderr %q; want %d, %q, %q", c.args, code, &out, &errs, c.code, c.out, c.stderr)
		}
	}
}
