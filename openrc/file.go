package openrc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// maxFile is the size from which a file is no configuration any more.
const maxFile = 1 << 20

// maxNesting bounds what the parser, and every walk over its tree, recurses on:
// a stack that overflows ends the program. The largest init scripts have hundreds.
const maxNesting = 10_000

// source is one parsed shell file.
type source struct {
	path  string // absolute below the root
	text  []byte
	lines []int // offsets of the newlines
	file  *syntax.File
}

// readSource reads and parses the file name of fsys. The error matches
// fs.ErrNotExist if there is none, and is a *problem.Error for anything else.
func readSource(fsys fs.FS, name string) (*source, error) {
	text, err := readFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return parse("/"+name, text)
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	pos := problem.Pos{File: "/" + name}
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &problem.Error{Pos: pos, Msg: "no such file", Err: err}
	}
	if err != nil {
		return nil, problem.Unreadable("/"+name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, problem.Unreadable("/"+name, err)
	case info.IsDir():
		return nil, &problem.Error{Pos: pos, Msg: "is a directory, not a file", Err: fs.ErrInvalid}
	case !info.Mode().IsRegular():
		return nil, &problem.Error{Pos: pos, Msg: "is not a regular file", Err: fs.ErrInvalid}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, problem.Unreadable("/"+name, err)
	}
	if size := max(info.Size(), int64(len(text))); size > maxFile {
		return nil, &problem.Error{Pos: pos, Msg: fmt.Sprintf("has %d bytes, at most %d are read", size, maxFile),
			Hint: "a file of shell variables is never that large; is this the right file?"}
	}
	return text, nil
}

// parse reads text as POSIX shell. What dash, busybox ash and the parser would
// not all see as the same characters is refused before.
func parse(path string, text []byte) (*source, error) {
	src := &source{path: path, text: text, lines: newlines(text)}
	at := func(offset int, msg, hint string) error {
		return &problem.Error{Pos: src.offset(offset), Msg: msg, Hint: hint}
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return nil, at(i, "contains a NUL byte, so it is not a text file", "")
	}
	if i := bytes.IndexByte(text, '\r'); i >= 0 {
		return nil, carriageReturn(src.offset(i))
	}
	if i := invalidUTF8(text); i >= 0 {
		return nil, at(i, "is not valid UTF-8", "convert the file to UTF-8, or to plain ASCII")
	}
	if nesting(text) > maxNesting {
		return nil, at(0, "is nested too deeply to be read", "")
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true)).Parse(bytes.NewReader(text), "")
	if err != nil {
		return nil, src.syntaxError(err)
	}
	src.file = file
	if err := dialect(src); err != nil {
		return nil, err
	}
	return src, nil
}

// bashFunctions returns a shell that has nothing but the functions of a script that is
// not POSIX shell, read as bash; bash is false if it is no bash either.
func bashFunctions(path string, text []byte) (sh *shell, bash bool) {
	sh = newShell(nil)
	if invalidUTF8(text) >= 0 || nesting(text) > maxNesting {
		return sh, true // who knows
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(bytes.NewReader(text), "")
	if err != nil {
		return sh, false
	}
	src := &source{path: path, text: text, lines: newlines(text), file: file}
	syntax.Walk(file, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.FuncDecl); ok && f.Name != nil {
			sh.funcs[f.Name.Value] = append(sh.funcs[f.Name.Value], function{src, f, true})
		}
		return true
	})
	return sh, true
}

func carriageReturn(pos problem.Pos) error {
	return &problem.Error{Pos: pos, Msg: "contains a carriage return, which a shell reads as part of the value",
		Hint: "save the file with Unix line ends: sed -i 's/\\r$//' " + pos.File}
}

// newlines returns the offset of each.
func newlines(text []byte) []int {
	var lines []int
	for i, c := range text {
		if c == '\n' {
			lines = append(lines, i)
		}
	}
	return lines
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// nesting is an upper bound of the depth of the syntax tree.
func nesting(text []byte) int {
	n := 0
	for _, opening := range []string{"(", "{", "`", "|", "&", "!", "if", "do", "case", "while", "until"} {
		n += bytes.Count(text, []byte(opening))
	}
	if i := bytes.Index(text, []byte("$((")); i >= 0 {
		for _, operator := range []string{"-", "+", "~", "?", "=", "*"} {
			n += bytes.Count(text[i:], []byte(operator))
		}
	}
	return n
}

func (src *source) syntaxError(err error) error {
	e := &problem.Error{Pos: problem.Pos{File: src.path}, Msg: "is not POSIX shell: " + err.Error(), Err: err,
		Hint: "a shell would stop here; sh -n " + src.path + " says more"}
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		e.Pos, e.Msg = src.pos(pe.Pos), "syntax error: "+pe.Text
	case errors.As(err, &le):
		e.Pos, e.Msg = src.pos(le.Pos), "not POSIX shell: "+le.Feature
		e.Hint = "dash and busybox do not agree on it; write it in POSIX shell"
	}
	return e
}

// pos returns the place of p. The line is counted from the offset, because the
// parser's own line numbers end at 262143.
func (src *source) pos(p syntax.Pos) problem.Pos { return src.offset(int(p.Offset())) }

func (src *source) offset(offset int) problem.Pos {
	before, _ := slices.BinarySearch(src.lines, offset)
	return problem.Pos{File: src.path, Line: 1 + before}
}

// quote returns the text of a node for a message: one line, cut to a readable
// length, without control characters.
func (src *source) quote(n syntax.Node) string {
	const most = 60
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if to < from || to > len(src.text) {
		return "..."
	}
	s, _, more := strings.Cut(string(src.text[from:to]), "\n")
	if r := []rune(s); len(r) > most {
		s, more = string(r[:most]), true
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
	if more {
		s += "..."
	}
	return s
}
