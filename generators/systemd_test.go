package generators_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/domain"
	"rdgen/systemd"
	"rdgen/templates"
	"rdgen/test/need"
)

// FuzzUnitWord holds the writer and the reader of command lines together.
func FuzzUnitWord(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := templates.UnitWord(s)
		if err != nil {
			if utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
				t.Fatalf("UnitWord(%q) = %v", s, err)
			}
			return
		}
		settings := systemd.Read("x.service", []byte("[Service]\nExecStart=/bin/x "+quoted+" end\n"))
		if len(settings) != 1 {
			t.Fatalf("%q became %v", s, settings)
		}
		_, words, err := systemd.ParseCommand("x.service", settings[0].Value)
		want := []systemd.Word{{{Text: "/bin/x"}}, {{Text: s}}, {{Text: "end"}}}
		if d := cmp.Diff(want, words); err != nil || d != "" {
			t.Fatalf("%q, quoted %s, is read as (-want +got) %v:\n%s", s, quoted, err, d)
		}
	})
}

// TestSystemdReadsUnitWordsAsThemselves asks the real systemd, and that our own
// reader of units comes to the same. systemd shows a command line before it
// replaces environment variables, which is when "$$" becomes "$".
func TestSystemdReadsUnitWordsAsThemselves(t *testing.T) {
	line, want := "ExecStart=/bin/echo", []string{"/bin/echo"}
	for _, s := range odd {
		quoted, err := templates.UnitWord(s)
		if err != nil {
			t.Fatal(err)
		}
		line += " " + quoted
		want = append(want, strings.ReplaceAll(s, "$", "$$"))
	}
	dump := systemdTest(t, map[string]string{
		"odd.service":                     "[Service]\nType=oneshot\n" + line + "\n",
		"multi-user.target.wants/.keep":   "",
		"multi-user.target.d/10-odd.conf": "[Unit]\nWants=odd.service\n",
	})
	got := commandLines(t, dump, "odd.service")
	if d := cmp.Diff([][]string{want}, got); d != "" {
		t.Errorf("systemd reads (-want +got):\n%s", d)
	}
}

// TestReaderAgreesWithSystemd compares our reading of unit files with that of the
// real systemd where they are hard to read.
func TestReaderAgreesWithSystemd(t *testing.T) {
	const unit = "[Service]\nType=oneshot\n" +
		"ExecStart=/bin/a 'x \"y\"' \"x 'y'\" a\"b c\"d \\\n# comment\n  ; comment\n  more\\\n\nExecStart=/bin/b \\x41\\102\\s\\u00e9 \\q \"\" \\; un\\qk %% %n %p %t x\\\\\n" +
		"not a setting\nExecStart=/bin/c \\\\\\\n tail\nExecStart=-@/bin/d argv0 \";\"\n"
	dump := systemdTest(t, map[string]string{
		"hard.service":                     unit,
		"multi-user.target.d/10-hard.conf": "[Unit]\nWants=hard.service\n",
	})
	var ours [][]string
	for _, s := range (&systemd.Unit{Settings: systemd.Read("hard.service", []byte(unit))}).All("Service", "ExecStart") {
		prefix, words, err := systemd.ParseCommand("hard.service", s.Value)
		if err != nil {
			t.Fatal(err)
		}
		var line []string
		for i, w := range words {
			if i == 0 && strings.Contains(prefix, "@") {
				continue // systemd shows argv, whose first word is the second one here
			}
			line = append(line, w[0].Text)
		}
		ours = append(ours, line)
	}
	if d := cmp.Diff(commandLines(t, dump, "hard.service"), ours); d != "" {
		t.Errorf("ParseCommand (-systemd +ours):\n%s", d)
	}
}

// sshUnits are Debian's own units of openssh-server: of the package as `make
// fixtures` unpacks it, or as it is installed.
func sshUnits(t *testing.T) (service, socket string) {
	t.Helper()
	for _, root := range []string{os.Getenv("RDGEN_OPENSSH_ROOT"), "/"} {
		for _, dir := range []string{"lib/systemd/system", "usr/lib/systemd/system"} {
			one, err := os.ReadFile(filepath.Join(root, dir, "ssh.service"))
			two, err2 := os.ReadFile(filepath.Join(root, dir, "ssh.socket"))
			if root != "" && err == nil && err2 == nil {
				return string(one), string(two)
			}
		}
	}
	need.Missing(t, need.Systemd, "no openssh-server below RDGEN_OPENSSH_ROOT (make fixtures) or installed")
	return "", ""
}

