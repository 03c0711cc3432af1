package openrc

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// Args returns the words of a variable that OpenRC passes through eval, such as
// command_args: the shell first splits the value at white space (also inside the
// quotes that it holds), then reads the result as shell once more. It returns
// nil for a variable that is not set. The error is a *problem.Error for everything that
// eval would do beyond quoting: redirections, patterns, substitutions.
func (s *Script) Args(name string) ([]string, error) {
	v, ok, err := s.Lookup(name)
	if err != nil || !ok {
		return nil, err
	}
	if _, changed := s.run.vars["IFS"]; changed {
		return nil, &problem.Error{Pos: v.Pos, Msg: name + "= is split at an IFS of the script's own, which needs a shell to read"}
	}
	return s.run.evalWords(name, v)
}

func (sh *shell) evalWords(name string, v Value) ([]string, error) {
	refuse := func(why string) error {
		return &problem.Error{Pos: v.Pos, Msg: fmt.Sprintf("%s=%q %s", name, v.Text, why),
			Hint: "OpenRC reads this variable with eval; write plain or quoted words"}
	}
	// The first pass: fields, and file names for patterns, quoted or not.
	joined := strings.Join(strings.FieldsFunc(v.Text, isIFS), " ")
	if joined == "" {
		return nil, nil
	}
	if strings.ContainsAny(joined, "*?[") {
		return nil, refuse("may match files, which needs a shell to know")
	}
	// The second: a simple command, of which these are the arguments.
	src, err := parse(v.Pos.File, []byte(": "+joined))
	if err != nil {
		return nil, refuse("is not shell, and OpenRC reads it with eval")
	}
	call := onlyCommand(src.file)
	if call == nil {
		return nil, refuse("is more than words, and needs a shell")
	}
	inner := sh.clone()
	inner.src = src
	var words []string
	for _, w := range call.Args[1:] {
		text, doubt := inner.word(w, true)
		if doubt != nil {
			return nil, refuse(needsShell)
		}
		words = append(words, text)
	}
	return words, nil
}

func isIFS(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// onlyCommand returns the simple command that file is, or nil.
func onlyCommand(file *syntax.File) *syntax.CallExpr {
	if len(file.Stmts) != 1 || len(file.Last) > 0 {
		return nil
	}
	s := file.Stmts[0]
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || s.Negated || s.Background || s.Semicolon.IsValid() || len(s.Redirs) > 0 || len(s.Comments) > 0 || len(call.Assigns) > 0 {
		return nil
	}
	return call
}
