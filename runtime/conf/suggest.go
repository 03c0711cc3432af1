package conf

import (
	"slices"
	"strings"

	"rdgen/problem"
)

// suggestion returns "; did you mean X?" for the name that is nearest to s, or
// "" if none is near.
func suggestion(s string, names ...string) string {
	if best := problem.Nearest(s, names...); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// commentHint helps who put a comment behind a value.
func commentHint(value string) string {
	if strings.ContainsAny(value, "#;") {
		return "; a comment needs a line of its own"
	}
	return ""
}

func clip(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

func sortedKeys(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
