package vm

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rdgen/test/need"
)

// behaviours says where each test of this folder runs in `make test`: every behaviour
// in at least one machine, and every release with at least one behaviour of each
// family (TestBehaviours). `make test-all` sets RDGEN_TEST_ALL, and each test runs in all
// the machines that it names itself; `RDGEN_TEST_ALL=1 go test -run NAME/MACHINE` is for one.
// The seconds are about those of the machine alone, as far as known (make test prints
// them): what takes longest begins first, so that no processor waits in the end.
var behaviours = []struct {
	family, test string
	seconds      int
	machines     string
}{
	// What a VRF is to a program, and a whole server in one.
	{"vrf", "TestVRF", 150, "bookworm-systemd trixie-openrc"},
	{"vrf", "TestVRFHolds", 60, "bookworm-openrc trixie-openrc"},
	{"vrf", "TestVRFHoldsUnits", 80, "forky-systemd"},
	{"vrf", "TestArticle", 200, "trixie-openrc forky-systemd"},
	{"vrf", "TestAlpinePlain", 30, "alpine-openrc"},

	// Services of OpenRC.
	{"openrc", "TestOpenRCShapes", 180, "bookworm-openrc"},
	{"openrc", "TestOpenRCFailsClosed", 120, "trixie-openrc"},
	{"openrc", "TestOpenRCPackaged", 150, "trixie-openrc"},
	{"openrc", "TestOpenRCNginx", 90, "trixie-openrc"},
	{"openrc", "TestOpenRCPage", 60, "trixie-openrc"},
	{"openrc", "TestOpenRCCycles", 120, "trixie-openrc"},
	{"openrc", "TestOpenRCHome", 100, "forky-openrc"},
	{"openrc", "TestOpenRCBoot", 90, "forky-openrc"},
	{"openrc", "TestOpenRCS6", 80, "bookworm-openrc forky-openrc"}, // s6 by the administrator, and by OpenRC
	{"openrc", "TestAlpinePage", 150, "alpine-openrc"},
	{"openrc", "TestAlpineBeside", 120, "alpine-openrc"},
	{"openrc", "TestAlpinePackage", 60, "alpine-openrc"},
	{"openrc", "TestAlpineMore", 100, "alpine-openrc"},

	// Units of systemd.
	{"systemd", "TestSystemdGuide", 80, "bookworm-systemd"},
	{"systemd", "TestSystemdVRF", 120, "trixie-systemd"},
	{"systemd", "TestSystemdBesideVRF", 90, "forky-systemd"},
	{"systemd", "TestSystemdUbuntu", 110, "trixie-systemd-ubuntu"},

	// Services of s6-rc and s6-svscan in VRFs; test/native has them in namespaces, on
	// every release.
	{"s6", "TestS6", 120, "trixie-openrc"},

	// What rdomain makes.
	{"domains", "TestDomainsLinks", 120, "bookworm-openrc forky-openrc"}, // the oldest kernel and the newest
	{"domains", "TestDomainsIfState", 60, "trixie-openrc"},
	{"domains", "TestDomainsInside", 90, "trixie-openrc"},
	{"domains", "TestDomainsOfOthers", 90, "trixie-openrc trixie-systemd"}, // ifupdown-ng, systemd-networkd
	{"domains", "TestDomainsKilled", 150, "trixie-openrc"},
}

// families are the releases on which each family has a behaviour in `make test`.
var families = map[string]string{
	"vrf":     "bookworm trixie forky alpine",
	"openrc":  "bookworm trixie forky alpine",
	"systemd": "bookworm trixie forky",
	"s6":      "trixie",
	"domains": "bookworm trixie forky",
}

// chosen returns those of list in which the test of this name runs now.
func chosen(t *testing.T, list []System) []System {
	t.Helper()
	var some []System
	for _, b := range behaviours {
		if b.test != t.Name() {
			continue
		}
		list = slices.Clone(list)
		for i := range list {
			list[i].Seconds = b.seconds
		}
		if need.All() {
			return list
		}
		for name := range strings.FieldsSeq(b.machines) {
			i := slices.IndexFunc(list, func(s System) bool { return s.String() == name })
			if i < 0 {
				t.Fatalf("%s does not run in %s; see behaviours", t.Name(), name)
			}
			some = append(some, list[i])
		}
	}
	if some == nil {
		t.Fatalf("%s is not in the table of behaviours", t.Name())
	}
	return some
}

// TestBehaviours holds the table complete.
func TestBehaviours(t *testing.T) {
	inTable := map[string]bool{}
	seen := map[string]map[string]bool{} // family, release
	for _, b := range behaviours {
		if inTable[b.test] {
			t.Errorf("%s is there twice", b.test)
		}
		inTable[b.test] = true
		if seen[b.family] == nil {
			seen[b.family] = map[string]bool{}
		}
		if families[b.family] == "" {
			t.Errorf("%s: no such family: %s", b.test, b.family)
		}
		for name := range strings.FieldsSeq(b.machines) {
			release, _, _ := strings.Cut(name, "-")
			seen[b.family][release] = true
		}
	}
	for family, want := range families {
		for release := range strings.FieldsSeq(want) {
			if !seen[family][release] {
				t.Errorf("nothing of %s runs on %s in `make test`", family, release)
			}
		}
	}
	tests := testsInMachines(t)
	for _, name := range tests {
		if !inTable[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
	for _, b := range behaviours {
		if !slices.Contains(tests, b.test) {
			t.Errorf("%s is in the table and in no file", b.test)
		}
	}
}

// testsInMachines returns the names of this folder's tests that call each or eachPackaged.
func testsInMachines(t *testing.T) (names []string) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if called, ok := call.Fun.(*ast.Ident); ok && (called.Name == "each" || called.Name == "eachPackaged" || called.Name == "chosen") {
						names = append(names, f.Name.Name)
					}
				}
				return true
			})
		}
	}
	return names
}
