package openrc

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// FuzzConf holds the reader against dash and busybox ash: whatever it is certain
// of, both say the same. What the shells must not be given is skipped.
func FuzzConf(f *testing.F) {
	for _, row := range confRows {
		f.Add(row.text)
	}
	shells := realShells(f)
	f.Fuzz(func(t *testing.T, text string) { fuzzConf(t, shells, text) })
}

// tokens are what FuzzTokens makes files of, one for each value of a byte that it is
// given: random bytes seldom are shell, random tokens often.
var tokens = strings.Split("vrf=|netns=|x=|y=|a|b|blue|$x|${x}|${y:-|${y:=|${x-|${vrf:=|${vrf=|${x:+|${x+|${x?|${x#|${x##|${x%|${x%%|${#x}|}|"+
	"\"|\"|'|'|\\|\\\n|\n|\n|\n| | | |;|*|?|.|-|~|:|=|$|#|{ |; }|(|)|$(|`|$((|))|1|+1|:|: |true|true |false |&& ||| |! |"+
	"if |; then |; else |; elif |; fi\n|case x in |x) |;; |*) |esac\n|for x in |; do |; done\n|f() |f\n|g() |g\n|export |readonly |unset |"+
	"local |read |cd |shift |eval |command |set |IFS=|$RC_SVCNAME|ä|[ |]|[a]|\t|,|@|%|/|\x81|\xc3|$1|$@|$*|$?|$#|[[ |]] |let |+=|_|A|echo |return|"+
	"break|exit|-n|-f|-v|<|>|&|!|^|{a,b}|\x01|\x7f|printf |test |getopts |a b|x y|vrf|netns|x|y|f|type |wait|:=|:-|\"$x\"|'$x'|\"${x:=\"a\"}\"|\"${vrf:=b}\"", "|")

// FuzzTokens is FuzzConf on files that are made of tokens.
func FuzzTokens(f *testing.F) {
	f.Add([]byte{0, 4, 29, 1, 6})
	for i := range tokens {
		f.Add([]byte{0, byte(i), 6, 29, 2, 4, 22, byte(i), 4})
	}
	shells := realShells(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var b strings.Builder
		for _, c := range data[:min(len(data), 60)] {
			b.WriteString(tokens[int(c)%len(tokens)])
		}
		fuzzConf(t, shells, b.String())
	})
}

// grammar writes well-formed shell by the bytes that it is given; when they end,
// everything is as short as possible.
type grammar struct {
	data  []byte
	b     strings.Builder
	depth int
}

func (g *grammar) pick(n int) int {
	if len(g.data) == 0 || g.depth > 6 {
		return 0
	}
	c := g.data[0]
	g.data = g.data[1:]
	return int(c) % n
}

func (g *grammar) one(of ...string) { g.b.WriteString(of[g.pick(len(of))]) }

func (g *grammar) name() { g.one("vrf", "x", "y", "netns", "vrf") }

func (g *grammar) list() {
	g.depth++
	defer func() { g.depth-- }()
	for range 1 + g.pick(4) {
		g.stmt()
		g.one("\n", "\n", ";", "\n\n", " # x\n", " ;\n")
	}
}

func (g *grammar) stmt() {
	g.depth++
	defer func() { g.depth-- }()
	wrap := func(before string, after ...string) {
		g.b.WriteString(before)
		for _, a := range after {
			g.list()
			g.b.WriteString(a)
		}
	}
	switch g.pick(24) {
	default:
		for range 1 + g.pick(3) {
			g.name()
			g.one("=")
			g.word(false)
			g.one(" ", " ", "  ", "\t", " \\\n")
		}
	case 10, 11:
		g.one(": ", "export ", "readonly ", "unset ", "true ", "echo ", "f ", "g ", "read ", "command : ", "[ ", "cd ", "shift ", ". ", "getopts ", "printf ")
		g.word(false)
	case 12:
		g.one("export ", "readonly ", "unset ", "read ", "vrf=a export ", "x=1 : ", "y=2 true ")
		g.name()
		g.one("=", "", "=")
		g.word(false)
	case 13:
		g.one(": ", "true ", ": a ")
		g.param(false)
	case 14:
		wrap("if ", "then ", "fi")
	case 15:
		wrap("if ", "then ", "else ", "fi")
	case 16:
		wrap("{ ", "}")
	case 17:
		wrap("(", ")")
	case 18:
		g.stmt()
		g.one(" && ", " || ", " | ")
		g.stmt()
	case 19:
		wrap("f() { ", "}")
	case 20:
		g.one("f", "g", "f a", "x=1 f")
	case 21:
		g.b.WriteString("case ")
		g.word(false)
		wrap(" in a|*) ", ";; esac")
	case 22:
		g.b.WriteString("for x in ")
		g.word(false)
		wrap("; do ", "done")
	case 23:
		g.one("! true", "! vrf=a", "x", "g() { x=3; }", "vrf=b &&", "f() (vrf=c)", "return", "exit", "break", "set -f", "alias f=x", "IFS=b")
	}
}

