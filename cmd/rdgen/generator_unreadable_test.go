package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// spoil puts what is not a readable file at a path below root, by the name of its kind.
var spoil = map[string]func(file, text string) error{
	"a folder":         func(file, _ string) error { return os.Mkdir(file, 0o755) },
	"a link to itself": func(file, _ string) error { return os.Symlink(filepath.Base(file), file) },
	"a link to a loop": func(file, _ string) error {
		loop := filepath.Join(filepath.Dir(file), "loop")
		os.Symlink("loop", loop)
		return os.Symlink("loop", file)
	},
	"a dangling link":    func(file, _ string) error { return os.Symlink("/nope", file) },
	"a link to a folder": func(file, _ string) error { return os.Symlink("/etc", file) },
	"a link into a file": func(file, _ string) error { return os.Symlink("/etc/conf.d/foo/x", file) },
	"a FIFO":             func(file, _ string) error { return syscall.Mkfifo(file, 0o644) },
	"a link to a FIFO": func(file, _ string) error {
		syscall.Mkfifo(filepath.Join(filepath.Dir(file), "fifo"), 0o644)
		return os.Symlink("fifo", file)
	},
	"a socket": func(file, _ string) error {
		return syscall.Mknod(file, syscall.S_IFSOCK|0o644, 0)
	},
	"a name that is not UTF-8": func(file, text string) error {
		return os.WriteFile(strings.TrimSuffix(file, filepath.Ext(file))+"\xff"+filepath.Ext(file), []byte(text), 0o644)
	},
	"too large": func(file, text string) error {
		return os.WriteFile(file, append([]byte(text+"#"), bytes.Repeat([]byte("x"), 5<<20)...), 0o644)
	},
	"a NUL byte": func(file, text string) error { return os.WriteFile(file, []byte(text+"\x00\n"), 0o644) },
}

// TestGeneratorUnreadable: whatever is in the place of a unit, of a drop-in or of a
// folder of either, each unit of a line of conf.d has the drop-in with which it enters its
// domain, or one with which it does not start. One had neither, and started outside.
// What is a stranger's makes nothing wrong of the line.
func TestGeneratorUnreadable(t *testing.T) {
	const etc = "etc/systemd/system/"
	mine := []string{"foo.service", "foo.socket", "helper.service"}
	for at, c := range map[string]struct {
		text   string
		fine   bool     // all is as if it were not there, whatever its kind
		absent []string // of the units, who is not known of where it is unreadable
	}{
		etc + "foo.service":                 {text: daemonUnit},
		etc + "foo.service.d":               {fine: true},
		etc + "foo.service.d/a.conf":        {text: "[Unit]\n"},
		etc + "foo.socket":                  {text: socketUnit},
		etc + "foo.socket.d/a.conf":         {text: "[Unit]\n"},
		etc + "helper.service":              {text: "[Unit]\nPartOf=foo.service\n" + daemonUnit, absent: []string{"helper.service"}},
		etc + "helper.service.d/a.conf":     {text: "[Unit]\n"},
		etc + "service.d/a.conf":            {text: "[Unit]\n"},
		etc + "socket.d/a.conf":             {text: "[Unit]\n"},
		etc + "zz.socket":                   {text: socketUnit, fine: true},
		etc + "zz.service":                  {text: daemonUnit, fine: true},
		etc + "zz.socket.d/a.conf":          {text: "[Unit]\n", fine: true},
		"etc/systemd/system.attached":       {fine: true},
		"usr/local/lib/systemd/system":      {fine: true},
		"usr/lib/systemd/system/foo.socket": {text: socketUnit},
	} {
		for kind, put := range spoil {
			t.Run(fmt.Sprintf("%s is %s", at, kind), func(t *testing.T) {
				root, out := t.TempDir(), t.TempDir()
				write(t, root, "etc/conf.d/foo", "netns=q\n", "lib/systemd/system/rdomain@.service", "[Service]\n",
					"lib/systemd/system/foo.service", daemonUnit, "lib/systemd/system/foo.socket", socketUnit,
					"lib/systemd/system/helper.service", "[Unit]\nPartOf=foo.service\n"+daemonUnit,
					"lib/systemd/system/good.service", daemonUnit, "etc/conf.d/good", "netns=q\n")
				file := filepath.Join(root, at)
				os.MkdirAll(filepath.Dir(file), 0o755)
				if err := put(file, c.text); err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				code := runGenerator(root, out, &log)
				if code != exitMade && code != exitHeld || c.fine && code != exitMade {
					t.Errorf("exit %d\n%s", code, &log)
				}
				made := contents(t, out)
				enters := func(unit string) bool {
					return strings.Contains(made[unit+".d/zz-rdomain.conf"], "NetworkNamespacePath=/run/netns/q\n")
				}
				refused := func(unit string) bool { return strings.Contains(made[unit+".d/zz-rdomain.conf"], "exit 255") }
				for _, unit := range mine {
					if !enters(unit) && !refused(unit) && !contains(c.absent, unit) {
						t.Errorf("%s is free\n%s", unit, &log)
					}
					if code == exitMade && refused(unit) || code == exitHeld && enters(unit) {
						t.Errorf("exit %d, and %s has\n%s\n%s", code, unit, made[unit+".d/zz-rdomain.conf"], &log)
					}
				}
				if all := at == etc+"service.d/a.conf" && code == exitHeld; !enters("good.service") && !(all && refused("good.service")) {
					t.Errorf("good.service, which has nothing to do with it, is not in its domain\n%s", &log)
				}
				t.Logf("exit %d %s", code, &log)
			})
		}
	}
}

