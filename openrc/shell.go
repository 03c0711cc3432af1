package openrc

import (
	"errors"
	"maps"
	"slices"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// variable is what is known of a shell variable.
type variable struct {
	set  bool // only meaningful without doubt
	text string
	pos  problem.Pos
	// doubt, if not nil, says why only a shell can know the value.
	doubt    *problem.Error
	readonly bool
}

// function is a definition of a shell function; it may be in doubt whether
// this one is reached.
type function struct {
	src   *source
	decl  *syntax.FuncDecl
	maybe bool
}

// shell runs files as far as that is possible without running anything. It has two
// ways to do so: run is for statements that are certainly reached, runMaybe for those
// that may be, which put everything that they touch in doubt. The package's comment
// has a table of what is in doubt when.
type shell struct {
	vars  map[string]variable
	funcs map[string][]function
	// fallback answers for a name that no file has assigned.
	fallback func(name string) variable

	// src is the file that is being run.
	src *source
	// allDoubt, if not nil, says why a variable not assigned since may be anything.
	allDoubt *problem.Error
	// restDoubt, if not nil, says why what follows may not be reached at all.
	restDoubt *problem.Error
	// foreignFuncs is set when a file was sourced that may have defined functions
	// of any name.
	foreignFuncs bool
	// mayEnd is set when the shell may have ended with an error. A value
	// that is certain otherwise stays so: the service does not start then.
	mayEnd bool
	// exports are the variables that the daemon inherits. One that may be exported or
	// not has its doubt.
	exports map[string]*problem.Error
	// limits are the arguments of each ulimit, and unlimited says which command
	// changes the shell as no variable says.
	limits    [][]string
	unlimited *problem.Error
	// moved says which command changed the working directory.
	moved *problem.Error
}

func newShell(fallback func(string) variable) *shell {
	return &shell{vars: map[string]variable{}, funcs: map[string][]function{}, exports: map[string]*problem.Error{}, fallback: fallback}
}

// clone returns a copy that can go another way.
func (sh *shell) clone() *shell {
	c := *sh
	c.vars, c.funcs, c.exports = maps.Clone(sh.vars), maps.Clone(sh.funcs), maps.Clone(sh.exports)
	c.limits = slices.Clip(sh.limits)
	for name, defs := range c.funcs {
		c.funcs[name] = slices.Clip(defs)
	}
	return &c
}

// source runs a whole file. A return ends only the file that it stands in.
func (sh *shell) source(src *source) {
	outer := sh.src
	sh.src = src
	sh.run(src.file.Stmts)
	sh.src = outer
}

func (sh *shell) get(name string) variable {
	if v, ok := sh.vars[name]; ok {
		return v
	}
	if sh.allDoubt != nil {
		return variable{doubt: sh.allDoubt}
	}
	return sh.fallback(name)
}

// lookup is Lookup of Conf and Script.
func (sh *shell) lookup(name string) (Value, bool, error) {
	v := sh.get(name)
	if _, assigned := sh.vars[name]; v.doubt != nil && (assigned || sh.allDoubt != nil) {
		return Value{Pos: v.pos}, false, blame(v.doubt, name)
	}
	if v.doubt != nil || !v.set {
		return Value{}, false, nil
	}
	return Value{Text: v.text, Pos: v.pos}, true, nil
}

// blame names the line that a doubt comes from: not the one that uses a variable, but
// the one that sets it.
func blame(doubt *problem.Error, name string) *problem.Error {
	root := doubt
	for at := doubt; ; {
		cause, ok := errors.AsType[*problem.Error](at.Err)
		if !ok || cause.Line == 0 {
			break
		}
		if cause.Pos != root.Pos {
			root = cause
		}
		at = cause
	}
	if root.Pos == doubt.Pos {
		return doubt
	}
	return &problem.Error{Pos: root.Pos, Msg: root.Msg + "; " + name + "= of " + doubt.Pos.String() + " depends on it", Hint: root.Hint, Err: doubt}
}

// assign gives name a value, or a doubt, at node.
func (sh *shell) assign(name, text string, doubt *problem.Error, node syntax.Node) {
	pos := sh.src.pos(node.Pos())
	old := sh.get(name)
	if doubt == nil && sh.restDoubt != nil {
		doubt = sh.restDoubt
	}
	if old.readonly {
		doubt = &problem.Error{Pos: pos, Msg: name + " is read-only, so a shell stops here",
			Hint: "remove the readonly, or the second assignment"}
		sh.doubtRest(doubt)
	}
	sh.vars[name] = variable{set: true, text: text, pos: pos, doubt: doubt, readonly: old.readonly}
}

// unset removes name.
func (sh *shell) unset(name string, node syntax.Node) {
	delete(sh.exports, name)
	sh.assign(name, "", nil, node)
	v := sh.vars[name]
	v.set = false
	sh.vars[name] = v
}

// doubtVar puts name in doubt: it may have been assigned.
func (sh *shell) doubtVar(name string, doubt *problem.Error) {
	v := sh.get(name)
	if v.readonly {
		sh.mayEnd = true
	}
	sh.vars[name] = variable{pos: doubt.Pos, doubt: doubt, readonly: v.readonly}
}

// doubtAll puts every variable in doubt until it is assigned again.
func (sh *shell) doubtAll(doubt *problem.Error) {
	sh.allDoubt, sh.mayEnd = doubt, true
	for name, v := range sh.vars {
		v.doubt = doubt
		sh.vars[name] = v
	}
}

// doubtRest puts every variable in doubt, for good: what follows may not be reached.
func (sh *shell) doubtRest(doubt *problem.Error) {
	sh.doubtAll(doubt)
	if sh.restDoubt == nil {
		sh.restDoubt = doubt
	}
}

// doubt says that node needs a shell.
func (sh *shell) doubt(node syntax.Node, why string) *problem.Error {
	return &problem.Error{Pos: sh.src.pos(node.Pos()), Msg: sh.src.quote(node) + " " + why,
		Hint: "write the value out; rdgen reads only what is certain without running the file"}
}

const needsShell = "needs a shell to read"

// run executes statements that are certainly reached.
func (sh *shell) run(stmts []*syntax.Stmt) {
	for _, s := range stmts {
		sh.stmt(s)
	}
}

func (sh *shell) stmt(s *syntax.Stmt) {
	if s.Background || s.Coprocess || s.Disown || len(s.Redirs) > 0 {
		// A command whose redirection fails is not run.
		sh.runMaybe("a redirection or \"&\"", s)
		return
	}
	switch c := s.Cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		sh.call(c)
	case *syntax.Block:
		sh.run(c.Stmts)
	case *syntax.Subshell:
		// What a subshell assigns ends with it.
	case *syntax.FuncDecl:
		sh.funcs[c.Name.Value] = []function{{sh.src, c, sh.restDoubt != nil}}
	case *syntax.BinaryCmd:
		sh.binary(c)
	case *syntax.IfClause:
		sh.run(c.Cond)
		sh.runMaybeAll(`"if"`, c.Then)
		if c.Else != nil {
			sh.runMaybe(`"if"`, c.Else)
		}
	case *syntax.CaseClause:
		sh.word(c.Word, false)
		for _, item := range c.Items {
			sh.runMaybe(`"case"`, item)
		}
	case *syntax.ForClause:
		sh.runMaybe(`"for"`, c)
	case *syntax.WhileClause:
		sh.runMaybe("a loop", c)
	default:
		sh.doubtRest(sh.doubt(s, needsShell))
	}
}

