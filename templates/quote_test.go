package templates

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rdgen/test/need"
)

// odd are values that some quoting somewhere gets wrong.
var odd = []string{
	"", " ", "a", "a b", " lead", "trail ", "it's", `say "hi"`, `"`, `'`, `''`, `'\''`,
	`\`, `\\`, `a\`, `\n`, `\x41`, `a\"b`, "$HOME", "${HOME}", "$$", "$(id)", "`id`", "a$", "$", `\$x`,
	"%", "%%", "%i", "100%", "a\nb", "\n", "a\r\nb", "\t", "tab\there", "#x", "a #b", ";", "a;b", "&", "|", "<>", "*", "?", "[a-z]",
	"~", "~root", "{", "}", "{a,b}", "(", "!", "-n", "--", "=", "x=y", "é", "naïve – ü", "日本語", "\u00a0", "\u2028", "\x01\x7f", "\x1b[31m",
	"[Section]", "a,b", "@", ":", "+x", "\xff\xfe", "a\xc3",
}

func TestQuote(t *testing.T) {
	for _, c := range []struct{ in, sh, execline, unit string }{
		{"/usr/sbin/sshd", "/usr/sbin/sshd", "/usr/sbin/sshd", "/usr/sbin/sshd"},
		{"", `''`, `""`, `""`},
		{"it's", `'it'\''s'`, `"it's"`, `"it's"`},
		{`a "b" \`, `'a "b" \'`, `"a \"b\" \\"`, `"a \"b\" \\"`},
		{"$x", `'$x'`, "$x", "$$x"},
		{"50%", "50%", "50%", "50%%"},
		{"a\nb", "'a\nb'", `"a\nb"`, `"a\nb"`},
		{"é", "'é'", `"é"`, `"é"`},
		{"\x01", "'\x01'", "\"\x01\"", `"\x01"`},
	} {
		for _, q := range []struct {
			name  string
			quote func(string) (string, error)
			want  string
		}{{"Sh", Sh, c.sh}, {"Execline", Execline, c.execline}, {"UnitWord", UnitWord, c.unit}} {
			if got, err := q.quote(c.in); got != q.want || err != nil {
				t.Errorf("%s(%q) = %q, %v; want %q", q.name, c.in, got, err, q.want)
			}
		}
	}
}

func TestQuoteRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		quote func(string) (string, error)
		in    []string
	}{
		{"Sh", Sh, []string{"\x00", "a\x00b"}},
		{"Execline", Execline, []string{"\x00", "a\x00b"}},
		{"UnitWord", UnitWord, []string{"a\x00b", "\xff"}},
		{"UnitPath", UnitPath, []string{"", "a/b", "/a\nb", "/a\x00", "/a ", `/a\`, "/\xff", "/\u0085"}},
	} {
		for _, in := range c.in {
			if got, err := c.quote(in); !errors.Is(err, ErrUnquotable) || got != "" {
				t.Errorf("%s(%q) = %q, %v; want ErrUnquotable", c.name, in, got, err)
			}
		}
	}
}

func TestUnitPath(t *testing.T) {
	for in, want := range map[string]string{"/run/netns/blue": "/run/netns/blue", "/a b": "/a b", "/50%": "/50%%", `/a\b`: `/a\b`} {
		if got, err := UnitPath(in); got != want || err != nil {
			t.Errorf("UnitPath(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestCommentStaysOnItsLine(t *testing.T) {
	for in, want := range map[string]string{
		"/etc/conf.d/sshd:3": "/etc/conf.d/sshd:3", "a\nrm -rf /": `a\nrm -rf /`, "\x1b[31m": `\x1b[31m`, "\r": `\r`,
		"é": "é", "\xff": `\xff`, "\u2028": `\u2028`, "": "",
	} {
		if got := Comment(in); got != want {
			t.Errorf("Comment(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		"--root DIR": `\-\-root DIR`, ".so x\n'x": "\\&.so x\n\\&'x", `a\b`: `a\eb`,
	} {
		if got := Roff(in); got != want {
			t.Errorf("Roff(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestRenderRefusesWhatItCannotQuote(t *testing.T) {
	type data struct {
		Execline, Service, Dir string
		Command                []string
		Nobody                 bool
	}
	if got, err := Render("s6-log", data{Service: "x", Dir: "/var/log/a\x00b"}); !errors.Is(err, ErrUnquotable) || got != nil {
		t.Errorf("Render = %q, %v; want ErrUnquotable and no text", got, err)
	}
	if _, err := Render("s6-log", data{Service: "x", Dir: "/var/log/a b"}); err != nil {
		t.Error(err)
	}
	if _, err := Render("s6-log", struct{ Service string }{"x"}); err == nil {
		t.Error("Render of data without a field that the template uses succeeded")
	}
}

// shells are the ones that run generated scripts on real systems.
func shells(t testing.TB) [][]string {
	paths := need.Tools(t, need.Sh, "dash", "busybox")
	return [][]string{{paths[0]}, {paths[1], "sh"}}
}

func TestShIsReadAsItself(t *testing.T) {
	for _, sh := range shells(t) {
		checkShell(t, sh, odd)
	}
}

func FuzzSh(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
	all := shells(f)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			t.Skip("no word of a command line can hold a NUL")
		}
		for _, sh := range all {
			checkShell(t, sh, []string{s})
		}
	})
}

// checkShell lets a shell print the quoted words, each ended by a NUL. The
// script is a file, as a generated one is.
func checkShell(t *testing.T, sh, words []string) {
	t.Helper()
	checkReader(t, words, Sh, func(quoted string) *exec.Cmd {
		return exec.Command(sh[0], append(sh[1:], script(t, "printf '%s\\000' "+quoted+"\n"))...)
	})
}

func TestExeclineIsReadAsItself(t *testing.T) {
	need.Tools(t, need.S6, "execlineb")
	checkExecline(t, odd)
}

func FuzzExecline(f *testing.F) {
	need.Tools(f, need.S6, "execlineb")
	for _, s := range odd {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			t.Skip("no word of a command line can hold a NUL")
		}
		checkExecline(t, []string{s})
	})
}

func checkExecline(t *testing.T, words []string) {
	t.Helper()
	checkReader(t, words, Execline, func(quoted string) *exec.Cmd {
		return exec.Command("execlineb", "-P", script(t, `/usr/bin/printf "%s\\000" `+quoted+"\n"))
	})
}

func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func checkReader(t *testing.T, words []string, quote func(string) (string, error), command func(string) *exec.Cmd) {
	t.Helper()
	var quoted []string
	for _, w := range words {
		q, err := quote(w)
		if err != nil {
			t.Fatal(err)
		}
		quoted = append(quoted, q)
	}
	cmd := command(strings.Join(quoted, " "))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s of %q: %v %s", cmd, quoted, err, &stderr)
	}
	if want := strings.Join(words, "\x00") + "\x00"; string(out) != want {
		t.Errorf("%s printed %q; want %q, from %s", cmd, out, want, quoted)
	}
}
