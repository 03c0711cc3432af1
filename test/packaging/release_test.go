package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/test/need"
)

// sources makes a repository of the sources as they are now, with one commit of a
// fixed time, and returns its folder.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	sh(t, top, copySources(dir))
	return dir
}

// copySources is the shell for that, run at the top of the sources. It ends in dir.
func copySources(dir string) string {
	return `git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -x -C ` + dir + `
		cd ` + dir + `
		sed -i "s/^## $(cat VERSION) - .*/## $(cat VERSION) - 2026-01-02/" CHANGELOG.md; git init -q -b main .; git add -A; ` + commit + "\n"
}

const commit = `GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' git -c user.name=x -c user.email=x@localhost commit -q -a --date 2026-01-02T03:04:05Z -m x`

// sh runs a script in a folder. It must end with 0.
func sh(t *testing.T, dir, script string) string {
	t.Helper()
	out, err := in(dir, script)
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

func in(dir, script string) (string, error) {
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=x",
		"GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=x@localhost")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRelease makes a release up to the push, twice, in two places, with another umask, time
// zone and language: the same bytes, with checksums and a tag. Its tarball builds without a
// network. With RDGEN_TEST_ALL it is for all processors, and everything is compiled twice.
func TestRelease(t *testing.T) {
	dir, out := release(t)
	if !strings.Contains(out, "git push origin v") {
		t.Errorf("it does not say what is left to do: %s", out)
	}
	sh(t, dir, `cd dist && sha256sum --quiet -c SHA256SUMS`)
	sh(t, dir, `[ "$(git rev-parse "v$(cat VERSION)^{commit}")" = "$(git rev-parse HEAD)" ]`)
	var kinds []string
	for _, name := range files(t, dir+"/dist") {
		kinds = append(kinds, filepath.Ext(name))
	}
	for _, kind := range []string{".deb", ".rpm", ".apk", ".zst", ".gz", ".json", ".md"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no %s is made: %q", kind, kinds)
		}
	}
	if bill := sh(t, dir, `cat dist/*.cdx.json`); !strings.Contains(bill, `"pkg:golang/golang.org/x/sys@`) || !strings.Contains(bill, `"program:rdexec"`) {
		t.Errorf("the bill of materials is not whole:\n%s", bill)
	}
	again := sources(t)
	cache := "" // with that of the first, the second compiles nothing
	if need.All() {
		cache = "GOCACHE=" + t.TempDir() + " "
	}
	sh(t, again, "umask 077; "+cache+"TZ=Asia/Tokyo LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 NFPM="+dir+"/.git/nfpm RDGEN_DEB_COMPRESSION="+compression()+" RDGEN_MAINTAINER='A B <ab@debian.org>' ARCHES='"+processors()+"' CHECK=true make -s release; diff -r dist "+dir+"/dist")

	// Without a network, and without a cache of modules.
	sh(t, again, `mkdir -p `+again+`/off && tar -xzf dist/rdgen-*.tar.gz -C off && cd off/rdgen-* &&
		GOPROXY=off GOFLAGS=-mod=vendor GOMODCACHE=`+again+`/none make -s install DESTDIR=`+again+`/root O=`+again+`/bin &&
		cmp `+again+`/root/usr/sbin/rdexec `+again+`/bin/rdexec`)
}

// TestReleaseRefuses: what would make a wrong release makes none.
func TestReleaseRefuses(t *testing.T) {
	need.Tools(t, need.Sh, "git", "make")
	dir := sources(t)
	for _, c := range []struct{ name, before, want string }{
		{"a failing check", "export CHECK=false", "false failed, so nothing was made"},
		{"a change", "echo >>README.md", "changes that are not committed"},
		{"no changes written down", `git checkout -q README.md; echo 9.9.9 >VERSION; ` + commit, `no line "## 9.9.9 - YYYY-MM-DD"`},
		{"a version that is no number", `echo 1.0-rc1 >VERSION; ` + commit, "write MAJOR.MINOR.PATCH"},
		{"a tag elsewhere", `git tag v0.0.9; echo 0.0.9 >VERSION; echo "## 0.0.9 - 2026-01-02" >>CHANGELOG.md; ` + commit, "v0.0.9 is another commit"},
	} {
		out, err := in(dir, c.before+"; make -s release")
		if err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v\n%s\nwant %q", c.name, err, out, c.want)
		}
		if _, err := os.Stat(dir + "/dist"); err == nil {
			t.Errorf("%s: something was made", c.name)
		}
	}
}

// TestScripts: shellcheck has nothing to say of any script of the sources, and neither
// have the shells of small systems, for which maintainer scripts are. Those that are
// installed, and those that run in machines, are linted where they are.
func TestScripts(t *testing.T) {
	tools := need.Tools(t, need.Sh, "shellcheck", "dash", "busybox")
	scripts := 0
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(top, path)
		switch {
		case e.IsDir() && (strings.HasPrefix(name, ".git") || slices.Contains([]string{".cache", "bin", "dist", "vendor", "openrc/files", "test/native/script", "test/vm/script"}, name) || e.Name() == "testdata"):
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !shellLine.Match(text) {
			return err
		}
		scripts++
		run(t, tools[0], "-x", "-e", "SC2016", name)
		run(t, tools[1], "-n", name)
		run(t, tools[2], "sh", "-n", name)
		return nil
	})
	if err != nil || scripts < 20 {
		t.Errorf("%d scripts found (%v); want all", scripts, err)
	}
}

// shellLine is the first line of a script.
var shellLine = regexp.MustCompile(`^#!/bin/(busybox )?sh\b`)
