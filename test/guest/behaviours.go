package guest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rdgen/test/need"
)

// Behaviours is a table of where each test of a folder runs in `make test`: every behaviour
// in at least one machine, and every release with at least one behaviour of each family
// (Complete). `make test-all` sets RDGEN_TEST_ALL, and each test runs in all the machines
// that it names itself; `RDGEN_TEST_ALL=1 go test -run NAME/MACHINE` is for one.
type Behaviours struct {
	Tests []Behaviour
	// Families are the releases on which each family has a behaviour in `make test`.
	Families map[string]string
}

// Behaviour is a line of the table. The seconds are about those of the machine alone, as far
// as known (make test prints them), 0 where they do not matter.
type Behaviour = struct {
	Family, Test string
	Seconds      int
	Machines     string // by their names, or Everywhere
}

// Everywhere is each machine that a test names itself; WithAll is each of them in `make
// test-all`, and none in `make test`, which counts the test as skipped.
const (
	Everywhere = "everywhere"
	WithAll    = "test-all"
)

// Chosen returns those machines of list in which the test runs now, and about how many
// seconds it takes in each.
func Chosen[S fmt.Stringer](t testing.TB, table Behaviours, list []S) (some []S, seconds int) {
	t.Helper()
	i := slices.IndexFunc(table.Tests, func(b Behaviour) bool { return b.Test == t.Name() })
	if i < 0 {
		t.Fatalf("%s is not in the table of behaviours", t.Name())
	}
	b := table.Tests[i]
	if need.All() || b.Machines == Everywhere {
		return slices.Clone(list), b.Seconds
	}
	if b.Machines == WithAll {
		need.Whole(t)
	}
	for name := range strings.FieldsSeq(b.Machines) {
		i := slices.IndexFunc(list, func(s S) bool { return s.String() == name })
		if i < 0 {
			t.Fatalf("%s does not run in %s; see the table of behaviours", t.Name(), name)
		}
		some = append(some, list[i])
	}
	return some, b.Seconds
}

// Complete fails t unless the table has each test of this folder that calls one of the
// functions, once, and each family has a behaviour on each of its releases. Where a test
// runs everywhere is not looked at.
func (table Behaviours) Complete(t *testing.T, calls ...string) {
	t.Helper()
	var inTable []string
	seen := map[string][]string{} // family, its releases
	for _, b := range table.Tests {
		if slices.Contains(inTable, b.Test) {
			t.Errorf("%s is there twice", b.Test)
		}
		inTable = append(inTable, b.Test)
		if table.Families[b.Family] == "" {
			t.Errorf("%s: no such family: %s", b.Test, b.Family)
		}
		if b.Machines == WithAll {
			continue
		}
		for name := range strings.FieldsSeq(b.Machines) {
			release, _, _ := strings.Cut(name, "-")
			seen[b.Family] = append(seen[b.Family], release)
		}
	}
	for family, want := range table.Families {
		for release := range strings.FieldsSeq(want) {
			if !slices.Contains(seen[family], release) && !slices.Contains(seen[family], Everywhere) {
				t.Errorf("nothing of %s runs on %s in `make test`", family, release)
			}
		}
	}
	tests := callers(t, calls)
	for _, name := range tests {
		if !slices.Contains(inTable, name) {
			t.Errorf("%s is not in the table", name)
		}
	}
	for _, name := range inTable {
		if !slices.Contains(tests, name) {
			t.Errorf("%s is in the table and in no file", name)
		}
	}
}

// callers returns the names of this folder's tests that call one of the functions.
func callers(t *testing.T, calls []string) (names []string) {
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
					if called, ok := call.Fun.(*ast.Ident); ok && slices.Contains(calls, called.Name) {
						names = append(names, f.Name.Name)
					}
				}
				return true
			})
		}
	}
	return names
}
