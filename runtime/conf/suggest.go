package conf

import (
	"slices"
	"strings"
)

// suggestion returns "; did you mean X?" for the name that is nearest to s, or
// "" if none is near.
func suggestion(s string, names ...string) string {
	best, least := "", 3
	for _, n := range names {
		if d := distance(strings.ToLower(s), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is the number of letters to change, add, leave out or swap with the
// next one to make b of a.
func distance(a, b string) int {
	if len(a) > 32 || len(b) > 32 {
		return 32
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
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
