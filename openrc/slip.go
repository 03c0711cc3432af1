package openrc

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// keys are the two names that matter.
var keys = []string{"netns", "vrf"}

// slip is text in a conf.d file that looks as if it was meant to name a domain.
// openrc-slips.sh finds the same at each start of a service of OpenRC; a test holds
// both together. For a shell it is a command that it does not find, an assignment
// that it does not reach, or one to another variable: it goes on, and the service
// would start in the default domain.
type slip struct {
	pos problem.Pos
	// key is vrf or netns, name what is written for it, and value the domain's name,
	// or "" where it is not clear.
	key, name, value string
	// certain is set where no shell reads an assignment; otherwise it depends
	// on whether the file sets key.
	certain bool
}

// slip returns the first slip of the files that counts, or nil.
func (c *Conf) slip() error {
	for _, src := range c.sources {
		found := append(slips(src), commands(src)...)
		slices.SortStableFunc(found, func(a, b slip) int { return a.pos.Line - b.pos.Line })
		for _, s := range found {
			if s.certain || !c.sh.final(s.key).set {
				return s.problem()
			}
		}
	}
	return nil
}

// ConfigSlip returns the first slip in data, the text of file, where a line is not shell
// but KEY = VALUE, with spaces or without; or nil. set reports whether the file sets
// vrf or netns. The error is a *problem.Error.
func ConfigSlip(file string, data []byte, set func(key string) bool) error {
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			line = strings.TrimRight(key, blanks) + "=" + strings.TrimLeft(value, blanks)
		}
		b.WriteString(line)
	}
	for _, s := range slips(&source{path: file, text: []byte(b.String())}) {
		if s.certain || !set(s.key) {
			return s.problem()
		}
	}
	return nil
}

func (s slip) problem() error {
	value := s.value
	if value == "" {
		value = "NAME"
	}
	e := &problem.Error{Pos: s.pos, Msg: fmt.Sprintf("this does not set %s, so no domain is named", s.key),
		Hint: fmt.Sprintf("write %s=%s on a line of its own, without spaces", s.key, value)}
	if !s.certain && s.name == s.key {
		e.Msg = fmt.Sprintf("%s= stands here, but the file does not set it", s.key)
		e.Hint += fmt.Sprintf("; or %s= for none", s.key)
	} else if s.name != s.key && !s.certain {
		e.Msg = fmt.Sprintf("%s= is not read; is %s= meant?", s.name, s.key)
		e.Hint = fmt.Sprintf("write %s=%s; or, if %s= is for something else, add %s= to the file", s.key, value, s.name, s.key)
	}
	return e
}

// slips looks at each line of a file by itself, wherever it stands: in a here-document
// or a string too, for somebody forgot a quote.
func slips(src *source) []slip {
	var found []slip
	n := 0
	for line := range strings.Lines(string(src.text)) {
		n++
		for line != "" {
			end := strings.IndexAny(line+"\n", ";&|()`\r\n")
			part := line[:end]
			closed := strings.IndexAny(line[end:], "(|)`") == 0 // a function, a pattern
			if strings.HasPrefix(line[end:], "`") {
				part += "$" // what comes is computed
			}
			line = line[min(end+1, len(line)):]
			t, comment := begin(part)
			if comment {
				break
			}
			t.closed = closed
			if s, ok := t.judge(); ok {
				s.pos = problem.Pos{File: src.path, Line: n}
				found = append(found, s)
			}
		}
	}
	return found
}

// text is a part of a line that may be one command.
type text struct {
	rest string
	// odd is set when something stood before the name that keeps a shell from
	// reading an assignment: a quote, a character that nobody sees.
	odd bool
	// closed is set where it is no command of its own.
	closed bool
	// lead is the last word before it: export, or another variable's assignment.
	lead string
}

const (
	blanks  = " \t"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	word    = letters + "0123456789-"
	// visible are the other characters of ASCII, with the blanks.
	visible = blanks + "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~"
	// nameable are those that a domain's name has, or the variable that holds it.
	nameable = word + ".${}"
)

// openers are the words that may stand before an assignment.
var openers = []string{"export", "readonly", "local", "declare", "typeset", "env", "set", "let", "eval", "command", "then", "else", "do", "if",
	"elif", "while", "until", "time", "exec", "builtin", "alias", "setenv", "define", "var"}

