package shape

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// width is the longest line of prose in a page.
const width = 100

// old are words that a reader whose first language is not English has to look
// up, or that no one says any more.
var old = regexp.MustCompile(`(?i)\b(anew|lest|bears|of its own accord|behind (the back of|\S+'s back)|is Check|in vain|as ever|for want of|who asks|whilst|hence|thus|albeit|amongst|whence|unto|nought|but for)\b`)

// quotes has to spell the words.
const quotes = "test/shape/prose_test.go"

// TestProse: the pages are wrapped, and in words that everybody knows.
func TestProse(t *testing.T) {
	pages := 0
	for _, name := range files(t) {
		page, _ := filepath.Rel(top, name)
		markdown := strings.HasSuffix(page, ".md") && !strings.HasPrefix(page, "testdata/")
		if page == quotes {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			line = strings.TrimSuffix(line, "\n")
			code := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "|")
			if length := utf8.RuneCountInString(line); markdown && !code && length > width {
				t.Errorf("%s:%d: %d columns; prose is wrapped at %d", page, n, length, width)
			}
			if word := old.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: say it in a word of today", page, n, word)
			}
		}
	}
	if pages < 10 {
		t.Errorf("%d pages found; want all", pages)
	}
}

// TestMap: ARCHITECTURE.md has a row for each folder with Go files, and for
// nothing else. A tool below a room of the tests is of that room.
func TestMap(t *testing.T) {
	text, err := os.ReadFile(top + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Rooms\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		rows[m[1]] = false
	}
	for _, s := range sources(t) {
		room := s.folder
		if part := strings.Split(room, "/"); part[0] == "test" && len(part) > 2 {
			room = strings.Join(part[:2], "/")
		}
		if _, ok := rows[room]; !ok {
			t.Errorf("ARCHITECTURE.md: no row for %s in the table of rooms", room)
		}
		rows[room] = true
	}
	for room, found := range rows {
		if !found {
			t.Errorf("ARCHITECTURE.md: the room %s has no Go file", room)
		}
	}
	_, glossary, _ := strings.Cut(string(text), "\n## Words\n")
	if n := strings.Count(glossary, "\n|") - 2; n < 10 || n > 25 {
		t.Errorf("ARCHITECTURE.md: the glossary has %d words; want 10 to 25", n)
	}
}
