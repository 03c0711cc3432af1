package guest

import (
	"os"
	"strings"
	"testing"
)

// Command is one that a page of documentation shows, with what it shows below it; or a file,
// whose name is the line, and which the reader writes.
type Command struct{ Line, Shown, File string }

// Typed returns the commands of a page, which are in its indented blocks and begin with "# ",
// and its files: the blocks whose first line is a path in a comment.
func Typed(page string) (commands []Command) {
	before := "" // the line before, if it was of the same block
	for line := range strings.Lines(page) {
		line, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		if !ok && line != "" {
			before = ""
			continue
		}
		n := len(commands) - 1
		command, typed := strings.CutPrefix(line, "# ")
		path := typed && before == "" && strings.HasPrefix(command, "/") && !strings.Contains(command, " ")
		switch {
		case before != "" && n >= 0 && commands[n].File != "":
			commands[n].File += line + "\n"
		case !ok:
			continue
		case path:
			commands = append(commands, Command{Line: command, File: "\n"})
		case typed:
			commands = append(commands, Command{Line: command})
		case n >= 0:
			commands[n].Shown = words(commands[n].Shown + " " + line)
		}
		before = line + " "
	}
	for i, c := range commands {
		if c.File != "" {
			commands[i].File = strings.TrimSpace(c.File) + "\n"
		}
	}
	return commands
}

// TypedFor is Typed for the sections of a page that all init systems share, and for the one
// of this init system.
func TypedFor(page string, init Init) (commands []Command) {
	own := map[Init]string{OpenRC: "On OpenRC\n", Systemd: "On systemd\n"}[init]
	for section := range strings.SplitSeq(page, "\n## ") {
		if !strings.HasPrefix(section, "On ") || strings.HasPrefix(section, own) {
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

// Type runs the commands one after the other, and writes the files. Each command must end
// with 0 and print what is shown, if anything is.
func (g *Guest) Type(t testing.TB, commands []Command) {
	t.Helper()
	for _, c := range commands {
		if c.File != "" {
			mode := os.FileMode(0o644)
			if strings.HasPrefix(c.File, "#!") {
				mode = 0o755
			}
			g.Put(t, c.Line, mode, []byte(c.File))
			continue
		}
		out := g.Run(t, "/bin/sh", "-c", c.Line)
		if out.Code != 0 {
			t.Errorf("%s: %s\nexit %d\n%s%s", g.Name, c.Line, out.Code, out.Stdout, out.Stderr)
		}
		if got := words(out.Stdout); c.Shown != "" && got != c.Shown {
			t.Errorf("%s: %s\nprints %q; the page shows %q", g.Name, c.Line, got, c.Shown)
		}
	}
}
