// Package packaging has the tests of what a packager calls: make install with
// settings of a distribution, make dist, make packages, make release.
package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rdgen/test/need"
)

const top = "../.."

// usual are the paths that a package with other ones must not name.
var usual = regexp.MustCompile(`/usr/s?bin/rd[a-z]+|/usr/libexec/(rdgen|rdomain-exec|rdomain-services)`)

// run runs a command at the top of the sources and returns all that it says.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = top
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return string(out)
}

// files lists what is below a root and no folder, sorted.
func files(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestInstallElsewhere: with the paths of another distribution no file that is
// installed or generated names the usual ones, and make uninstall takes away what
// make install made, and nothing else.
func TestInstallElsewhere(t *testing.T) {
	need.Slow(t)
	for _, c := range []struct {
		name     string
		settings []string
		sbin     string
	}{
		{"sbin is bin", []string{"SBINDIR=/usr/bin", "LIBEXECDIR=/usr/lib"}, "/usr/bin"},
		{"local", []string{"PREFIX=/usr/local"}, "/usr/local/sbin"},
		{"store", []string{"PREFIX=/nix/store/0a-rdgen_0.1+b", "SYSCONFDIR=/nix/store/0a-rdgen_0.1+b/etc", "SYSTEMCTL=/run/current-system/sw/bin/systemctl"},
			"/nix/store/0a-rdgen_0.1+b/sbin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir() + "/a root"
			words := append([]string{"make", "DESTDIR=" + root, "O=" + t.TempDir()}, c.settings...)
			run(t, append(words, "install")...)
			made := files(t, root)
			if len(made) < 35 {
				t.Errorf("%d files are installed; want all", len(made))
			}
			rdgen := ""
			for _, name := range made {
				text, err := os.ReadFile(root + name)
				if err != nil {
					continue // a link that leads out of the root
				}
				if strings.HasSuffix(name, "/bin/rdgen") {
					rdgen = root + name
				} else if found := usual.Find(text); found != nil && !(c.sbin == "/usr/bin" && strings.HasPrefix(string(found), "/usr/bin/")) {
					t.Errorf("%s names %s", name, found)
				}
			}
			generates(t, rdgen, c.sbin)
			write(t, root+"/etc/conf.d/web", "netns=private\n")
			cmd := exec.Command("make", append(words[1:], "uninstall")...)
			cmd.Dir = top
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "remove the lines in conf.d first") {
				t.Errorf("make uninstall while a service names a domain: %v\n%s", err, out)
			}
			if now := files(t, root); len(now) != len(made)+1 {
				t.Errorf("it removed something: %d files are left of %d", len(now)-1, len(made))
			}
			write(t, root+"/etc/conf.d/web", "# a comment of somebody\n")
			write(t, root+"/etc/rdomain/private.conf", "[Domain]\nKind=netns\n")
			run(t, append(words, "uninstall")...)
			if left, want := files(t, root), []string{"/etc/conf.d/web", "/etc/rdomain/private.conf"}; !slices.Equal(left, want) {
				t.Errorf("make uninstall leaves %q; want %q", left, want)
			}
		})
	}
}

// TestVersion: all three programs say the version of the file VERSION.
func TestVersion(t *testing.T) {
	need.Slow(t)
	bin := t.TempDir()
	run(t, "make", "build", "O="+bin)
	version, err := os.ReadFile(top + "/VERSION")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		if got, want := run(t, bin+"/"+name, "--version"), name+" version "+string(version); got != want {
			t.Errorf("%s --version prints %q; want %q", name, got, want)
		}
	}
}

// generates looks at what the installed rdgen makes for each init system.
func generates(t *testing.T, rdgen, sbin string) {
	t.Helper()
	root := t.TempDir()
	write(t, root+"/etc/conf.d/web", "netns=private\n")
	write(t, root+"/etc/init.d/web", "#!/sbin/openrc-run\ncommand=/bin/web\ncommand_background=yes\npidfile=/run/web.pid\n")
	write(t, root+"/usr/lib/systemd/system/web.service", "[Service]\nExecStart=/bin/web\n")
	for _, verb := range []string{"openrc", "systemd", "s6"} {
		out := run(t, rdgen, verb, "web", "--root", root)
		if !strings.Contains(out, sbin+"/rd") && verb != "openrc" {
			t.Errorf("rdgen %s does not name a program in %s:\n%s", verb, sbin, out)
		}
		for _, found := range usual.FindAllString(out, -1) {
			if sbin != "/usr/bin" || !strings.HasPrefix(found, "/usr/bin/") {
				t.Errorf("rdgen %s names %s:\n%s", verb, found, out)
			}
		}
	}
}

