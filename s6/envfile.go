package s6

import (
	"slices"
	"strings"

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
