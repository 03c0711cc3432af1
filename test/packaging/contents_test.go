package packaging

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/need"
)

// modules are those that the programs have in them.
func modules(t *testing.T) []string {
	t.Helper()
	out := run(t, "sh", "-c", `go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}' ./cmd/... | sort -u`)
	list := strings.Fields(out)
	if len(list) < 10 {
		t.Fatalf("modules: %q", list)
	}
	return list
}

// TestLicences: who gets a program gets the licence of each module in it, and the recipes say
// which they are.
func TestLicences(t *testing.T) {
	tools := need.Tools(t, need.Sh, "dpkg-deb", "rpm2cpio", "bsdtar")
	dir, _ := release(t)
	modules := append(modules(t), "std")
	wants := func(name, text string) {
		t.Helper()
		for _, m := range modules {
			if !strings.Contains(text, "\n"+m+" ") {
				t.Errorf("%s has no licence of %s", name, m)
			}
		}
		for _, part := range []string{"ISC License", "Apache License", "Redistributions in binary form", "Permission is hereby granted, free of charge"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q", name, part)
			}
		}
	}
	for pattern, read := range map[string]string{
		"rdgen-*.x86_64.rpm":   `rpm2cpio "$1" | bsdtar -xOf - './usr/share/licenses/*' 2>/dev/null || rpm2cpio "$1" | bsdtar -xOf - '/usr/share/licenses/*'`,
		"rdgen_*_x86_64.apk":   `bsdtar -xOf "$1" 'usr/share/doc/rdgen/LICENSE*'`,
		"rdgen-0*x86_64.pkg.*": `bsdtar -xOf "$1" 'usr/share/licenses/*'`,
	} {
		found, _ := filepath.Glob(dir + "/dist/" + pattern)
		if len(found) != 1 {
			t.Errorf("%s: %q", pattern, found)
			continue
		}
		wants(filepath.Base(found[0]), "\n"+sh(t, dir, "set -- "+found[0]+"\n"+read))
	}
	// The tarball has all modules that it is built of, those of tools too, and their licences.
	sh(t, dir, `rm -rf .git/unpacked; mkdir .git/unpacked; tar -xzf dist/rdgen-*.tar.gz -C .git/unpacked`)
	unpacked, _ := filepath.Glob(dir + "/.git/unpacked/*")
	wants("the tarball", "\nISC License\n"+sh(t, unpacked[0], `GOPROXY=off GOFLAGS=-mod=vendor GOMODCACHE=$PWD/none packaging/licences`))
	// Debian wants it in its own form, without the text of what each machine has.
	copyright := sh(t, dir, tools[0]+` --fsys-tarfile dist/rdgen_*_amd64.deb | bsdtar -xOf - ./usr/share/doc/rdgen/copyright`)
	if text, err := os.ReadFile(top + "/packaging/debian/copyright"); err != nil || string(text) != copyright {
		t.Errorf("the .deb has another copyright than debian/copyright: %v", err)
	}
	var patterns []string
	for _, word := range strings.Fields(copyright) {
		if folder, ok := strings.CutSuffix(word, "/*"); ok {
			patterns = append(patterns, folder+"/")
		}
	}
	for _, m := range strings.Fields(sh(t, unpacked[0], `sed -n 's/^# \([^ ]*\) .*/\1/p' vendor/modules.txt`)) {
		named := false
		for _, p := range patterns {
			named = named || strings.HasPrefix("vendor/"+m+"/", p)
		}
		if !named {
			t.Errorf("debian/copyright has no Files: for vendor/%s", m)
		}
	}
	for file, want := range map[string]string{
		"alpine/APKBUILD": `license="ISC AND Apache-2.0 AND BSD-3-Clause AND MIT"`, "arch/PKGBUILD": "license=(ISC Apache-2.0 BSD-3-Clause MIT)",
		"rpm/rdgen.spec": "ISC AND Apache-2.0 AND BSD-3-Clause AND MIT\n", "nix/default.nix": "[ isc asl20 bsd3 mit ]",
	} {
		if text, err := os.ReadFile(path.Join(top, "packaging", file)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v", file, want, err)
		}
	}
}

// TestScriptOfUpgrade: apk and pacman run another script after an upgrade than after an
// installation. It is there, and does the same.
func TestScriptOfUpgrade(t *testing.T) {
	need.Tools(t, need.Sh, "bsdtar")
	dir, _ := release(t)
	postinst, err := os.ReadFile(top + "/packaging/scripts/postinst")
	if err != nil {
		t.Fatal(err)
	}
	if got := sh(t, dir, `bsdtar -xOf dist/rdgen_*_x86_64.apk .post-upgrade`); got != string(postinst) {
		t.Errorf(".post-upgrade of the .apk: %s", got)
	}
	for _, name := range []string{"rdgen-0*", "rdgen-openrc-0*"} {
		text := sh(t, dir, `bsdtar -xOf dist/`+name+`-x86_64.pkg.tar.zst .INSTALL`)
		_, body, _ := strings.Cut(text, "function post_upgrade() {\n")
		if !strings.Contains(strings.ReplaceAll(body, "\n  ", "\n"), "rc-update -u") {
			t.Errorf(".INSTALL of %s has no post_upgrade:\n%s", name, text)
		}
	}
	if target, err := os.Readlink(top + "/packaging/alpine/rdgen-openrc.post-upgrade"); target != "../scripts/postinst" {
		t.Errorf("alpine/rdgen-openrc.post-upgrade: %q, %v", target, err)
	}
}

// TestDocumentsOfRPM: rpm knows what is documentation, and what is a licence.
func TestDocumentsOfRPM(t *testing.T) {
	rpm := need.Tools(t, need.Sh, "rpm")[0]
	dir, _ := release(t)
	for option, want := range map[string]string{"--docfiles": "/usr/share/man/man8/rdexec.8.gz\n", "--licensefiles": "/usr/share/licenses/rdgen/LICENSE.modules\n"} {
		if got := sh(t, dir, rpm+" -qp "+option+" dist/*.x86_64.rpm"); !strings.Contains(got, want) || strings.Contains(got, "/bin/") {
			t.Errorf("rpm -q %s: %s", option, got)
		}
	}
}
