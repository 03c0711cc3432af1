package docs

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the examples from the pages")

// named is the first line of a block that is a file: its path, in a comment.
var named = regexp.MustCompile(`^# (/\S+)$`)

// listed is the folder whose page names its files, and shows none.
const listed = "monitoring"

// file returns the path and the text of a block that is a file.
func (b block) file() (path, text string, ok bool) {
	m := named.FindStringSubmatch(b.text[0])
	if m == nil || len(b.text) == 1 {
		return "", "", false
	}
	return m[1], strings.TrimSpace(strings.Join(b.text[1:], "\n")) + "\n", true
}

// TestExamples: examples/NAME has the files of docs/NAME.md as the page shows them, and no
// others; what is in no folder is of no page. With -update it writes them. (The test of a page
// writes them from the page into a machine, and types what is there beside them.) The page
// of listed names each of its files.
func TestExamples(t *testing.T) {
	const top = "../../examples"
	besides := namedBy(t, top, listed)
	pages, _ := filepath.Glob("../../docs/*.md")
	want := map[string]string{}
	for _, path := range pages {
		page := "docs/" + filepath.Base(path)
		for _, b := range markdown(page, read(t, page)) {
			file, text, ok := b.file()
			if !ok {
				continue
			}
			name := filepath.Join(top, strings.TrimSuffix(filepath.Base(path), ".md"), file)
			if _, twice := want[name]; twice {
				t.Errorf("%s:%d: %s is there twice", page, b.line, file)
			}
			want[name] = text
		}
	}
	if len(want) < 20 {
		t.Fatalf("%d files in the pages; want all", len(want))
	}
	if *update {
		write(t, top, want)
	}
	for name, text := range want {
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%s: %v, or not as the page has it", name, err)
		}
	}
	err := filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if _, ok := want[name]; err == nil && !e.IsDir() && !ok && !besides[name] && filepath.Dir(name) != top {
			t.Errorf("%s is in no page", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// namedBy returns the files of a folder, and whether its page names each.
func namedBy(t *testing.T, top, folder string) map[string]bool {
	files, _ := filepath.Glob(filepath.Join(top, folder, "*"))
	if len(files) == 0 {
		t.Errorf("examples/%s has no files", folder)
	}
	page := read(t, "docs/"+folder+".md")
	besides := map[string]bool{}
	for _, name := range files {
		besides[name] = strings.Contains(page, filepath.Base(name))
	}
	return besides
}

// write writes the examples that pages show, and no others.
func write(t *testing.T, top string, want map[string]string) {
	there, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range there {
		if !e.IsDir() || e.Name() == listed {
			continue
		}
		if err := os.RemoveAll(filepath.Join(top, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range want {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}
