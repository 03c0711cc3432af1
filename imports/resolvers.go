package imports

import (
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/draft"
)

// resolvers adds the resolvers of a link to a domain's. The names to search are kept until
// all links are read.
func (a *assembly) resolvers(s *draft.Section, l *link) {
	for _, k := range l.dns {
		if k.key == "DNS" {
			for address := range strings.FieldsSeq(k.value) { // that another link has named is there
				s.Set(k.key, address, k.at)
			}
			continue
		}
		for name := range strings.FieldsSeq(k.value) {
			a.search[s] = append(a.search[s], item{k.at, k.key, name})
		}
	}
}

// searched adds the names that are searched: one line, however many links bring them. A name
// that only says which resolver is asked has no counterpart, nor has one without a resolver.
func (a *assembly) searched(s *draft.Section) {
	var names []string
	var from problem.Pos
	for _, k := range a.search[s] {
		switch {
		case k.value == "~.": // all names are asked of the domain's resolvers
		case strings.HasPrefix(k.value, "~"):
			s.Note(lineNote(k.at, "Domains="+k.value+": which resolver is asked for a name has no counterpart"))
		case !s.Has("DNS"):
			s.Note(lineNote(k.at, "Domains="+k.value+" without a resolver has no counterpart"))
		case !slices.Contains(names, k.value):
			if names == nil {
				from = k.at
			}
			names = append(names, k.value)
		}
	}
	if names != nil {
		s.Set("Domains", strings.Join(names, " "), from)
	}
}