func (g *grammar) word(quoted bool) {
	g.depth++
	defer func() { g.depth-- }()
	for range g.pick(4) {
		g.piece(quoted)
	}
}

func (g *grammar) piece(quoted bool) {
	switch g.pick(16) {
	default:
		g.one("a", "blue", "b", ".", "-", "1", "a.b", "*", "?", "/", "~", ":", "#", "=", "@", "ä", "{", "%", ",", "]", "$", "!", "^", "a b", "\t", "\n", "'", "[a]")
	case 6, 7:
		g.one("$x", "$y", "${x}", "${vrf}", "$vrf", "$RC_SVCNAME", "${#x}", "$1", "$?", "$(x)", "`y`", "$((1+1))", "$((x=2))", "$z")
	case 8, 9, 10:
		g.param(quoted)
	case 11, 12:
		g.b.WriteByte('"')
		g.word(true)
		g.b.WriteByte('"')
	case 13:
		g.one("'a'", "''", "'a b'", "'$x'", "'\\'", "'\n'", "'*'")
	case 14, 15:
		g.one("\\a", "\\\\", "\\$", "\\\"", "\\\n", "\\ ", "\\'", "\\}", "\\*", "\\`", "\\ä")
	}
}

func (g *grammar) param(quoted bool) {
	g.b.WriteString("${")
	g.name()
	g.one(":-", ":=", "-", "=", ":+", "+", "#", "##", "%", "%%", ":?", "?")
	g.word(quoted)
	g.b.WriteString("}")
}

// FuzzGrammar is FuzzConf on files that are nearly always shell.
func FuzzGrammar(f *testing.F) {
	for i := range 64 {
		f.Add([]byte{3, byte(i), 1, 2, byte(i), byte(i + 1), byte(i * 3), 8, byte(i), 7, 11, byte(i), byte(i / 2), 5, 8, 4, byte(i)})
	}
	shells := realShells(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		g := &grammar{data: data[:min(len(data), 200)]}
		g.list()
		fuzzConf(t, shells, g.b.String())
	})
}

func fuzzConf(t *testing.T, shells [][]string, text string) {
	if len(text) > 2000 {
		t.Skip("longer than is given to a shell")
	}
	c, err := ReadConf(confFS(text), "svc")
	if err != nil {
		return
	}
	if _, _, err := c.Domain(); err != nil {
		if _, ok := err.(*problem.Error); !ok {
			t.Fatalf("Domain of %q: error of type %T", text, err)
		}
	}
	if !harmless(text) {
		t.Skip("not for a shell")
	}
	confirm(t, shells, []byte(text), c.sh)
}

// harmless reports whether text may be given to a shell: it opens no file, gives
// no path to any command (a busybox shell has programs of its own), leaves
// nothing running, and does not change what the harness itself needs.
func harmless(text string) bool {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		return false
	}
	ok := true
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Redirect, *syntax.WhileClause:
			ok = false
		case *syntax.Stmt:
			ok = ok && !n.Background
		case *syntax.CallExpr:
			for _, w := range n.Args {
				ok = ok && !strings.Contains(text[w.Pos().Offset():w.End().Offset()], "/")
			}
		case *syntax.FuncDecl:
			ok = ok && n.Name.Value != "printf" && n.Name.Value != "sourcex"
		}
		return ok
	})
	return ok
}

// FuzzArgs holds Args against the eval of real shells.
func FuzzArgs(f *testing.F) {
	for _, s := range []string{"-a -b", "-a  'b  c'", `-a "b c" d\ e`, `-a '' ""`, `$x "$x" ${x}`, `a"b"'c'\d`, "-f ; x", "*", "~", "$(x)", "#a a#", `"\$x"`, "{a,b} =", "! x"} {
		f.Add(s)
	}
	shells := realShells(f)
	f.Fuzz(func(t *testing.T, value string) {
		text := "x=val\ncommand_args='" + strings.ReplaceAll(value, "'", `'\''`) + "'\n"
		s, err := ReadScript(scriptFS(runHeader+text, ""), "svc", nil)
		if err != nil {
			return
		}
		words, err := s.Args("command_args")
		if err != nil {
			return
		}
		text += "eval set -- $command_args\ncount=$#\n"
		want := map[string]string{"count": strconv.Itoa(len(words))}
		for i, w := range words[:min(len(words), 9)] {
			name := "w" + strconv.Itoa(i+1)
			want[name] = w
			text += name + "=$" + strconv.Itoa(i+1) + "\n"
		}
		for _, shell := range shells {
			got, ended := ask(t, shell, []byte(text), slices.Sorted(maps.Keys(want)))
			if diff := cmp.Diff(want, got); ended || diff != "" {
				t.Errorf("%v makes other words of %q (-reader +shell, ended %v):\n%s", shell, value, ended, diff)
			}
		}
	})
}
