package openrc

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// word expands w to one string, as the right side of an assignment is, and
// applies its side effects. The doubt says that only a shell knows the result.
//
// With split the word is an argument, where the result of an unquoted expansion
// is split into fields, and an unquoted pattern replaced by the files that it
// matches: what either would change is in doubt.
func (sh *shell) word(w *syntax.Word, split bool) (string, *problem.Error) {
	return sh.parts(w.Parts, expansion{split: split})
}

// expansion is where a word part stands.
type expansion struct {
	quoted  bool // in double quotes
	split   bool // fields and file names are made of what is not quoted
	operand bool // in the word of ${name:-word}
	value   bool // after NAME= of export, where nothing is no word less, and IFS is the shell's own
}

func (sh *shell) parts(parts []syntax.WordPart, in expansion) (string, *problem.Error) {
	var b strings.Builder
	var doubt *problem.Error
	for _, p := range parts {
		text, d := sh.part(p, in)
		if doubt == nil {
			doubt = d
		}
		b.WriteString(text)
	}
	if doubt != nil {
		return "", doubt
	}
	return b.String(), nil
}

func (sh *shell) part(p syntax.WordPart, in expansion) (string, *problem.Error) {
	switch p := p.(type) {
	case *syntax.Lit:
		text, ok := unescape(p.Value, in)
		if !ok {
			return "", sh.doubt(p, needsShell)
		}
		return text, nil
	case *syntax.SglQuoted:
		if p.Dollar || in.quoted {
			// "${x:-'a'}" keeps the quotes in some shells.
			return "", sh.doubt(p, needsShell)
		}
		return p.Value, nil
	case *syntax.DblQuoted:
		if p.Dollar {
			return "", sh.doubt(p, needsShell)
		}
		return sh.parts(p.Parts, expansion{quoted: true, operand: in.operand})
	case *syntax.ParamExp:
		text, doubt := sh.param(p, in)
		if doubt == nil && in.split && !in.quoted && !plain(text) && (!in.value || strings.ContainsAny(text, " \t\n*?[\\")) {
			doubt = sh.doubt(p, needsShell)
		}
		return text, doubt
	}
	// Command substitutions run in a subshell, arithmetic may assign.
	sh.runMaybe("an expansion", p)
	return "", sh.doubt(p, needsShell)
}

// unescape removes the backslashes of a literal. It is not certain of tildes,
// of a "$" that starts no expansion, and of patterns where they match files.
func unescape(s string, in expansion) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && s[i+1] == '\n':
			i++ // a continued line, which the parser leaves where a backslash is before it
			continue
		case c == '\\' && i+1 < len(s) && !in.quoted:
			i++
			c = s[i]
		case c == '\\' && i+1 < len(s) && strings.IndexByte("$`\"\\", s[i+1]) >= 0 && !in.operand:
			i++
			c = s[i]
		case c == '\\' && (in.operand || !in.quoted):
			return "", false
		case c == '$':
			return "", false
		case !in.quoted && c == '~':
			return "", false
		case !in.quoted && in.split && strings.IndexByte("*?[", c) >= 0:
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// plain reports that field splitting and file name expansion leave s as it is,
// whatever IFS could sensibly be.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("/._-+@%", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// param expands $name and ${name...}.
func (sh *shell) param(p *syntax.ParamExp, in expansion) (string, *problem.Error) {
	needs := sh.doubt(p, needsShell)
	if p.Param == nil || !isName(p.Param.Value) || !portable(p) {
		sh.runMaybe("an expansion", p)
		return "", needs
	}
	name := p.Param.Value
	v := sh.get(name)
	if v.doubt != nil {
		sh.runMaybe("an expansion", p)
		if v.doubt.Line > 0 {
			needs.Err = v.doubt
		}
		return "", needs
	}
	switch {
	case p.Length:
		if !ascii(v.text) {
			return "", needs
		}
		return strconv.Itoa(len(v.text)), nil
	case p.Exp == nil:
		return v.text, nil
	}
	has := v.set
	switch p.Exp.Op {
	case syntax.DefaultUnsetOrNull, syntax.AssignUnsetOrNull, syntax.AlternateUnsetOrNull, syntax.ErrorUnsetOrNull:
		has = v.text != ""
	}
	in.operand = true
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if !has {
			return "", nil
		}
		return sh.operand(p, in)
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return sh.trim(p, v.text, in)
	}
	if has {
		return v.text, nil
	}
	text, doubt := sh.operand(p, in)
	switch p.Exp.Op {
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		sh.assign(name, text, doubt, p)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		doubt = sh.doubt(p, "ends the shell, because "+name+" is not set")
		sh.doubtRest(doubt)
	}
	return text, doubt
}

func (sh *shell) operand(p *syntax.ParamExp, in expansion) (string, *problem.Error) {
	if p.Exp.Word == nil {
		return "", nil
	}
	return sh.parts(p.Exp.Word.Parts, in)
}

// portable reports whether p is one of the expansions that POSIX has.
func portable(p *syntax.ParamExp) bool {
	if p.Flags != nil || p.Excl || p.Width || p.IsSet || p.Index != nil || p.Slice != nil || p.Repl != nil ||
		p.Names != 0 || p.NestedParam != nil || len(p.Modifiers) > 0 {
		return false
	}
	if p.Exp == nil {
		return true
	}
	switch p.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull,
		syntax.ErrorUnset, syntax.ErrorUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull,
		syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return !p.Length
	}
	return false
}

// isName reports whether s is the name of a variable, not of a special or
// positional parameter.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
