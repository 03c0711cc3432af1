package openrc

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rdgen/test/need"
)

// TestShippedFilesLint reads every shipped file with the shells that run it, with
// shellcheck, and with what Gentoo's package manager looks by: checkbashisms, and
// bash -n for conf.d.
func TestShippedFilesLint(t *testing.T) {
	shells := realShells(t)
	linters := need.Tools(t, need.Sh, "shellcheck", "checkbashisms", "bash")
	for path, text := range shipped() {
		file := filepath.Join("files", path)
		onDisk, err := os.ReadFile(file)
		if err != nil || string(onDisk) != string(text) {
			t.Errorf("%s is not the embedded file: %v", file, err)
		}
		for _, args := range append(shells, []string{"sh"}) {
			if out, err := exec.Command(args[0], append(args[1:], "-n", file)...).CombinedOutput(); err != nil {
				t.Errorf("%v -n %s: %s", args, file, out)
			}
		}
		for _, argv := range [][]string{{linters[0], "-s", "sh", file}, {linters[1], "-f", file}, {linters[2], "-n", file}} {
			if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%q: %s", argv, out)
			}
		}
		if _, err := parse(path, text); err != nil {
			t.Errorf("our own reader: %v", err)
		}
	}
	err := fs.WalkDir(os.DirFS("files"), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && shipped()["/"+name] == nil {
			t.Errorf("files/%s is not embedded", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestConfFileHoldsNoSettings: OpenRC's C code reads a file in rc.conf.d as lines
// of key=value, and would take one for a setting of its own (config_list, librc).
func TestConfFileHoldsNoSettings(t *testing.T) {
	for text := range strings.Lines(string(confFile)) {
		if code, _, _ := strings.Cut(text, "#"); strings.Contains(code, "=") {
			t.Errorf("%s has the line %q", ConfPath, text)
		}
	}
}

// TestRdomainScript reads the domain's own init script with our reader.
func TestRdomainScript(t *testing.T) {
	fsys := os.DirFS("files")
	s, err := ReadScript(fsys, "rdomain", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"start", "stop", "reload", "check", "start_pre"} {
		if _, ok := s.Funcs[f]; !ok {
			t.Errorf("there is no %s()", f)
		}
	}
	if got := RdomainService("a@b"); got != "rdomain.a@b" {
		t.Errorf("RdomainService = %s", got)
	}
}

// TestHookForksNotWithoutDomain sources the hook where no process can be made; a
// conf.d file that makes one must fail there, so the limit works.
func TestHookForksNotWithoutDomain(t *testing.T) {
	need.Uid0(t)
	if !wholeRoot() {
		need.Missing(t, need.Root, "no user but root in this namespace")
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"rc.conf.d/hook": "rdgen_hook() { :; }\n" + string(hookFile), "script": "echo script\n", "conf": "vrf=\n", "fork": "vrf=$(echo)\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const program = `
eerror() { echo "$*"; }
RC_SVCNAME=svc
sourcex() { . "$1"; }
ulimit -p 1 2>/dev/null || ulimit -u 1 # dash, busybox
sourcex ./rc.conf.d/hook
sourcex -e ./missing || echo no file
sourcex -e ./CONF && sourcex ./script
`
	for _, shell := range realShells(t) {
		for conf, want := range map[string]string{
			"conf": "no file\nscript\n",
			"fork": "no file\n",
		} {
			args := append(shell[1:], "-c", strings.Replace(program, "CONF", conf, 1), "/lib/rc/sh/openrc-run.sh")
			cmd := exec.Command(shell[0], args...)
			cmd.Dir = dir
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := cmd.Output()
			if !strings.HasPrefix(string(out), want) || strings.Contains(string(out), "script") != (conf == "conf") || (err != nil) != (conf == "fork") {
				t.Errorf("%v with %s prints %q, %v; want %q", shell, conf, out, err, want)
			}
		}
	}
}

// hookParts are the parts of the hook, each at its path.
func hookParts() map[string][]byte {
	parts := shipped()
	delete(parts, ConfPath)
	delete(parts, RdomainPath)
	return parts
}
