package openrc

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// Folder is a directory, or an empty file, that a script makes before its daemon
// starts.
type Folder struct {
	Path string
	File bool
	// Mode is octal, or "": then an old folder keeps its mode, and a new one has New.
	Mode, New string
	// Owner is USER, USER:GROUP, :GROUP or "".
	Owner string
	Pos   problem.Pos
}

// Folders returns what start_pre certainly makes by checkpath(8) or mkdir; all is false
// if it does, or may do, anything else.
func (s *Script) Folders() (folders []Folder, all bool) {
	defs := s.sh.funcs["start_pre"]
	if len(defs) != 1 || defs[0].maybe {
		return nil, false
	}
	block, isBlock := defs[0].decl.Body.Cmd.(*syntax.Block)
	if !isBlock || len(defs[0].decl.Body.Redirs) > 0 {
		return nil, false
	}
	r := ownReader{sh: s.sh.clone(), own: &OwnStart{}}
	r.sh.src = defs[0].src
	all = true
	for _, stmt := range block.Stmts {
		after := r.sh.clone()
		if made, ok := after.folders(stmt); ok {
			r.sh, folders = after, append(folders, made...)
			continue
		}
		all = false
		if ends(stmt) {
			break
		}
		if c, ok := stmt.Cmd.(*syntax.CallExpr); ok && (len(c.Args) == 0 || c.Args[0].Lit() == "local") {
			r.variables(stmt, c)
			continue
		}
		(&maybeRun{sh: r.sh, under: "start_pre()", function: true}).walk(stmt)
	}
	return folders, all
}

// ends reports whether a statement may be the last that is run, and the service starts
// all the same: by a return of what is not certainly a failure.
func ends(stmt *syntax.Stmt) (found bool) {
	syntax.Walk(stmt, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.BinaryCmd:
			if y, ok := n.Y.Cmd.(*syntax.CallExpr); ok && n.Op == syntax.OrStmt && returns(y) && (len(y.Args) == 1 || isStatus(y.Args[1])) {
				found = found || ends(n.X) // where that failed, it returns so
				return false
			}
		case *syntax.CallExpr:
			found = found || returns(n) && (len(n.Args) == 1 || n.Args[1].Lit() == "" || n.Args[1].Lit() == "0")
		}
		return true
	})
	return found
}

func returns(c *syntax.CallExpr) bool { return len(c.Args) > 0 && c.Args[0].Lit() == "return" }

// isStatus reports whether a word is $?.
func isStatus(w *syntax.Word) bool {
	p, ok := w.Parts[0].(*syntax.ParamExp)
	return ok && len(w.Parts) == 1 && p.Short && p.Param.Value == "?"
}

// folders reads one statement. What follows "||" happens where the folder could not
// be made, and that ends the start in any case.
func (sh *shell) folders(stmt *syntax.Stmt) ([]Folder, bool) {
	if stmt.Background || stmt.Negated || len(stmt.Redirs) > 0 {
		return nil, false
	}
	switch c := stmt.Cmd.(type) {
	case *syntax.BinaryCmd:
		if c.Op == syntax.AndStmt {
			first, ok := sh.folders(c.X)
			second, also := sh.folders(c.Y)
			return append(first, second...), ok && also
		}
		if y, ok := c.Y.Cmd.(*syntax.CallExpr); ok && c.Op == syntax.OrStmt && len(y.Args) > 0 && y.Args[0].Lit() == "return" {
			return sh.folders(c.X)
		}
	case *syntax.CallExpr:
		if len(c.Args) == 0 || c.Args[0].Lit() == "local" && len(c.Assigns) == 0 {
			return nil, sh.ownVariables(c)
		}
		if sh.says(c) {
			return nil, true
		}
		var words []given
		for _, w := range c.Args {
			text, doubt := sh.word(w, true)
			if doubt != nil {
				return nil, false
			}
			words = append(words, given{text, sh.src.pos(w.Pos())})
		}
		if len(words) == 0 || len(c.Assigns) > 0 || len(sh.funcs[words[0].text]) > 0 {
			return nil, false
		}
		return makes(words[0].text, words[1:])
	}
	return nil, false
}

// says reports whether a command is one of OpenRC that only says something, and does not
// have start_pre fail.
func (sh *shell) says(c *syntax.CallExpr) bool {
	name := c.Args[0].Lit()
	if !slices.Contains(messages, name) || len(sh.funcs[name]) > 0 || len(c.Assigns) > 0 {
		return false
	}
	if !strings.HasSuffix(name, "end") || len(c.Args) == 1 {
		return true
	}
	return c.Args[1].Lit() == "0" || isStatus(c.Args[1])
}

// ownVariables reads what start_pre assigns for the lines that follow; ok is false where
// only a shell knows.
func (sh *shell) ownVariables(c *syntax.CallExpr) (ok bool) {
	for _, a := range c.Assigns {
		if a.Append || a.Value == nil {
			return false
		}
		text, doubt := sh.word(a.Value, false)
		sh.assign(a.Name.Value, text, doubt, a)
		if doubt != nil {
			return false
		}
	}
	for i, w := range c.Args {
		if i == 0 {
			continue // local
		}
		name, value, assigns := splitAssignment(w)
		if name == "" || !assigns {
			return false
		}
		text, doubt := sh.parts(value, expansion{split: true})
		sh.assign(name, text, doubt, w)
		if doubt != nil {
			return false
		}
	}
	return true
}

// The options of checkpath.c, and those of mkdir(1) that both coreutils and busybox
// have.
var (
	checkpathOptions = map[string]longOption{
		"directory": {'d', false}, "directory-truncate": {'D', false}, "file": {'f', false}, "file-truncate": {'F', false},
		"pipe": {'p', false}, "mode": {'m', true}, "owner": {'o', true}, "symlinks": {'s', false}, "writable": {'W', false},
		"nocolor": {'C', false}, "verbose": {'v', false}, "quiet": {'q', false},
	}
	mkdirOptions = map[string]longOption{"parents": {'p', false}, "mode": {'m', true}}
)

// makes reads a command that makes directories or files and does nothing else.
func makes(command string, args []given) (folders []Folder, ok bool) {
	switch command {
	case ":", "true":
		return nil, true
	case "return":
		return nil, len(args) == 0 || len(args) == 1 && args[0].text == "0"
	case "checkpath", "mkdir":
	default:
		return nil, false
	}
	table := mkdirOptions
	if command == "checkpath" {
		table = checkpathOptions
	}
	options, paths, err := getopt(command, table, args)
	if err != nil {
		return nil, false
	}
	var f Folder
	directory := command == "mkdir"
	if !directory {
		f.New = "0775" // do_create, whatever the umask is
	}
	mode := false
	for _, o := range options {
		switch o.Name {
		case "directory":
			directory = true
		case "file":
			f.File = true
		case "mode":
			f.Mode, f.New, mode = o.Value, "", true
		case "owner":
			f.Owner = o.Value
		case "parents", "quiet", "verbose", "nocolor", "symlinks":
		default:
			return nil, false
		}
	}
	if f.File && !mode {
		f.New = "0644" // 0664 before 0.6x
	}
	for _, p := range paths {
		f.Path, f.Pos = strings.TrimRight(p.text, "/"), p.pos
		folders = append(folders, f)
	}
	return folders, directory != f.File
}
