package s6

import (
	"strings"

	"rdgen/problem"
)

// Edit returns data, the text of file in the syntax of envfile, with key set to a plain
// word, or without its line if that is "". All else stays as it is. The error is a
// *problem.Error at the line that cannot be changed with certainty.
func Edit(file string, data []byte, key, word string) ([]byte, error) {
	at, physical := 0, 0
	for _, l := range logicalLines(string(data)) {
		name, _, assigns := strings.Cut(strings.TrimLeft(l.text, blanks), "=")
		if strings.TrimRight(name, blanks) != key || !assigns {
			continue
		}
		if at != 0 {
			return nil, problem.New(problem.Pos{File: file, Line: l.line}, "%s stands here and in line %d, so it is not certain which line is meant", key, at).
				WithHint("keep one of them")
		}
		at = l.line
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if physical++; physical != at {
			b.WriteString(line)
			continue
		}
		head, value, assigns := strings.Cut(line, "=")
		old := strings.Trim(value, blanks+"\n")
		if strings.HasSuffix(old, `\`) || !assigns {
			return nil, problem.New(problem.Pos{File: file, Line: at}, "%s goes on in the next line, where it cannot be edited with certainty", key).
				WithHint("write " + key + " = NAME in one line")
		}
		if word == "" {
			continue
		}
		if strings.HasPrefix(old, `"`) && strings.HasSuffix(old, `"`) && len(old) > 1 {
			word = `"` + word + `"`
		}
		b.WriteString(head + "=" + value[:len(value)-len(strings.TrimLeft(value, blanks))] + word + "\n")
	}
	if at == 0 && word != "" {
		if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(key + " = " + word + "\n")
	}
	return []byte(b.String()), nil
}

// blanks are what envfile leaves out around a name and a value.
const blanks = " \t\f\r"