// TestPathsArePlain: what would be read by a shell or by sed is refused.
func TestPathsArePlain(t *testing.T) {
	need.Slow(t)
	for _, setting := range []string{"SBINDIR=usr/sbin", "LIBEXECDIR=/usr/lib exec", "BINDIR=/usr/bin/", "SBINDIR=/a|b", "SBINDIR=/$$x", "SYSTEMCTL=",
		"SYSCONFDIR=etc", "MANDIR=", "DOCDIR=/a b", "UDEVRULESDIR=/x/", "SYSTEMDGENERATORDIR=x", "DESTDIR=root", "DESTDIR=./root"} {
		cmd := exec.Command("make", "paths", setting)
		cmd.Dir = top
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "is no absolute path") {
			t.Errorf("make %s: %v\n%s", setting, err, out)
		}
	}
}

// TestHoldIsNotInEtc: what holds the services until rdgen's generator has ended is where that
// can win over it, and of an older rdgen nothing is left that would hold them for ever.
func TestHoldIsNotInEtc(t *testing.T) {
	need.Slow(t)
	install := func(root, dir string) ([]byte, error) {
		cmd := exec.Command("make", "install-systemd", "SYSTEMDUNITDIR="+dir, "DESTDIR="+root)
		cmd.Dir = top
		return cmd.CombinedOutput()
	}
	for _, dir := range []string{"/etc/systemd/system", "/run/systemd/system"} {
		root := t.TempDir()
		if out, err := install(root, dir); err == nil || !strings.Contains(string(out), "SYSTEMDUNITDIR is not below /etc or /run") {
			t.Errorf("%s: %v\n%s", dir, err, out)
		}
		if left, _ := os.ReadDir(root); len(left) > 0 {
			t.Errorf("%s: %v was installed", dir, left)
		}
	}
	root := t.TempDir()
	for _, kind := range []string{"service", "socket"} {
		folder := filepath.Join(root, "usr/lib/systemd/system", kind+".d")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "50-rdgen.conf"), []byte("[Unit]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := install(root, "/usr/lib/systemd/system"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	holds, _ := filepath.Glob(filepath.Join(root, "usr/lib/systemd/system/*.d/*-rdgen.conf"))
	if len(holds) != 2 || filepath.Base(holds[0]) != "zzzz-rdgen.conf" || filepath.Base(holds[1]) != "zzzz-rdgen.conf" {
		t.Errorf("installed are %v", holds)
	}
}

// TestInstallAtOnce: what reads a file while make install runs, or after it has failed,
// finds the old one whole: the new one is another file that gets its name.
func TestInstallAtOnce(t *testing.T) {
	need.Slow(t)
	bin := t.TempDir()
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		path, err := need.Program("cmd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		run(t, "cp", path, bin+"/"+name)
	}
	root, kept := t.TempDir(), t.TempDir()
	words := []string{"make", "DESTDIR=" + root, "BUILT=" + bin}
	run(t, append(words, "install")...)
	made := files(t, root)
	before := map[string]string{}
	for i, name := range made {
		if info, err := os.Lstat(root + name); err != nil || !info.Mode().IsRegular() || strings.Contains(name, "/man8/rdgen") {
			continue // a link; a page that rdgen writes by itself
		}
		text, err := os.ReadFile(root + name)
		if err != nil {
			t.Fatal(err)
		}
		before[name] = string(text)
		if err := os.Link(root+name, kept+"/"+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "sh", "-c", "for file in "+bin+"/*; do echo >>$file; done")
	run(t, append(words, "SBINDIR=/usr/bin", "install")...)
	for i, name := range made {
		if text, err := os.ReadFile(kept + "/" + strconv.Itoa(i)); before[name] != "" && (err != nil || string(text) != before[name]) {
			t.Errorf("%s was written over: %v", name, err)
		}
	}
	for _, name := range files(t, root) {
		if strings.HasSuffix(name, ".new") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestCross: programs for another processor are installed without being run. It is one
// of 32 bits, for which not all compiles that does for 64: make deadcode sees that always.
func TestCross(t *testing.T) {
	need.Whole(t)
	t.Setenv("GOARCH", "arm")
	t.Setenv("GOARM", "7")
	root := t.TempDir()
	run(t, "make", "install", "DESTDIR="+root, "O="+t.TempDir())
	text, err := os.ReadFile(root + "/usr/sbin/rdexec")
	if err != nil || len(text) < 20 || text[18] != 40 { // EM_ARM, at e_machine
		t.Errorf("rdexec is not for arm: %v", err)
	}
	for _, page := range []string{"/usr/share/man/man8/rdgen-check.8", "/usr/share/bash-completion/completions/rdgen"} {
		if info, err := os.Stat(root + page); err != nil || info.Size() < 500 {
			t.Errorf("%s: %v", page, err)
		}
	}
}
