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

// style is that of the picture. A link has a white border, so that of two that cross each
// other it is seen which one goes on.
const style = ".box{fill:#fff;stroke:#333}.side{fill:#f2f4f7}.title{font-weight:bold}.way{fill:#135}" +
	".link{stroke:#135;fill:none;stroke-width:1.5}.under{stroke:#fff;fill:none;stroke-width:7}.end{fill:#135}" +
	".bad{fill:#c00}.link.bad{stroke:#c00;fill:none}.box.bad{stroke:#c00;fill:#fff}"

// SVG writes a graph as a picture that needs nothing else: the default domain on the left, the
// domains one below the other, and the outside on the right. A browser prints it on one page.
func (g Graph) SVG(w io.Writer) error {
	p := newPicture(g)
	page := "landscape"
	if p.height > p.width {
		page = "portrait"
	}
	fmt.Fprintf(&p.text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="monospace" font-size="12">`+"\n",
		p.width, p.height, p.width, p.height)
	fmt.Fprintf(&p.text, "<style>@page{size:%s;margin:1cm}svg{max-width:100%%;max-height:100vh}%s</style>\n", page, style)
	p.rect("box side", pad, pad, p.bar, p.height-2*pad, bad(g.Boxes[0]))
	p.line("title", 2*pad, pad+lineHeight, g.Boxes[0].Title)
	for i, l := range g.Boxes[0].Lines {
		p.line("", 2*pad, pad+(i+2)*lineHeight, l)
	}
	p.rect("box side", p.right, pad, bar, p.height-2*pad, false)
	p.line("title", p.right+pad, pad+lineHeight, Line{Text: outside})
	for i, b := range g.Boxes[1:] {
		at := p.tops[i]
		p.rect("box", p.left, at, p.boxes, p.heights[i], bad(b))
		at += lineHeight
		p.line("title", p.left+pad, at, b.Title)
		for _, l := range b.Lines {
			at += lineHeight
			p.line("", p.left+2*pad, at, l)
		}
	}
	for _, aside := range []bool{false, true} { // those that may cross others come last
		for i, e := range g.Edges {
			if aside == (!e.Outside && g.index(e.To) > 0) {
				p.edge(g, e, p.at[i], p.lanes[i])
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
	// at is the height at which the text of each link stands, and lanes how far from the
	// domains one to another domain goes up or down.
	at, lanes []int
}

func newPicture(g Graph) *picture {
	p := &picture{bar: bar, boxes: least, at: make([]int, len(g.Edges)), lanes: make([]int, len(g.Edges))}
	for _, l := range g.Boxes[0].Lines {
		p.bar = max(p.bar, wide(l.Text))
	}
	y := pad
	for _, b := range g.Boxes[1:] {
		lines := 1 + len(b.Lines)
		p.boxes = max(p.boxes, wide(b.Title.Text))
		for _, l := range b.Lines {
			p.boxes = max(p.boxes, wide(l.Text))
		}
		for i, e := range g.Edges {
			if e.From == b.ID {
				lines++
				p.at[i] = y + lines*lineHeight
				p.boxes = max(p.boxes, wide(e.Label))
			}
		}
		p.tops, p.heights = append(p.tops, y), append(p.heights, lines*lineHeight+pad)
		y += lines*lineHeight + pad + gap
	}
	lanes := p.layLanes(g)
	p.left = pad + p.bar + (max(lanes, 2)+2)*gap
	p.right = p.left + p.boxes + 4*gap
	p.width, p.height = p.right+bar+pad, max(y, 8*lineHeight, (len(g.Boxes[0].Lines)+3)*lineHeight)
	return p
}

// layLanes gives each link to another domain the nearest lane that no other one is in at the
// same height, and returns how many there are.
func (p *picture) layLanes(g Graph) (lanes int) {
	type span struct{ lane, from, to int }
	var taken []span
	for i, e := range g.Edges {
		to := g.index(e.To)
		if e.Outside || to == 0 {
			continue
		}
		s := span{1, min(p.at[i], p.tops[to-1]), max(p.at[i], p.tops[to-1]+lineHeight)}
		for j := 0; j < len(taken); j++ {
			if o := taken[j]; o.lane == s.lane && s.from <= o.to && o.from <= s.to {
				s.lane, j = s.lane+1, -1
			}
		}
		taken = append(taken, s)
		p.lanes[i], lanes = s.lane, max(lanes, s.lane)
	}
	return lanes
}

// wide is how wide a box with that text is.
func wide(text string) int { return int(letter*float64(utf8.RuneCountInString(text))) + 4*pad }

func class(name string, bad bool) string {
	if bad {
		return strings.TrimSpace(name + " bad")
	}
	return name
}

func (p *picture) rect(name string, x, y, width, height int, bad bool) {
	fmt.Fprintf(&p.text, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", class(name, bad), x, y, width, height)
}

func (p *picture) line(name string, x, y int, l Line) { p.words(name, "start", x, y, l) }

// words writes a text that begins or ends at x.
func (p *picture) words(name, anchor string, x, y int, l Line) {
	fmt.Fprintf(&p.text, `<text class="%s" x="%d" y="%d" text-anchor="%s" xml:space="preserve">`, class(name, l.Bad), x, y, anchor)
	xml.EscapeText(&p.text, []byte(l.Text))
	p.text.WriteString("</text>\n")
}

// edge draws a link beside its line in the box: to the right for the outside, to the left for
// the default domain, and around the boxes' left for another domain.
func (p *picture) edge(g Graph, e Edge, at, lane int) {
	y, label := at-lineHeight/4, Line{Text: e.Label, Bad: e.Bad}
	to := g.index(e.To)
	var path string
	var ends [2][2]int
	switch {
	case e.Outside:
		p.words("way", "end", p.left+p.boxes-pad, at, label)
		path = fmt.Sprintf("M%d %dH%d", p.left+p.boxes, y, p.right)
		ends = [2][2]int{{p.left + p.boxes, y}, {p.right, y}}
	case to > 0:
		p.line("way", p.left+2*pad, at, label)
		top := p.tops[to-1] + lineHeight/2
		path = fmt.Sprintf("M%d %dH%dV%dH%d", p.left, y, p.left-lane*gap, top, p.left)
		ends = [2][2]int{{p.left, y}, {p.left, top}}
	default:
		p.line("way", p.left+2*pad, at, label)
		path = fmt.Sprintf("M%d %dH%d", p.left, y, pad+p.bar)
		ends = [2][2]int{{p.left, y}, {pad + p.bar, y}}
	}
	if lane > 0 {
		fmt.Fprintf(&p.text, `<path class="under" d="%s"/>`+"\n", path)
	}
	fmt.Fprintf(&p.text, `<path class="%s" d="%s"/>`+"\n", class("link", e.Bad), path)
	for _, end := range ends {
		fmt.Fprintf(&p.text, `<circle class="%s" cx="%d" cy="%d" r="3"/>`+"\n", class("end", e.Bad), end[0], end[1])
	}
}