// TestGeneratorCompanionOfNobody: a companion is its own where conf.d has a file for it that
// is read. A folder of its name, or what an editor left, is none, and it was nobody's.
func TestGeneratorCompanionOfNobody(t *testing.T) {
	for _, at := range []string{"etc/conf.d/helper.old/.keep", "etc/conf.d/helper.old.service/.keep", "etc/conf.d/helper.old"} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "etc/conf.d/foo", "netns=q\n", "lib/systemd/system/foo.service", daemonUnit, at, "netns=other\n",
			"lib/systemd/system/helper.old.service", "[Unit]\nPartOf=foo.service\n"+daemonUnit)
		var log bytes.Buffer
		if code := runGenerator(root, out, &log); code != exitMade {
			t.Errorf("%s: exit %d\n%s", at, code, &log)
		}
		if got := contents(t, out)["helper.old.service.d/zz-rdomain.conf"]; !strings.Contains(got, "NetworkNamespacePath=/run/netns/q\n") {
			t.Errorf("with %s the companion is free", at)
		}
	}
}

// TestGeneratorMayBelong: a unit that may be of a line, which only systemd knows, is held
// with the units of the line, and no other.
func TestGeneratorMayBelong(t *testing.T) {
	for name, text := range map[string]string{
		"host.service": "[Unit]\nPartOf=f%H.service\n" + daemonUnit,
		"host.socket":  "[Socket]\nListenStream=/run/host\nService=f%H.service\n",
	} {
		root, out := t.TempDir(), t.TempDir()
		write(t, root, "etc/conf.d/foo", "netns=q\n", "lib/systemd/system/foo.service", daemonUnit, "lib/systemd/system/foo.socket", socketUnit,
			"etc/conf.d/good", "netns=q\n", "lib/systemd/system/good.service", daemonUnit, "lib/systemd/system/"+name, text)
		var log bytes.Buffer
		if code := runGenerator(root, out, &log); code != exitHeld || !strings.Contains(log.String(), " of "+name+" has a specifier that only systemd knows") {
			t.Errorf("%s: exit %d\n%s", name, code, &log)
		}
		made := contents(t, out)
		for _, unit := range []string{"foo.service", "foo.socket", name} {
			if !strings.Contains(made[unit+".d/zz-rdomain.conf"], "exit 255") {
				t.Errorf("%s: %s is free\n%s", name, unit, &log)
			}
		}
		if !strings.Contains(made["good.service.d/zz-rdomain.conf"], "NetworkNamespacePath=/run/netns/q\n") {
			t.Errorf("%s: good.service is not in its domain\n%s", name, &log)
		}
	}
}

func contains(list []string, s string) bool { return strings.Contains(strings.Join(list, " "), s) }
