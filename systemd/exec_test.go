package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCommand(t *testing.T) {
	text := func(s string) Word { return Word{{Text: s}} }
	for _, c := range []struct {
		in, prefix string
		want       []Word
	}{
		{"/bin/a", "", []Word{text("/bin/a")}},
		{"-+/bin/a  b", "-+", []Word{text("/bin/a"), text("b")}},
		{`/bin/a "b c" 'd "e"' f"g h"`, "", []Word{text("/bin/a"), text("b c"), text(`d "e"`), text("fg h")}},
		{`/bin/a "\x41\102\n\s\u00e9" \q "" \; ";"`, "", []Word{text("/bin/a"), text("AB\n é"), text(`\q`), text(""), text(";"), text(";")}},
		{"/bin/a $OPTS", "", []Word{text("/bin/a"), {{Var: "OPTS", Split: true}}}},
		{"/bin/a x${A}y${B} $$A a$A", "", []Word{text("/bin/a"), {{Text: "x"}, {Var: "A"}, {Text: "y"}, {Var: "B"}}, text("$A"), text("a$A")}},
		{`/bin/a x${A:-b}y ${A-1} ${}$ a\;b \;c`, "", []Word{text("/bin/a"), text("xy"), text(""), text("$"), text(`a\;b`), text(`\;c`)}},
		{":/bin/a $OPTS ${A}", ":", []Word{text("/bin/a"), text("$OPTS"), text("${A}")}},
		{"/bin/a %% %n %N %p %i %t ${A", "", []Word{text("/bin/a"), text("%"), text("u@x.service"), text("u@x"), text("u"), text("x"), text("/run"), text("${A")}},
	} {
		prefix, got, err := ParseCommand("u@x.service", c.in)
		if err != nil || prefix != c.prefix {
			t.Errorf("ParseCommand(%q) = prefix %q, %v; want %q", c.in, prefix, err, c.prefix)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("ParseCommand(%q) (-want +got):\n%s", c.in, d)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"": "has no program", "-": "has no program", "/bin/a ; /bin/b": "has several commands",
		"/bin/a 'b": "has an unbalanced '", "/bin/a %H": "has %H, which only systemd knows",
	} {
		if _, got, err := ParseCommand("x.service", in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCommand(%q) = %v, %v; want an error with %q", in, got, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"ssh.service": true, "rdomain@a.b-c_d@t1.service": true, `x\x2dy.service`: true, "a:b.socket": true,
		"ssh": false, ".service": false, "@x.service": false, "a b.service": false, "é.service": false, "a%i.service": false, "a/b.service": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v; want %v", name, got, want)
		}
	}
	for _, c := range []struct{ name, template, instance string }{
		{"rdomain@mgmt@t1.service", "rdomain@.service", "mgmt@t1"},
		{"a@.service", "", ""},
		{"a.service", "", ""},
	} {
		if template, instance, ok := Instance(c.name); template != c.template || instance != c.instance || ok != (c.template != "") {
			t.Errorf("Instance(%s) = %q, %q, %v; want %q, %q", c.name, template, instance, ok, c.template, c.instance)
		}
	}
}
