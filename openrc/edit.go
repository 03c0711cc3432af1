package openrc

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// Assignment is what a variable of a conf.d file is to hold. Without a value the file is
// not to set it.
type Assignment struct{ Key, Value string }

// Edited is a file before and after it is edited.
type Edited struct {
	// File is its absolute path below the root.
	File string
	// Old is nil where there is no such file yet.
	Old, New []byte
}

// Edit returns the service's own conf.d file with the assignments, which hold plain words.
// All else stays as it is: comments, order, quotes. It is an error where no line can be
// changed with certainty; whether the shell then reads what is wanted is for the caller to
// ask, who reads the new text as any other.
func Edit(fsys fs.FS, service string, want []Assignment) (Edited, error) {
	if err := checkService(service); err != nil {
		return Edited{}, err
	}
	name := path.Join(confDir, service)
	old, err := readFile(fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Edited{}, err
	}
	e := Edited{File: "/" + name, Old: old, New: old}
	for _, a := range want {
		src, err := parse(e.File, e.New)
		if err != nil {
			return Edited{}, err
		}
		if e.New, err = src.with(a); err != nil {
			return Edited{}, err
		}
	}
	return e, nil
}

// with returns the file's text with one assignment.
func (src *source) with(a Assignment) ([]byte, error) {
	plain, others := src.assignments(a.Key)
	switch {
	case len(plain) > 1:
		return nil, problem.New(src.offset(plain[1].from), "%s= stands here and in line %d, so it is not certain which line is meant", a.Key, src.offset(plain[0].from).Line).
			WithHint("keep one of them")
	case len(plain) == 0 && len(others) > 0:
		return nil, problem.New(src.offset(others[0].from), "%s= stands in %s, where it cannot be edited with certainty", a.Key, others[0].in).
			WithHint("edit " + src.path + " by hand: one line, " + a.Key + "=NAME, and nothing around it")
	case len(plain) == 0 && a.Value == "":
		return src.text, nil
	case len(plain) == 0 && strings.HasSuffix(strings.TrimSuffix(string(src.text), "\n"), `\`):
		return nil, problem.New(src.offset(len(src.text)-2), "ends with a backslash, so a line below it would be a part of it").
			WithHint("take the backslash away")
	case len(plain) == 0:
		return src.insert(a), nil
	case a.Value == "":
		return src.without(plain[0], a.Key)
	}
	old := string(src.text[plain[0].from:plain[0].to])
	return splice(src.text, plain[0].from, plain[0].to, quotedAs(old, a.Value)), nil
}

// quotedAs puts a plain word into the quotes that the old value has as a whole.
func quotedAs(old, word string) string {
	for _, q := range []string{`"`, `'`} {
		if len(old) > 1 && strings.HasPrefix(old, q) && strings.HasSuffix(old, q) {
			return q + word + q
		}
	}
	return word
}

// splice returns text with the bytes between two offsets replaced.
func splice(text []byte, from, to int, by string) []byte {
	return slices.Concat(text[:from], []byte(by), text[to:])
}

// place is where a file assigns a variable.
type place struct {
	// from and to are the offsets of the value.
	from, to int
	// stmt is the statement of the file that does it.
	stmt *syntax.Stmt
	// in says what the assignment is a part of, if it is not a statement of the file.
	in string
}

// assignments returns where the file assigns a variable: by a statement that is certainly
// reached and does nothing else, and otherwise, but in no function.
func (src *source) assignments(key string) (plain, others []place) {
	for _, stmt := range src.file.Stmts {
		simple := !stmt.Background && !stmt.Negated && len(stmt.Redirs) == 0
		syntax.Walk(stmt, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.FuncDecl, *syntax.Subshell, *syntax.CmdSubst:
				return false
			case *syntax.CallExpr:
				found, only := inCall(n, key)
				for _, p := range found {
					p.stmt = stmt
					if simple && only && stmt.Cmd == n {
						plain = append(plain, p)
						continue
					}
					p.in = kindOf(stmt)
					others = append(others, p)
				}
			}
			return true
		})
	}
	return plain, others
}

// inCall returns where a simple command assigns a variable; only: it does nothing but
// assign.
func inCall(c *syntax.CallExpr, key string) (found []place, only bool) {
	for _, a := range c.Assigns {
		if a.Name != nil && a.Name.Value == key {
			from := int(a.Name.End().Offset()) + len("=")
			if a.Append {
				from += len("+")
			}
			found = append(found, place{from: from, to: max(from, int(a.End().Offset()))})
		}
		only = !a.Append
	}
	if len(c.Args) == 0 {
		return found, only
	}
	only = declares(c.Args[0].Lit()) && len(c.Assigns) == 0
	for _, w := range c.Args[1:] {
		if name, _, assigns := splitAssignment(w); assigns && name == key && declares(c.Args[0].Lit()) {
			found = append(found, place{from: int(w.Pos().Offset()) + len(key) + len("="), to: int(w.End().Offset())})
		}
	}
	return found, only
}

// kindOf says what a statement is, for a message.
func kindOf(stmt *syntax.Stmt) string {
	switch stmt.Cmd.(type) {
	case *syntax.IfClause:
		return `an "if"`
	case *syntax.CaseClause:
		return `a "case"`
	case *syntax.ForClause, *syntax.WhileClause:
		return "a loop"
	case *syntax.BinaryCmd:
		return `a list with "&&", "||" or "|"`
	case *syntax.Block:
		return "braces"
	}
	return "a command"
}

// insert adds a line: behind the only comment that shows it as an example, which stays, or
// at the end.
func (src *source) insert(a Assignment) []byte {
	at, examples := len(src.text), 0
	look := func(comments []syntax.Comment, before uint) {
		for _, c := range comments {
			if c.Pos().Offset() < before && strings.HasPrefix(strings.TrimLeft(c.Text, "# \t"), a.Key+"=") {
				at = min(int(c.End().Offset())+len("\n"), len(src.text))
				examples++
			}
		}
	}
	for _, stmt := range src.file.Stmts {
		look(stmt.Comments, stmt.Pos().Offset())
	}
	look(src.file.Last, uint(len(src.text)))
	if examples != 1 {
		at = len(src.text)
	}
	line := a.Key + "=" + a.Value + "\n"
	if at > 0 && src.text[at-1] != '\n' {
		line = "\n" + line
	}
	return splice(src.text, at, at, line)
}

// without takes a line away, and leaves the comment that stands behind it.
func (src *source) without(p place, key string) ([]byte, error) {
	from, to := int(p.stmt.Pos().Offset()), int(p.stmt.End().Offset())
	before := strings.LastIndexByte(string(src.text[:from]), '\n') + 1
	after := len(src.text)
	if i := strings.IndexByte(string(src.text[to:]), '\n'); i >= 0 {
		after = to + i + 1
	}
	rest := strings.TrimLeft(string(src.text[to:after]), "; \t")
	alone := strings.Trim(string(src.text[before:from]), blanks) == "" && (strings.TrimSpace(rest) == "" || rest[0] == '#')
	c := p.stmt.Cmd.(*syntax.CallExpr)
	switch {
	case !alone || len(c.Assigns) > 1 || len(c.Args) > 2:
		return nil, problem.New(src.offset(p.from), "%s= stands in one line with something else", key).
			WithHint("give it a line of its own, or take it out by hand")
	case strings.TrimSpace(rest) != "":
		return splice(src.text, from, after-len(rest), ""), nil
	}
	return splice(src.text, before, after, ""), nil
}
