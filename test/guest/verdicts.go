package guest

import (
	_ "embed"
	"strings"
	"testing"
)

// Prelude is shell that the scripts of Verdicts share: what a test says, line by line.
//
//go:embed prelude.sh
var Prelude string

// Await is the shell function await, by which all scripts wait.
//
//go:embed await.sh
var Await string

// Network are shell functions that build networks: hosts, which are namespaces, and cables
// to them.
//
//go:embed network.sh
var Network string

// Session is the shell function session, which makes a user of OpenRC and its services.
//
//go:embed user.sh
var Session string

//go:embed cg.sh
var cg string

// Fetch is a program that reads a web page.
//
//go:embed fetch.sh
var Fetch string

// Verdicts runs a script in the guest, in the parts that lines "# part: LABEL"
// make of it, each in a shell of its own. It fails t for each part that has a line
// which begins with "not ok", that waits for what does not come, or that does not come to its end.
func (g *Guest) Verdicts(t testing.TB, script string) {
	t.Helper()
	for part := range strings.SplitSeq(script, "\n# part: ") {
		out := g.Run(t, "/bin/sh", "-uc", Prelude+Await+"# "+part+"\necho the end\n")
		bad := out.Code != 0 || !strings.HasSuffix(out.Stdout, "\nthe end\n") || !strings.Contains(out.Stdout, "ok: ")
		for line := range strings.Lines(out.Stdout) {
			bad = bad || strings.HasPrefix(line, "not ok: ") || strings.HasPrefix(line, "await: ")
		}
		if bad {
			t.Errorf("%s: exit %d:\n%s", g.Name, out.Code, out.Stdout)
		}
	}
}
