package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	noneOfAnd = regexp.MustCompile(`[^\pL\pN _-]`)
)

// anchors returns what a heading of a page is called in a link, as forges make it.
func anchors(page string) (list []string) {
	for line := range strings.Lines(page) {
		if title := strings.TrimLeft(line, "#"); title != line && strings.HasPrefix(title, " ") {
			title = noneOfAnd.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			list = append(list, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return list
}

// TestLinks: each link of a page leads to a file, and to a heading if it names one; and
// docs/README.md leads to each page of docs.
func TestLinks(t *testing.T) {
	const top = "../../"
	var pages []string
	for _, pattern := range []string{"*.md", "*/*.md"} {
		found, _ := filepath.Glob(top + pattern)
		pages = append(pages, found...)
	}
	var index []string
	found := 0
	for _, path := range pages {
		page := strings.TrimPrefix(path, top)
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			file, heading, named := strings.Cut(m[1], "#")
			to := filepath.Join(filepath.Dir(page), file)
			if file == "" {
				to = page
			}
			if page == "docs/README.md" {
				index = append(index, to)
			}
			if _, err := os.Stat(top + to); err != nil {
				t.Errorf("%s: (%s): %v", page, m[1], err)
			} else if named && !slices.Contains(anchors(read(t, to)), heading) {
				t.Errorf("%s: (%s): %s has no such heading", page, m[1], to)
			}
		}
		if filepath.Dir(page) == "docs" && page != "docs/README.md" && !slices.Contains(index, page) {
			t.Errorf("docs/README.md does not lead to %s", page)
		}
	}
	if found < 50 {
		t.Errorf("%d links found; want all", found)
	}
}
