package s6

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
)

// Mark ends the line that enters a domain, in a script that was wrapped: by it
// the line is found again.
const Mark = "# rdgen: enter the routing domain"

// Language is what a script is written in.
type Language int

// The languages in which a chain-load can be inserted with certainty.
const (
	Execline Language = iota
	Shell
)

// Script is a run, finish, up, down or reload that was read so that it can be
// wrapped: executed in a domain, and otherwise what it was.
type Script struct {
	Language Language
	// Again are the words that execute a shell script once more, before its own
	// path: its interpreter and the options of that. with-contenv is not among them: it
	// would empty the environment a second time.
	Again []string
	// Empty: it runs nothing.
	Empty bool

	// head is the "#!" line, with what follows it up to a line that only sends
	// stderr where stdout goes: so rdexec's messages are in the service's log. body is the
	// rest, less our own line.
	head, body []byte
}

// redirects are the lines that send stderr where stdout goes, and do nothing else.
var redirects = map[Language]string{Execline: "fdmove -c 2 1", Shell: "exec 2>&1"}

// afterRedirect moves what leads to such a line from the body to the head.
func (s *Script) afterRedirect() {
	n := 0
	for line := range bytes.Lines(s.body) {
		n += len(line)
		switch text := string(bytes.TrimSpace(line)); {
		case text == "" || text[0] == '#':
		case text == redirects[s.Language] && bytes.HasSuffix(line, []byte("\n")):
			s.head, s.body = slices.Concat(s.head, s.body[:n]), unmarked(s.body[n:])
			return
		default:
			return
		}
	}
}

// Wrapped returns the script with line, without its newline, as the first thing
// that is executed. All other bytes are as they were.
func (s Script) Wrapped(line string) []byte {
	return slices.Concat(s.head, []byte(line+" "+Mark+"\n"), s.body)
}

// ReadScript reads a run or finish script of a longrun, the text of file. The error
// is a *problem.Error: in that file nothing can be inserted with certainty.
func ReadScript(file string, text []byte) (Script, error) {
	refuse := func(line int, format string, args ...any) (Script, error) {
		return Script{}, problem.New(problem.Pos{File: file, Line: line}, format, args...).WithHint(byHand)
	}
	first, _, ended := bytes.Cut(text, []byte("\n"))
	interpreter, ok := bytes.CutPrefix(first, []byte("#!"))
	switch {
	case bytes.HasPrefix(text, []byte("\x7fELF")):
		return refuse(0, "is a program, not a script")
	case !ok:
		return refuse(1, `does not begin with "#!", so the kernel would not know what to execute it with`)
	case bytes.HasSuffix(first, []byte("\r")):
		return Script{}, problem.New(problem.Pos{File: file, Line: 1}, "ends in a carriage return, which is part of the interpreter's name").
			WithHint("save the file with Unix line ends")
	case bytes.IndexByte(text, 0) >= 0:
		line := 1 + bytes.Count(text[:bytes.IndexByte(text, 0)], []byte("\n"))
		return refuse(line, containsNUL)
	case !ended:
		return Script{Empty: true, head: text}, nil
	}
	s := Script{head: text[:len(first)+1], body: unmarked(text[len(first)+1:])}
	words := shebang(string(interpreter))
	if len(words) == 0 {
		return refuse(1, `names no interpreter after "#!"`)
	}
	program := path.Base(words[0])
	switch {
	case program == "execlineb":
		return s.execline(file, words[1:])
	case slices.Contains(shells, program):
		return s.shell(file, words)
	case program == "busybox" && len(words) > 1 && (words[1] == "sh" || words[1] == "ash"):
		return s.shell(file, words)
	}
	return refuse(1, "%q is neither execlineb nor a POSIX shell, so a chain-load cannot be inserted with certainty", words[0])
}

const (
	byHand      = "make it a script of execline or sh that executes what is there now"
	containsNUL = "contains a NUL byte, so it is not a text file"
)

