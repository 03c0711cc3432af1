package vm

import (
	"embed"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/need"
)

// scripts are the shell that runs in the machines.
//
//go:embed script
var scripts embed.FS

// script returns the text of the scripts of these names, one after the other.
func script(t *testing.T, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		text, err := scripts.ReadFile("script/" + name + ".sh")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestScripts reads all shell of this folder with shellcheck, and with the shells of
// the machines.
func TestScripts(t *testing.T) {
	linters := need.Tools(t, need.Sh, "shellcheck", "dash", "busybox")
	files, err := filepath.Glob("script/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "customize", "customize-alpine") {
		for _, argv := range [][]string{{linters[0], "-e", "SC2016"}, {linters[1], "-n"}, {linters[2], "sh", "-n"}} {
			if out, err := exec.Command(argv[0], append(argv[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", filepath.Base(argv[0]), file, err, out)
			}
		}
	}
}
