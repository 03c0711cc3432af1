package openrc

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// reserved are the words that dash and busybox ash refuse as commands.
var reserved = map[string]bool{
	"!": true, "case": true, "do": true, "done": true, "elif": true, "else": true, "esac": true, "fi": true,
	"for": true, "if": true, "in": true, "then": true, "until": true, "while": true, "{": true, "}": true,
}

// dialect refuses what the parser takes for POSIX shell, but dash or busybox
// ash does not.
func dialect(src *source) (err error) {
	refuse := func(n syntax.Node, msg string) {
		if err == nil {
			err = &problem.Error{Pos: src.pos(n.Pos()), Msg: "syntax error: " + msg,
				Hint: "a shell would stop here; sh -n " + src.path + " says more"}
		}
	}
	syntax.Walk(src.file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			if n.Name == nil {
				refuse(n, "a function has no name")
			} else if name := n.Name.Value; !isName(name) || specialBuiltins[name] || reserved[name] {
				refuse(n, name+" cannot be the name of a function")
			}
			if !compound(n.Body) {
				refuse(n, "the body of a function is not in { ... }")
			}
		case *syntax.Word:
			if dollarQuote(n) {
				refuse(n, "$'...' with a backslash before a quote ends at another one in busybox than in dash")
			}
		case *syntax.CallExpr:
			if len(n.Assigns) == 0 && reserved[n.Args[0].Lit()] {
				refuse(n, n.Args[0].Lit()+" stands where a command is expected")
			}
		}
		return err == nil
	})
	return err
}

// dollarQuote reports whether w has a $'...' whose last quote a backslash would take
// from it.
func dollarQuote(w *syntax.Word) bool {
	for i, p := range w.Parts[1:] {
		lit, dollar := w.Parts[i].(*syntax.Lit)
		quoted, ok := p.(*syntax.SglQuoted)
		if ok && dollar && strings.HasSuffix(lit.Value, "$") && (len(quoted.Value)-len(strings.TrimRight(quoted.Value, `\`)))%2 == 1 {
			return true
		}
	}
	return false
}

// compound reports whether s may be the body of a function.
func compound(s *syntax.Stmt) bool {
	switch s.Cmd.(type) {
	case *syntax.Block, *syntax.Subshell, *syntax.IfClause, *syntax.CaseClause, *syntax.ForClause, *syntax.WhileClause:
		return !s.Negated && !s.Background
	}
	return false
}