// binary runs a list or a pipeline. Every part of a pipeline is a subshell in
// dash and busybox ash.
func (sh *shell) binary(c *syntax.BinaryCmd) {
	switch c.Op {
	case syntax.AndStmt, syntax.OrStmt:
		sh.stmt(c.X)
		sh.runMaybe(`"`+c.Op.String()+`"`, c.Y)
	}
}

// call runs a simple command: expansions, then assignments, then the command.
func (sh *shell) call(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			text, doubt := sh.value(a)
			sh.assign(a.Name.Value, text, doubt, a)
		}
		return
	}
	name, doubt := sh.commandName(c.Args[0])
	if !declares(name) {
		for _, w := range c.Args {
			sh.word(w, false)
		}
	}
	for _, a := range c.Assigns {
		switch {
		case doubt != nil || len(sh.funcs[name]) > 0 || name == "command":
			sh.runMaybe("a command", a)
			sh.doubtVar(a.Name.Value, sh.doubt(a, needsShell))
		case specialBuiltins[name]:
			text, d := sh.value(a)
			sh.assign(a.Name.Value, text, d, a)
		default:
			// For the command alone, but an expansion in it may see the ones before.
			sh.runMaybe("a command", a)
			sh.mayEnd = sh.mayEnd || sh.get(a.Name.Value).readonly
		}
	}
	if doubt != nil {
		sh.doubtRest(doubt)
		return
	}
	sh.command(c, name)
}

// value evaluates the right side of an assignment. The doubt quotes all of it.
func (sh *shell) value(a *syntax.Assign) (string, *problem.Error) {
	if a.Append || a.Index != nil || a.Array != nil || a.Naked {
		return "", sh.doubt(a, needsShell)
	}
	if a.Value == nil {
		return "", nil
	}
	text, doubt := sh.word(a.Value, false)
	if doubt != nil {
		why := sh.doubt(a, needsShell)
		why.Err = doubt
		return "", why
	}
	return text, nil
}

// commandName returns the name of the command that w is, or the doubt.
func (sh *shell) commandName(w *syntax.Word) (string, *problem.Error) {
	if lit := w.Lit(); lit == "[" || lit == "[[" {
		return lit, nil
	}
	name, doubt := sh.clone().word(w, true)
	if doubt == nil && name == "" {
		doubt = sh.doubt(w, "may be no command at all, which needs a shell to know")
	}
	return name, doubt
}
