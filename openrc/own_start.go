package openrc

import (
	"errors"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// OwnStart is a start() of the script's own that starts one daemon by one
// start-stop-daemon.
type OwnStart struct {
	// Folders are made before.
	Folders []Folder
	// More says that it does other things too, which change nothing that is known of the
	// daemon.
	More bool

	words []given
	pos   problem.Pos
}

// messages are the functions of OpenRC that say something.
var messages = []string{"einfo", "einfon", "ewarn", "ewarnn", "eerror", "eerrorn", "ebegin", "eend", "ewend", "eindent", "eoutdent",
	"veinfo", "veinfon", "vewarn", "vebegin", "veend", "vewend", "veindent", "veoutdent", "esyslog", ":", "true"}

// OwnStart reads the script's own start(), if it has one. Call it on Start(). The error
// is a *problem.Error.
func (s *Script) OwnStart() (*OwnStart, error) { return s.own("start") }

// OwnStop is a stop() of the script's own.
type OwnStop struct {
	// Options are those of the one start-stop-daemon that it consists of, or nil.
	Options []Option
	// More says that it does other things too.
	More bool
}

// OwnStop reads the script's own stop(), or returns nil if it has none.
func (s *Script) OwnStop() *OwnStop {
	if _, has := s.Funcs["stop"]; !has {
		return nil
	}
	own, err := s.own("stop")
	if err != nil {
		return &OwnStop{More: true}
	}
	options, _, err := getopt("start-stop-daemon", startStopOptions, own.words)
	if err != nil || !slices.ContainsFunc(options, func(o Option) bool { return o.Name == "stop" }) {
		return &OwnStop{More: true}
	}
	return &OwnStop{Options: options, More: own.More || len(own.Folders) > 0}
}

// own reads a start() or stop() of the script's own.
func (s *Script) own(name string) (*OwnStart, error) {
	pos, has := s.Funcs[name]
	if !has {
		return nil, nil
	}
	refuse := func(pos problem.Pos, why string) error {
		return &problem.Error{Pos: pos, Msg: "the script has its own " + name + "(), " + why, Hint: "such a service can be run by OpenRC only"}
	}
	defs := s.sh.funcs[name]
	if len(defs) != 1 || defs[0].maybe {
		return nil, refuse(pos, "and only a shell knows which")
	}
	body, ok := defs[0].decl.Body.Cmd.(*syntax.Block)
	if !ok || len(defs[0].decl.Body.Redirs) > 0 {
		return nil, refuse(pos, "so its variables do not say what it runs")
	}
	r := ownReader{sh: s.run.clone(), own: &OwnStart{pos: pos}}
	if s.before != nil {
		r.sh = s.before.clone()
	}
	r.sh.src = defs[0].src
	if n := r.daemons(defs[0].decl.Body, nil); n != 1 {
		return nil, refuse(pos, "and not one start-stop-daemon in it, so its variables do not say what it runs")
	}
	for i, stmt := range body.Stmts {
		if why := r.stmt(stmt, i == len(body.Stmts)-1); why != "" {
			return nil, refuse(r.sh.src.pos(stmt.Pos()), why)
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if r.own.words == nil {
		return nil, refuse(pos, "and only a shell knows whether it starts the daemon")
	}
	return r.own, nil
}

// ownReader follows a start() in the shell that has run all before it.
type ownReader struct {
	sh  *shell
	own *OwnStart
	err error
}

// daemons counts the commands by which node, and the functions that it calls, start
// daemons, or may do so in a way that nobody can count.
func (r *ownReader) daemons(node syntax.Node, seen []*syntax.FuncDecl) (n int) {
	syntax.Walk(node, func(node syntax.Node) bool {
		c, ok := node.(*syntax.CallExpr)
		if !ok || len(c.Args) == 0 {
			return true
		}
		name := c.Args[0].Lit()
		switch name {
		case "start-stop-daemon":
			n++
		case "", "supervise-daemon", "exec", "eval", "su", "runuser", "setsid", "nohup", "daemonize", "default_start", "ssd_start",
			"supervise_start", "env", "nice", "ionice", "chroot", "setpriv", "command", ".", "source", "sourcex":
			n += 2
		}
		for _, f := range r.sh.funcs[name] {
			if !slices.Contains(seen, f.decl) {
				seen = append(seen, f.decl)
				n += r.daemons(f.decl.Body, seen)
			}
		}
		return true
	})
	return n
}

// stmt reads one statement, or says why it cannot.
func (r *ownReader) stmt(stmt *syntax.Stmt, last bool) string {
	if stmt.Background || stmt.Negated || len(stmt.Redirs) > 0 {
		return r.more(stmt)
	}
	switch c := stmt.Cmd.(type) {
	case *syntax.BinaryCmd:
		// What follows "||" comes where the first part failed.
		y, ok := c.Y.Cmd.(*syntax.CallExpr)
		if c.Op == syntax.OrStmt && ok && len(y.Args) > 0 && (y.Args[0].Lit() == "return" || y.Args[0].Lit() == "eend") {
			return r.stmt(c.X, false)
		}
	case *syntax.CallExpr:
		if len(c.Args) == 0 || c.Args[0].Lit() == "local" && len(c.Assigns) == 0 {
			return r.variables(stmt, c)
		}
		name := c.Args[0].Lit()
		switch {
		case name == "return" && r.own.words != nil:
			return ""
		case name == "start-stop-daemon":
			return r.daemon(c)
		case name == "return" && last:
			return ""
		case name == "return":
			return "which ends before its end"
		case slices.Contains(messages, name) && len(r.sh.funcs[name]) == 0 && len(c.Assigns) == 0:
			return ""
		}
		if folders, ok := r.sh.clone().folders(stmt); ok && r.own.words == nil {
			r.own.Folders = append(r.own.Folders, folders...)
			return ""
		}
	}
	return r.more(stmt)
}

// variables reads assignments: after the daemon they are of no matter, and one to what
// only a shell knows, or to nothing by local, is in doubt where it is used.
func (r *ownReader) variables(stmt *syntax.Stmt, c *syntax.CallExpr) string {
	if r.own.words == nil && !r.sh.clone().ownVariables(c) {
		more := r.own.More
		why := r.more(stmt)
		r.own.More = more
		for _, w := range c.Args {
			if name, _, _ := splitAssignment(w); name != "" && name != "local" {
				r.sh.doubtVar(name, r.sh.doubt(c, needsShell))
			}
		}
		return why
	}
	if r.own.words == nil {
		r.sh.ownVariables(c)
	}
	return ""
}

// more is any other statement: it puts in doubt what it may change.
func (r *ownReader) more(stmt *syntax.Stmt) string {
	if r.daemons(stmt, nil) > 0 {
		return "and whether it starts the daemon depends on what only a shell knows"
	}
	r.own.More = true
	inner := &maybeRun{sh: r.sh, under: "start()", function: true}
	inner.walk(stmt)
	return ""
}

// daemon reads the words of start-stop-daemon.
func (r *ownReader) daemon(c *syntax.CallExpr) string {
	if len(c.Assigns) > 0 {
		return "which sets variables for start-stop-daemon alone"
	}
	r.own.words = []given{}
	for _, w := range c.Args[1:] {
		words, doubt := r.sh.fields(w)
		if doubt != nil {
			r.err = doubt
			return ""
		}
		for _, text := range words {
			r.own.words = append(r.own.words, given{text, r.sh.src.pos(w.Pos())})
		}
	}
	return ""
}

// fields are the words that an argument is: those of the value of an unquoted variable,
// or one.
func (sh *shell) fields(w *syntax.Word) ([]string, *problem.Error) {
	p, ok := w.Parts[0].(*syntax.ParamExp)
	if !ok || len(w.Parts) > 1 || quotes(p) {
		text, doubt := sh.word(w, true)
		return []string{text}, doubt
	}
	text, doubt := sh.word(w, false)
	if doubt != nil {
		return nil, doubt
	}
	if _, changed := sh.vars["IFS"]; changed || strings.ContainsAny(text, `*?[\`) {
		return nil, sh.doubt(w, needsShell)
	}
	return strings.FieldsFunc(text, isIFS), nil
}

// quotes reports whether the word of ${name:+word} has quotes, which fields do not end.
func quotes(p *syntax.ParamExp) (has bool) {
	syntax.Walk(p, func(node syntax.Node) bool {
		switch node.(type) {
		case *syntax.DblQuoted, *syntax.SglQuoted:
			has = true
		}
		return true
	})
	return has
}

// daemon is what start-stop-daemon makes of the words.
func (o *OwnStart) daemon(service string) (Daemon, error) {
	d := Daemon{Pos: o.pos}
	err := d.parse(service, o.words)
	if e, ok := errors.AsType[*problem.Error](err); ok && e.File == "" {
		e.Pos = o.pos
	}
	return d, err
}
