package graph

import (
	"fmt"
	"io"
	"strings"
)

const outside = "the outside"

// DOT writes a graph for dot(1).
func (g Graph) DOT(w io.Writer) error {
	// It takes a name behind an & for a character, as HTML does.
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace
	colour := func(bad bool) string {
		if bad {
			return ", color=red, fontcolor=red"
		}
		return ""
	}
	var b strings.Builder
	b.WriteString("graph rdgen {\n\trankdir=LR\n\tnode [shape=box, fontname=monospace]\n\tedge [fontname=monospace]\n")
	fmt.Fprintf(&b, "\toutside [label=\"%s\", shape=ellipse]\n", outside)
	for i, box := range g.Boxes {
		label, bad := quote(box.Title.Text)+`\n`, box.Title.Bad
		for _, l := range box.Lines {
			label, bad = label+quote(l.Text)+`\l`, bad || l.Bad
		}
		fmt.Fprintf(&b, "\tbox%d [label=\"%s\"%s]\n", i, label, colour(bad))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\tbox%d -- %s [label=\"%s\"%s]\n", g.index(e.From), g.end(e), quote(e.Label), colour(e.Bad))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Mermaid writes a graph for a page of Markdown.
func (g Graph) Mermaid(w io.Writer) error {
	// A text is HTML, and some have Markdown in it. A number of a character is #N; for Mermaid,
	// which makes "&" of what stands before; what %%{ begins it takes for settings.
	quote := strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "#", "&num;", "`", "#96;", "*", "#42;", "%%", "#37;#37;").Replace
	var b strings.Builder
	fmt.Fprintf(&b, "flowchart LR\n    outside([\"%s\"])\n", outside)
	for i, box := range g.Boxes {
		lines, bad := []string{"<b>" + quote(box.Title.Text) + "</b>"}, box.Title.Bad
		for _, l := range box.Lines {
			lines, bad = append(lines, quote(l.Text)), bad || l.Bad
		}
		fmt.Fprintf(&b, "    box%d[\"%s\"]\n", i, strings.Join(lines, "<br/>"))
		if bad {
			fmt.Fprintf(&b, "    style box%d stroke:red,color:red\n", i)
		}
	}
	for i, e := range g.Edges {
		fmt.Fprintf(&b, "    box%d ---|\"%s\"| %s\n", g.index(e.From), quote(e.Label), g.end(e))
		if e.Bad {
			fmt.Fprintf(&b, "    linkStyle %d stroke:red,color:red\n", i)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// end is the name of the box at the other end.
func (g Graph) end(e Edge) string {
	if e.Outside {
		return "outside"
	}
	return fmt.Sprintf("box%d", g.index(e.To))
}
