package domain

import (
	"strings"
	"testing"
)

func TestParseNames(t *testing.T) {
	long := strings.Repeat("x", 16)
	for _, c := range []struct {
		in          string
		link, netns string // part of the error, or "" for valid
	}{
		{"blue", "", ""},
		{"vrf-mgmt_1.2", "", ""},
		{"a.", "", ""},
		{strings.Repeat("x", 15), "", ""},
		{long, `has 16 bytes, the kernel allows 15`, ""},
		{strings.Repeat("x", 255), "has 255 bytes", ""},
		{strings.Repeat("x", 256), "has 256 bytes", "has 256 bytes, the kernel allows 255"},
		{"", "is empty", "is empty"},
		{".", "is a directory", "is a directory"},
		{"..", "is a directory", "is a directory"},
		{"-n", `starts with "-"`, `starts with "-"`},
		{"a/b", `contains "/"`, `contains "/"`},
		{"red%d", `contains "%"`, `contains "%"`},
		{"a b", `contains " "`, `contains " "`},
		{"a\x01", `contains "\x01"`, `contains "\x01"`},
		{"é", `contains "é"`, `contains "é"`},
		{"a@b", `contains "@"`, `contains "@"`},
		{"a\n", `contains "\n"`, `contains "\n"`},
		{"a:b", `contains ":"`, `contains ":"`},
	} {
		l, err := ParseLink(c.in)
		wantError(t, "ParseLink", c.in, l.String(), err, c.link)
		n, err := ParseNetns(c.in)
		wantError(t, "ParseNetns", c.in, n.String(), err, c.netns)
	}
}

func wantError(t *testing.T, f, in, got string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s(%q) = error %v; want it valid", f, in, err)
	case want == "" && got != in:
		t.Errorf("%s(%q) = %q; want it unchanged", f, in, got)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s(%q) = %q, error %v; want an error with %q", f, in, got, err, want)
	case want != "" && got != "":
		t.Errorf("%s(%q) = %q beside an error; want the zero value", f, in, got)
	}
}

func TestDomainID(t *testing.T) {
	for _, c := range []struct{ netns, vrf, id, text string }{
		{"", "", "", "the default domain"},
		{"blue", "", "blue", "netns blue"},
		{"", "mgmt", "mgmt", "vrf mgmt"},
		{"blue", "mgmt", "mgmt@blue", "vrf mgmt in netns blue"},
	} {
		d, err := Parse(c.netns, c.vrf)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.ID(); got != c.id {
			t.Errorf("%v.ID() = %q; want %q", d, got, c.id)
		}
		if got := d.String(); got != c.text {
			t.Errorf("String() = %q; want %q", got, c.text)
		}
		if d.IsDefault() != (c.id == "") {
			t.Errorf("%v.IsDefault() = %v", d, d.IsDefault())
		}
		if c.id == "" {
			continue
		}
		id, err := ParseID(c.id)
		if err != nil {
			t.Fatalf("ParseID(%q): %v", c.id, err)
		}
		if both, ok := id.Both(); ok != (c.netns != "" && c.vrf != "") || ok && both != d {
			t.Errorf("ParseID(%q).Both() = %v, %v; want %v", c.id, both, ok, d)
		}
	}
}

// A name that no unit can have was good for rdgen, and its domain never came up.
func TestLongestID(t *testing.T) {
	long := strings.Repeat("x", MaxID)
	if _, err := ParseID(long); err != nil {
		t.Error(err)
	}
	if _, err := Parse(long, ""); err != nil {
		t.Error(err)
	}
	for _, d := range [][2]string{{long + "x", ""}, {long, "v"}} {
		if d, err := Parse(d[0], d[1]); err == nil {
			t.Errorf("Parse accepts %v", d)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, in := range []string{"", "@", "a@", "@a", "a@b@c", "a/b", "..", "-x", "sixteenbyteslong@n",
		strings.Repeat("x", MaxID+1), "v@" + strings.Repeat("x", MaxID-1)} {
		if id, err := ParseID(in); err == nil {
			t.Errorf("ParseID(%q) = %v; want an error", in, id)
		}
	}
}
