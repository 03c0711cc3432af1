package object

import (
	"slices"
	"strings"

	"rdgen/runtime/domain"
)

// Firewall is the ruleset of a namespace that is loaded from a file of nft(8).
type Firewall struct {
	Netns domain.NetnsName `json:"netns,omitzero"`
	// File is the path of the ruleset.
	File string `json:"file"`
	// Tables are those that it makes, as nft lists them.
	Tables string `json:"tables"`
	// Old are the names of tables that are there and go with the same transaction, with
	// commas.
	Old string `json:"-"`
}

// Key is the namespace, which has one.
func (f Firewall) Key() Key { return Key{Kind: "firewall", Netns: f.Netns} }

// On is no link.
func (f Firewall) On() string { return "" }

// Tables are the tables of a list of nft, by name, each "FAMILY NAME".
func Tables(list string) map[string]string {
	tables := map[string]string{}
	name := ""
	for line := range strings.Lines(list) {
		if rest, ok := strings.CutPrefix(line, "table "); ok {
			name, _, _ = strings.Cut(rest, " {")
		}
		if name != "" {
			tables[name] += line
		}
	}
	return tables
}

// Names returns the names of the tables.
func (f Firewall) Names() (names []string) {
	for name := range Tables(f.Tables) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Only returns those tables of a list that have one of the names, in order.
func Only(list string, names []string) string {
	text := ""
	all := Tables(list)
	for _, n := range slices.Compact(slices.Sorted(slices.Values(names))) {
		text += all[n]
	}
	return text
}

// Clear returns commands of nft that delete the tables that are there and those that are
// made, whether they exist or not.
func (f Firewall) Clear() string {
	names := f.Names()
	if f.Old != "" {
		names = append(names, strings.Split(f.Old, ",")...)
	}
	text := ""
	for _, n := range slices.Compact(slices.Sorted(slices.Values(names))) {
		text += "add table " + n + "; delete table " + n + "; "
	}
	return text
}

func (f Firewall) command(v Verb) []string {
	w := []string{"nft", "-f"}
	if !f.Netns.IsZero() {
		w = append([]string{"ip", "netns", "exec", f.Netns.String()}, w...)
	}
	switch {
	case v == Delete:
		return append([]string{"echo", quoteShell(f.Clear()), "|"}, append(w, "-")...)
	case v == Replace:
		return append([]string{"{", "echo", quoteShell(f.Clear()) + ";", "cat", f.File + ";", "}", "|"}, append(w, "-")...)
	}
	return append(w, f.File)
}

// diff returns the lines of the list that change from old on, below the table that they
// are of. What both have at their beginning and at their end is left out.
func (f Firewall) diff(old Object) (lines []string) {
	was := ""
	if o, ok := old.(Firewall); ok {
		was = o.Tables
	}
	a, b := strings.Split(was, "\n"), strings.Split(f.Tables, "\n")
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	for _, l := range slices.Backward(b[:from]) {
		if strings.HasPrefix(l, "table ") {
			lines = append(lines, " "+l)
			break
		}
	}
	last := min(len(a), len(b)) - from
	end := 0
	for end < last && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	for _, l := range a[from : len(a)-end] {
		lines = append(lines, "-"+l)
	}
	for _, l := range b[from : len(b)-end] {
		lines = append(lines, "+"+l)
	}
	return lines
}
