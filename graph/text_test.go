package graph

import (
	"strings"
	"testing"
)

// A name is shown as it is: Mermaid showed "&" before a backtick, took %%{x}%% for a setting of
// its own and *x* for Markdown, and dot showed "&" for "&amp;".
func TestOddNames(t *testing.T) {
	g := Graph{Boxes: []Box{{Title: Line{Text: "the default domain"}}, {ID: "a", Title: Line{Text: `a`},
		Lines: []Line{{Text: "other: `x` *x* %%{x}%% 50%"}, {Text: `other: &amp; "#1" <b>\\l`}}}}}
	for _, c := range []struct {
		write func(*strings.Builder) error
		want  string
	}{
		{func(b *strings.Builder) error { return g.Mermaid(b) },
			`    box1["<b>a</b><br/>other: #96;x#96; #42;x#42; #37;#37;{x}#37;#37; 50%<br/>other: &amp;amp; &quot;&num;1&quot; &lt;b&gt;\\l"]`},
		{func(b *strings.Builder) error { return g.DOT(b) },
			"\tbox1 [label=\"a\\nother: `x` *x* %%{x}%% 50%\\lother: &amp;amp; \\\"#1\\\" <b>\\\\\\\\l\\l\"]"},
	} {
		var b strings.Builder
		if err := c.write(&b); err != nil || !strings.Contains(b.String(), c.want+"\n") {
			t.Errorf("%v\n%s\nwant\n%s", err, b.String(), c.want)
		}
	}
}
