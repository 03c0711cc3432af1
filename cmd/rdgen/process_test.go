package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rdgen/test/need"
)

// rdgen returns a command that is rdgen as a process of its own: the test binary
// under that name, which TestMain sees to.
func rdgen(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Path: exe, Args: append([]string{"rdgen"}, args...), Env: os.Environ()}
}

// write makes files below dir; pairs are paths and texts.
func write(t testing.TB, dir string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		name := filepath.Join(dir, pairs[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(pairs[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const daemonUnit = "[Unit]\nDescription=A daemon\n[Service]\nExecStart=/usr/sbin/d $DAEMON_OPTS\nUser=d\n"

// daemons makes a root with n services in one domain.
func daemons(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for i := range n {
		write(t, root,
			fmt.Sprintf("etc/conf.d/d%d", i), fmt.Sprintf("# Configuration of d%d\nDAEMON_OPTS=\"-f /etc/d%[1]d.conf\"\nnetns=\"blue\"\n", i),
			fmt.Sprintf("lib/systemd/system/d%d.service", i), daemonUnit)
	}
	return root
}

// TestUnreadableFile runs rdgen as a user who may not read everything: that is
// an error, since the file may name a domain.
func TestUnreadableFile(t *testing.T) {
	dir, err := os.MkdirTemp("", "rdgen-nobody-") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	write(t, dir, "root/etc/conf.d/secret", "netns=blue\n", "root/etc/conf.d/secrets", "netns=blue\n", "root/etc/conf.d/ssh", "netns=blue\n",
		"root/lib/systemd/system/ssh.service", daemonUnit, "out/README", "")
	os.Chmod(filepath.Join(dir, "root/etc/conf.d/secret"), 0)
	os.Chmod(filepath.Join(dir, "root/etc/conf.d/secrets"), 0)
	cmd := rdgen(t)
	if os.Geteuid() == 0 {
		self, err := os.ReadFile(cmd.Path)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Path = filepath.Join(dir, "rdgen")
		if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"systemd --all", "rdgen: error: /etc/conf.d/secret: cannot be read: permission denied\n"},
		{"systemd secret", "rdgen: error: /etc/conf.d/secret: cannot be read: permission denied\n"},
		{"systemd ssh -o " + dir + "/out", "rdgen: error: " + dir + "/out/etc: permission denied\n"},
	} {
		run := &exec.Cmd{Path: cmd.Path, Args: append(append([]string{"rdgen"}, strings.Fields(c.args)...), "--root", dir+"/root")}
		if os.Geteuid() == 0 {
			run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		} else {
			os.Chmod(filepath.Join(dir, "out"), 0o555)
		}
		var stdout, stderr bytes.Buffer
		run.Stdout, run.Stderr = &stdout, &stderr
		err := run.Run()
		got, hint, _ := strings.Cut(stderr.String(), "rdgen: hint: ")
		if run.ProcessState.ExitCode() != 1 || got != c.want || stdout.Len() > 0 || !strings.HasPrefix(hint, "run it as root") {
			t.Errorf("rdgen %s as nobody: %v, stdout %q, stderr:\n%swant exit 1 and\n%s", c.args, err, &stdout, &stderr, c.want)
		}
	}
}

// TestKilledWhileWriting kills rdgen as soon as it has begun to write: every
// file must be the old one or the new one, what is left is recognisable, and the
// next run completes.
func TestKilledWhileWriting(t *testing.T) {
	root := daemons(t, 60)
	fresh := t.TempDir()
	if out, err := rdgen(t, "systemd", "--all", "--root", root, "-o", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := contents(t, fresh)
	const old = "# Made by rdgen\nold\n"
	for range 5 {
		out := t.TempDir()
		for name := range want {
			write(t, out, name, old)
		}
		cmd := rdgen(t, "systemd", "--all", "--root", root, "-o", out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			cmd.Wait()
			close(ended)
		}()
		awaitTemp(out, ended)
		cmd.Process.Kill()
		<-ended
		left := 0
		for name, text := range contents(t, out) {
			switch {
			case strings.Contains(filepath.Base(name), ".rdgen-"):
				left++
			case text != old && text != want[name]:
				t.Fatalf("%s is neither the old file nor the new one: %q", name, text)
			}
		}
		if out, err := rdgen(t, "systemd", "--all", "--root", root, "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("the next run: %v\n%s", err, out)
		}
		got := contents(t, out)
		for name := range want {
			if got[name] != want[name] {
				t.Fatalf("after the next run %s is %q", name, got[name])
			}
		}
		t.Logf("%d temporary files were left", left)
	}
}

// awaitTemp returns once a temporary file is there, or all has ended.
func awaitTemp(dir string, ended <-chan struct{}) {
	for {
		if matches, _ := filepath.Glob(filepath.Join(dir, "etc/systemd/system/d*.service.d/.*.rdgen-*")); matches != nil {
			return
		}
		select {
		case <-ended:
			return
		case <-time.After(100 * time.Microsecond):
		}
	}
}

// contents reads every file below dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOutputThatCannotBeWritten: a full disk or a closed pipe is an error.
func TestOutputThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := rdgen(t, "systemd", "--all", "--root", daemons(t, 1))
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit %d, stderr %q; want 1 and the cause", cmd.ProcessState.ExitCode(), &stderr)
	}
}

// TestManualPagesAreFreeOfWarnings formats each page as man(1) does.
func TestManualPagesAreFreeOfWarnings(t *testing.T) {
	need.Tools(t, need.Sh, "groff")
	dir := t.TempDir()
	if code := run([]string{"man", dir}, io.Discard, io.Discard); code != 0 {
		t.Fatalf("rdgen man exits %d", code)
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*.8"))
	if len(pages) < 6 {
		t.Errorf("%d pages; want one for rdgen and one for each verb", len(pages))
	}
	for _, page := range pages {
		out, err := exec.Command("groff", "-man", "-Tutf8", "-ww", "-z", page).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("groff %s: %v\n%s", page, err, out)
		}
	}
}
