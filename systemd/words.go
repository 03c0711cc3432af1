package systemd

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// commandWord is a word of a command line.
type commandWord struct {
	text string
	// begins: it can only be a program.
	begins bool
	// first: it is the program of the command, or what that executes in its place; nothing
	// runs before it.
	first bool
	// open: a blank follows that is in quotes or behind a backslash, so the word goes on.
	open bool
	// varies: only the running command knows what it is; and command: it is what a shell, or a
	// program that executes another one, takes for a program.
	varies, command bool
}

// prefixes are what may stand before the program of a command line.
const prefixes = "-+!@:| "

// which is a command that prints the name of a program as a shell finds it.
var which = regexp.MustCompile(`(?:\$\$?\(|\x60)(?:which|command -v|type -[pP]) +([A-Za-z0-9_./+-]+)[)\x60]`)

// commandWords splits a command line, and what a shell in it has for one.
func commandWords(text string) (words []commandWord) {
	const between = "\"';&|()"
	text = which.ReplaceAllString(text, "$1")
	rest := strings.TrimLeft(text, prefixes)
	fields := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })
	prefix := text[:len(text)-len(rest)]
	if strings.Contains(prefix, "@") && len(fields) > 1 {
		fields = slices.Delete(fields, 1, 2) // what the program is told that it is called
	}
	first, shell, script, goesOn := true, false, false, false
	var behind walk
	var quotes []rune
	for i, word := range fields {
		depth := len(quotes)
		inside := depth > 0
		var open bool
		quotes, open = quoted(quotes, word)
		bare := strings.Trim(word, between)
		at := behind.next(bare, goesOn, depth)
		goesOn = strings.HasSuffix(word, `\`)
		if behind.passes(word, depth, len(quotes)) {
			continue
		}
		script = script || at == scripted
		shell = shell || script
		runs := at == executed || at == perhaps
		begin, only := first || runs, i == 0 || runs && behind.first
		certain := first || at == executed || script || shell && strings.Contains(word, "(")
		command := first && i > 0 && shell || runs || script
		n := len(words)
		for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune(between, r) }) {
			w := commandWord{text: part, begins: begin || strings.ContainsRune(between, rune(word[0])), open: open, command: command}
			inScript := shell && (inside || open || script)
			w.varies = varies(part, inScript) && (inScript || !strings.Contains(prefix, ":"))
			w.first = only && (at != perhaps || w.varies)
			words = append(words, w)
			begin, only, command = true, false, at == scripted
		}
		script = shell && !inside && strings.HasPrefix(bare, "-") && strings.HasSuffix(bare, "c")
		shell = shell || slices.Contains(shells, path.Base(bare))
		separated := strings.ContainsRune(";&|(", rune(word[len(word)-1]))
		first = bare == "exec" || separated || certain && shell && isAssignment(bare)
		if separated {
			behind = walk{}
		} else if last := len(words) - 1; last >= n && words[last].begins {
			if w, ok := walkBehind(path.Base(words[last].text), certain, shell); ok {
				w.first, w.depth = words[last].first || at == perhaps && behind.first, len(quotes)
				behind = w
			}
		}
	}
	return words
}

// isAssignment reports whether a word of a script sets a variable for the command behind it.
func isAssignment(word string) bool {
	name, value, ok := strings.Cut(word, "=")
	return ok && isVariable(name) && !strings.ContainsAny(value, "\"'(`")
}

// quoted returns the quotes in which a command line is behind a word, the outermost first, and
// whether that word goes on behind the blank.
func quoted(quotes []rune, word string) (after []rune, open bool) {
	before := len(quotes)
	for _, r := range word {
		switch {
		case r != '"' && r != '\'':
		case len(quotes) > 0 && quotes[len(quotes)-1] == r:
			quotes = quotes[:len(quotes)-1]
		default:
			quotes = append(quotes, r)
		}
	}
	return quotes, len(quotes) > before || strings.HasSuffix(word, `\`)
}

// Programs returns the program of a command, and what that may execute in its place.
func Programs(prog []string) (names []string) {
	for _, word := range commandWords(strings.Join(prog, " ")) {
		if word.begins && word.first {
			names = append(names, path.Base(word.text))
		}
	}
	return names
}

// texts returns the words alone.
func texts(words []commandWord) (list []string) {
	for _, w := range words {
		list = append(list, w.text)
	}
	return list
}
