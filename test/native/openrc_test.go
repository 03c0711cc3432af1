package native

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// TestOpenRC: services of each kind in a namespace and beside it, through
// everything that a service goes through, and once more at boot.
func TestOpenRC(t *testing.T) {
	each(t, append(openrcs, alpine), func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Verdicts(t, script(t, "listening", "openrc"))
		m.Reboot(t)
		m.Verdicts(t, script(t, "listening", "openrc-rebooted"))
		if m.Release == guest.Alpine {
			m.Put(t, "/usr/libexec/rdomain-exec", 0o755, read(t, "cmd/rdomain/rdomain-exec"))
			m.Verdicts(t, script(t, "exec"))
		}
	})
}

// TestOpenRCLSB: LSB scripts, which OpenRC does not read, but Debian's functions do.
func TestOpenRCLSB(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Verdicts(t, script(t, "listening", "lsb"))
	})
}

// TestOpenRCTables: packet filters of the host and of a namespace, by one script.
func TestOpenRCTables(t *testing.T) {
	each(t, openrcs, func(t *testing.T, m *Machine) { m.Verdicts(t, script(t, "tables")) })
}

// TestOpenRCGuard: each OpenRC, altered as its authors may one day.
func TestOpenRCGuard(t *testing.T) {
	each(t, append(openrcs, alpine), func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Guard(t)
	})
}

// TestOpenRCUser: a user's session, which OpenRC has since 0.60.
func TestOpenRCUser(t *testing.T) {
	each(t, openrcs[2:], func(t *testing.T, m *Machine) { m.Verdicts(t, guest.Session+script(t, "user")) })
}

// TestAlpineBeside has rdgen beside Alpine's own patch for vrf= and netns=, whole and
// half removed: a daemon is entered once, or by nobody and does not start.
func TestAlpineBeside(t *testing.T) {
	each(t, []System{alpine}, func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Verdicts(t, script(t, "alpine-beside"))
	})
}

// TestAlpineSession: a user's session, as TestOpenRCUser has it on Debian, with busybox's shell.
func TestAlpineSession(t *testing.T) {
	each(t, []System{alpine}, func(t *testing.T, m *Machine) {
		m.PutProbe(t)
		m.Verdicts(t, guest.Session+script(t, "alpine-session"))
	})
}

// TestOpenRCElsewhere: the hook, the domain's script and the programs, where
// another distribution has them.
func TestOpenRCElsewhere(t *testing.T) {
	t.Parallel()
	m := Boot(t, openrcs[1])
	m.InstallWith(t, "SBINDIR=/opt/rd/bin", "BINDIR=/opt/rd/bin", "LIBEXECDIR=/opt/rd/lib")
	m.Verdicts(t, script(t, "elsewhere"))
}

// TestShellOfAlpine: what is read of conf.d and scripts is what Alpine's shell makes of
// them, and it finds the same slips. Its C library, musl, matches patterns in its own way.
func TestShellOfAlpine(t *testing.T) {
	t.Parallel()
	m := Boot(t, alpine)
	m.Put(t, "/root/openrc.test", 0o755, guest.TestBinary(t, "openrc"))
	for _, dir := range []string{"testdata", "files"} {
		err := fs.WalkDir(os.DirFS("../../openrc"), dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if to, err := os.Readlink("../../openrc/" + path); err == nil {
				m.Run(t, "ln", "-s", to, "/root/"+path)
				return nil
			}
			data, err := os.ReadFile("../../openrc/" + path)
			m.Put(t, "/root/"+path, 0o644, data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []string{"TestConfConfirm", "TestScriptConfirm", "TestSlipsInShell", "TestSlipsAgree", "TestArgs", "FuzzConf", "FuzzTokens", "FuzzGrammar", "FuzzArgs"}
	out := m.Run(t, "/bin/sh", "-c", "cd /root && RDGEN_SHELL=/bin/sh exec ./openrc.test -test.v -test.run '^("+strings.Join(tests, "|")+")$'")
	for _, name := range tests {
		if !strings.Contains(out.Stdout, "--- PASS: "+name+" ") {
			t.Errorf("%s did not pass", name)
		}
	}
	if out.Code != 0 || t.Failed() {
		t.Errorf("exit %d\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}
