package graph

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"rdgen/runtime/lifecycle"
	"rdgen/status"
)

func same(s string) string { return s }

// many is a status of n domains, each with a service and a cable.
func many(n int) (r status.Report) {
	for i := range n {
		r.Domains = append(r.Domains, status.Domain{
			Entry: lifecycle.Entry{ID: fmt.Sprintf("d%d", i), Kind: "netns", State: "up",
				Interfaces: []lifecycle.Interface{{Name: "eth0", Kind: "veth", Peer: "v", Up: true, Addresses: []string{"2001:db8:1111:2222:3333:4444:5555:6666/128"}}}},
			Services: []status.Service{{Name: "web", State: "running", Drift: []status.Drift{{What: strings.Repeat("long ", 30)}}}}})
	}
	return r
}

// rect is where something is.
type rect struct{ x, y, width, height int }

func (a rect) overlaps(b rect) bool {
	return a.x < b.x+b.width && b.x < a.x+a.width && a.y < b.y+b.height && b.y < a.y+a.height
}

// TestPicture: twenty domains fit into the picture, none lies on another one, and every text is
// in a box.
func TestPicture(t *testing.T) {
	for _, n := range []int{0, 1, 20} {
		var svg strings.Builder
		if err := Of(many(n), same).SVG(&svg); err != nil {
			t.Fatal(err)
		}
		var page rect
		var boxes, texts []rect
		for d := xml.NewDecoder(strings.NewReader(svg.String())); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			start, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			at := map[string]int{}
			toEnd := false
			for _, a := range start.Attr {
				at[a.Name.Local], _ = strconv.Atoi(a.Value)
				toEnd = toEnd || a.Value == "end"
			}
			r := rect{at["x"], at["y"], at["width"], at["height"]}
			switch start.Name.Local {
			case "svg":
				page = r
			case "rect":
				boxes = append(boxes, r)
			case "text":
				var text string
				if err := d.DecodeElement(&text, &start); err != nil {
					t.Fatal(err)
				}
				width := int(letter * float64(len(text)))
				if toEnd {
					r.x -= width
				}
				texts = append(texts, rect{r.x, r.y - 12, width, 14})
			}
		}
		if len(boxes) != n+2 {
			t.Fatalf("%d domains: %d boxes; want two more", n, len(boxes))
		}
		for i, a := range boxes {
			if a.x < 0 || a.y < 0 || a.x+a.width > page.width || a.y+a.height > page.height {
				t.Errorf("%d domains: box %v is not on the page %v", n, a, page)
			}
			for _, b := range boxes[:i] {
				if a.overlaps(b) {
					t.Errorf("%d domains: box %v lies on %v", n, a, b)
				}
			}
		}
		for _, text := range texts {
			inside := false
			for _, b := range boxes {
				inside = inside || text.x >= b.x && text.y >= b.y && text.x+text.width <= b.x+b.width && text.y+text.height <= b.y+b.height
			}
			if !inside {
				t.Errorf("%d domains: a text at %v is in no box", n, text)
			}
		}
	}
}

// TestLanes: links between domains do not lie on each other, however many there are.
func TestLanes(t *testing.T) {
	r := many(6)
	for i, outer := range []string{"d1", "d0", "d0", "d5", "d0", "d3"} {
		r.Domains[i].Interfaces[0].Outer = outer
	}
	g := Of(r, same)
	p := newPicture(g)
	seen := map[rect]bool{}
	for i, e := range g.Edges {
		to := g.index(e.To)
		if to == 0 || e.Outside {
			t.Fatalf("link %d leads to %q", i, e.To)
		}
		from, until := min(p.at[i], p.tops[to-1]), max(p.at[i], p.tops[to-1]+lineHeight)
		for y := from; y <= until; y++ {
			if at := (rect{x: p.lanes[i], y: y}); seen[at] {
				t.Fatalf("link %d lies on another one at %v", i, at)
			} else {
				seen[at] = true
			}
		}
		if x := p.left - p.lanes[i]*gap; x <= pad+p.bar {
			t.Errorf("link %d goes through the default domain, at %d", i, x)
		}
	}
}

// TestOnePage: twenty domains with two services each are printed on one page of A4, in letters
// of 5 points at least.
func TestOnePage(t *testing.T) {
	r := many(20)
	for i := range r.Domains {
		web := status.Service{Name: "web", State: "running", Processes: []status.Process{{Listens: []status.Listener{{Protocol: "tcp", Address: "[2001:db8::1]:443"}}}}}
		r.Domains[i].Services = []status.Service{web, web}
	}
	p := newPicture(Of(r, same))
	const width, height = 190 * 72 / 25.4, 277 * 72 / 25.4 // points, less 1 cm on each side
	if letters := 12 * min(width/float64(p.width), height/float64(p.height)); letters < 5 {
		t.Errorf("a picture of %d x %d is printed in letters of %.1f points", p.width, p.height, letters)
	}
}
