package conf

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The manual page documents every key, and its examples are files that Parse
// accepts and that use every key.
func TestManualPage(t *testing.T) {
	text, err := os.ReadFile("../../man/rdomain.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	examples := regexp.MustCompile(`(?s)\.Pa /etc/rdomain/(\S+)\.conf :\n\.Bd [^\n]*\n(.*?)\.Ed`).FindAllStringSubmatch(page, -1)
	if len(examples) < 5 {
		t.Errorf("%d examples found; want all", len(examples))
	}
	all := ""
	for _, e := range examples {
		if _, err := parse(t, e[1], e[2]); err != nil {
			t.Errorf("example: %v", err)
		}
		all += e[2]
	}
	for section, names := range keys {
		_, rest, ok := strings.Cut(page, ".Ss ["+section)
		if !ok {
			t.Errorf("section [%s] is not documented", section)
		}
		part, _, _ := strings.Cut(rest, ".Ss ")
		part, _, _ = strings.Cut(part, ".Sh ")
		items := strings.Split(part, ".It Li ")
		for _, item := range items[1:] {
			if name, text, _ := strings.Cut(item, "=\n"); !strings.Contains(text, "default") {
				t.Errorf("the default of %s= in section [%s] is not documented", name, section)
			}
		}
		for name := range names {
			if !strings.Contains(part, ".It Li "+name+"=\n") {
				t.Errorf("%s= in section [%s] is not documented", name, section)
			}
			if !strings.Contains(all, "\n"+name+"=") {
				t.Errorf("%s= is in no example", name)
			}
		}
		if n := strings.Count(part, ".It Li "); n != len(names) {
			t.Errorf("section [%s] documents %d keys; there are %d", section, n, len(names))
		}
	}
	for _, kind := range slices.Concat(LinkKinds, RouteTypes, RuleTypes) {
		if !strings.Contains(page, "\n.Li "+kind) {
			t.Errorf("%s is not documented", kind)
		}
	}
}

// The examples of docs/domains.md are files that Parse accepts.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/domains.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range strings.Split(string(text), "\n    # /etc/rdomain/")[1:] {
		name, rest, _ := strings.Cut(block, ".conf\n")
		if strings.Contains(name, "\n") {
			continue // another file of a domain
		}
		var b strings.Builder
		for line := range strings.Lines(rest) {
			if line != "\n" && !strings.HasPrefix(line, "    ") {
				break
			}
			b.WriteString(strings.TrimPrefix(line, "    "))
		}
		if _, err := parse(t, name, b.String()); err != nil || b.Len() < 50 {
			t.Errorf("example %s: %v\n%s", name, err, b.String())
		}
		found++
	}
	if found != 9 {
		t.Errorf("%d examples found; want 9", found)
	}
}
