package systemd

import "testing"

func TestParseBool(t *testing.T) {
	for want, texts := range map[[2]bool][]string{
		{true, true}:   {"1", "yes", "y", "true", "t", "on", "YES", "Y", "True", "oN"},
		{false, true}:  {"0", "no", "n", "false", "f", "off", "NO", "N", "False", "oFF"},
		{false, false}: {"", " ", "2", "-1", "01", "ye", "nope", "enabled", "yes ", "\"yes\"", "auto"},
	} {
		for _, text := range texts {
			if value, ok := ParseBool(text); value != want[0] || ok != want[1] {
				t.Errorf("ParseBool(%q) = %v, %v; want %v", text, value, ok, want)
			}
		}
	}
}

func TestBool(t *testing.T) {
	for _, c := range []struct {
		lines     string
		value, ok bool
		line      int
	}{
		{"", false, false, 0},
		{"A=y\n", true, true, 2},
		{"A=y\nA=n\n", false, true, 3},
		{"A=y\nA=\n", true, true, 2},
		{"A=y\nA=maybe\nB=no\n", true, true, 2},
		{"A=maybe\n", false, false, 0},
		{"[Unit]\nA=y\n", false, false, 0},
	} {
		unit := Unit{Settings: Read("x", []byte("[Service]\n"+c.lines))}
		if value, set, ok := unit.Bool("Service", "A"); value != c.value || ok != c.ok || set.Line != c.line {
			t.Errorf("Bool of %q = %v, line %d, %v; want %v, line %d, %v", c.lines, value, set.Line, ok, c.value, c.line, c.ok)
		}
	}
}
