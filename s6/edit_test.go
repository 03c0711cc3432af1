package s6

import (
	"strings"
	"testing"

	"rdgen/problem"
)

func TestEdit(t *testing.T) {
	const file = "/etc/s6/config/x.conf"
	for _, c := range []struct{ name, before, word, after string }{
		{"empty", "", "b", "vrf = b\n"},
		{"no newline at the end", "A=1", "b", "A=1\nvrf = b\n"},
		{"with spaces", "# c\n vrf =  a\nA = 1\n", "b", "# c\n vrf =  b\nA = 1\n"},
		{"without", "vrf=a", "b", "vrf=b\n"},
		{"quoted", "vrf = \"a\"\n", "b", "vrf = \"b\"\n"},
		{"a comment is none", "#vrf = a\n", "b", "#vrf = a\nvrf = b\n"},
		{"another's value", "A = \\\nvrf = a\n", "b", "A = \\\nvrf = a\nvrf = b\n"},
		{"take out", "# c\nvrf = a\nA = 1\n", "", "# c\nA = 1\n"},
		{"take out what is not there", "A = 1", "", "A = 1"},
	} {
		got, err := Edit(file, []byte(c.before), "vrf", c.word)
		if string(got) != c.after || err != nil {
			t.Errorf("%s: %q becomes %q, %v; want %q", c.name, c.before, got, err, c.after)
			continue
		}
		if values, err := Config(file, got, "vrf"); err != nil || values["vrf"].Text != c.word {
			t.Errorf("%s: %q is read as %q, %v", c.name, got, values["vrf"].Text, err)
		}
	}
	for text, why := range map[string]string{
		"vrf = a\nA=1\nvrf = a\n": "/etc/s6/config/x.conf:3: vrf stands here and in line 1",
		"A=1\nvrf = \\\na\n":      "/etc/s6/config/x.conf:2: vrf goes on in the next line",
		"vr\\\nf = a\n":           "/etc/s6/config/x.conf:1: vrf goes on in the next line",
	} {
		got, err := Edit(file, []byte(text), "vrf", "b")
		if _, ok := err.(*problem.Error); !ok || !strings.HasPrefix(err.Error(), why) {
			t.Errorf("%q: %q, %v; want %s", text, got, err, why)
		}
	}
}
