// Package docs runs what the pages of documentation show: each block of a page
// is claimed by one line of a table, which says what holds it.
package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// block is an indented block of a page, or an example of a manual page.
type block struct {
	page, section string
	line          int
	text          []string
}

// title is what a claim matches: the section, and the first line.
func (b block) title() string { return b.section + ": " + b.text[0] }

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// markdown returns the blocks of a page: lines indented by four spaces, and the
// empty lines between them.
func markdown(page, text string) (blocks []block) {
	b := block{page: page}
	end := func() {
		for n := len(b.text); n > 0 && b.text[n-1] == ""; n-- {
			b.text = b.text[:n-1]
		}
		if len(b.text) > 0 {
			blocks = append(blocks, b)
		}
		b.text = nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, " \n")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented:
			if b.text == nil {
				b.line = n
			}
			b.text = append(b.text, code)
		case line == "" && b.text != nil:
			b.text = append(b.text, "")
		case line != "":
			end()
			if heading := strings.TrimLeft(line, "#"); heading != line {
				b.section = strings.TrimSpace(heading)
			}
		}
	}
	end()
	return blocks
}

var (
	literal  = regexp.MustCompile(`^\.(Bd -literal.*|nf)$`)
	unescape = strings.NewReplacer(`\-`, "-", `\e`, `\`, `\&`, "", `\(aq`, "'")
)

// manual returns the examples of a manual page: what stands in .Bd or .nf, and
// each .Dl.
func manual(page, text string) (blocks []block) {
	b, inside := block{page: page}, false
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		one, display := strings.CutPrefix(line, ".Dl ")
		switch {
		case inside && (line == ".Ed" || line == ".fi"):
			blocks, inside = append(blocks, b), false
		case inside:
			b.text = append(b.text, unescape.Replace(line))
		case literal.MatchString(line):
			b.text, b.line, inside = nil, n+1, true
		case display:
			blocks = append(blocks, block{page, b.section, n, []string{unescape.Replace(one)}})
		case strings.HasPrefix(line, ".Sh ") || strings.HasPrefix(line, ".SH ") || strings.HasPrefix(line, ".Ss "):
			b.section = line[4:]
		}
	}
	return blocks
}

// compared returns the tables of a page that compare one command with another: in
// each row the two, as they were measured.
func compared(page, text string) (blocks []block) {
	section, inside := "", false
	for n, line := range strings.Split(text, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			section = strings.TrimSpace(heading)
		}
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			inside = false
			continue
		}
		one, two := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		switch {
		case two == "against":
			inside = true
			blocks = append(blocks, block{page: page, section: section, line: n + 1})
		case inside && strings.Trim(one, "-") != "":
			b := &blocks[len(blocks)-1]
			b.text = append(b.text, one, two)
		}
	}
	return blocks
}

// command is a line that is typed, and the lines that are shown below it.
type command struct {
	line  string
	shown []string
}

// typed returns the commands of a block, which begin with a prompt.
func typed(b block) (commands []command) {
	for _, line := range b.text {
		if len(line) > 2 && (line[:2] == "# " || line[:2] == "$ ") {
			commands = append(commands, command{line: line[2:]})
		} else if n := len(commands); n > 0 {
			commands[n-1].shown = append(commands[n-1].shown, line)
		}
	}
	return commands
}
