package s6

import (
	"slices"
	"strings"
	"unicode/utf8"

	"rdgen/problem"
)

// Value is what a variable of a file for envfile(1) holds.
type Value struct {
	Text string
	Pos  problem.Pos
}

// Config reads the variables called names from data, the text of file, in the
// syntax of execline's envfile, which is what /etc/s6/config/NAME.conf is on
// Artix: one NAME = value a line, a backslash at the end of a line continues it,
// "#" begins a comment only at the beginning of a line. Of the others' values
// nothing is read. A value that is not one plain or quoted word, and a variable that
// is set twice to different values, is a *problem.Error: nobody should have to
// guess a domain.
func Config(file string, data []byte, names ...string) (map[string]Value, error) {
	values := map[string]Value{}
	for _, l := range logicalLines(string(data)) {
		pos := problem.Pos{File: file, Line: l.line}
		text := strings.TrimLeft(l.text, " \t\f\r")
		key, value, ok := strings.Cut(text, "=")
		key = strings.TrimRight(key, " \t\f\r")
		if strings.HasPrefix(text, "#") || !slices.Contains(names, key) {
			continue
		}
		if !ok {
			return nil, problem.New(pos, "is no assignment: envfile wants %s = NAME", key)
		}
		value = strings.Trim(value, " \t\f\r")
		if unquoted, ok := strings.CutPrefix(value, `"`); ok && strings.HasSuffix(unquoted, `"`) {
			value = strings.TrimSuffix(unquoted, `"`)
		}
		if strings.ContainsAny(value, "\"\\ \t#'") {
			return nil, problem.New(pos, "%s = %s is not one plain word", key, value).
				WithHint("envfile has no comments at the end of a line and only double quotes; write " + key + " = NAME")
		}
		if old, twice := values[key]; twice && old.Text != value {
			return nil, problem.New(pos, "%s is %q here, but %q in line %d", key, value, old.Text, old.Pos.Line).WithHint("keep one of them")
		}
		values[key] = Value{value, pos}
	}
	return values, nil
}

type logicalLine struct {
	text string
	line int
}

// logicalLines joins each line that ends with a backslash to the next. A comment
// goes on to its own end only.
func logicalLines(text string) []logicalLine {
	var lines []logicalLine
	joined, start, n := "", 1, 0
	for line := range strings.Lines(text) {
		n++
		if joined == "" {
			start = n
		}
		line = strings.TrimSuffix(line, "\n")
		comment := joined == "" && strings.HasPrefix(strings.TrimLeft(line, " \t\f\r"), "#")
		head := strings.TrimRight(line, `\`)
		if !comment && (len(line)-len(head))%2 == 1 {
			joined += line[:len(line)-1]
			if joined == "" {
				joined = " " // an empty line that goes on
			}
			continue
		}
		lines = append(lines, logicalLine{joined + line, start})
		joined = ""
	}
	if joined != "" {
		lines = append(lines, logicalLine{joined, start})
	}
	return lines
}

// Assignment is a line of an environment file.
type Assignment struct {
	Name string
	Value
}

// EnvironmentFile reads data, the text of file, as far as envfile(1) and systemd's
// EnvironmentFile= agree on what it says: comments begin with "#", a value is a plain
// word or text, or stands in double quotes as a whole, and nothing goes on in the next
// line. The error is a *problem.Error at the first line that one of them reads
// otherwise (systemd.exec(5), EnvironmentFile=; envfile.html of execline).
func EnvironmentFile(file string, data []byte) (list []Assignment, err error) {
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		pos := problem.Pos{File: file, Line: n}
		differs := func(what, hint string) error {
			return problem.New(pos, "%s, and envfile(1) of s6 reads that otherwise than systemd does", what).WithHint(hint)
		}
		line = strings.Trim(strings.TrimSuffix(line, "\n"), " \t")
		name, value, assigns := strings.Cut(line, "=")
		name, value = strings.TrimRight(name, " \t"), strings.TrimLeft(value, " \t")
		switch {
		case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, differs("has a byte that is no text", "remove it (a carriage return of another system, perhaps)")
		case strings.HasSuffix(line, `\`):
			return nil, differs("goes on in the next line", "write one line")
		case line == "" || line[0] == '#':
			continue
		case line[0] == ';':
			return nil, differs(`is a comment with ";"`, `begin it with "#"`)
		case !assigns || !isVariable(name):
			return nil, differs("is no NAME=VALUE", "write NAME=VALUE, without export, or remove the line")
		}
		if strings.HasPrefix(value, `"`) {
			if value, assigns = unquoted(value); !assigns {
				return nil, differs("has more than one pair of double quotes, or a backslash in them", `write NAME="VALUE", with \" and \\ for those two`)
			}
		} else if strings.ContainsAny(value, `"\`) || strings.HasPrefix(value, "'") {
			return nil, differs("has quotes", `write NAME="VALUE"`)
		}
		list = append(list, Assignment{name, Value{value, pos}})
	}
	return list, nil
}

// unquoted reads a value that is in double quotes as a whole.
func unquoted(value string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			return b.String(), i == len(value)-1
		case c == '\\' && i+1 < len(value) && (value[i+1] == '"' || value[i+1] == '\\'):
			i++
			b.WriteByte(value[i])
		case c == '\\':
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func isVariable(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}
