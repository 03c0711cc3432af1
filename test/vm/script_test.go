package vm

import (
	"embed"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// scripts are the shell that runs in the machines.
//
//go:embed script
var scripts embed.FS

// script returns the text of the scripts of these names, one after the other.
func script(t testing.TB, names ...string) string {
	t.Helper()
	return guest.Script(t, scripts, names...)
}

// part returns a part of a script, below "# part: LABEL".
func part(t testing.TB, name, label string) string {
	t.Helper()
	return guest.Part(t, scripts, name, label)
}

// setting is a line of shell that sets a variable for a script.
func setting(name, value string) string {
	return name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n"
}

// putPrograms puts scripts into the machine as programs: script/NAME.sh as
// /usr/local/bin/NAME.
func putPrograms(t testing.TB, m *Machine, names ...string) {
	t.Helper()
	for _, name := range names {
		m.Put(t, "/usr/local/bin/"+name, 0o755, []byte(script(t, name)))
	}
}

// TestScripts reads all shell of this folder.
func TestScripts(t *testing.T) { guest.Lint(t, "customize", "customize-alpine") }

// TestParts: each script and part that a test names is there, and each that is there is
// named by a test.
func TestParts(t *testing.T) {
	named := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bpart\(t, "([^"]+)", "([^"]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			part(t, m[1], m[2])
			named[m[1]], named[m[1]+"/"+m[2]] = true, true
		}
		for _, m := range regexp.MustCompile(`\b(?:script\([tb]|putPrograms\(t, m), ([^)]+)\)`).FindAllStringSubmatch(string(text), -1) {
			for _, name := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(m[1], -1) {
				named[name[1]] = true
			}
		}
	}
	all, err := fs.Glob(scripts, "script/*.sh")
	if err != nil || len(all) < 30 {
		t.Fatal(all, err)
	}
	for _, file := range all {
		name := strings.TrimSuffix(path.Base(file), ".sh")
		if !named[name] && !strings.HasPrefix(name, "service-") {
			t.Errorf("%s: no test runs it", file)
		}
		for _, m := range regexp.MustCompile(`(?m)^# part: (.+)$`).FindAllStringSubmatch(script(t, name), -1) {
			if !named[name+"/"+m[1]] && !strings.HasPrefix(name, "systemd-") {
				t.Errorf("%s: no test runs part %q", file, m[1])
			}
		}
	}
}