// begin leaves out what may stand before the name of a variable. comment reports
// that no command begins here.
func begin(part string) (t text, comment bool) {
	t.rest = part
	for t.rest != "" {
		c := t.rest[0]
		switch {
		case c == '#':
			return t, true
		case strings.IndexByte(blanks, c) >= 0:
			t.rest = t.rest[1:]
		case strings.IndexByte("-{!>", c) >= 0 && strings.HasPrefix(t.rest[1:], " "):
			t.rest = t.rest[2:]
		case strings.IndexByte(letters, c) >= 0:
			if !t.skip() {
				return t, false
			}
		case strings.IndexByte(word+visible, c) < 0:
			t.rest, t.odd = cutOdd(t.rest), true
		case c == '-' && assignsKey(t.rest[1:]):
			t.rest, t.odd = t.rest[1:], true
		case strings.IndexByte(`"'\%@+.,*~^{`, c) >= 0, c == '$' && startsAssignment(t.rest[1:]):
			t.rest, t.odd = t.rest[1:], true
		default:
			t.rest = ""
		}
	}
	return t, false
}

// alike has, by the letters of the keys, characters that look like one or that another
// keyboard has in its place. openrc-slips.sh has the same.
var alike = []string{
	"vｖＶⅴⅤѵѴνᴠ",
	"rｒＲгŕŖŗŘřŔʀ",
	"fｆＦƒϝḟſ",
	"nｎＮпոηΝñÑńŃņŅňŇŋⁿ",
	"eｅＥеЕΕεéÉèÈêÊëËēĒėĖęĘěĚёЁєЄ℮",
	"tｔＴтТτΤťŤţŢțȚŧŦ",
	"sｓＳѕЅßśŚŝŜşŞšŠșȘ",
}

// cutOdd returns s, which begins with a byte that no name has, without it; or with the
// letter in place of a character that is like one.
func cutOdd(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	for _, a := range alike {
		if r != utf8.RuneError && strings.ContainsRune(a, r) {
			return a[:1] + s[size:]
		}
	}
	return s[1:]
}

func startsAssignment(s string) bool {
	return s != "" && strings.IndexByte(letters, s[0]) >= 0 && strings.HasPrefix(strings.TrimLeft(s, word), "=")
}

// assignsKey reports whether a key's assignment begins s.
func assignsKey(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	return ok && slices.Contains(keys, strings.ToLower(name))
}

