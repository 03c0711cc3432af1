package imports

import "strings"

// logicalLines returns the lines that are neither empty nor a comment, which begins with one
// of marks, by the number of their first line. One that ends in a backslash goes on in the
// next; a comment there is part of it, or is left out if between.
func logicalLines(text, marks string, between bool) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		joined, first := "", 0
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimRight(line, "\r")
			if isComment(line, marks) && (joined == "" || between) {
				continue
			}
			if joined == "" {
				first = i + 1
			}
			if part, ok := strings.CutSuffix(line, `\`); ok {
				joined += part + " "
				continue
			}
			joined = strings.TrimSpace(joined + line)
			if joined != "" && !yield(first, joined) {
				return
			}
			joined = ""
		}
		if joined = strings.TrimSpace(joined); joined != "" {
			yield(first, joined)
		}
	}
}

func isComment(line, marks string) bool {
	line = strings.TrimSpace(line)
	return line != "" && strings.IndexByte(marks, line[0]) >= 0
}

// commentGoesOn returns the first line that is a comment and ends in a backslash, 0 if none
// is: programs do not agree on what the next line is then.
func commentGoesOn(text string) int {
	goesOn := false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		ends := strings.HasSuffix(line, `\`)
		if !goesOn && ends && isComment(line, "#") {
			return i + 1
		}
		goesOn = ends
	}
	return 0
}
