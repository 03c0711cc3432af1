package quit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"rdgen/problem"
)

// TestMain is also the program that begins, for TestQuit and TestFewFiles.
func TestMain(m *testing.M) {
	switch os.Getenv("RDGEN_BEGIN") {
	case "":
		os.Exit(m.Run())
	case "few":
		limit := &syscall.Rlimit{Cur: 8, Max: 8}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, limit); err != nil {
			panic(err)
		}
	}
	err := Begin()
	fmt.Println(err)
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Temporary {
		os.Exit(111)
	}
	select {} // until a signal
}

func begin(t *testing.T, how string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "RDGEN_BEGIN="+how)
	return cmd
}

// Ctrl-\ printed what each goroutine was at, and the program ended with exit code 2, which
// no page has.
func TestQuit(t *testing.T) {
	cmd := begin(t, "yes")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "<nil>\n" {
		t.Errorf("it begins with %q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM || said.String() != "" {
		t.Errorf("it ends with %v, %q; want SIGTERM, in silence", cmd.ProcessState, said.String())
	}
}

// With so few files the runtime ended the program where it opened the first of its own:
// "runtime: eventfd failed with 24", and a trace.
func TestFewFiles(t *testing.T) {
	cmd := begin(t, "few")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 111 || string(out) != "8 files can be open at once; 32 are needed\n" {
		t.Errorf("it ends with %d, %q", code, out)
	}
}
