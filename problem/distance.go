package problem

import "strings"

// Nearest returns the one of names that s is most likely a misspelling of: that
// with the fewest edits, two at most and one for three letters, whatever their case; or ""
// if none is so near. Of a short name, nearly all is near.
func Nearest(s string, names ...string) string {
	best, least := "", 3
	for _, n := range names {
		if d := Distance(strings.ToLower(s), strings.ToLower(n)); d < least && 3*d <= len(n) {
			best, least = n, d
		}
	}
	return best
}

// Distance is the number of edits that make b of a: a byte changed, added, left
// out, or swapped with the next one. For more than 32 bytes it is 32: nobody
// misspells such a word.
func Distance(a, b string) int {
	const most = 32
	if len(a) > most || len(b) > most {
		return most
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
