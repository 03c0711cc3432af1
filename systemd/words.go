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
	// open: a blank follows that is in quotes or behind a backslash, so the word goes on.
	open bool
	// varies: only the running command knows what it is; and command: it is what a shell, or a
	// program that executes another one, takes for a program.
	varies, command bool
}

// prefixes are what may stand before the program of a command line.
const prefixes = "-+!@:| "

// executing are programs that change something of themselves and execute what follows their
// options, with how many words of another kind stand before that: a file to lock, a root, a user.
var executing = map[string]int{
	"env": 0, "nice": 0, "ionice": 0, "chrt": 0, "setsid": 0, "nohup": 0, "timeout": 0, "stdbuf": 0, "setpriv": 0, "chpst": 0,
	"taskset": 1, "prlimit": 0, "choom": 0, "busybox": 0, "unshare": 0, "nsenter": 0, "systemd-cat": 0, "systemd-inhibit": 0,
	"eatmydata": 0, "softlimit": 0, "time": 0, "numactl": 0, "uclampset": 0, "strace": 0, "capsh": 0, "tini": 0, "dumb-init": 0,
	"catatonit": 0, "dbus-run-session": 0, "nocache": 0, "runuser": 0, "sudo": 0, "doas": 0, "flock": 1, "chroot": 1, "setarch": 1,
	"linux32": 0, "runcon": 1, "setuidgid": 1, "envuidgid": 1, "envdir": 1, "s6-setuidgid": 1, "s6-envuidgid": 1, "s6-envdir": 1,
	"gosu": 1, "su-exec": 1, "cgexec": 0,
}

// commandWords splits a command line, and what a shell in it has for one.
func commandWords(text string) (words []commandWord) {
	const between = "\"';&|()"
	rest := strings.TrimLeft(text, prefixes)
	fields := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == '\t' })
	prefix := text[:len(text)-len(rest)]
	if strings.Contains(prefix, "@") && len(fields) > 1 {
		fields = slices.Delete(fields, 1, 2) // what the program is told that it is called
	}
	first, shell, script := true, false, false
	var options optionWalk
	var quotes []rune
	for i, word := range fields {
		var open bool
		inside := len(quotes) > 0
		quotes, open = quoted(quotes, word)
		begin, only := first || options.goesOn, i == 0 || options.goesOn && options.only
		command := first && i > 0 && shell || options.executes(word) || script
		for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune(between, r) }) {
			w := commandWord{text: part, begins: begin || strings.ContainsRune(between, rune(word[0])), first: only, open: open, command: command}
			inScript := shell && (inside || open || script)
			w.varies = varies(part, inScript) && (inScript || !strings.Contains(prefix, ":"))
			words = append(words, w)
			begin, only, command = true, false, false
		}
		bare := strings.Trim(word, between)
		script = shell && !inside && strings.HasPrefix(bare, "-") && strings.HasSuffix(bare, "c")
		shell = shell || slices.Contains(shells, path.Base(bare))
		first = bare == "exec" || strings.ContainsRune(";&|(", rune(word[len(word)-1]))
		last := len(words) - 1
		options.next(bare, last >= 0 && words[last].begins, last >= 0 && words[last].first)
	}
	return words
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

// optionWalk walks over the options of a program that executes another one.
type optionWalk struct {
	program, before string // the one that executes, and the word before
	goesOn          bool   // the next word is one more of them, or what is executed
	only            bool   // and if it is that, nothing ran before
	value           bool   // the word before was an option, which may have a value
	others          int    // how many words of another kind may come before what is executed
	past            bool   // what is executed stands there already, as far as the options are known
}

func (o *optionWalk) next(word string, begins, first bool) {
	number := word != "" && word[0] >= '0' && word[0] <= '9' && (o.others == 0 || o.value)
	isOption := strings.HasPrefix(word, "-") || strings.Contains(word, "=") || number
	others, executes := executing[path.Base(word)]
	switch {
	case begins && executes:
		*o = optionWalk{program: path.Base(word), goesOn: true, only: first, others: others}
	case !o.goesOn:
	case isOption:
		o.value = word[0] == '-' && !strings.Contains(word, "=") && word != "--" && o.program != "taskset"
	case o.value:
		o.value, o.only = false, false // its value; or the program, and the rest are that one's words
		o.past = o.past || !takesValue(o.program, o.before)
	case o.others > 0:
		o.others--
	default:
		*o = optionWalk{}
	}
	o.before = word
}

// executes reports whether the next word may be what is executed, if only the running command
// knows that. Behind an option that has a value it is that, and so is "${X}", which is one word,
// behind any. What nsenter and unshare have is read by themselves.
func (o *optionWalk) executes(word string) bool {
	switch {
	case !o.goesOn || o.past || nsOptions[o.program] != nil:
		return false
	case strings.HasPrefix(word, "-") || strings.Contains(word, "=") && !strings.HasPrefix(word, "$"):
		return false // its own
	case o.value:
		return !takesValue(o.program, o.before) && !strings.HasPrefix(strings.Trim(word, `"'`), "${")
	}
	return o.others == 0
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
