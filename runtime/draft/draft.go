// Package draft is a domain's file in the making: sections and keys, each with the place
// that it comes from, and comments. What is made is read back by package conf, so that no
// text leaves here that rdomain would refuse.
package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"rdgen/problem"
	"rdgen/runtime/conf"
	"rdgen/runtime/domain"
)

// File is a domain's file.
type File struct {
	ID       domain.ID
	sections []*Section
}

// Section is a section of a file.
type Section struct {
	header string
	from   problem.Pos
	lines  []line
}

// line is a line of a section: KEY=VALUE, or a comment.
type line struct {
	text string
	from problem.Pos
}

// Add adds a section, at the end.
func (f *File) Add(header string, from problem.Pos) *Section {
	s := &Section{header: header, from: from}
	f.sections = append(f.sections, s)
	return s
}

// Section returns the first section with that header; it is made if there is none.
func (f *File) Section(header string, from problem.Pos) *Section {
	if s := f.Find(header); s != nil {
		return s
	}
	return f.Add(header, from)
}

// Find returns the first section with that header, nil if there is none.
func (f *File) Find(header string) *Section {
	if i := slices.IndexFunc(f.sections, func(s *Section) bool { return s.header == header }); i >= 0 {
		return f.sections[i]
	}
	return nil
}

// Set adds a line KEY=VALUE. A key and value that the section has already is not added again.
func (s *Section) Set(key, value string, from problem.Pos) {
	text := key + "=" + value
	if !slices.ContainsFunc(s.lines, func(l line) bool { return l.text == text }) {
		s.lines = append(s.lines, line{text, from})
	}
}

// Has reports whether the section has a line with that key.
func (s *Section) Has(key string) bool {
	return slices.ContainsFunc(s.lines, func(l line) bool { return strings.HasPrefix(l.text, key+"=") })
}

// Note adds a comment.
func (s *Section) Note(text string) { s.lines = append(s.lines, line{text: comment(text)}) }

// comment makes a comment of a text, whatever is in it.
func comment(text string) string {
	var b strings.Builder
	for _, r := range "# " + strings.ToValidUTF8(text, "?") {
		if r != '\t' && unicode.IsControl(r) || r == '\ufeff' || r == '\u2028' || r == '\u2029' {
			r = '?'
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " \t")
}

// Text returns the file; root has the names of tables. If rdomain would refuse the file, the
// error has the place that the line comes from.
func (f *File) Text(root fs.FS) ([]byte, error) {
	var lines []line
	for i, s := range f.sections {
		if i > 0 {
			lines = append(lines, line{})
		}
		lines = append(lines, line{text: "[" + s.header + "]", from: s.from})
		lines = append(lines, s.lines...)
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	text := []byte(b.String())
	_, err := conf.Parse(conf.Path(f.ID), f.ID, text, root)
	wrong, ok := errors.AsType[*problem.Error](err)
	if !ok || wrong.Line == 0 || wrong.Line > len(lines) {
		return text, err
	}
	at := lines[wrong.Line-1]
	moved := *wrong
	if moved.Pos = at.from; moved.File == "" {
		moved.Pos = problem.Pos{File: conf.Path(f.ID)}
	}
	if at.text != "" {
		moved.Msg = fmt.Sprintf("cannot be said in %s: %s", conf.Path(f.ID), wrong.Msg)
	}
	return nil, &moved
}
