package openrc

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// maybeRun is one walk over code that may be reached, any number of times, in
// any state. Every variable that the code assigns is in doubt afterwards.
type maybeRun struct {
	sh *shell
	// under says what the code stands in, for messages.
	under    string
	loops    int
	function bool
	locals   []string
	calls    []*syntax.FuncDecl
}

// runMaybe walks over a node that may be reached.
func (sh *shell) runMaybe(under string, n syntax.Node) {
	s := &maybeRun{sh: sh, under: under}
	s.walk(n)
}

func (sh *shell) runMaybeAll(under string, stmts []*syntax.Stmt) {
	for _, s := range stmts {
		sh.runMaybe(under, s)
	}
}

func (s *maybeRun) walk(n syntax.Node) {
	syntax.Walk(n, s.visit)
}

func (s *maybeRun) visit(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst:
		return false
	case *syntax.BinaryCmd:
		return n.Op == syntax.AndStmt || n.Op == syntax.OrStmt
	case *syntax.FuncDecl:
		name := n.Name.Value
		s.sh.funcs[name] = append(slices.Clip(s.sh.funcs[name]), function{s.sh.src, n, true})
		return false
	case *syntax.WhileClause:
		s.loop(n.Cond, n.Do)
		return false
	case *syntax.ForClause:
		if iter, ok := n.Loop.(*syntax.WordIter); ok {
			s.doubtVar(iter.Name.Value, n)
			for _, w := range iter.Items {
				s.walk(w)
			}
		}
		s.loop(n.Do)
		return false
	case *syntax.CallExpr:
		s.command(n)
	case *syntax.ParamExp:
		s.param(n)
	case *syntax.ArithmExp:
		s.sh.mayEnd = true
		s.arithmetic(n)
	case *syntax.DeclClause, *syntax.LetClause, *syntax.ArithmCmd, *syntax.TestClause, *syntax.TimeClause,
		*syntax.CoprocClause, *syntax.TestDecl:
		s.sh.doubtRest(s.sh.doubt(n, needsShell))
	}
	return true
}

func (s *maybeRun) loop(lists ...[]*syntax.Stmt) {
	s.loops++
	for _, stmts := range lists {
		for _, stmt := range stmts {
			s.walk(stmt)
		}
	}
	s.loops--
}

func (s *maybeRun) command(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			s.doubtVar(a.Name.Value, a)
		}
		return
	}
	name, doubt := s.sh.commandName(c.Args[0])
	if doubt != nil {
		s.doubtPrefix(c)
		s.sh.doubtRest(doubt)
		return
	}
	if specialBuiltins[name] || len(s.sh.funcs[name]) > 0 || name == "command" {
		s.doubtPrefix(c)
		s.sh.mayEnd = true
	}
	if declares(name) || name == "unset" {
		if name == "export" {
			s.exportWords(c, c.Args[1:])
		}
		s.doubtWords(c, c.Args[1:])
		return
	}
	s.sh.affect(c, name, c.Args[1:], s)
}

func (s *maybeRun) doubtPrefix(c *syntax.CallExpr) {
	for _, a := range c.Assigns {
		s.doubtVar(a.Name.Value, a)
	}
}

// exportWords notes the names that args may export. One that is no more than
// exported is not assigned, but in a function that is a matter of its own.
func (s *maybeRun) exportWords(c *syntax.CallExpr, args []*syntax.Word) {
	for _, w := range args {
		if name, _, _ := splitAssignment(w); name != "" {
			s.sh.mayExport(name, c)
		}
	}
}

// doubtWords puts the names that args hold in doubt, each alone or before "=".
func (s *maybeRun) doubtWords(c *syntax.CallExpr, args []*syntax.Word) {
	for _, w := range args {
		name, _, _ := splitAssignment(w)
		switch lit := w.Lit(); {
		case name != "":
			s.doubtVar(name, c)
		case lit == "" || lit[0] != '-':
			s.sh.doubtAll(s.sh.doubt(c, needsShell))
		}
	}
}

func (s *maybeRun) doubtVar(name string, n syntax.Node) {
	if slices.Contains(s.locals, name) {
		return
	}
	why := needsShell
	if s.under != "" {
		why = "depends on " + s.under + ", which needs a shell to decide"
	}
	s.sh.doubtVar(name, s.sh.doubt(n, why))
}

// local is an argument of local in a function.
func (s *maybeRun) local(w *syntax.Word) {
	if name, _, _ := splitAssignment(w); name != "" {
		s.locals = append(s.locals, name)
	}
}

// call walks over the body of a function, once for each way of calls.
func (s *maybeRun) call(f function) {
	if slices.Contains(s.calls, f.decl) {
		s.sh.mayEnd = true // without end, perhaps
		return
	}
	outer := s.sh.src
	s.sh.src = f.src
	inner := &maybeRun{sh: s.sh, under: f.decl.Name.Value + "()", function: true,
		calls: append(slices.Clip(s.calls), f.decl)}
	inner.walk(f.decl.Body)
	s.sh.src = outer
}

func (s *maybeRun) param(p *syntax.ParamExp) {
	if !portable(p) {
		s.sh.mayEnd = true
	}
	if p.Exp == nil || p.Param == nil {
		return
	}
	switch p.Exp.Op {
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if !isName(p.Param.Value) {
			s.sh.mayEnd = true
			return
		}
		s.doubtVar(p.Param.Value, p)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		s.sh.mayEnd = true
	}
}

// arithmetic puts every name in doubt that an expression assigns. Where it reads
// a variable that is not surely a number, everything is: both shells read the
// value as a part of the expression, and it may hold an assignment.
func (s *maybeRun) arithmetic(a *syntax.ArithmExp) {
	syntax.Walk(a.X, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst, *syntax.ArithmExp:
			s.sh.doubtAll(s.sh.doubt(a, needsShell))
			return false
		case *syntax.ParamExp:
			if n.Param == nil || n.Exp != nil || !s.number(n.Param.Value) {
				s.sh.doubtAll(s.sh.doubt(a, needsShell))
			}
			return false
		case *syntax.Word:
			if lit := n.Lit(); lit == "" || !digits(lit) && !s.number(lit) {
				s.sh.doubtAll(s.sh.doubt(a, needsShell))
			}
		case *syntax.BinaryArithm:
			s.assigned(n.X, n.Op)
		case *syntax.UnaryArithm:
			if n.Op == syntax.Inc || n.Op == syntax.Dec {
				s.assigned(n.X, syntax.Assgn)
			}
		}
		return true
	})
}

func (s *maybeRun) number(name string) bool {
	v := s.sh.get(name)
	return v.doubt == nil && v.set && digits(v.text)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func (s *maybeRun) assigned(x syntax.ArithmExpr, op syntax.BinAritOperator) {
	switch op {
	case syntax.Eql, syntax.Neq, syntax.Leq, syntax.Geq:
		return
	}
	if text := op.String(); text[len(text)-1] != '=' {
		return
	}
	if w, ok := x.(*syntax.Word); ok && isName(w.Lit()) {
		s.doubtVar(w.Lit(), x)
		return
	}
	s.sh.doubtAll(s.sh.doubt(x, needsShell))
}
