package openrc

import (
	"bytes"
	"regexp"
	"slices"
)

// line is what WithLine adds. A service that names a domain needs the hook, and
// a shell that cannot source a file exits; one that names none starts also where
// rdgen is not installed, so packages can ship scripts that have the line. A hook that
// was cut short ends it too.
var line = `if [ -n "$vrf$netns" ] || [ -e ` + HookPath + ` ]; then . ` + HookPath + `; : "${rdgen_end:?openrc.sh is not whole; install rdgen again}"; fi # rdgen: enter the routing domain of conf.d`

// anyLine is the line as any version of rdgen writes it.
var anyLine = regexp.MustCompile(`^(if .*; then )?\. \S*/rdgen/openrc\.sh(; : "[^"]*")?(; fi)?( +#.*)?$`)

// WithLine returns the script with exactly one line added, right after the
// first: the line that enters the service's domain. There it comes before every
// command of the script, and conf.d has been read, in openrc-run.sh as in
// gendepends.sh. A script that has the line is returned as it is; one with
// another version's line gets that replaced.
func (s *Script) WithLine() []byte {
	first, rest, _ := bytes.Cut(s.Source, []byte("\n"))
	if second, after, found := bytes.Cut(rest, []byte("\n")); anyLine.Match(second) {
		rest = after
		if !found {
			rest = nil
		}
	}
	var b bytes.Buffer
	for _, part := range [][]byte{first, []byte("\n" + line + "\n"), rest} {
		b.Write(part)
	}
	return b.Bytes()
}

// withoutLine leaves the line of WithLine empty: outside of OpenRC it does nothing.
func withoutLine(text []byte) []byte {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	second, after, found := bytes.Cut(rest, []byte("\n"))
	if !found || !anyLine.Match(second) {
		return text
	}
	return slices.Concat(first, []byte("\n\n"), after)
}
