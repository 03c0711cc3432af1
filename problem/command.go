package problem

import (
	"slices"
	"strings"
)

// Command is a command for a shell, for a hint or for sh -c: what a shell would read otherwise,
// such as a backslash in the name of a unit, is quoted.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// quote is a word for a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("0123456789_./:@=-+", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Operands are names behind the words of a command, with its last options. Names stand first, as
// people write them; behind "--" where one would be read as an option.
func Operands(names []string, options ...string) []string {
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "-") }) {
		return slices.Concat(options, []string{"--"}, names)
	}
	return slices.Concat(names, options)
}

// WithOption puts an option behind the words of a command, or before their "--".
func WithOption(words []string, option ...string) []string {
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	return slices.Concat(words[:at], option, words[at:])
}
