package shape

import (
	"bytes"
	"go/ast"
	"strings"
	"testing"
	"unicode/utf8"
)

// The longest file, function and comment that is read in one sitting. Tests may be
// longer: they are lists of cases.
const (
	fileLines     = 400
	functionLines = 70
	commentWidth  = 100 // a tab is four columns
)

// TestSizes: no file, no function and no comment is longer than a reader can hold.
func TestSizes(t *testing.T) {
	functions := 0
	for _, f := range sources(t) {
		longComments(t, f)
		if f.test {
			continue
		}
		if lines := bytes.Count(f.data, []byte("\n")); lines > fileLines {
			t.Errorf("%s: %d lines; a file has at most %d", f.name, lines, fileLines)
		}
		for _, decl := range f.ast.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			functions++
			lines := f.fset.Position(d.End()).Line - f.fset.Position(d.Pos()).Line + 1
			if lines > functionLines {
				t.Errorf("%s: %s has %d lines; a function has at most %d", f.pos(d), d.Name.Name, lines, functionLines)
			}
		}
	}
	if functions < 500 {
		t.Errorf("%d functions found; want all", functions)
	}
}

// longComments fails t for each comment of f that is too wide; a table in a comment
// is indented by a tab and may be wider.
func longComments(t *testing.T, f source) {
	t.Helper()
	n := 0
	for line := range strings.Lines(string(f.data)) {
		n++
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, "\t ")
		if !strings.HasPrefix(text, "//") || strings.HasPrefix(text, "//\t") {
			continue
		}
		if width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); width > commentWidth {
			t.Errorf("%s:%d: a comment of %d columns; it is wrapped at %d", f.name, n, width, commentWidth)
		}
	}
}

// TestOneKind: a kind of object is named in few places. [Neighbor], which has no more to
// it than to be there, stands for all: its type and the list of kinds, its section and the
// list of sections, its netlink request, its reader, and for dump what reads it and what
// writes it.
func TestOneKind(t *testing.T) {
	const most = 8
	var named []string
	for _, f := range sources(t) {
		if !f.test && strings.HasPrefix(f.folder, "runtime/") && bytes.Contains(bytes.ToLower(f.data), []byte("neighbor")) {
			named = append(named, f.name)
		}
	}
	if len(named) == 0 || len(named) > most {
		t.Errorf("a permanent neighbour is named in %d files of runtime: %v; want at most %d", len(named), named, most)
	}
}
