package graph

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Lengths in the units of the picture. A letter of a monospaced font of 12 is 7.3 wide.
const (
	lineHeight = 16
	letter     = 7.3
	pad        = 10
	bar        = 150 // the width of the outside, and at least that of the default domain
	least      = 260 // that of a domain
	gap        = 16
)

// SVG writes a graph as a picture that needs nothing else: the default domain on the left, the
// domains one below the other, and the outside on the right. A browser prints it on one page.
func (g Graph) SVG(w io.Writer) error {
	p := newPicture(g)
	fmt.Fprintf(&p.text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="monospace" font-size="12">`+"\n",
		p.width, p.height, p.width, p.height)
	p.text.WriteString("<style>@page{size:landscape;margin:1cm}svg{max-width:100%;max-height:100vh}.box{fill:#fff;stroke:#333}.link{stroke:#333;fill:none}" +
		".bad{fill:#c00}.link.bad{stroke:#c00;fill:none}.box.bad{stroke:#c00;fill:#fff}</style>\n")
	p.rect(pad, pad, p.bar, p.height-2*pad, bad(g.Boxes[0]))
	p.line(2*pad, pad+lineHeight, g.Boxes[0].Title)
	for i, l := range g.Boxes[0].Lines {
		p.line(2*pad, pad+(i+2)*lineHeight, l)
	}
	p.rect(p.right, pad, bar, p.height-2*pad, false)
	p.line(p.right+pad, pad+lineHeight, Line{Text: outside})
	for i, b := range g.Boxes[1:] {
		at := p.tops[i]
		p.rect(p.left, at, p.boxes, p.heights[i], bad(b))
		at += lineHeight
		p.line(p.left+pad, at, b.Title)
		for _, l := range b.Lines {
			at += lineHeight
			p.line(p.left+2*pad, at, l)
		}
		for _, e := range g.Edges {
			if e.From == b.ID {
				at += lineHeight
				p.edge(g, e, at)
			}
		}
	}
	p.text.WriteString("</svg>\n")
	_, err := io.WriteString(w, p.text.String())
	return err
}

func bad(b Box) bool {
	is := b.Title.Bad
	for _, l := range b.Lines {
		is = is || l.Bad
	}
	return is
}

// picture is an SVG while it is drawn, and where things are in it.
type picture struct {
	text          strings.Builder
	width, height int
	bar           int // the width of the default domain
	left, right   int // where the domains and the outside begin
	boxes         int // the width of the domains
	tops, heights []int
}

func newPicture(g Graph) *picture {
	p := &picture{bar: bar, boxes: least}
	for _, l := range g.Boxes[0].Lines {
		p.bar = max(p.bar, wide(l.Text))
	}
	p.left = pad + p.bar + 6*gap
	y := pad
	for _, b := range g.Boxes[1:] {
		lines := 1 + len(b.Lines)
		p.boxes = max(p.boxes, wide(b.Title.Text))
		for _, l := range b.Lines {
			p.boxes = max(p.boxes, wide(l.Text))
		}
		for _, e := range g.Edges {
			if e.From == b.ID {
				lines++
				p.boxes = max(p.boxes, wide(e.Label))
			}
		}
		p.tops, p.heights = append(p.tops, y), append(p.heights, lines*lineHeight+pad)
		y += lines*lineHeight + pad + gap
	}
	p.right = p.left + p.boxes + 6*gap
	p.width, p.height = p.right+bar+pad, max(y, 8*lineHeight, (len(g.Boxes[0].Lines)+3)*lineHeight)
	return p
}

// wide is how wide a box with that text is.
func wide(text string) int { return int(letter*float64(utf8.RuneCountInString(text))) + 4*pad }

func class(name string, bad bool) string {
	if bad {
		return strings.TrimSpace(name + " bad")
	}
	return name
}

func (p *picture) rect(x, y, width, height int, bad bool) {
	fmt.Fprintf(&p.text, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", class("box", bad), x, y, width, height)
}

func (p *picture) line(x, y int, l Line) {
	fmt.Fprintf(&p.text, `<text class="%s" x="%d" y="%d" xml:space="preserve">`, class("", l.Bad), x, y)
	xml.EscapeText(&p.text, []byte(l.Text))
	p.text.WriteString("</text>\n")
}

// edge draws a link beside its line in the box: to the right for the outside, to the left for
// the default domain, and around the boxes' left for another domain.
func (p *picture) edge(g Graph, e Edge, y int) {
	p.line(p.left+2*pad, y, Line{Text: e.Label, Bad: e.Bad})
	y -= lineHeight / 4
	path := fmt.Sprintf("M%d %dH%d", p.left, y, pad+p.bar)
	to := g.index(e.To)
	switch {
	case e.Outside:
		path = fmt.Sprintf("M%d %dH%d", p.left+p.boxes, y, p.right)
	case to > 0:
		path = fmt.Sprintf("M%d %dh%dV%dH%d", p.left, y, -gap*(1+to%5), p.tops[to-1]+lineHeight/2, p.left)
	}
	fmt.Fprintf(&p.text, `<path class="%s" d="%s"/>`+"\n", class("link", e.Bad), path)
}
