// Package graph draws a status: domains as boxes, the links between them and to the outside,
// and in each the services with the ports at which they listen. Data in, text out.
package graph

import (
	"strings"

	"rdgen/runtime/lifecycle"
	"rdgen/status"
)

// Line is a line in a box. A bad one is drawn in red.
type Line struct {
	Text string
	Bad  bool
}

// Box is a domain. That of the default domain has the ID "".
type Box struct {
	ID    string
	Title Line
	Lines []Line
}

// Edge is a link: from a box to another one, or to the outside.
type Edge struct {
	From    string
	To      string
	Outside bool
	Label   string
	Bad     bool // it is down
}

// Graph is what is drawn. The first box is the default domain's.
type Graph struct {
	Boxes []Box
	Edges []Edge
}

// Of makes a graph of a status. clean makes a name safe for a text.
func Of(r status.Report, clean func(string) string) Graph {
	g := Graph{Boxes: []Box{{Title: Line{Text: "the default domain"}}}}
	for _, d := range r.Domains {
		b := Box{ID: d.ID, Title: Line{Text: d.ID + " (" + strings.TrimPrefix(d.Kind+", ", ", ") + d.State + ")", Bad: d.State != "up" && d.State != "foreign"}}
		for _, s := range d.Services {
			b.Lines = append(b.Lines, service(s)...)
		}
		for _, o := range d.Others {
			b.Lines = append(b.Lines, Line{Text: "other: " + o.Command})
		}
		for _, i := range d.Interfaces {
			label := i.Name
			for _, a := range i.Addresses {
				if !strings.HasPrefix(a, "fe80:") { // every link has one
					label += " " + a
				}
			}
			switch {
			case isOther(r, d.ID, i.Name): // it is drawn from its other end
			case i.Kind == "dummy", i.Kind == "veth" && i.Peer == "": // it leads nowhere, or who knows where
				b.Lines = append(b.Lines, Line{Text: label, Bad: !i.Up})
			default:
				// Hardware, or what leaves the machine by some link of it.
				g.Edges = append(g.Edges, Edge{From: d.ID, To: i.Outer, Outside: i.Kind != "veth", Label: label + ways(d, i), Bad: !i.Up})
			}
		}
		g.Boxes = append(g.Boxes, b)
	}
	for _, b := range r.Broken {
		g.Boxes[0].Lines = append(g.Boxes[0].Lines, Line{Text: b.Service + ": its file cannot be followed", Bad: true})
	}
	return g.cleaned(clean)
}

// isOther reports whether a link of a domain is the other end of one of another domain's.
func isOther(r status.Report, id, name string) bool {
	for _, d := range r.Domains {
		for _, i := range d.Interfaces {
			if d.ID != id && i.Kind == "veth" && i.Outer == id && i.Peer == name {
				return true
			}
		}
	}
	return false
}

// ways says what goes over a link by the other side's addresses.
func ways(d status.Domain, i lifecycle.Interface) (text string) {
	for _, p := range d.Publishes {
		if p.Link == i.Name {
			text += ", publishes " + p.Protocol + " " + p.Listen + " to " + p.Connect
		}
	}
	if i.Masquerade {
		text += ", masqueraded"
	}
	for _, p := range i.Peers {
		text += ", " + p.Heard()
	}
	return text
}

// service is what is written of a service: where it listens, and what of it is elsewhere.
func service(s status.Service) (lines []Line) {
	text := s.Name
	var ports []string
	for _, p := range s.Processes {
		for _, l := range p.Listens {
			ports = append(ports, l.Protocol+" "+l.Address)
		}
	}
	switch {
	case s.State != "running":
		text += " (" + s.State + ")"
	case len(ports) > 0:
		text += ": " + strings.Join(ports, ", ")
	}
	lines = append(lines, Line{Text: text, Bad: len(s.Drift) > 0})
	for _, d := range s.Drift {
		for _, part := range folded(strings.TrimPrefix(d.What, s.Name+": ")) {
			lines = append(lines, Line{Text: "  " + part, Bad: true})
		}
	}
	return lines
}

// folded is a sentence in lines that a box can hold.
func folded(text string) (lines []string) {
	const most = 64
	for _, word := range strings.Fields(text) {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= most {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

func (g Graph) cleaned(clean func(string) string) Graph {
	for i := range g.Boxes {
		b := &g.Boxes[i]
		b.Title.Text = clean(b.Title.Text)
		for j := range b.Lines {
			b.Lines[j].Text = clean(b.Lines[j].Text)
		}
	}
	for i := range g.Edges {
		g.Edges[i].Label = clean(g.Edges[i].Label)
	}
	return g
}

// index returns the place of a box, the default domain's for one that is not there.
func (g Graph) index(id string) int {
	for i, b := range g.Boxes {
		if b.ID == id {
			return i
		}
	}
	return 0
}