// ReadUp reads up, down or reload of a oneshot, the text of file: one command line
// of execline, whose "#!", if it has one, is a comment.
func ReadUp(file string, text []byte) (Script, error) {
	s := Script{body: unmarked(text)}
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.HasPrefix(first, []byte("#!")) && len(first) < len(text) {
		s.head, s.body = text[:len(first)+1], unmarked(text[len(first)+1:])
	}
	return s.execline(file, nil)
}

// unmarked removes our own line from the beginning.
func unmarked(body []byte) []byte {
	if line, rest, ok := bytes.Cut(body, []byte("\n")); ok && bytes.HasSuffix(line, []byte(" "+Mark)) {
		return rest
	}
	return body
}

// shells are POSIX shells, to which the inserted line means the same. bashio, of Home
// Assistant's containers, is a bash that sources the script as $0, with its arguments.
var shells = []string{"bashio", "sh", "ash", "dash", "bash", "ksh", "ksh93", "mksh", "oksh", "loksh", "yash", "zsh"}

// shebang returns the words that execute a script: the kernel makes one word of
// all that follows the interpreter; "env -S" splits it, and with-contenv of s6-overlay and
// env without options execute what follows.
func shebang(text string) []string {
	text = strings.Trim(text, " \t")
	program, argument, _ := strings.Cut(text, " ")
	if i := strings.IndexByte(text, '\t'); i >= 0 && i < len(program) {
		program, argument = text[:i], text[i:]
	}
	argument = strings.Trim(argument, " \t")
	switch path.Base(program) {
	case "env":
		split, ok := strings.CutPrefix(argument, "-S")
		if ok && !strings.ContainsAny(split, `"'\$#`) {
			argument = strings.TrimSpace(split)
			return strings.Fields(argument)
		}
		if !ok && argument != "" && !strings.ContainsAny(argument, " \t-=") {
			return []string{argument}
		}
	case "with-contenv":
		if argument != "" && !strings.ContainsAny(argument, " \t") {
			return []string{argument}
		}
	}
	if program == "" {
		return nil
	}
	words := []string{program}
	if argument != "" {
		words = append(words, argument)
	}
	return words
}

func (s Script) execline(file string, options []string) (Script, error) {
	for _, o := range options {
		if !strings.HasPrefix(o, "-") || strings.Contains(o, "c") {
			return Script{}, problem.New(problem.Pos{File: file, Line: 1}, "execlineb is given %q, after which it does not read this file", o).WithHint(byHand)
		}
	}
	words, err := Words(file, s.body)
	if syntax, ok := errors.AsType[*problem.Error](err); ok {
		syntax.Line += bytes.Count(s.head, []byte("\n"))
		return Script{}, syntax.WithHint("execlineb could not read it either")
	}
	s.Empty = len(words) == 0
	s.afterRedirect()
	if bytes.IndexByte(s.body, 0) >= 0 {
		return s, problem.New(problem.Pos{File: file}, containsNUL).WithHint(byHand)
	}
	return s, nil
}

// shell accepts the options that do not change what is executed.
func (s Script) shell(file string, words []string) (Script, error) {
	s.Language, s.Again = Shell, words
	options := words[1:]
	if path.Base(words[0]) == "busybox" {
		options = words[2:]
	}
	for i, o := range options {
		set := strings.TrimPrefix(o, "-")
		switch {
		case o == "--posix" || o == "--norc" || o == "--noprofile":
		case set != o && set != "" && strings.Trim(set, "aefhluvxbmCE") == "":
		case set != o && strings.HasSuffix(set, "o") && strings.Trim(set, "aefhluvxbmCEo") == "" && i+1 < len(options):
		case i > 0 && strings.HasPrefix(options[i-1], "-") && strings.HasSuffix(options[i-1], "o"): // its name
		default:
			return Script{}, problem.New(problem.Pos{File: file, Line: 1},
				"%s is given %q, with which a chain-load cannot be inserted with certainty", words[0], o).WithHint(byHand)
		}
	}
	s.afterRedirect()
	return s, nil
}
