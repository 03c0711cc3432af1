package openrc

import (
	"io/fs"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// What stands in a value for what only a shell knows, and for the service's script.
const (
	unknown   = "\x00"
	theScript = "\x01"
)

// mostCalls is how deep functions and files are followed.
const mostCalls = 20

// flow follows shell code in the order in which a shell executes it, as far as it
// matters for starts. Of a condition that is not known both ways are gone, one after
// the other; of a loop, one round for each word that is known.
type flow struct {
	fsys fs.FS
	// parts and calls count the parts of the shell and the functions that this is in.
	parts, calls int
	src          *source
	answer       *answer
}

// way is where the shell has come to.
type way struct {
	vars  map[string]string
	funcs map[string]body
	args  []string
	// hooked, conf and scripted say that openrc.sh, conf.d and the script were read.
	hooked, conf, scripted bool
	// asked and told say that openrc.sh's own sourcex read conf.d and the script.
	asked, told bool
	// guarded says that what is read from now on has the guard's words.
	guarded bool
	// outside says that conf.d has named a domain that was not entered since, early
	// that the script was read then.
	outside, early bool
	// looked says that a word of the guard has looked since the script was read.
	looked bool
	// over says that this way has ended, by exit, return or exec.
	over bool
	// returned are the ways that have left the function.
	returned []*way
}

// body is that of a function: openrc.sh's sourcex, or one that was read from src,
// with the guard's words or without.
type body struct {
	hook    bool
	src     *source
	stmt    *syntax.Stmt
	guarded bool
}

// truth is what is known of a condition.
type truth int

const (
	maybe truth = iota
	yes
	no
)

func (t truth) not() truth { return [...]truth{maybe, no, yes}[t] }

func (w *way) clone() *way {
	c := *w
	c.vars, c.funcs = maps.Clone(w.vars), maps.Clone(w.funcs)
	return &c
}

// join makes w, which has gone one way, what is certain of it and of another. A
// way on which the hook was read is the one of this machine, which has it.
func (w *way) join(other *way) {
	switch {
	case other.over:
		return
	case w.over, other.hooked && !w.hooked:
		*w = *other
		return
	case w.hooked && !other.hooked:
		return
	}
	for name, value := range w.vars {
		if other.vars[name] != value {
			w.vars[name] = unknown
		}
	}
	for name, f := range other.funcs {
		if _, ok := w.funcs[name]; !ok {
			w.funcs[name] = f
		}
	}
	if !slices.Equal(w.args, other.args) {
		w.args = []string{unknown}
	}
	w.conf, w.scripted = w.conf || other.conf, w.scripted || other.scripted
	w.asked, w.told = w.asked || other.asked, w.told || other.told
	w.guarded, w.outside = w.guarded && other.guarded, w.outside || other.outside
	w.early, w.looked = w.early || other.early, w.looked && other.looked
}

// source follows a file. A shell expands aliases in a line before it executes any
// of it.
func (f *flow) source(w *way, src *source) {
	if f.calls == mostCalls {
		return
	}
	f.calls++
	outer := f.src
	f.src = src
	guarded, last := w.guarded, uint(0)
	for _, stmt := range src.file.Stmts {
		if stmt.Pos().Line() != last {
			guarded = w.guarded
		}
		f.stmt(w, stmt, guarded)
		last = stmt.End().Line()
	}
	f.src = outer
	f.calls--
}

func (f *flow) stmts(w *way, list []*syntax.Stmt, guarded bool) truth {
	t := maybe
	for _, stmt := range list {
		t = f.stmt(w, stmt, guarded)
	}
	return t
}

func (f *flow) stmt(w *way, s *syntax.Stmt, guarded bool) truth {
	if w.over || f.answer != nil || s == nil {
		return maybe
	}
	if s.Background {
		f.part(w, func(w *way) { f.command(w, s.Cmd, guarded) })
		return maybe
	}
	t := f.command(w, s.Cmd, guarded)
	if s.Negated {
		t = t.not()
	}
	return t
}

// part follows what a part of the shell does, which leaves nothing behind.
func (f *flow) part(w *way, do func(w *way)) {
	f.parts++
	c := w.clone()
	c.returned = nil
	do(c)
	f.parts--
}

// branch goes a way or not, if that is not known.
func (f *flow) branch(w *way, t truth, then, otherwise func(w *way) truth) truth {
	switch t {
	case yes:
		return then(w)
	case no:
		return otherwise(w)
	}
	other := w.clone()
	a := then(w)
	other.returned = w.returned
	b := otherwise(other)
	w.join(other)
	w.returned = other.returned
	if a != b {
		return maybe
	}
	return a
}

func (f *flow) command(w *way, cmd syntax.Command, guarded bool) truth {
	run := func(list []*syntax.Stmt) func(*way) truth {
		return func(w *way) truth { return f.stmts(w, list, guarded) }
	}
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		return f.call(w, c, guarded)
	case *syntax.Block:
		return f.stmts(w, c.Stmts, guarded)
	case *syntax.Subshell:
		f.part(w, func(w *way) { f.stmts(w, c.Stmts, guarded) })
	case *syntax.FuncDecl:
		w.funcs[c.Name.Value] = body{src: f.src, stmt: c.Body, guarded: guarded}
	case *syntax.BinaryCmd:
		return f.binary(w, c, guarded)
	case *syntax.IfClause:
		t := f.stmts(w, c.Cond, guarded)
		return f.branch(w, t, run(c.Then), func(w *way) truth {
			if c.Else == nil {
				return maybe
			}
			if len(c.Else.Cond) == 0 {
				return f.stmts(w, c.Else.Then, guarded)
			}
			return f.command(w, c.Else, guarded)
		})
	case *syntax.WhileClause:
		f.stmts(w, c.Cond, guarded)
		f.branch(w, maybe, run(c.Do), run(nil))
	case *syntax.ForClause:
		if iter, ok := c.Loop.(*syntax.WordIter); ok {
			for _, value := range f.values(w, iter) {
				w.vars[iter.Name.Value] = value
				f.stmts(w, c.Do, guarded)
			}
		}
	case *syntax.CaseClause:
		f.arms(w, f.word(w, c.Word), c.Items, guarded)
	}
	return maybe
}

