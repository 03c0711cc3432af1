package shape

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// negation is a command of shell that begins with "!" and is no condition of another.
var negation = regexp.MustCompile(`(?:^|[;\n{(]|\b(?:do|then|else))[ \t]*(! [^\n;]*)`)

// TestNegations: "! COMMAND" never ends a script that runs under set -e, so as a check it
// says nothing unless it is the last command. It is written "! COMMAND || exit 1". This is
// of the shell in Go's strings; guest.Lint has shellcheck say it of shell in files.
func TestNegations(t *testing.T) {
	seen := 0
	for _, f := range sources(t) {
		if f.name == "test/shape/shell_test.go" { // has them to try the test
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := stringOf(e)
			if !ok {
				return true
			}
			for _, command := range lostNegations(text) {
				t.Errorf("%s: %q does not end the script when the command succeeds; write || exit 1 behind it", f.pos(e), command)
			}
			seen += len(negation.FindAllString(text, -1))
			return false
		})
	}
	if seen < 10 {
		t.Errorf("%d negations found; want all", seen)
	}
	for text, want := range map[string]int{
		"! a; b": 1, "! a | b\nc": 1, "x; ! a; y": 1, "for p in 1; do ! a; done": 1, "[ x ] || { ! a; b; }": 1,
		"! a || exit 1; b": 0, "x; ! a": 0, "until_ '! a'; b": 0, "if ! a; then b; fi": 0, "a && ! b; c": 0, "f() { ! a; }\nf": 0,
	} {
		if got := len(lostNegations(text)); got != want {
			t.Errorf("lostNegations(%q) finds %d; want %d", text, got, want)
		}
	}
}

// lostNegations returns the negations of a script whose status nothing looks at.
func lostNegations(script string) (lost []string) {
	for _, at := range negation.FindAllStringSubmatchIndex(script, -1) {
		command, rest := script[at[2]:at[3]], strings.TrimLeft(script[at[3]:], "; \t\n")
		last := rest == "" || strings.HasPrefix(rest, "}") && script[at[0]] == '{'
		if !last && !strings.Contains(command, "||") && !strings.Contains(command, "&&") {
			lost = append(lost, command)
		}
	}
	return lost
}

// stringOf returns the text of a literal, or of several and of other things joined by "+",
// for which a letter stands.
func stringOf(e ast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		x, isText := stringOf(e.X)
		y, isText2 := stringOf(e.Y)
		if !isText && !isText2 {
			return "", false
		}
		if !isText {
			x = "X"
		}
		if !isText2 {
			y = "X"
		}
		return x + y, true
	}
	return "", false
}
