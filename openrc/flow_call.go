package openrc

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// call follows a command: a word of the guard, a function, a command of the shell
// that matters, or one whose name is in a variable, which is the script's.
func (f *flow) call(w *way, c *syntax.CallExpr, guarded bool) truth {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			w.vars[a.Name.Value] = f.word(w, a.Value)
		}
		return maybe
	}
	var args []string
	for _, word := range c.Args {
		args = append(args, f.word(w, word))
	}
	if guarded && guardWords[c.Args[0].Lit()] {
		f.look(w)
		w.looked = true
	}
	for len(args) > 1 && (args[0] == "command" || args[0] == "builtin") {
		args = args[1:]
	}
	name := args[0]
	args = args[1:]
	if w.scripted && (varies(c.Args[0]) || name == "start" || name == "start_pre") {
		f.called(w, f.src.pos(c.Pos()))
		return maybe
	}
	if fn, ok := w.funcs[name]; ok {
		return f.function(w, fn, args)
	}
	if name == "eval" {
		f.eval(w, c)
		return maybe
	}
	return f.builtin(w, name, args)
}

// varies reports whether a word has a variable in it.
func varies(word *syntax.Word) (found bool) {
	syntax.Walk(word, func(n syntax.Node) bool {
		_, ok := n.(*syntax.ParamExp)
		found = found || ok
		return !found
	})
	return found
}

// leads reports whether a word begins with a variable.
func leads(parts []syntax.WordPart) bool {
	switch p := parts[0].(type) {
	case *syntax.ParamExp:
		return true
	case *syntax.DblQuoted:
		return len(p.Parts) > 0 && leads(p.Parts)
	}
	return false
}

func (f *flow) builtin(w *way, name string, args []string) truth {
	switch name {
	case ".", "source":
		if len(args) > 0 {
			f.read(w, args[0])
		}
	case "[", "test":
		return compare(args)
	case "true", ":":
		return yes
	case "false":
		return no
	case "shift":
		if len(w.args) > 0 && len(args) == 0 {
			w.args = w.args[1:]
		}
	case "set":
		if len(args) > 0 && (args[0] == "--" || !strings.HasPrefix(args[0], "-")) {
			w.args = []string{unknown}
		}
	case "unalias":
		for _, word := range args {
			if word == "-a" || guardWords[word] {
				w.guarded = false
			}
		}
	case "unset":
		for _, word := range args {
			delete(w.funcs, word)
			delete(w.vars, word)
		}
	case "export", "readonly", "local":
		for _, word := range args {
			if name, value, ok := strings.Cut(word, "="); ok {
				w.vars[name] = value
			}
		}
	case "return":
		w.returned = append(w.returned, w.clone())
		w.over = true
	case "exit", "exec":
		w.over = len(args) > 0 || name == "exit"
	}
	return maybe
}

// compare is [ A = B ] of what is known.
func compare(args []string) truth {
	if n := len(args); n > 0 && args[n-1] == "]" {
		args = args[:n-1]
	}
	if len(args) != 3 || !known(args[0]) || !known(args[2]) {
		return maybe
	}
	same := no
	if args[0] == args[2] {
		same = yes
	}
	switch args[1] {
	case "=", "==":
		return same
	case "!=":
		return same.not()
	}
	return maybe
}

// function follows a function, from which every way leads back but those that end
// the shell.
func (f *flow) function(w *way, fn body, args []string) truth {
	if fn.hook {
		if len(args) > 0 {
			f.sourcex(w, args)
		}
		return maybe
	}
	if f.calls == mostCalls {
		return maybe
	}
	f.calls++
	src, outer, returned := f.src, w.args, w.returned
	f.src, w.args, w.returned = fn.src, args, nil
	t := f.stmt(w, fn.stmt, fn.guarded)
	for _, back := range w.returned {
		w.join(back)
		t = maybe
	}
	f.src, w.args, w.returned = src, outer, returned
	f.calls--
	return t
}

// eval reads a file if its text comes from one; else it may be a call of the
// script's functions.
func (f *flow) eval(w *way, c *syntax.CallExpr) {
	var names []string
	for _, word := range c.Args[1:] {
		syntax.Walk(word, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.CallExpr:
				if len(n.Args) > 1 && n.Args[0].Lit() == "cat" {
					names = append(names, f.word(w, n.Args[len(n.Args)-1]))
				}
			case *syntax.Redirect:
				if n.Op == syntax.RdrIn {
					names = append(names, f.word(w, n.Word))
				}
			}
			return true
		})
	}
	for _, name := range names {
		f.read(w, name)
	}
	if len(names) == 0 && len(c.Args) > 1 && leads(c.Args[1].Parts) && w.scripted {
		f.called(w, f.src.pos(c.Pos()))
	}
}

// word is the text of a word, with a mark for what is not known of it.
func (f *flow) word(w *way, word *syntax.Word) string {
	if word == nil {
		return ""
	}
	return f.text(w, word.Parts)
}

func (f *flow) text(w *way, parts []syntax.WordPart) string {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(p.Value)
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			b.WriteString(f.text(w, p.Parts))
		case *syntax.ParamExp:
			b.WriteString(f.value(w, p))
		default:
			b.WriteString(unknown)
		}
	}
	return b.String()
}

func (f *flow) value(w *way, p *syntax.ParamExp) string {
	if p.Param == nil || p.Exp != nil || p.Length || p.Slice != nil || p.Repl != nil {
		return unknown
	}
	switch name := p.Param.Value; name {
	case "1", "2", "3":
		if i := int(name[0] - '1'); i < len(w.args) {
			return w.args[i]
		}
		return unknown
	case "@", "*":
		return strings.Join(w.args, " ")
	default:
		if value, ok := w.vars[name]; ok {
			return value
		}
		return unknown
	}
}
