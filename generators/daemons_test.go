package generators_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/services"
	"rdgen/systemd"
	"rdgen/test/need"
)

// TestDaemons puts the units of many packages, as `make fixtures` unpacks them,
// into a domain each, and asks systemd-analyze before and after: verify must find
// nothing new, and security no unit that is less protected than it was.
func TestDaemons(t *testing.T) {
	need.Tools(t, need.Systemd, "systemd-analyze")
	daemons := os.Getenv("RDGEN_DAEMONS_ROOT")
	if _, err := os.Stat(daemons); daemons == "" || err != nil {
		need.Missing(t, need.Systemd, "no units of daemons below RDGEN_DAEMONS_ROOT (make fixtures)")
	}
	root := stage(t)
	var names []string
	for _, dir := range []string{"lib/systemd/system", "usr/lib/systemd/system"} {
		from := filepath.Join(daemons, dir)
		filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			rel, _ := filepath.Rel(from, p)
			target := filepath.Join(root, "usr/lib/systemd/system", rel)
			switch {
			case d.IsDir():
				os.MkdirAll(target, 0o755)
			case d.Type()&fs.ModeSymlink != 0:
				link, _ := os.Readlink(p)
				os.Symlink(link, target)
			default:
				text, _ := os.ReadFile(p)
				if err := os.WriteFile(target, text, 0o644); err != nil {
					t.Fatal(err)
				}
				standIns(t, root, p, text)
				if name, ok := strings.CutSuffix(rel, ".service"); ok && !strings.Contains(rel, "/") && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			return nil
		})
	}
	slices.Sort(names)
	if len(names) < 100 {
		t.Fatalf("%d units; want those of more than fifty daemons", len(names))
	}
	fsys, err := tree.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	var units, templates []string
	var made tree.Tree
	loader := services.NewLoader(fsys, parse(t, "t1", "mgmt"))
	loader.Systemd.Version = systemd.Oldest // the systemd-analyze of this machine may know no newer keys
	for _, name := range names {
		job, err := loader.Systemd.Load(name)
		if name == "systemd-resolved" {
			if err == nil || !strings.Contains(err.Error(), "runs before sysinit.target") {
				t.Errorf("%s: %v; want that it runs before sysinit.target", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		files, _, err := job.Files()
		if err == nil {
			err = generators.Merge(&made, files)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, unit := range job.(generators.Systemd).Units {
			u := unit.Name
			if strings.HasSuffix(u, "@.service") || strings.HasSuffix(u, "@.socket") {
				templates = append(templates, u)
				u = strings.Replace(u, "@.", "@x.", 1)
			}
			if !slices.Contains(units, u) {
				units = append(units, u)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, "usr/lib/systemd/system", systemd.Rdomain), systemd.RdomainService, 0o644); err != nil {
		t.Fatal(err)
	}
	before, scores := analyze(t, root, units)
	if err := made.Write(root); err != nil {
		t.Fatal(err)
	}
	after, scored := analyze(t, root, units)
	for _, line := range after {
		if !slices.Contains(before, line) {
			t.Errorf("systemd-analyze verify says only with the drop-ins: %s", line)
		}
	}
	worse := 0
	for unit, old := range scores {
		switch now, ok := scored[unit]; {
		case !ok:
			t.Errorf("%s has no score with its drop-in", unit)
		case now > old:
			worse++
			t.Errorf("%s is exposed %.1f with its drop-in, and %.1f without", unit, now, old)
		}
	}
	t.Logf("%d units of %d services, %d templates; %d messages of verify before, %d after; %d scores, %d worse",
		len(units), len(names), len(templates), len(before), len(after), len(scores), worse)
	// The test can fail: verify reads the drop-ins, and the score follows them.
	spoil := filepath.Join(root, systemd.Etc, "chrony.service.d", "zzz-x.conf")
	if err := os.WriteFile(spoil, []byte("[Service]\nNoSuchKey=x\nProtectSystem=no\nPrivateTmp=no\nProtectHome=no\nUser=root\nCapabilityBoundingSet=~\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	spoilt, low := analyze(t, root, []string{"chrony.service"})
	if !slices.ContainsFunc(spoilt, func(l string) bool { return strings.Contains(l, "NoSuchKey") }) || low["chrony.service"] <= scores["chrony.service"] {
		t.Errorf("a bad drop-in goes unnoticed: %q, %v", spoilt, low)
	}
}

// standIns makes a file for each program that a unit names, so that verify does
// not miss it.
func standIns(t *testing.T, root, unit string, text []byte) {
	for _, set := range systemd.Read(unit, text) {
		if !strings.HasPrefix(set.Key, "Exec") {
			continue
		}
		program, _, _ := strings.Cut(strings.TrimLeft(set.Value, "-@:+!|"), " ")
		name := filepath.Join(root, program)
		if _, err := os.Stat(name); err == nil || !filepath.IsAbs(program) {
			continue
		}
		os.MkdirAll(filepath.Dir(name), 0o755)
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// analyze returns what systemd-analyze verify says, line by line, and the
// exposure of each unit from 0 to 10. Units that start no program have none.
func analyze(t *testing.T, root string, units []string) (lines []string, exposure map[string]float64) {
	t.Helper()
	args := append([]string{"verify", "--root=" + root, "--recursive-errors=yes", "--man=no"}, units...)
	out, _ := exec.Command("systemd-analyze", args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	exposure = map[string]float64{}
	for _, unit := range units {
		if !strings.HasSuffix(unit, ".service") {
			continue
		}
		out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--root="+root, "--json=short", "--no-pager", unit).Output()
		if err != nil || !strings.HasPrefix(string(out), "[") {
			continue
		}
		var checks []struct {
			Exposure string `json:"exposure"`
		}
		if err := json.Unmarshal(out, &checks); err != nil {
			t.Fatalf("%s: %v\n%s", unit, err, out)
		}
		for _, c := range checks {
			var x float64
			if _, err := fmt.Sscan(c.Exposure, &x); err == nil {
				exposure[unit] += x
			}
		}
	}
	return lines, exposure
}
