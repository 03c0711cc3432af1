package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/test/need"
)

// TestRecipes: the recipes are of this version, and what reads them finds no fault.
func TestRecipes(t *testing.T) {
	text, err := os.ReadFile(top + "/VERSION")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(text))
	for file, want := range map[string]string{
		"alpine/APKBUILD":                     "\npkgver=" + version + "\n",
		"arch/PKGBUILD":                       "\npkgver=" + version + "\n",
		"debian/changelog":                    "rdgen (" + version + "-",
		"rpm/rdgen.spec":                      "\nVersion:        " + version + "\n",
		"gentoo/rdgen-" + version + ".ebuild": "EAPI=8",
	} {
		if text, err := os.ReadFile(top + "/packaging/" + file); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v", file, want, err)
		}
	}
	tools := need.Tools(t, need.Sh, "shellcheck", "bash", "rpmspec", "rpmlint", "nix-instantiate")
	for _, file := range []string{"alpine/APKBUILD", "arch/PKGBUILD", "arch/rdgen.install", "../test/packaging/portage.sh", "../test/packaging/apkbuild.sh"} {
		run(t, tools[0], "packaging/"+file)
	}
	run(t, tools[1], "-n", "packaging/gentoo/rdgen-"+version+".ebuild")
	run(t, "make", "-n", "-f", "packaging/debian/rules", "override_dh_auto_install")
	if names := run(t, tools[2], "-q", "packaging/rpm/rdgen.spec"); !strings.HasPrefix(names, "rdgen-"+version+"-1") {
		t.Errorf("rpmspec: %s", names)
	}
	// It fails for the filters that are of a package, which is not made here.
	said := run(t, "sh", "-c", `"$0" -r packaging/rpm/rdgen.rpmlintrc packaging/rpm/rdgen.spec || :`, tools[3])
	if found := regexp.MustCompile(`(?m)^.*: [EW]: .*$`).FindAllString(said, -1); !strings.Contains(said, " 1 specfiles checked") ||
		slices.ContainsFunc(found, func(line string) bool { return !strings.Contains(line, "unused-rpmlintrc-filter") }) {
		t.Errorf("rpmlint: %s", said)
	}
	run(t, tools[4], "--parse", "packaging/nix/default.nix")
}

// TestAPKBUILD: the recipe for Alpine has what abuild demands, and its two packages have
// all that make install installs, each its part. There is no abuild here.
func TestAPKBUILD(t *testing.T) {
	busybox := need.Tools(t, need.Sh, "busybox")[0]
	built := ""
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		path, err := need.Program("cmd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		built = filepath.Dir(path)
	}
	said := run(t, busybox, "sh", "test/packaging/apkbuild.sh", t.TempDir(), built)
	const want = `rdgen-openrc/etc/init.d/rdomain
rdgen-openrc/etc/init.d/rdomain-watch
rdgen-openrc/etc/rc.conf.d/50-rdgen.conf
rdgen-openrc/etc/user/rc.conf.d/50-rdgen.conf
rdgen-openrc/usr/libexec/rdgen/openrc-enter.sh
rdgen-openrc/usr/libexec/rdgen/openrc-slips.sh
rdgen-openrc/usr/libexec/rdgen/openrc-stop.sh
rdgen-openrc/usr/libexec/rdgen/openrc-supervise.sh
rdgen-openrc/usr/libexec/rdgen/openrc.sh
rdgen/usr/bin/rdgen
rdgen/usr/libexec/rdomain-exec
rdgen/usr/sbin/rdexec
rdgen/usr/sbin/rdomain
the end
`
	if said != want {
		t.Errorf("APKBUILD:\n%s\nwant\n%s", said, want)
	}
}

// TestSpecFiles: the spec file names each file that make install installs for it.
func TestSpecFiles(t *testing.T) {
	need.Slow(t)
	text, err := os.ReadFile(top + "/packaging/rpm/rdgen.spec")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "%files\n")
	list, _, _ = strings.Cut(list, "%changelog")
	if !strings.HasPrefix(list, "%license LICENSE LICENSE.modules\n") {
		t.Error("rdgen.spec does not say that LICENSE.modules is a licence")
	}
	macro := strings.NewReplacer("%{_docdir}/%{name}", "/usr/share/doc/rdgen/.*", "%{_bindir}", "/usr/bin", "%{_mandir}", "/usr/share/man", "%{_datadir}", "/usr/share",
		"%{_prefix}", "/usr", "%{_libexecdir}", "/usr/libexec", "%{_sysconfdir}", "/etc", "%{_unitdir}", "/usr/lib/systemd/system", "%{_systemdgeneratordir}", "/usr/lib/systemd/system-generators",
		"%{_udevrulesdir}", "/usr/lib/udev/rules.d", "*", ".*", "%config(noreplace) ", "")
	all := regexp.MustCompile("^(" + strings.ReplaceAll(strings.TrimSpace(macro.Replace(list)), "\n", "|") + ")$")
	root := t.TempDir()
	run(t, "make", "install-bin", "install-doc", "install-systemd", "SBINDIR=/usr/bin", "DESTDIR="+root, "O="+t.TempDir())
	for _, name := range files(t, root) {
		if !all.MatchString(name) {
			t.Errorf("rdgen.spec does not name %s", name)
		}
	}
}

// TestLintian: Debian's checker says nothing of the packages but what
// packaging/lintian has an answer to.
func TestLintian(t *testing.T) {
	lintian := need.Tools(t, need.Sh, "lintian")[0]
	dir, _ := release(t)
	packages, _ := filepath.Glob(dir + "/dist/*_amd64.deb")
	if len(packages) != 2 {
		t.Fatalf("packages: %q", packages)
	}
	if said := run(t, append([]string{lintian, "--allow-root", "--fail-on", "error,warning"}, packages...)...); strings.Contains(said, "W: ") || strings.Contains(said, "E: ") {
		t.Error(said)
	}
}

// TestScriptsSay: Arch's file says what the scripts of the other packages say, and what
// is left after a removal finds the same lines as the removal.
func TestScriptsSay(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(top + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	install := strings.ReplaceAll(read("packaging/arch/rdgen.install"), "\n\t", "\n")
	for name, function := range map[string]string{"postinst": "post_install", "prerm": "pre_remove", "postrm": "post_remove"} {
		_, body, _ := strings.Cut(read("packaging/scripts/"+name), "\n")
		if !strings.Contains(install, function+"() (\n"+body+")\n") {
			t.Errorf("%s of rdgen.install is not packaging/scripts/%s", function, name)
		}
	}
	for _, part := range []string{`(?m)^domains=.*$`, `find -L .* ! -type d ! -name '\.\*'`, `\\\( ! -type f .* \\\)`, `find -L .* -type f ! -name '\.\*'`, `-size \+0.*grep.* \+`} {
		pattern := regexp.MustCompile(part)
		if a, b := pattern.FindString(read("packaging/scripts/postrm")), pattern.FindString(read("systemd/rdgen-removed")); a == "" || a != b {
			t.Errorf("postrm has %s, rdgen-removed %s", a, b)
		}
	}
}
