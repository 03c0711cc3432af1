package status

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes a report for people: each domain, its links, and its services. What is where
// it should not be stands behind "!!". clean makes a name safe for a terminal.
func (r Report) Print(w io.Writer, clean func(string) string) error {
	var err error
	for i, d := range r.Domains {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, clean(heading(d)))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, l := range d.Interfaces {
			fmt.Fprintf(t, "  link\t%s\t%s\t%s\n", clean(l.Name), upDown(l.Up), strings.Join(l.Addresses, " "))
		}
		for _, l := range d.Interfaces {
			for _, p := range l.Peers {
				fmt.Fprintf(t, "  peer\t%s\t%s\t%s\n", clean(l.Name), p.Heard(), p.Key)
			}
		}
		for _, l := range d.Leases {
			fmt.Fprintf(t, "  lease\t%s\t%s\tof %s, until %s\n", clean(l.Link), l.Address, l.Server, l.Expires)
		}
		if d.Refused != nil && *d.Refused > 0 {
			fmt.Fprintf(t, "  refused\t%d\tpackets of its sockets by links of other domains\n", *d.Refused)
		}
		for _, s := range d.Services {
			s.print(t, clean)
		}
		for _, o := range d.Others {
			of := "of no service"
			if o.Unit != "" {
				of = "of " + o.Unit + ", which no file puts here"
			}
			fmt.Fprintf(t, "  other\t%s\t%d\t%s\n", clean(o.Command), o.PID, clean(of))
		}
		err = t.Flush()
	}
	for _, b := range r.Broken {
		at := b.File
		if b.Line > 0 {
			at = fmt.Sprintf("%s:%d", b.File, b.Line)
		}
		_, err = fmt.Fprintf(w, "!! %s: %s: %s\n", clean(b.Service), clean(at), clean(b.Error))
	}
	for _, u := range r.Unseen {
		_, err = fmt.Fprintf(w, "?? %s\n", clean(u))
	}
	for _, n := range r.Notes {
		_, err = fmt.Fprintf(w, "note: %s\n", clean(n))
	}
	return err
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// heading is the line of a domain.
func heading(d Domain) string {
	words := []string{d.State}
	if d.Kind != "" {
		words = append(words, d.Kind)
	}
	if d.Table != 0 {
		words = append(words, fmt.Sprintf("table %d", d.Table))
	}
	text := d.ID + ": " + strings.Join(words, ", ")
	if d.Error != "" {
		text += " (" + d.Error + ")"
	}
	return text
}

func (s Service) print(w io.Writer, clean func(string) string) {
	if len(s.Processes) == 0 {
		fmt.Fprintf(w, "  service\t%s\t-\t%s\n", clean(s.Name), s.State)
	}
	for _, p := range s.Processes {
		name := s.Name
		if p.PID != s.Main {
			name = "  " + p.Command
		}
		words := []string{"in " + p.Place}
		for _, l := range p.Listens {
			at := l.Protocol + " " + l.Address
			if l.Outside {
				at += " (of the default domain)"
			}
			words = append(words, at)
		}
		fmt.Fprintf(w, "  service\t%s\t%d\t%s\n", clean(name), p.PID, clean(strings.Join(words, ", ")))
	}
	for _, d := range s.Drift {
		fmt.Fprintf(w, "  !! %s\n", clean(d.What))
		if d.Hint != "" {
			fmt.Fprintf(w, "     next: %s\n", clean(d.Hint))
		}
	}
}
