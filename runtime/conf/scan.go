package conf

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/ini.v1"

	"rdgen/problem"
)

// section is a section of a file as it stands there.
type section struct {
	line   int
	header string
	keys   []key
}

type key struct {
	line        int
	name, value string
}

// scan reads the lines of a file. It is strict where the INI library is lenient
// (quotes, continued lines, ':' as a delimiter, comments behind a value), and it
// knows the line numbers, which the library loses.
func scan(path string, data []byte) ([]section, error) {
	fail := func(line int, format string, args ...any) ([]section, error) {
		return nil, problem.New(problem.Pos{File: path, Line: line}, format, args...)
	}
	if len(data) > MaxSize {
		return fail(0, "file has more than %d bytes", MaxSize)
	}
	var sections []section
	for i, line := range strings.Split(string(data), "\n") {
		n := i + 1
		line = strings.TrimSuffix(line, "\r")
		if what := notText(line); what != "" {
			return fail(n, "line contains %s; a domain's file is plain UTF-8 text", what)
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			if !strings.HasSuffix(line, "]") {
				return fail(n, "expected a section such as %s, found %s", expected, quote(line))
			}
			sections = append(sections, section{line: n, header: line[1 : len(line)-1]})
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !isKey(name) && !(inSysctl(sections) && isVariable(name)):
			return fail(n, "expected KEY=VALUE, found %s", quote(line))
		case len(sections) == 0:
			return fail(n, "%s= stands before the first section; expected %s", name, expected)
		case value == "":
			return fail(n, "%s= has no value; leave the line out if none is meant", name)
		case strings.HasSuffix(value, `\`):
			return fail(n, `%s= ends in a backslash; a value cannot go on in the next line`, name)
		case value[0] == '"' || value[0] == '\'' || value[0] == '`':
			return fail(n, "%s= begins with a quote; write the value without quotes", name)
		}
		s := &sections[len(sections)-1]
		s.keys = append(s.keys, key{n, name, value})
	}
	return sections, nil
}

// notText names the first thing in a line that cannot be part of a text file.
func notText(line string) string {
	if !utf8.ValidString(line) {
		return "bytes that are not UTF-8"
	}
	for _, r := range line {
		if r == '\ufeff' {
			return "a byte order mark"
		}
		if unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' {
			return fmt.Sprintf("the control character %q", r)
		}
	}
	return ""
}

func isKey(name string) bool {
	for i := range len(name) {
		if c := name[i] | 0x20; (c < 'a' || c > 'z') && (i == 0 || name[i] < '0' || name[i] > '9') {
			return false
		}
	}
	return name != ""
}

func inSysctl(sections []section) bool {
	return len(sections) > 0 && sections[len(sections)-1].header == "Sysctl"
}

// isVariable reports whether name can be that of a sysctl.
func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '/' && (c != '-' || i == 0) {
			return false
		}
	}
	return name != ""
}

// options make gopkg.in/ini.v1 as strict as it can be: sections and keys may
// repeat and keep their order, a value is all that stands behind "=".
var options = ini.LoadOptions{
	AllowNonUniqueSections:     true,
	AllowShadows:               true,
	AllowDuplicateShadowValues: true,
	IgnoreContinuation:         true,
	IgnoreInlineComment:        true,
	PreserveSurroundedQuote:    true,
	KeyValueDelimiters:         "=",
	// No name can contain it: [Link eth0.10] is not a child of [Link eth0].
	ChildSectionDelimiter: "\x00",
}

// confirm lets ini.v1 read the same bytes and holds the two readings against
// each other. A file that can be read in two ways is refused.
func confirm(path string, data []byte, sections []section) error {
	file, err := ini.LoadSources(options, data)
	if err != nil {
		return problem.New(problem.Pos{File: path}, "cannot be read as an INI file: %w", err)
	}
	read := file.Sections()[1:] // the first is the library's own, for keys before any section
	if len(read) != len(sections) {
		return problem.New(problem.Pos{File: path}, "has %d sections, or %d as an INI file", len(sections), len(read))
	}
	for i, s := range sections {
		ours := map[string][]string{}
		for _, k := range s.keys {
			ours[k.name] = append(ours[k.name], k.value)
		}
		same := read[i].Name() == s.header && len(read[i].Keys()) == len(ours)
		for _, k := range read[i].Keys() {
			same = same && slices.Equal(k.ValueWithShadows(), ours[k.Name()])
		}
		if !same {
			return problem.New(problem.Pos{File: path, Line: s.line}, "section [%s] can be read in two ways", s.header)
		}
	}
	return nil
}

// quote quotes what a file contains for a message, cut to a readable length.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
