package s6

import (
	"errors"
	"fmt"
	"strings"

	"rdgen/problem"
)

// ErrUnmatched is matched by the error of Words for a brace that has no other.
var ErrUnmatched = errors.New("unmatched brace")

// Words splits text as execlineb(1) does it, and s6-rc-compile for up, down and
// reload of a oneshot. A word within a block has a space before it for each level, and
// a block ends with a word of one space less: that is what blocks are to programs.
// The error is a *problem.Error at a line of file, which is only named.
func Words(file string, text []byte) ([]string, error) {
	l := lexer{file: file, text: text, line: 1}
	if err := l.run(); err != nil {
		return nil, err
	}
	return l.words, nil
}

// lexer reads one text.
type lexer struct {
	file  string
	text  []byte
	next  int
	line  int
	words []string
	// opened has the line of each block that is open.
	opened []int
}

// read returns the next byte; a NUL ends the text as the end of the file does.
func (l *lexer) read() (c byte, ok bool) {
	if l.next >= len(l.text) || l.text[l.next] == 0 {
		return 0, false
	}
	c = l.text[l.next]
	l.next++
	if c == '\n' {
		l.line++
	}
	return c, true
}

// back returns the byte that was read last.
func (l *lexer) back() {
	l.next--
	if l.text[l.next] == '\n' {
		l.line--
	}
}

func (l *lexer) fail(line int, what string) *problem.Error {
	return problem.New(problem.Pos{File: l.file, Line: line}, "%s", what)
}

func (l *lexer) unmatched(line int, brace string) error {
	e := l.fail(line, "unmatched "+brace)
	e.Err = ErrUnmatched
	return e
}

// isSpace: every control character separates words.
func isSpace(c byte) bool { return c <= ' ' }

func (l *lexer) run() error {
	for {
		c, ok := l.read()
		switch {
		case !ok:
			if n := len(l.opened); n > 0 {
				return l.unmatched(l.opened[n-1], "{")
			}
			return nil
		case isSpace(c):
		case c == '#':
			for ok && c != '\n' {
				c, ok = l.read()
			}
		case c == '\\' && l.continued():
		default:
			l.back()
			if err := l.word(); err != nil {
				return err
			}
		}
	}
}

// continued skips the newline, or the end, that follows a backslash between words.
func (l *lexer) continued() bool {
	c, ok := l.read()
	if ok && c != '\n' {
		l.back()
		return false
	}
	return true
}

// word reads one word, or a brace that stands alone.
func (l *lexer) word() error {
	start := l.line
	var word []byte
	bare := true // no quote and no backslash so far
	for {
		c, ok := l.read()
		switch {
		case !ok && bare && string(word) == "{":
			return l.fail(start, "{ at the end of the file")
		case !ok || isSpace(c):
			return l.end(start, word, bare)
		case c == '"':
			bare = false
			ended, err := l.quoted(&word)
			if err != nil {
				return err
			}
			if ended {
				return l.end(start, word, false)
			}
		case c == '\\' && bare && (string(word) == "{" || string(word) == "}"):
			// execlineb loses the brace.
			return l.fail(start, "backslash after a brace")
		case c == '\\':
			bare = false
			if c, ok = l.read(); !ok {
				return l.fail(start, "backslash at the end of the file")
			}
			word = append(word, c)
		default:
			word = append(word, c)
		}
	}
}

func (l *lexer) end(line int, word []byte, bare bool) error {
	depth := len(l.opened)
	switch {
	case bare && string(word) == "{":
		l.opened = append(l.opened, line)
		return nil
	case bare && string(word) == "}":
		if depth == 0 {
			return l.unmatched(line, "}")
		}
		l.opened = l.opened[:depth-1]
		l.words = append(l.words, strings.Repeat(" ", depth-1))
		return nil
	}
	l.words = append(l.words, strings.Repeat(" ", depth)+string(word))
	return nil
}

// quoted reads what stands between quotes. ended: the file ended right after a
// number, which execlineb takes for the end of the quotes as well.
func (l *lexer) quoted(word *[]byte) (ended bool, err error) {
	start := l.line
	for {
		c, ok := l.read()
		switch {
		case !ok:
			return false, l.fail(start, "unmatched quote")
		case c == '"':
			return false, nil
		case c != '\\':
			*word = append(*word, c)
			continue
		}
		line := l.line
		if c, ok = l.read(); !ok {
			return false, l.fail(start, "unmatched quote")
		}
		switch {
		case c == '\n':
		case '0' <= c && c <= '9':
			b, err := l.number(c)
			if err != nil {
				return false, l.fail(line, err.Error())
			}
			*word = append(*word, b)
			if l.next >= len(l.text) || l.text[l.next] == 0 {
				return true, nil
			}
		default:
			if i := strings.IndexByte("abtnvfr", c); i >= 0 {
				c = byte(7 + i)
			}
			*word = append(*word, c)
		}
	}
}

// number reads \0xHH, \0ooo or \ddd, whose first digit was c.
func (l *lexer) number(c byte) (byte, error) {
	base, most, n, digits := 10, 2, int(c-'0'), 1
	if c == '0' {
		base, most, n, digits = 8, 3, 0, 0
		if l.next < len(l.text) && l.text[l.next] == 'x' {
			base, most = 16, 2
			l.next++
		}
	}
	for range most {
		if l.next >= len(l.text) {
			break
		}
		d := strings.IndexByte("0123456789abcdefABCDEF", l.text[l.next])
		if d > 15 {
			d -= 6
		}
		if d < 0 || d >= base {
			break
		}
		n, digits = n*base+d, digits+1
		l.next++
	}
	if digits == 0 || n == 0 || n > 255 {
		return 0, fmt.Errorf("a number that is no byte")
	}
	return byte(n), nil
}
