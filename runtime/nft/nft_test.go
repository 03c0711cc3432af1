package nft

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// What changes by itself is not listed.
func TestLasting(t *testing.T) {
	list := "table inet f {\n\tset a {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.0/8,\n\t\t\t     192.0.2.0/24 }\n\t}\n\n" +
		"\tset b {\n\t\ttype ipv4_addr\n\t\tsize 65535COUNT\n\t\tflags dynamic,timeout\n\t\ttimeout 1h\nELEMENTS\t}\n\n" +
		"\tmap c {\n\t\ttype inet_service : verdict\n\t\ttimeout 1m\nELEMENTS\t}\n\n" +
		"\tset d {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 }\n\t}\n\n\tchain input {\n\t\ttcp dport { 22, 80 } accept\n\t}\n}\n"
	with := func(count, elements string) string {
		return strings.NewReplacer("COUNT", count, "ELEMENTS", elements).Replace(list)
	}
	if got, want := lasting(with("\t# count 2", "\t\telements = { 10.0.0.1 timeout 1h,\n\t\t\t     10.0.0.2 }\n")), with("", ""); got != want {
		t.Errorf("lasting = %s\nwant %s", got, want)
	}
}

// A message has the place in the file that is meant, and nothing of what nft expected.
func TestFailure(t *testing.T) {
	cause := errors.New("exit status 1")
	for _, c := range []struct{ said, want string }{
		{"/dev/stdin:24:10-12: Error: syntax error, unexpected '}'\nexpected any of: newline\n", "/etc/a.nft:24: nft: syntax error, unexpected '}'"},
		{"In file included from /dev/stdin:1:1-30:\n/etc/b.nft:2:1-5: Error: No symbol type information\n x\n", "/etc/b.nft:2: nft: No symbol type information"},
		{"netlink: Error: cache initialization failed: Operation not permitted\n", "nft: netlink: Error: cache initialization failed: Operation not permitted"},
		{"", "nft: exit status 1"},
	} {
		if got := failure(c.said, "/etc/a.nft", cause); got.Error() != c.want {
			t.Errorf("failure(%q) = %v; want %s", c.said, got, c.want)
		}
	}
	if !errors.Is(failure("x: Operation not permitted", "", cause), fs.ErrPermission) {
		t.Error("that only root may is not fs.ErrPermission")
	}
}
