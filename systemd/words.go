package systemd

import (
	"path"
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
}

// executing are programs that change something of themselves and execute what follows their
// options.
var executing = strings.Fields("env nice ionice chrt setsid nohup timeout stdbuf setpriv chpst taskset prlimit choom " +
	"busybox unshare systemd-cat eatmydata softlimit")

// commandWords splits a command line, and what a shell in it has for one.
func commandWords(text string) (words []commandWord) {
	const between = "\"';&|()"
	rest := strings.TrimLeft(text, "-+!@:| ")
	fields := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })
	if prefix := text[:len(text)-len(rest)]; strings.Contains(prefix, "@") && len(fields) > 1 {
		fields = slices.Delete(fields, 1, 2) // what the program is told that it is called
	}
	first := true
	var options optionWalk
	for i, word := range fields {
		begin, only := first || options.goesOn, i == 0 || options.goesOn && options.only
		for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune(between, r) }) {
			words = append(words, commandWord{part, begin || strings.ContainsRune(between, rune(word[0])), only})
			begin, only = true, false
		}
		bare := strings.Trim(word, between)
		first = bare == "exec" || strings.ContainsRune(";&|(", rune(word[len(word)-1]))
		last := len(words) - 1
		options.next(bare, last >= 0 && words[last].begins, last >= 0 && words[last].first)
	}
	return words
}

// optionWalk walks over the options of a program that executes another one.
type optionWalk struct {
	goesOn bool // the next word is one more of them, or what is executed
	only   bool // and if it is that, nothing ran before
	value  bool // the word before was an option, which may have a value
}

func (o *optionWalk) next(word string, begins, first bool) {
	isOption := strings.HasPrefix(word, "-") || strings.Contains(word, "=") || word != "" && word[0] >= '0' && word[0] <= '9'
	switch {
	case begins && slices.Contains(executing, path.Base(word)):
		*o = optionWalk{goesOn: true, only: first}
	case !o.goesOn:
	case isOption:
		o.value = word[0] == '-' && !strings.Contains(word, "=")
	case o.value:
		o.value, o.only = false, false // its value; or the program, and the rest are that one's words
	default:
		*o = optionWalk{}
	}
}

// texts returns the words alone.
func texts(words []commandWord) (list []string) {
	for _, w := range words {
		list = append(list, w.text)
	}
	return list
}
