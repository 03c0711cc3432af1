// Package sandbox runs the tests of a package in a private mount and network
// namespace, with an empty /run, an empty /etc/rdomain, and nothing in the
// network but lo. What a test leaves there dies with it, and tests of other
// packages, and the machine, see nothing of it. Only tests import it.
package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rdgen/test/need"
)

// inside is set in the environment of the process in the sandbox: to "yes", or
// to why there is none.
const inside = "RDGEN_SANDBOX"

// Main is called by TestMain. It runs the test binary again in a sandbox and
// exits with its result. Where no sandbox can be made, the tests run without
// one, and those that need it are skipped by Need.
func Main(m *testing.M) {
	if state := os.Getenv(inside); state == "" {
		os.Exit(again())
	} else if state == "yes" {
		if err := furnish(); err != nil {
			fmt.Fprintln(os.Stderr, "sandbox:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// shard is set in the environment of a test binary that does a part of a walk:
// "2/4" is the third of four.
const shard = "RDGEN_SHARD"

// Walk has the calling test done in parts, side by side, each by a test binary
// of its own in a sandbox of its own. In such a part it returns the steps to do:
// first, first+step, and so on, until there are no more. Elsewhere it returns
// step 0 once all parts have ended, and t has failed if one of them has.
//
// The steps of all parts are each number from 1 on with RDGEN_TEST_ALL, and
// every fourth without.
func Walk(t *testing.T) (first, step int) {
	t.Helper()
	parts, every := runtime.NumCPU(), 4
	if need.All() {
		every = 1
	}
	var part int
	if text := os.Getenv(shard); text != "" {
		if _, err := fmt.Sscanf(text, "%d/%d", &part, &parts); err != nil {
			t.Fatalf("%s=%s: %v", shard, text, err)
		}
		return 1 + part*every, parts * every
	}
	name, _, _ := strings.Cut(t.Name(), "/")
	var all sync.WaitGroup
	for part := range parts {
		all.Go(func() {
			// The child is to die with this process, and the kernel means the thread.
			runtime.LockOSThread()
			cmd := exec.Command("/proc/self/exe", "-test.run=^"+name+"$", "-test.v", "-test.timeout=0")
			cmd.Args[0] = os.Args[0]
			cmd.Env = append(os.Environ(), inside+"=", fmt.Sprintf("%s=%d/%d", shard, part, parts))
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: "+name+" ") {
				t.Errorf("part %d of %d: %v\n%s", part, parts, err, out)
			}
		})
	}
	all.Wait()
	return 0, 0
}

// Need skips the test unless it runs in the sandbox.
func Need(t testing.TB) {
	t.Helper()
	if state := os.Getenv(inside); state != "yes" {
		need.Missing(t, need.Root, "no private namespaces: "+state+"; run it as root or under unshare -Urnm")
	}
}

func again() int {
	// The child is to die with this process, and the kernel means the thread.
	runtime.LockOSThread()
	start := func(state string, flags uintptr) (*exec.Cmd, error) {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), inside+"="+state)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
		return cmd, cmd.Start()
	}
	cmd, err := start("yes", unix.CLONE_NEWNS|unix.CLONE_NEWNET)
	if err != nil {
		cmd, err = start(err.Error(), 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		return 1
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// furnish makes the sandbox what it is, from inside.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	// ip(8) reads its table of protocol and table names there.
	names, err := readDir("/etc/iproute2")
	if err != nil {
		return err
	}
	for _, dir := range []string{"/run", "/etc"} {
		if err := unix.Mount("sandbox", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("empty %s: %w", dir, err)
		}
	}
	for _, dir := range []string{"/etc/rdomain", "/etc/iproute2", "/etc/netns"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	for path, text := range names {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("lo: %w: %s", err, out)
	}
	return nil
}

func readDir(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	paths, _ := filepath.Glob(dir + "/*")
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		files[p] = text
	}
	return files, nil
}

// Sh runs a shell script and returns what it prints. A failure of any line is
// the test's.
func Sh(t testing.TB, script string) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%s\n%v", strings.TrimSpace(script), out, err)
	}
	return string(out)
}

// Held starts a program that executes what follows its arguments, and so a shell that
// waits until the test ends. It returns the shell's pid, which runs when it does.
func Held(t testing.TB, args ...string) (pid int) {
	t.Helper()
	cmd := exec.Command(args[0], append(args[1:], "sh", "-c", "echo $$; read x")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	if _, err := fmt.Fscan(io.LimitReader(out, 20), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}
