package openrc

import (
	"bytes"
	"io/fs"
	"regexp"
	"strings"
)

var (
	// lsbFunctions is how Debian's scripts read their functions.
	lsbFunctions = regexp.MustCompile(`^(?:\[ -[efr] /lib/lsb/init-functions \] && )?\. /lib/lsb/init-functions(?:\s*(?:#.*)?|;|\s*\|\| .*)$`)
	// lsbBefore is what may stand before that line, each in a line: it starts nothing.
	lsbBefore = regexp.MustCompile(`^\s*(?:#.*|(?:export |readonly )?\w+=[^\s;&|"'` + "`" + `]*|(?:export )?\w+=(?:"[^"` + "`" + `$(]*(?:\$\{?\w+\}?[^"` + "`" + `$(]*)*"|'[^']*')|` +
		`set [-+]\w+|umask \d+|export [\w ]+|unset [\w ]+|then|else|fi|` +
		`(?:test|\[) [^;&|` + "`" + `]+(?:(?:\|\||&&) (?:exit(?: \d+)?|\. ["\w/.${}-]+|\w+=[\w/"$.{}-]*))?(?:\s*\|\| (?:true|:))?|if (?:test|\[) [^;&|` + "`" + `]+; then|\. ["\w/.${}-]+|exit(?: \d+)?)?\s*(?:#.*)?$`)
)

// provides is how a script says for what other names it stands: the header of an LSB script,
// or the depend() of OpenRC's.
var provides = regexp.MustCompile(`(?m)^(?:# Provides:|\s*provide\s)(.*)$`)

// Provides returns the names that a script says it stands for, as far as they are written out.
func Provides(script []byte) (names []string) {
	for _, m := range provides.FindAllSubmatch(script, -1) {
		names = append(names, strings.Fields(string(m[1]))...)
	}
	return names
}

// FollowsLSB reports whether OpenRC reads the conf.d of an LSB script whatever calls that:
// the script has Debian's /lib/lsb/init-functions read before it does anything, and those
// read LSBPath, which is there as this rdgen has it. False is also for a script of which that
// is not certain.
func FollowsLSB(fsys fs.FS, script []byte) bool {
	if !readsFunctions(string(script)) {
		return false
	}
	functions, err := fs.ReadFile(fsys, "lib/lsb/init-functions")
	if err != nil || !bytes.Contains(functions, []byte("/lib/lsb/init-functions.d")) {
		return false
	}
	text, err := fs.ReadFile(fsys, "lib/lsb/init-functions.d/50-rdgen")
	return err == nil && bytes.Equal(text, shipped()[LSBPath])
}

// readsFunctions reports whether a script reads the functions first.
func readsFunctions(script string) bool {
	shell, _, _ := strings.Cut(script, "\n")
	if strings.HasSuffix(shell, "/lib/init/init-d-script") {
		return true // which does so itself
	}
	within := 0 // blocks
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		switch word := strings.TrimSpace(line); {
		case within == 0 && lsbFunctions.MatchString(line):
			return true
		case !lsbBefore.MatchString(line):
			return false
		case strings.HasPrefix(word, "if "):
			within++
		case word == "fi":
			within--
		}
	}
	return false
}
