package systemd

import (
	"slices"
	"strings"
)

// option is one that a program has getopt_long(3) read.
type option struct {
	letter, name string
	// takes is ":" for one that has a value, "::" for one that may have it attached, or "".
	takes string
	// marks say what it means for the words behind it, see [noProgram].
	marks string
}

// optionsOf reads a list of "letter=name", with takes and the marks behind the letter; a name that
// is there twice has another value by its letter.
func optionsOf(list string) (options []option) {
	for _, word := range strings.Fields(list) {
		short, name, _ := strings.Cut(word, "=")
		letter := strings.TrimRight(short, ":"+marks)
		short, takes := short[len(letter):], ""
		if i := strings.Index(short, ":"); i >= 0 {
			short, takes = short[:i], short[i:]
		}
		options = append(options, option{letter, name, takes, short})
	}
	return options
}

// givenOption is an option of a command line. text is the word that it is in.
type givenOption struct {
	option
	value, text string
}

// readOption reads a word with one option or several letters. None is returned for what is not
// known; needs reports that the next word is the value of the last one.
func readOption(options []option, word string) (found []givenOption, needs bool) {
	if name, ok := strings.CutPrefix(word, "--"); ok {
		name, value, attached := strings.Cut(name, "=")
		o, ok := longOption(options, name)
		if !ok || attached && o.takes == "" {
			return nil, false
		}
		return []givenOption{{o, value, word}}, o.takes == ":" && !attached
	}
	for letters := word[1:]; letters != ""; letters = letters[1:] {
		i := slices.IndexFunc(options, func(o option) bool { return o.letter == letters[:1] })
		if i < 0 {
			return nil, false
		}
		o, value := options[i], letters[1:]
		if o.takes != "" {
			return append(found, givenOption{o, value, word}), o.takes == ":" && value == ""
		}
		found = append(found, givenOption{o, "", word})
	}
	return found, false
}

// longOption finds an option by its name, or by a beginning that only one has.
func longOption(options []option, name string) (found option, ok bool) {
	for _, o := range slices.Backward(options) { // with its long name's value, if it has two
		if o.name == name {
			return o, true
		}
	}
	for _, o := range slices.Backward(options) {
		switch {
		case !strings.HasPrefix(o.name, name):
		case ok && found.name != o.name:
			return option{}, false
		case !ok:
			found, ok = o, true
		}
	}
	return found, ok
}
