package systemd

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Word is one word of a command line: its parts, joined.
type Word []Part

// Part is literal text, or the value of an environment variable.
type Part struct {
	Text string
	// Var is the variable's name; "" for text.
	Var string
	// Split is true for $NAME as a word of its own, whose value becomes any
	// number of words, and false for ${NAME}.
	Split bool
}

// ParseCommand reads the value of ExecStart= in the unit called name, as
// systemd.service(5), "COMMAND LINES", has it. prefix is what stands before the
// program ("-", "+" and so on). The program itself is one literal part. Not read
// are several commands in one line, and specifiers that depend on the machine.
func ParseCommand(name, value string) (prefix string, words []Word, err error) {
	value = strings.TrimSpace(value)
	rest := strings.TrimLeft(value, "-@:+!|")
	prefix = value[:len(value)-len(rest)]
	fields, err := Fields(rest)
	if err != nil {
		return "", nil, err
	}
	if len(fields) == 0 {
		return "", nil, fmt.Errorf("has no program")
	}
	for i, f := range fields {
		if f.text == ";" && !f.quoted {
			return "", nil, fmt.Errorf("has several commands")
		}
		text, err := Specifiers(name, f.text)
		if err != nil {
			return "", nil, err
		}
		switch {
		case i == 0 || strings.Contains(prefix, ":"):
			words = append(words, Word{{Text: text}})
		case !unnamed(text):
			words = append(words, variables(text))
		}
	}
	return prefix, words, nil
}

// Field is a word of a setting after quotes and escapes were removed.
type Field struct {
	text   string
	quoted bool
}

// String returns the word.
func (f Field) String() string { return f.text }

// Fields splits a value into words and removes quotes and C escapes
// (systemd.syntax(7), "QUOTING"). An escape that systemd does not know stays as
// it is, as there.
func Fields(s string) ([]Field, error) {
	var fields []Field
	for {
		s = strings.TrimLeft(s, " \t\n\r")
		if s == "" {
			return fields, nil
		}
		f, rest, err := field(s)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
		s = rest
	}
}

func field(s string) (f Field, rest string, err error) {
	if after, ok := strings.CutPrefix(s, `\;`); ok && (after == "" || strings.IndexByte(" \t\n\r", after[0]) >= 0) {
		return Field{";", true}, after, nil // only as a word of its own, in command lines
	}
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			text, n := unescape(s[i:])
			b.WriteString(text)
			f.quoted = true
			i += n - 1
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, f.quoted = c, true
		case quote == 0 && strings.IndexByte(" \t\n\r", c) >= 0:
			f.text = b.String()
			return f, s[i:], nil
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return Field{}, "", fmt.Errorf("has an unbalanced %c", quote)
	}
	f.text = b.String()
	return f, "", nil
}

// unescape reads one C escape at the start of s (cunescape_one,
// src/basic/escape.c) and returns how many bytes it took.
func unescape(s string) (text string, n int) {
	const single = `abfnrtv\"'s`
	const means = "\a\b\f\n\r\t\v\\\"' "
	if i := strings.IndexByte(single, s[1]); i >= 0 {
		return means[i : i+1], 2
	}
	digits, base, from := 0, 16, 2
	switch s[1] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3', '4', '5', '6', '7':
		digits, base, from = 3, 8, 1
	}
	end := from + digits
	if digits == 0 || end > len(s) {
		return s[:2], 2
	}
	v, err := strconv.ParseUint(s[from:end], base, 32)
	switch {
	case err != nil || v == 0 || digits == 3 && v > 0xff:
		return s[:2], 2
	case digits <= 3:
		return string([]byte{byte(v)}), end
	case v > utf8.MaxRune:
		return s[:2], 2
	}
	return string(rune(v)), end
}

// variables finds $NAME as a whole word and ${NAME} anywhere (replace_env_argv,
// src/basic/env-util.c). "$$" is one "$", and ${X} of what no variable can be called,
// as ${NAME:-x}, is nothing.
func variables(text string) Word {
	if name, ok := strings.CutPrefix(text, "$"); ok && isVariable(name) {
		return Word{{Var: name, Split: true}}
	}
	var word Word
	literal := ""
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		if strings.HasPrefix(rest, "$$") {
			literal += "$"
			i++
			continue
		}
		if name, _, ok := strings.Cut(strings.TrimPrefix(rest, "${"), "}"); ok && strings.HasPrefix(rest, "${") {
			i += len(name) + 2
			if !isVariable(name) {
				continue
			}
			if literal != "" {
				word = append(word, Part{Text: literal})
				literal = ""
			}
			word = append(word, Part{Var: name})
			continue
		}
		literal += text[i : i+1]
	}
	if literal != "" || len(word) == 0 {
		word = append(word, Part{Text: literal})
	}
	return word
}

// unnamed reports whether a word begins as $NAME and names nothing that a variable can
// be called: for systemd that is a variable which is not set, and so no word.
func unnamed(text string) bool {
	name, ok := strings.CutPrefix(text, "$")
	return ok && !isVariable(name) && !strings.HasPrefix(name, "{") && !strings.HasPrefix(name, "$")
}

func isVariable(name string) bool {
	return name != "" && !('0' <= name[0] && name[0] <= '9') && !strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_')
	})
}

// Specifiers replaces the "%" specifiers (systemd.unit(5)) that are the same on
// every machine: those of the unit's name and of the system manager's folders.
// Any other is an error.
func Specifiers(unit, s string) (string, error) {
	suffix := strings.LastIndexByte(unit, '.')
	stem := unit[:max(suffix, 0)]
	prefix, instance, _ := strings.Cut(stem, "@")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteString(unit)
		case 'N':
			b.WriteString(stem)
		case 'p':
			b.WriteString(prefix)
		case 'i':
			b.WriteString(instance)
		case 't':
			b.WriteString("/run")
		case 'S':
			b.WriteString("/var/lib")
		case 'C':
			b.WriteString("/var/cache")
		case 'L':
			b.WriteString("/var/log")
		case 'E':
			b.WriteString("/etc")
		case 'T':
			b.WriteString("/tmp")
		case 'V':
			b.WriteString("/var/tmp")
		default:
			return "", fmt.Errorf("has %%%c, which only systemd knows", s[i])
		}
	}
	return b.String(), nil
}
