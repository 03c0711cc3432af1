package guest

import (
	"strings"
	"testing"
)

// Command is one that a page of documentation shows, with what it shows below it.
type Command struct{ Line, Shown string }

// Typed returns the commands of a page, which are in its indented blocks and
// begin with "# ".
func Typed(page string) (commands []Command) {
	for line := range strings.Lines(page) {
		line, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		if !ok {
			continue
		}
		if command, ok := strings.CutPrefix(line, "# "); ok {
			commands = append(commands, Command{Line: command})
		} else if n := len(commands); n > 0 {
			commands[n-1].Shown = words(commands[n-1].Shown + " " + line)
		}
	}
	return commands
}

// TypedFor is Typed for the sections of a page that all init systems share, and for the one
// of this init system.
func TypedFor(page string, init Init) (commands []Command) {
	other := map[Init]string{OpenRC: "On systemd\n", Systemd: "On OpenRC\n"}[init]
	for section := range strings.SplitSeq(page, "\n## ") {
		if !strings.HasPrefix(section, other) {
			commands = append(commands, Typed(section)...)
		}
	}
	return commands
}

// Quoted returns the command that a page's text, and no block, has between backticks, and that
// begins with these words.
func Quoted(t testing.TB, page, begin string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "`"+begin+" ")
	command, _, closed := strings.Cut(rest, "`")
	if !found || !closed || strings.Contains(command, "\n") {
		t.Fatalf("the page has no command `%s`", begin)
	}
	return begin + " " + command
}

// words joins the words of a text by single spaces.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// Type runs the commands one after the other. Each must end with 0 and print what
// is shown, if anything is.
func (g *Guest) Type(t testing.TB, commands []Command) {
	t.Helper()
	for _, c := range commands {
		out := g.Run(t, "/bin/sh", "-c", c.Line)
		if out.Code != 0 {
			t.Errorf("%s: %s\nexit %d\n%s%s", g.Name, c.Line, out.Code, out.Stdout, out.Stderr)
		}
		if got := words(out.Stdout); c.Shown != "" && got != c.Shown {
			t.Errorf("%s: %s\nprints %q; the page shows %q", g.Name, c.Line, got, c.Shown)
		}
	}
}
