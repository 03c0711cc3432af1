package imports

import (
	"strings"

	"rdgen/problem"
)

// section is a section of an INI file.
type section struct {
	at   problem.Pos
	name string
	keys []item
}

// only returns the value of the last line with a key.
func (s section) only(key string) string {
	value := ""
	for _, k := range s.keys {
		if k.key == key {
			value = k.value
		}
	}
	return value
}

// sections reads an INI file as systemd has it: a line that ends in a backslash goes on in
// the next one.
func sections(file, text string) (list []section, err error) {
	for n, line := range logicalLines(text, "#;", true) {
		at := problem.Pos{File: file, Line: n}
		if line[0] == '[' {
			name, ok := strings.CutSuffix(line[1:], "]")
			if !ok {
				return nil, problem.New(at, "expected [SECTION]")
			}
			list = append(list, section{at: at, name: name})
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		switch {
		case !ok:
			return nil, problem.New(at, "expected KEY=VALUE or [SECTION]")
		case len(list) == 0:
			return nil, problem.New(at, "stands before the first section")
		}
		s := &list[len(list)-1]
		s.keys = append(s.keys, item{at, strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return list, nil
}
