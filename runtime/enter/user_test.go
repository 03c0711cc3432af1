package enter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const passwdText = `root:x:0:0:root:/root:/bin/bash
# a comment
web:x:33:33:web server:/var/www:/usr/sbin/nologin
webmaster:x:34:34::/:/bin/sh
short:x:40
noid:x:abc:33::/:/bin/sh
minus:x:4294967295:33::/:/bin/sh
nogid:x:50:4294967296::/:/bin/sh
+::::::
:x:60:60::/:/bin/sh
dup:x:70:70::/:/bin/sh
dup:x:71:71::/:/bin/sh
`

const groupText = `root:x:0:
adm:x:4:syslog,web
web:x:33:
audio:x:29:webmaster,web
video:x:44:webmaster
short:x
badid:x:-1:web
plugdev:x:46:web,
twice:x:47:web,web
`

func TestFindUser(t *testing.T) {
	for _, c := range []struct {
		spec string
		want identity
	}{
		{"root", identity{0, 0, []uint32{0}}},
		{"web", identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"33", identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"0033", identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"webmaster", identity{34, 34, []uint32{34, 29, 44}}},
		{"web:adm", identity{33, 4, []uint32{4}}},
		{"web:4", identity{33, 4, []uint32{4}}},
		{"web:12345", identity{33, 12345, []uint32{12345}}},
		{"1234:adm", identity{1234, 4, []uint32{4}}},
		{"1234:1234", identity{1234, 1234, []uint32{1234}}},
		{"dup", identity{70, 70, []uint32{70}}},
		{"71", identity{71, 71, []uint32{71}}},
	} {
		got, err := findUser(c.spec, passwdText, groupText)
		if err != nil {
			t.Errorf("findUser(%q) = error %v; want %v", c.spec, err, c.want)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(identity{})); diff != "" {
			t.Errorf("findUser(%q): -want +got\n%s", c.spec, diff)
		}
	}
}

func TestFindUserRefuses(t *testing.T) {
	for _, c := range []struct{ spec, want string }{
		{"we", "no such user"},
		{"nobody", "no such user"},
		{"short", "no such user"},
		{"+", `"" is not a user or group id`},
		{"web:nogroup", "no such group"},
		{"web:short", "no such group"},
		{"1234", "give one, as in 1234:GROUP"},
		{"noid", `"abc" is not a user or group id`},
		{"minus", `"4294967295" is not a user or group id`},
		{"nogid", `"4294967296" is not a user or group id`},
		{"4294967295:0", `"4294967295" is not a user or group id`},
		{"4294967295", `"4294967295" is not a user or group id`},
		{"99999999999999999999:0", "is not a user or group id"},
		{"web:4294967295", `"4294967295" is not a user or group id`},
	} {
		got, err := findUser(c.spec, passwdText, groupText)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("findUser(%q) = %v, %v; want an error with %q", c.spec, got, err, c.want)
		}
	}
}
