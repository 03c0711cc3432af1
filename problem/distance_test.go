package problem

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	long := strings.Repeat("x", 33)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"vrf", "vrf", 0}, {"vfr", "vrf", 1}, {"vr", "vrf", 1}, {"vrff", "vrf", 1}, {"vxf", "vrf", 1},
		{"nets", "netns", 1}, {"nesnt", "netns", 2}, {"", "abc", 3}, {"ca", "abc", 3}, {long, long, 32},
	} {
		if got := Distance(c.a, c.b); got != c.want || Distance(c.b, c.a) != c.want {
			t.Errorf("Distance(%q, %q) = %d; want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"MTUBytes", "Address", "Gateway", "TTL", "a", "up"}
	for s, want := range map[string]string{"adress": "Address", "Gatway": "Gateway", "mtubytes": "MTUBytes", "MTU": "", "": "", "TLT": "TTL", "aaa": "", "b": "", "u": "", "uq": "", "VNI": ""} {
		if got := Nearest(s, names...); got != want {
			t.Errorf("Nearest(%q) = %q; want %q", s, got, want)
		}
	}
}
