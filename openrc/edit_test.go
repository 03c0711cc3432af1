package openrc

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/problem"
)

// edit returns the text of a conf.d file with one assignment.
func edit(text, key, value string) (string, error) {
	fsys := fstest.MapFS{"etc/conf.d/x": {Data: []byte(text)}}
	e, err := Edit(fsys, "x", []Assignment{{key, value}})
	return string(e.New), err
}

func TestEdit(t *testing.T) {
	for _, c := range []struct{ name, before, value, after string }{
		{"empty", "", "b", "vrf=b\n"},
		{"no newline at the end", "X=1", "b", "X=1\nvrf=b\n"},
		{"plain", "vrf=a\nX=1\n", "b", "vrf=b\nX=1\n"},
		{"double quotes", "vrf=\"a\" # c\n", "b", "vrf=\"b\" # c\n"},
		{"single quotes", "vrf='a'\n", "b", "vrf='b'\n"},
		{"both quotes", "vrf='a'\"b\"\n", "c", "vrf=c\n"},
		{"computed", "vrf=\"$(hostname)-x\"\n", "b", "vrf=\"b\"\n"},
		{"of two lines", "vrf=a\\\nb\nX=1\n", "c", "vrf=c\nX=1\n"},
		{"no value", "vrf=\n", "b", "vrf=b\n"},
		{"no value, and a comment", "vrf= # none\n", "b", "vrf=b # none\n"},
		{"export", "export vrf=a\n", "b", "export vrf=b\n"},
		{"export of two", "export X=1 vrf=a Y\n", "b", "export X=1 vrf=b Y\n"},
		{"beside another", "vrf=a netns=c\n", "b", "vrf=b netns=c\n"},
		{"behind another", "X=1; vrf=a; Y=2\n", "b", "X=1; vrf=b; Y=2\n"},
		{"indented", "\t vrf=a\n", "b", "\t vrf=b\n"},
		{"an example", "# a\n# vrf=NAME\n\n# b\nX=1\n", "b", "# a\n# vrf=NAME\nvrf=b\n\n# b\nX=1\n"},
		{"an example at the end", "X=1\n#vrf=NAME", "b", "X=1\n#vrf=NAME\nvrf=b\n"},
		{"two examples", "#vrf=a\n#vrf=c\nX=1\n", "b", "#vrf=a\n#vrf=c\nX=1\nvrf=b\n"},
		{"an example in a block", "if x; then\n#vrf=a\n:\nfi\n", "b", "if x; then\n#vrf=a\n:\nfi\nvrf=b\n"},
		{"an example in a text", "X='\n#vrf=a\n'\n", "b", "X='\n#vrf=a\n'\nvrf=b\n"},
		{"an example behind a command", "X=1 #vrf=a\nY=1\n", "b", "X=1 #vrf=a\nY=1\nvrf=b\n"},
		{"in a function", "f() { local vrf; vrf=a; }\n", "b", "f() { local vrf; vrf=a; }\nvrf=b\n"},
		{"take out", "# c\nvrf=a\nX=1\n", "", "# c\nX=1\n"},
		{"take out, with a comment", "vrf=a # c\n", "", "# c\n"},
		{"take out, indented", "  vrf=a ;\nX=1\n", "", "X=1\n"},
		{"take out of two lines", "vrf=\"a\\\nb\"\nX=1\n", "", "X=1\n"},
		{"take out the last", "X=1\nvrf=a", "", "X=1\n"},
		{"take out what is not there", "X=1\n", "", "X=1\n"},
		{"take out export", "export vrf=a\n", "", ""},
	} {
		if got, err := edit(c.before, "vrf", c.value); got != c.after || err != nil {
			t.Errorf("%s: %q becomes %q, %v; want %q", c.name, c.before, got, err, c.after)
		}
	}
}

