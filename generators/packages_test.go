package generators_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/services"
	"rdgen/test/need"
)

// TestDebianCovered: which line in conf.d covers which units of the packages of Debian
// that `make fixtures` unpacks, those too whose unit of the package's name runs true(1),
// or has helpers beside it. Every service and socket of theirs is covered by a name of
// the table, or is named below it with the reason why it is not.
func TestDebianCovered(t *testing.T) {
	root := debianUnits(t)
	fsys, err := tree.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	units := filepath.Join(root, "usr/lib/systemd/system")
	covered := map[string]bool{}
	packages := map[string]bool{}
	var table strings.Builder
	for _, row := range packaged {
		packages[row.pack] = true
		loader := services.NewLoader(fsys, parse(t, "t1", ""))
		var got []string
		if job, err := loader.Systemd.Load(row.name); err == nil {
			got = job.(generators.Systemd).Covered()
		}
		if d := cmp.Diff(row.units, strings.Join(got, " ")); d != "" {
			t.Errorf("conf.d/%s covers (-want +got):\n%s", row.name, d)
		}
		for _, u := range got {
			covered[u] = true
		}
		fmt.Fprintf(&table, "%s: conf.d/%s: %s\n", row.pack, row.name, strings.Join(got, " "))
	}
	entries, err := os.ReadDir(units)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); ext != ".service" && ext != ".socket" || e.Type()&os.ModeSymlink != 0 {
			continue
		}
		switch why := notCovered[name]; {
		case why == "" && !covered[name]:
			t.Errorf("no name of the table covers %s", name)
		case why != "" && covered[name]:
			t.Errorf("%s is covered; it is said not to be: %s", name, why)
		case why != "":
			fmt.Fprintf(&table, "%s: not covered: %s\n", name, why)
		}
	}
	t.Logf("%d packages, %d lines\n%s", len(packages), len(packaged), table.String())
}

// debianUnits returns a root with the units of the packages.
func debianUnits(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, from := range []string{"RDGEN_DAEMONS_ROOT", "RDGEN_COMPANIONS_ROOT"} {
		dir := os.Getenv(from)
		if _, err := os.Stat(dir); dir == "" || err != nil {
			need.Missing(t, need.Systemd, "no units of daemons below "+from+" (make fixtures)")
		}
		for _, lib := range []string{"lib", "usr/lib"} {
			units := filepath.Join(dir, lib, "systemd/system")
			if _, err := os.Stat(units); err != nil {
				continue
			}
			if err := os.CopyFS(filepath.Join(root, "copy", from, lib), os.DirFS(units)); err != nil {
				t.Fatal(err)
			}
			files, _ := filepath.Glob(filepath.Join(root, "copy", from, lib, "*.s*"))
			to := filepath.Join(root, "usr/lib/systemd/system")
			os.MkdirAll(to, 0o755)
			for _, f := range files {
				os.Rename(f, filepath.Join(to, filepath.Base(f)))
			}
		}
	}
	return root
}