// skip leaves out a word that may stand before an assignment.
func (t *text) skip() bool {
	rest := strings.TrimLeft(t.rest, word)
	name := t.rest[:len(t.rest)-len(rest)]
	after, _, _ := cutAny(rest, blanks)
	switch {
	case slices.Contains(openers, name) && after == "" && rest != "":
	case strings.HasPrefix(rest, "=") && meant(name) == "" && !strings.ContainsAny(after, `"'\`) && len(after) < len(rest):
		rest = rest[len(after):]
	default:
		return false
	}
	t.rest, t.lead = rest, name
	return true
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// judge decides whether the text is a slip.
func (t text) judge() (s slip, ok bool) {
	for {
		rest := strings.TrimLeft(t.rest, word)
		s.name += t.rest[:len(t.rest)-len(rest)]
		t.rest = rest
		if exact := slices.Contains(keys, strings.ToLower(s.name)); exact || rest == "" || strings.IndexByte(visible, rest[0]) >= 0 {
			break
		}
		t.rest, t.odd = cutOdd(rest), true // in the middle of a name
	}
	if key, value, ok := strings.Cut(s.name, "-"); ok && value != "" && slices.Contains(keys, strings.ToLower(key)) {
		joined := slip{name: s.name, key: strings.ToLower(key)}
		if t.joined(&joined, value+t.rest) {
			return joined, true
		}
	}
	if s.key = meant(s.name); s.key == "" {
		return s, false
	}
	if value, ok := strings.CutPrefix(t.rest, "="); ok && strings.IndexByte("=>", (value + " ")[0]) < 0 {
		return s, t.assignment(&s, value)
	}
	return s, t.command(&s)
}

// assignment judges NAME=VALUE.
func (t text) assignment(s *slip, value string) bool {
	trimmed := strings.TrimLeft(value, blanks)
	switch {
	case trimmed == "" || trimmed[0] == '#' && trimmed != value:
		return false
	case s.name == s.key && !t.odd:
		s.certain = trimmed != value
		first, _, _ := cutAny(trimmed, blanks)
		s.value = domainName(strings.TrimLeft(first, `"'`))
		return true
	}
	s.value = domainName(strings.TrimLeft(trimmed, `"'`))
	s.certain = t.odd && strings.ToLower(s.name) == s.key
	return s.value != "" && !slices.Contains([]string{"local", "declare", "typeset"}, t.lead)
}

// command judges a name with anything else after it.
func (t text) command(s *slip) bool {
	exact := strings.ToLower(s.name) == s.key
	rest := trimOdd(t.rest)
	for _, sign := range []string{"==", "=>", "=", ":=", "::", ":", "+=", "-=", "?=", "->"} {
		if value, ok := strings.CutPrefix(rest, sign); ok {
			s.value = domainName(trimOdd(value))
			s.certain = exact
			return exact || s.value != ""
		}
	}
	if strings.IndexByte(".+", (t.rest + " ")[0]) >= 0 && exact {
		return t.joined(s, t.rest[1:])
	}
	if value := strings.TrimLeft(rest, `\/,@%^!~*`); value != rest && exact {
		s.value, s.certain = domainName(trimOdd(strings.TrimLeft(trimOdd(value), "=:"))), true
		return s.value != ""
	}
	if len(rest) == len(t.rest) || !exact || slices.Contains([]string{"local", "declare", "typeset"}, t.lead) {
		return false
	}
	s.value = domainName(rest)
	s.certain = t.lead != "export" && t.lead != "readonly"
	if strings.HasPrefix(rest, "$") && s.value == "" {
		return true // vrf $(command)
	}
	return s.value != "" && meant(s.value) == ""
}

// joined judges a key and a domain's name with a sign between them that a command's name
// may have: a script is called netns.sh, a function netns-up.
func (t text) joined(s *slip, value string) bool {
	s.value, s.certain = domainName(value), true
	return s.value != "" && t.lead == "" && !t.closed && s.value != "sh" && !strings.HasSuffix(s.value, ".sh")
}

// trimOdd removes blanks, quotes and what nobody sees from the beginning.
func trimOdd(s string) string {
	for s != "" && (strings.IndexByte(blanks+`"'`, s[0]) >= 0 || strings.IndexByte(word+visible, s[0]) < 0) {
		s = s[1:]
	}
	return s
}

// domainName returns value if it can be the name of a domain, or the path of its file, or a
// variable that holds one, and nothing but a comment comes after it.
func domainName(value string) string {
	for _, folder := range []string{"/run/netns/", "/var/run/netns/"} {
		value = strings.TrimPrefix(value, folder)
	}
	rest := strings.TrimLeft(value, nameable)
	name := value[:len(value)-len(rest)]
	rest = strings.TrimLeft(rest, `"',`)
	after := strings.TrimLeft(rest, blanks)
	switch {
	case strings.Trim(name, "${}.-") == "":
		return ""
	case after != "" && (after[0] != '#' || after == rest) && strings.IndexByte(word+visible, after[0]) >= 0:
		return ""
	case slices.Contains([]string{"yes", "no", "true", "false", "on", "off", "none", "0", "1"}, strings.ToLower(name)):
		return ""
	}
	return name
}

// commands returns what the file runs as a command that has the name of a key, but
// in a function.
func commands(src *source) []slip {
	var found []slip
	syntax.Walk(src.file, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if ok && len(c.Args) > 0 && slices.Contains(keys, c.Args[0].Lit()) {
			name := c.Args[0].Lit()
			found = append(found, slip{pos: src.pos(c.Args[0].Pos()), key: name, name: name, certain: true})
		}
		_, function := n.(*syntax.FuncDecl)
		return !function
	})
	return found
}

// meant returns the key that name is, or is a likely misspelling of, or "": in
// capitals, with a "_" or "-" more, in the manner of other programs, or with one letter
// changed.
func meant(name string) string {
	name = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
	for _, prefix := range []string{"rc", "rdgen", "svc", "service", "openrc"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			name = rest
			break
		}
	}
	switch name {
	case "netfs": // netmount's
		return ""
	case "vrf", "vfr", "rvf", "vrfname", "vrfdevice", "vrfdev", "vrfmaster", "vrfid", "svrf", "vrd", "vrg", "vff":
		return "vrf"
	case "netns", "entns", "netnsname", "netnspath", "netnsid", "netnamespace", "networknamespace", "networknamespacepath", "networkns",
		"nsname", "snetns", "rdomain", "betns", "metns":
		return "netns"
	}
	// The first letter is seldom wrong: then by a key beside it. Other words of three letters are
	// near to vrf.
	switch {
	case name == "":
	case name[0] == 'v' && len(name) == 4 && problem.Distance(name, "vrf") == 1:
		return "vrf"
	case name[0] == 'n' && problem.Distance(name, "netns") == 1:
		return "netns"
	}
	return ""
}
