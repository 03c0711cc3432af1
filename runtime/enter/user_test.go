package enter

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rdgen/runtime/domain"
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
		want Identity
	}{
		{"root", Identity{0, 0, []uint32{0}}},
		{"web", Identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"33", Identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"0033", Identity{33, 33, []uint32{33, 4, 29, 46, 47}}},
		{"webmaster", Identity{34, 34, []uint32{34, 29, 44}}},
		{"web:adm", Identity{33, 4, []uint32{4}}},
		{"web:4", Identity{33, 4, []uint32{4}}},
		{"web:12345", Identity{33, 12345, []uint32{12345}}},
		{"1234:adm", Identity{1234, 4, []uint32{4}}},
		{"1234:1234", Identity{1234, 1234, []uint32{1234}}},
		{"dup", Identity{70, 70, []uint32{70}}},
		{"71", Identity{71, 71, []uint32{71}}},
	} {
		got, err := findUser(c.spec, passwdText, groupText)
		if err != nil {
			t.Errorf("findUser(%q) = error %v; want %v", c.spec, err, c.want)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Identity{})); diff != "" {
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

// TestUserKeepsNothingOfTheCaller: ambient and inheritable capabilities survive a change
// of user where SECBIT_NO_SETUID_FIXUP is set, and inheritable ones always.
func TestUserKeepsNothingOfTheCaller(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	for _, bits := range []string{"+no_setuid_fixup", "-no_setuid_fixup"} {
		r := h.run("setpriv", "--inh-caps", "+net_admin", "--ambient-caps", "+net_admin", "--securebits", bits,
			h.rdexec, "-u", "7:7", "grep", "-E", "Cap(Inh|Prm|Eff|Amb)", "/proc/self/status")
		if r.code != 0 || strings.Count(r.out, "0000000000000000") != 4 {
			t.Errorf("with %s: %d, %s%s; want no capability", bits, r.code, r.out, r.err)
		}
	}
}

// TestTooManyProcessesIsTemporary: what a limit refuses may go another time.
func TestTooManyProcessesIsTemporary(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	other := exec.Command(h.rdexec, "-u", "7:7", "cat") // counts against the limit
	in, err := other.StdinPipe()
	h.must(err)
	h.must(other.Start())
	defer other.Wait()
	defer in.Close()
	h.run("sh", "-c", fmt.Sprintf("until grep -q '^Uid:.7' /proc/%d/status; do :; done", other.Process.Pid))
	r := h.run("prlimit", "--nproc=0", h.rdexec, "-u", "7:7", "true")
	if r.code != domain.ExitTemporary || !strings.Contains(r.err, "resource temporarily unavailable") {
		t.Errorf("rdexec -u under RLIMIT_NPROC = %d, %q; want %d", r.code, r.err, domain.ExitTemporary)
	}
}

// TestSetUIDIsRefused: with the bit everybody would be root of any domain.
func TestSetUIDIsRefused(t *testing.T) {
	needHostRoot(t)
	h := newHost(t)
	h.mount("tmpfs", "/mnt", "tmpfs", 0)
	text, err := os.ReadFile(h.rdexec)
	h.must(err)
	h.must(os.WriteFile("/mnt/rdexec", text, 0o755))
	for _, mode := range []string{"4755", "2755"} {
		h.run("chmod", mode, "/mnt/rdexec")
		r := h.run(h.rdexec, "-u", "7:7", "/mnt/rdexec", "id")
		if r.code != domain.ExitPermanent || r.out != "" || !strings.Contains(r.err, "set-uid") {
			t.Errorf("rdexec of mode %s = %d, %q, %q; want it refused", mode, r.code, r.out, r.err)
		}
	}
}
