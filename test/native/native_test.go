package native

import (
	"embed"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// The systems that the tests run on.
var (
	releases = []string{"bookworm", "trixie", "forky"}
	openrcs  = systems(guest.OpenRC)
	systemds = systems(guest.Systemd)
)

func systems(init guest.Init) []System {
	var list []System
	for _, r := range releases {
		list = append(list, System{Release: r, Init: init})
	}
	return list
}

// each runs f for every system, side by side, also with those of other tests,
// each time in a machine of its own in which this project is installed.
func each(t *testing.T, list []System, f func(*testing.T, *Machine)) {
	t.Parallel()
	for _, s := range list {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			m := Boot(t, s)
			m.Install(t)
			f(t, m)
		})
	}
}

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

// TestScripts reads all shell of this folder with shellcheck.
func TestScripts(t *testing.T) {
	shellcheck := need.Tools(t, need.Sh, "shellcheck")[0]
	files, err := filepath.Glob("script/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if out, err := exec.Command(shellcheck, append(files, "customize", "../guest/prelude.sh", "../guest/s6/lib.sh")...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}
