package templates

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrUnquotable is matched by the error of every quoting function: the value
// cannot be expressed in that language.
var ErrUnquotable = errors.New("cannot be expressed")

func unquotable(s, language, why string) error {
	const most = 64
	if len(s) > most {
		s = s[:most] + "..."
	}
	return fmt.Errorf("%s %w in %s: %s", strconv.QuoteToASCII(s), ErrUnquotable, language, why)
}

// A Replacer is built when it is first used.
var (
	execlineEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	unitDouble     = strings.NewReplacer("%", "%%", "$", "$$")
	roffEscape     = strings.NewReplacer(`\`, `\e`, "-", `\-`)
)

const noNUL = "no program can be given a NUL byte"

// Sh returns s as one word of a POSIX shell. The shell's locale does not matter:
// within single quotes every byte but the quote stands for itself.
func Sh(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", unquotable(s, "a shell", noNUL)
	}
	if plain(s, "_./:=@%+,-") {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// Execline returns s as one word of execlineb(1). "$" is left alone: it means
// something only to a substituting command such as importas, and then the caller
// knows which names it substitutes.
func Execline(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", unquotable(s, "execline", noNUL)
	}
	if plain(s, "_./:=@%+,-$") {
		return s, nil
	}
	return `"` + execlineEscape.Replace(s) + `"`, nil
}

// UnitWord returns s as one word of a command line in a systemd unit, such as
// ExecStartPre= (systemd.service(5), "COMMAND LINES"). "%" and "$" are doubled:
// the first stands for itself after specifiers, the second after environment
// variables were replaced. The word must not be the first one, whose leading
// "@", "-", ":", "+" and "!" mean something. systemd ignores a line that is not
// UTF-8, so such a value is an error.
func UnitWord(s string) (string, error) {
	switch {
	case strings.ContainsRune(s, 0):
		return "", unquotable(s, "a unit file", noNUL)
	case !utf8.ValidString(s):
		return "", unquotable(s, "a unit file", "it is not UTF-8")
	}
	doubled := unitDouble.Replace(s)
	if plain(s, "_./:=@%+,-$") {
		return doubled, nil
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(doubled) {
		switch c := doubled[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// UnitPath returns s as the value of a setting that is one path, such as
// NetworkNamespacePath=. Nothing is unquoted there but specifiers, so a path
// that systemd would change on reading (a control character, a space at either
// end, a backslash at the end) is an error, and so is a relative one.
func UnitPath(s string) (string, error) {
	switch {
	case !strings.HasPrefix(s, "/"):
		return "", unquotable(s, "a unit file", "a path there begins with \"/\"")
	case !utf8.ValidString(s):
		return "", unquotable(s, "a unit file", "it is not UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", unquotable(s, "a unit file", "a path there has no control characters")
	case strings.HasSuffix(s, " ") || strings.HasSuffix(s, `\`):
		return "", unquotable(s, "a unit file", "its last character would be lost")
	}
	return strings.ReplaceAll(s, "%", "%%"), nil
}

// Comment returns s for use within a comment of one line, in any of the
// languages: what would end the line, or not print, is written as an escape.
func Comment(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			quoted := strconv.QuoteToASCII(s[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Roff returns s as text of a manual page, which may be several lines, for
// man(7). A line's first "." or "'" would be a request; "-" is made the ASCII
// character, so that an option can be copied from the page.
func Roff(s string) string {
	s = roffEscape.Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// plain reports whether s is a word that needs no quotes: ASCII letters, digits
// and those of also, at least one.
func plain(s, also string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(also, r))
	})
}
