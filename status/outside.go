package status

import (
	"fmt"
	"strings"
)

// Outside returns a sentence for each way in which processes of a service are where they should
// not be, with the command that mends it, behind the words of first; and one if not all could be
// seen.
func (r Report) Outside(first string) (notes []string) {
	for _, d := range r.Domains {
		for _, s := range d.Services {
			notes = append(notes, s.outside(first)...)
		}
	}
	if len(r.Unseen) > 0 {
		notes = append(notes, "whether services run in their domains was not seen of all: "+r.Unseen[0]+more(len(r.Unseen), " (and %d more)"))
	}
	return notes
}

// outside says once what is true of several processes.
func (s Service) outside(first string) (notes []string) {
	type way struct{ what, hint string }
	var ways []way
	found, example := map[way]int{}, map[way]string{}
	for _, d := range s.Drift {
		who := ""
		for _, p := range s.Processes {
			if p.PID == d.PID {
				who = said(s.Name, p.PID, p.Command)
			}
		}
		w := way{strings.TrimPrefix(d.What, who), d.Hint}
		if found[w]++; found[w] == 1 {
			ways, example[w] = append(ways, w), who
		}
	}
	for _, w := range ways {
		note := example[w] + more(found[w], ", like %d more,") + w.what
		if w.hint != "" {
			note += "; " + first + w.hint
		}
		notes = append(notes, note)
	}
	return notes
}

// more says how many there are beside the one that is named.
func more(all int, format string) string {
	if all < 2 {
		return ""
	}
	return fmt.Sprintf(format, all-1)
}
