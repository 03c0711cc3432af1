package openrc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rdgen/test/need"
)

// harness sources ./conf in a function, as openrc-run.sh does, and prints the
// variables named by its arguments. Nothing that a fuzzer thinks of may do harm: no file can be
// written, no program found, and few processes made.
const harness = `
ulimit -f 0; ulimit -t 2; ulimit -p 60 2>/dev/null || ulimit -u 60; ulimit -v 400000
sourcex()
{
	. "$1"
}
sourcex ./conf
for rdgen_name; do
	eval "printf '\036%s=%s:%s\\000' \"\$rdgen_name\" \"\${$rdgen_name+set}\" \"\${$rdgen_name-}\""
done
printf 'end\000'
`

// realShells are the shells that run conf.d on real systems, or the one in RDGEN_SHELL:
// Alpine's, which test/native has, matches patterns by another C library.
func realShells(t testing.TB) [][]string {
	if shell := os.Getenv("RDGEN_SHELL"); shell != "" {
		return [][]string{strings.Fields(shell)}
	}
	tools := need.Tools(t, need.Sh, "dash", "busybox")
	return [][]string{{tools[0]}, {tools[1], "sh"}}
}

// ask sources text in a real shell and returns the variables asked for that
// are set afterwards. ended is true if the shell gave up before the end of text.
func ask(t testing.TB, shell []string, text []byte, names []string) (values map[string]string, ended bool) {
	t.Helper()
	dir := folderForAll(t)
	if err := os.WriteFile(filepath.Join(dir, "conf"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	// A text that never ends ends here; that is not a measurement.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args := slices.Concat(shell[1:], []string{"-c", harness, "openrc-run.sh"}, names)
	cmd := exec.CommandContext(ctx, shell[0], args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/nonexistent", "RC_SVCNAME=svc", "SVCNAME=svc"}
	cmd.SysProcAttr = asNobody()
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if _, exited := err.(*exec.ExitError); !exited {
			t.Fatalf("%v: %v", shell, err)
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("%v does not come to the end of %q", shell, text)
	}
	records := strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00")
	if records[len(records)-1] != "end" {
		return nil, true
	}
	values = map[string]string{}
	first := max(0, len(records)-1-len(names)) // what comes before, the file printed
	for i, r := range records[first : len(records)-1] {
		at := strings.Index(r, "\x1e"+names[i]+"=")
		if at < 0 {
			t.Fatalf("%v printed %q", shell, out.String())
		}
		state, value, _ := strings.Cut(r[at+len(names[i])+2:], ":")
		if state == "set" {
			values[names[i]] = value
		}
	}
	return values, false
}

// folderForAll returns a folder that any user may read.
func folderForAll(t testing.TB) string {
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			break
		}
	}
	return dir
}

// asNobody is for a shell that reads what chance has made, such as "> /x": of another user, with
// processes and a network of its own, where this is root.
func asNobody() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if wholeRoot() {
		attr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		attr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET
	}
	return attr
}

// wholeRoot reports whether this is root with other users to become.
func wholeRoot() bool {
	var inside, outside, count int
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	fmt.Sscan(string(text), &inside, &outside, &count)
	return os.Geteuid() == 0 && count > 65534
}
