package openrc

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// specialBuiltins are those of POSIX (XCU 2.14): no function can have their
// name, an assignment before one of them stays, and an error in one ends the
// shell.
var specialBuiltins = map[string]bool{
	":": true, ".": true, "break": true, "continue": true, "eval": true, "exec": true, "exit": true,
	"export": true, "readonly": true, "return": true, "set": true, "shift": true, "times": true,
	"trap": true, "unset": true,
}

// endings are the commands after which a shell may not reach, or may read
// differently, the rest of the file: they leave it, or run text that nobody
// has read, or differ between dash and busybox ash.
var endings = map[string]bool{
	"break": true, "continue": true, "eval": true, "exec": true, "exit": true, "return": true, "set": true,
	"trap": true, "alias": true, "unalias": true, "builtin": true, "let": true, "local": true,
	"declare": true, "typeset": true, "function": true, "[[": true, "source": true,
}

// sourcing are the commands that run a file; sourcex is OpenRC's own.
var sourcing = map[string]bool{".": true, "sourcex": true}

func declares(name string) bool { return name == "export" || name == "readonly" }

// command applies what the command called name does to variables. A program
// does nothing to them, whatever it is.
func (sh *shell) command(c *syntax.CallExpr, name string) {
	args := c.Args[1:]
	switch {
	case declares(name):
		if len(c.Assigns) > 0 {
			sh.doubtAll(sh.doubt(c, needsShell))
			return
		}
		for _, w := range args {
			sh.declare(w, name == "readonly")
		}
	case name == "unset":
		sh.unsetAll(args)
	case name == "ulimit" && len(sh.funcs[name]) == 0:
		sh.ulimit(c, args)
	default:
		sh.affect(c, name, args, &maybeRun{sh: sh})
	}
}

// affect applies the commands whose effect is a doubt, surely reached or not.
func (sh *shell) affect(c *syntax.CallExpr, name string, args []*syntax.Word, s *maybeRun) {
	switch target := bashAssigns(c.Args[0], args); {
	case target != "":
		sh.doubtVar(target, sh.doubt(c, "sets the variable under bash, and not under other shells"))
	case name == "command":
		sh.affectCommand(c, args)
	case sourcing[name]:
		sh.doubtAll(sh.doubt(c, "may set any variable, and needs a shell to run"))
		sh.foreignFuncs = true
	case (name == "break" || name == "continue") && s.loops > 0 && len(args) == 0:
	case name == "return" && s.function:
	case name == "local" && s.function:
		sh.mayEnd = true // it is an error to name what cannot be a variable
		for _, w := range args {
			s.local(w)
		}
	case endings[name]:
		sh.doubtRest(sh.doubt(c, "may end or change the file here, which needs a shell to know"))
	case name == "shift" || name == "times":
		sh.mayEnd = true
	case name == "read" || name == "getopts":
		for _, implied := range []string{"REPLY", "OPTARG", "OPTIND"} {
			s.doubtVar(implied, c)
		}
		s.doubtWords(c, args)
	case limiting[name] && len(sh.funcs[name]) == 0:
		sh.unlimited = sh.doubt(c, "changes what the daemon inherits, and no variable says so")
	case name == "cd":
		if len(args) != 1 || args[0].Lit() != "/" { // where OpenRC is already
			sh.moved = sh.doubt(c, "moves the daemon to another folder, and directory= does not say so")
		}
		s.doubtVar("PWD", c)
		s.doubtVar("OLDPWD", c)
	case len(sh.funcs[name]) > 0:
		for _, f := range sh.funcs[name] {
			s.call(f)
		}
	case sh.foreignFuncs && !strings.ContainsAny(name, "/[") && !specialBuiltins[name]:
		sh.doubtAll(sh.doubt(c, "may be a function of a file sourced before, which needs a shell to know"))
	}
}

// bashAssigns returns the variable that a command of POSIX sets under bash alone:
// NAME+=value, and printf -v NAME. A domain is named in conf.d, where slip says more.
func bashAssigns(command *syntax.Word, args []*syntax.Word) string {
	if lit, ok := command.Parts[0].(*syntax.Lit); ok {
		if name, _, ok := strings.Cut(lit.Value, "+="); ok && isName(name) && !slices.Contains(keys, name) {
			return name
		}
	}
	if command.Lit() == "printf" && len(args) > 1 && args[0].Lit() == "-v" && isName(args[1].Lit()) {
		return args[1].Lit()
	}
	return ""
}

// affectCommand is for command(1), which hides functions and takes the special
// builtins their specialness, but not their effect.
func (sh *shell) affectCommand(c *syntax.CallExpr, args []*syntax.Word) {
	for i, w := range args {
		switch lit := w.Lit(); {
		case i == 0 && (lit == "-v" || lit == "-V"):
			return
		case i == 0 && lit == "-p":
		case lit == "" || specialBuiltins[lit] && lit != ":" || endings[lit] || sourcing[lit] ||
			lit == "read" || lit == "getopts" || lit == "cd" || lit == "command" || lit[0] == '-':
			sh.doubtRest(sh.doubt(c, needsShell))
			return
		default:
			if limiting[lit] {
				sh.unlimited = sh.doubt(c, "changes what the daemon inherits, and no variable says so")
			}
			return
		}
	}
}

// declare is one argument of export or readonly: name or name=value.
func (sh *shell) declare(w *syntax.Word, readonly bool) {
	name, value, assigns := splitAssignment(w)
	if name == "" {
		sh.word(w, false)
		sh.doubtAll(sh.doubt(w, needsShell))
		return
	}
	if assigns {
		// Older shells split the value into fields, newer ones do not.
		text, doubt := sh.parts(value, expansion{split: true, value: true})
		if _, changed := sh.vars["IFS"]; changed && !literal(value) {
			doubt = sh.doubt(w, needsShell)
		}
		sh.assign(name, text, doubt, w)
	}
	if !readonly {
		sh.export(name)
	}
	if readonly {
		v := sh.get(name)
		v.readonly = true
		sh.vars[name] = v
	}
}

// splitAssignment splits name=value, or returns name alone. The name is ""
// where it is not a plain literal.
func splitAssignment(w *syntax.Word) (name string, value []syntax.WordPart, assigns bool) {
	lit, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return "", nil, false
	}
	name, first, assigns := strings.Cut(lit.Value, "=")
	if !isName(name) || !assigns && len(w.Parts) > 1 {
		return "", nil, false
	}
	if first != "" {
		rest := *lit
		rest.Value = first
		value = append(value, &rest)
	}
	return name, append(value, w.Parts[1:]...), assigns
}

func literal(parts []syntax.WordPart) bool {
	for _, p := range parts {
		switch p.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
		default:
			return false
		}
	}
	return true
}

func (sh *shell) unsetAll(args []*syntax.Word) {
	for i, w := range args {
		switch lit := w.Lit(); {
		case i == 0 && lit == "-f":
			for _, f := range args[1:] {
				delete(sh.funcs, f.Lit())
			}
			return
		case i == 0 && lit == "-v":
		case isName(lit):
			sh.unset(lit, w)
		default:
			sh.doubtAll(sh.doubt(w, needsShell))
		}
	}
}