func TestEditRefuses(t *testing.T) {
	for _, c := range []struct {
		text, value string
		line        int
		why         string
	}{
		{"vrf=a\nX=1\nvrf=a\n", "b", 3, "here and in line 1"},
		{"if x; then\n\tvrf=a\nfi\n", "b", 2, `in an "if"`},
		{"case x in\nx) vrf=a ;;\nesac\n", "", 2, `in a "case"`},
		{"for x in 1; do vrf=a; done\n", "b", 1, "in a loop"},
		{"X=1\ntrue && vrf=a\n", "b", 2, `in a list with`},
		{"{\nvrf=a\n}\n", "b", 2, "in braces"},
		{"vrf=a true\n", "b", 1, "in a command"},
		{"vrf=a >x\n", "b", 1, "in a command"},
		{"vrf=a &\n", "b", 1, "in a command"},
		{"X=1; vrf=a\n", "", 1, "with something else"},
		{"vrf=a; X=1\n", "", 1, "with something else"},
		{"vrf=a X=1\n", "", 1, "with something else"},
		{"export X=1 vrf=a\n", "", 1, "with something else"},
		{"X=(\n", "b", 1, ""},
		{"X=1\nY=2 \\\n", "b", 2, "ends with a backslash"},
		{"X=1\n:\\", "b", 2, "ends with a backslash"},
	} {
		got, err := edit(c.text, "vrf", c.value)
		p, ok := err.(*problem.Error)
		if !ok || p.File != "/etc/conf.d/x" || p.Line != c.line || !strings.Contains(p.Msg, c.why) {
			t.Errorf("%q: %q, %v; want line %d, %q", c.text, got, err, c.line, c.why)
		}
	}
}

// FuzzEdit: an edit changes one assignment and nothing else, and what is put in and taken out
// again leaves the file as it was.
func FuzzEdit(f *testing.F) {
	for _, row := range confRows {
		f.Add([]byte(row.text))
	}
	f.Add([]byte(`#0\`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, text := range []string{string(data), asShell(data)} {
			after, err := edit(text, "vrf", "qqq")
			if err != nil {
				continue
			}
			before, rest := text, after
			for before != "" && rest != "" && before[0] == rest[0] {
				before, rest = before[1:], rest[1:]
			}
			for before != "" && rest != "" && before[len(before)-1] == rest[len(rest)-1] {
				before, rest = before[:len(before)-1], rest[:len(rest)-1]
			}
			plain, others := assigned(t, text)
			switch {
			case !strings.Contains(after, "qqq"):
				t.Errorf("%q becomes %q", text, after)
			case plain == 0 && before != "", plain == 0 && others > 0:
				t.Errorf("%q becomes %q, where a line was added", text, after)
			case plain == 0:
				back, err := edit(after, "vrf", "")
				if err != nil || strings.TrimSuffix(back, "\n") != strings.TrimSuffix(text, "\n") {
					t.Errorf("%q becomes %q, and %q again, %v", text, after, back, err)
				}
			}
			if !bytes.Equal(comments(t, text), comments(t, after)) {
				t.Errorf("%q becomes %q, which has other comments", text, after)
			}
		}
	})
}

// asShell is a file of tokens.
func asShell(data []byte) string {
	var b strings.Builder
	for _, c := range data[:min(len(data), 60)] {
		b.WriteString(tokens[int(c)%len(tokens)])
	}
	return b.String()
}

// assigned counts the assignments of vrf.
func assigned(t *testing.T, text string) (plain, others int) {
	src, err := parse("/x", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, o := src.assignments("vrf")
	return len(p), len(o)
}

// comments are those of a file, one a line. To the parser a newline behind a backslash is a
// part of the comment, and a backslash at the end of a file is none.
func comments(t *testing.T, text string) []byte {
	src, err := parse("/x", []byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	var b bytes.Buffer
	for _, stmt := range src.file.Stmts {
		for _, c := range stmt.Comments {
			b.WriteString(strings.TrimRight(c.Text, "\\\n") + "\n")
		}
	}
	for _, c := range src.file.Last {
		b.WriteString(strings.TrimRight(c.Text, "\\\n") + "\n")
	}
	return b.Bytes()
}
