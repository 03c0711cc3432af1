package guest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/need"
)

// Script returns the text of the scripts of these names, one after the other. They
// are script/NAME.sh in files.
func Script(t testing.TB, files fs.FS, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(files, "script/"+name+".sh")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// Part returns a part of script/NAME.sh in files: from the line "# part: LABEL" to the next
// such line.
func Part(t testing.TB, files fs.FS, name, label string) string {
	t.Helper()
	_, text, found := strings.Cut(Script(t, files, name), "\n# part: "+label+"\n")
	if !found {
		t.Fatalf("script/%s.sh has no part %q", name, label)
	}
	text, _, _ = strings.Cut(text, "\n# part: ")
	return text + "\n"
}

// Lint reads script/*.sh of the current folder, and more, with shellcheck and with
// the shells of the machines. shellcheck takes all for scripts that run under set -e, as
// Guest.Sh has them run, and what is last in a script for not the last, since scripts are
// joined: so a "! COMMAND" that could not fail is an error (SC2251).
func Lint(t *testing.T, more ...string) {
	t.Helper()
	linters := need.Tools(t, need.Sh, "shellcheck", "dash", "busybox")
	files, err := filepath.Glob("script/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	dir := t.TempDir()
	check := exec.Command(linters[0], "-i", "SC2251")
	for _, file := range append(files, more...) {
		for _, argv := range [][]string{{linters[0], "-e", "SC2016"}, {linters[1], "-n"}, {linters[2], "sh", "-n"}} {
			if out, err := exec.Command(argv[0], append(argv[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", filepath.Base(argv[0]), file, err, out)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		joined := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(joined, append(text, "\nset -e\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		check.Args = append(check.Args, joined)
	}
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(check.Args[:3], " "), err, out)
	}
}
