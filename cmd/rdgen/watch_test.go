package main

import (
	"os"
	"strings"
	"testing"
)

// What was higher than the terminal scrolled the first lines out of it, each second; and /dev/null
// was a terminal, which nothing ended.
func TestFitting(t *testing.T) {
	const text = "a: up\n  link v0\n\nb: up\n  !! b is elsewhere, and there is more to say\n  ?? c\n"
	for _, c := range []struct {
		rows, columns int
		want          string
	}{
		{0, 0, text},
		{24, 80, text},
		{7, 80, text}, // and the cursor below it
		{6, 80, "a: up\n  link v0\n\nb: up\n... 2 lines more, 2 with !! or ??\n"},
		{8, 20, "a: up\n  link v0\n\nb: up\n... 2 lines more, 2 with !! or ??\n"},
		{10, 20, text},
		{3, 80, "a: up\n... 5 lines more, 2 with !! or ??\n"},
		{2, 80, "... 6 lines more, 2 with !! or ??\n"},
		{1, 80, "... 6 lines more, 2 with !! or ??\n"},
	} {
		if got := fitting(text, c.rows, c.columns); got != c.want {
			t.Errorf("%d x %d: %q; want %q", c.rows, c.columns, got, c.want)
		}
	}
	null, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := (watching{}).do(null); err == nil || !strings.Contains(err.Error(), "for a terminal") {
		t.Errorf("/dev/null: %v", err)
	}
}
