package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable writes text of which no byte does anything to a terminal: names of links
// and processes may have control characters, and those of processes are chosen by
// anybody. It keeps the first error for the end of the program.
type printable struct {
	w   io.Writer
	err error
}

// Write never fails; see err.
func (p *printable) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, escape(string(text), "\n\t")); p.err == nil {
		p.err = err
	}
	return len(text), nil
}

// escape writes control characters but those in keep, and what is no UTF-8, as \xNN, and
// what nobody sees, such as a mark that turns the rest of the line around, as \uNNNN.
func escape(s, keep string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r) && !strings.ContainsRune(keep, r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) && !strings.ContainsRune(keep, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+size])
		}
	}
	return b.String()
}