var kinds = []struct{ netns, vrf string }{{"private", ""}, {"", "mgmt.1"}, {"t1", "mgmt.1"}}

// TestSystemdAcceptsTheUnits lets systemd-analyze verify what is made for
// Debian's own ssh.service: below a staging root in which every program exists.
func TestSystemdAcceptsTheUnits(t *testing.T) {
	need.Tools(t, need.Systemd, "systemd-analyze")
	service, socket := sshUnits(t)
	for _, k := range kinds {
		d := parse(t, k.netns, k.vrf)
		t.Run(d.ID(), func(t *testing.T) {
			fsys := files("lib/systemd/system/ssh.service", service, "lib/systemd/system/ssh.socket", socket)
			made, _ := generate(t, fsys, d, "ssh", systemdOf)
			root := stage(t)
			for name, text := range map[string]string{"ssh.service": service, "ssh.socket": socket} {
				if err := os.WriteFile(filepath.Join(root, "usr/lib/systemd/system", name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := made.Write(root); err != nil {
				t.Fatal(err)
			}
			if out, err := verify(root, d); err != nil || out != "" {
				t.Errorf("systemd-analyze verify: %v\n%s", err, out)
			}
			// The test can fail: verify reads the drop-ins.
			name := filepath.Join(root, systemd.Etc, "ssh.service.d", systemd.DropIn)
			os.WriteFile(name, []byte(text(t, made, systemd.Etc+"/ssh.service.d/"+systemd.DropIn)+"NoSuchKey=x\n"), 0o644)
			if out, err := verify(root, d); err == nil || !strings.Contains(out, "NoSuchKey") {
				t.Errorf("systemd-analyze verify does not mind an unknown key: %v\n%s", err, out)
			}
		})
	}
}

func verify(root string, d domain.Domain) (string, error) {
	cmd := exec.Command("systemd-analyze", "verify", "--root="+root, "--recursive-errors=yes", "--man=no",
		"ssh.service", "ssh.socket", "rdomain@"+d.ID()+".service")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// stage makes a root with the units of this machine and the programs that they
// and ours name.
func stage(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"usr/lib/systemd", "usr/sbin", "usr/bin"} {
		os.MkdirAll(filepath.Join(root, dir), 0o755)
	}
	for link, target := range map[string]string{"lib": "usr/lib", "bin": "usr/bin", "sbin": "usr/sbin"} {
		os.Symlink(target, filepath.Join(root, link))
	}
	if err := os.CopyFS(filepath.Join(root, "usr/lib/systemd/system"), os.DirFS("/usr/lib/systemd/system")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"usr/sbin/rdomain", "usr/sbin/rdexec", "usr/sbin/sshd", "usr/bin/sh", "usr/bin/kill"} {
		if err := os.WriteFile(filepath.Join(root, p), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestNoOrderingCycle: a socket must be able to wait for its domain. systemd
// breaks a cycle by leaving out a job of it, so this would be a leak or a boot
// without the service.
func TestNoOrderingCycle(t *testing.T) {
	service, socket := sshUnits(t)
	fsys := files("lib/systemd/system/ssh.service", service, "lib/systemd/system/ssh.socket", socket)
	made, _ := generate(t, fsys, parse(t, "t1", "mgmt"), "ssh", systemdOf)
	units := map[string]string{
		"ssh.service": service, "ssh.socket": socket,
		"sockets.target.d/10-ssh.conf":    "[Unit]\nWants=ssh.socket\n",
		"multi-user.target.d/10-ssh.conf": "[Unit]\nWants=ssh.service\n",
	}
	for _, f := range made.Files() {
		units[strings.TrimPrefix(f.Path, systemd.Etc+"/")] = string(f.Data)
	}
	dump := systemdTest(t, units)
	if strings.Contains(dump, "ordering cycle") {
		t.Errorf("systemd found an ordering cycle:\n%.2000s", dump)
	}
	for _, unit := range []string{"ssh.socket", "ssh.service", "rdomain@mgmt@t1.service", "rdomain@t1.service"} {
		if !strings.Contains(dump, "-> Unit "+unit+":") {
			t.Errorf("systemd does not know %s", unit)
		}
	}
	units["rdomain@.service"] = strings.Replace(units["rdomain@.service"], "DefaultDependencies=no\n", "", 1)
	if dump := systemdTest(t, units); !strings.Contains(dump, "ordering cycle") {
		t.Error("without DefaultDependencies=no there is no cycle, so this test proves nothing")
	}
}