// values are those that a loop goes through.
func (f *flow) values(w *way, iter *syntax.WordIter) []string {
	if !iter.InPos.IsValid() {
		return w.args
	}
	var values []string
	for _, item := range iter.Items {
		values = append(values, fields(f.word(w, item))...)
	}
	return values
}

// fields are the words of a value; of what is not known it is one word.
func fields(value string) []string {
	if strings.Trim(value, unknown+" ") == "" {
		return []string{unknown}
	}
	return strings.Fields(value)
}

func (f *flow) binary(w *way, c *syntax.BinaryCmd, guarded bool) truth {
	right := func(w *way) truth { return f.stmt(w, c.Y, guarded) }
	switch c.Op {
	case syntax.AndStmt:
		return f.branch(w, f.stmt(w, c.X, guarded), right, func(*way) truth { return no })
	case syntax.OrStmt:
		return f.branch(w, f.stmt(w, c.X, guarded), func(*way) truth { return yes }, right)
	}
	for _, s := range []*syntax.Stmt{c.X, c.Y} {
		f.part(w, func(w *way) { f.stmt(w, s, guarded) })
	}
	return maybe
}

func (f *flow) arms(w *way, value string, items []*syntax.CaseItem, guarded bool) {
	if len(items) == 0 {
		return
	}
	t := no
	for _, p := range items[0].Patterns {
		switch pattern := f.word(w, p); {
		case pattern == "*", pattern == value && known(value) && !strings.ContainsAny(pattern, "*?["):
			t = yes
		case t == no && (!known(value) || !known(pattern) || strings.ContainsAny(pattern, "*?[")):
			t = maybe
		}
	}
	f.branch(w, t, func(w *way) truth { return f.stmts(w, items[0].Stmts, guarded) },
		func(w *way) truth { f.arms(w, value, items[1:], guarded); return maybe })
}

func known(value string) bool { return !strings.Contains(value, unknown) }
