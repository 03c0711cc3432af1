package generators_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"rdgen/generators/tree"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/test/need"
)

// The tests of this package let real programs read what is generated. What they
// share is here.

// odd are values that some quoting somewhere gets wrong.
var odd = []string{
	"", " ", "a b", " lead", "trail ", "it's", `say "hi"`, `"`, `'`, `\`, `\\`, `a\`, `\n`, `\x41`, `\s`, "$HOME", "${HOME}", "$$", "$(id)", "`id`",
	"a$", "$", `\$x`, `\${X}`, "%", "%%", "%i", "%n", "100%", "a\nb", "\n", "a\r\nb", "tab\there", "#x", "a #b", ";", "a;b", "&", "|", "<>", "~",
	"{", "}", "{a,b}", "(", "!", "-n", "--", "x=y", "é", "naïve – ü", "日本語", "\u00a0", "\u2028", "\x01\x7f", "\x1b[31m", "@", ":", "+x", "|x",
}

// files makes a file system from paths and texts.
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Mode: 0o644, Data: []byte(pairs[i+1])}
	}
	return m
}

func parse(t testing.TB, netns, vrf string) domain.Domain {
	t.Helper()
	d, err := domain.Parse(netns, vrf)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The init systems, as a loader has them.
func openrcOf(l *services.Loader) services.Init  { return l.OpenRC }
func s6Of(l *services.Loader) services.Init      { return l.S6 }
func systemdOf(l *services.Loader) services.Init { return l.Systemd }

// generate loads one service and makes its files.
func generate(t testing.TB, fsys fs.FS, d domain.Domain, name string, init func(*services.Loader) services.Init) (tree.Tree, []string) {
	t.Helper()
	job, err := init(services.NewLoader(fsys, d)).Load(name)
	if err != nil {
		t.Fatal(err)
	}
	made, notes, err := job.Files()
	if err != nil {
		t.Fatal(err)
	}
	return made, notes
}

// text returns one file of a tree.
func text(t testing.TB, made tree.Tree, path string) string {
	t.Helper()
	for _, f := range made.Files() {
		if f.Path == path {
			return string(f.Data)
		}
	}
	t.Fatalf("no %s was made", path)
	return ""
}

// stub is a program that prints its name and arguments, each ended by a NUL, and
// then what the script set up for it.
func stub(t testing.TB, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	script := "#!/bin/sh\nprintf '%s\\0' \"$@\" \"cwd=$(pwd)\" \"umask=$(umask)\" \"A=$A\"\necho to-stderr >&2\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// execute runs a file as the kernel would, with env, and returns its stdout.
func execute(t testing.TB, script string, env ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("execlineb", "-P", path)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	out, err := cmd.Output()
	return string(out), err
}

// systemdTest writes a tree of files into a folder and lets the real systemd of
// this machine read the units there, as it does at boot but without starting
// anything. It returns what systemd says of all units.
func systemdTest(t testing.TB, units map[string]string) string {
	t.Helper()
	const systemd = "/usr/lib/systemd/systemd"
	need.Tools(t, need.Systemd, systemd)
	// systemd refuses to be tested by root, and nobody must be able to read.
	dir, err := os.MkdirTemp("", "rdgen-units-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	runtime := filepath.Join(dir, "runtime")
	os.Mkdir(runtime, 0o777)
	os.Chmod(runtime, 0o777)
	for name, text := range units {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(systemd, "--system", "--test", "--unit=multi-user.target")
	cmd.Env = []string{"SYSTEMD_UNIT_PATH=" + dir + ":/usr/lib/systemd/system", "XDG_RUNTIME_DIR=" + runtime, "SYSTEMD_LOG_LEVEL=info"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("systemd --test: %v\n%s", err, out)
	}
	return string(out)
}

// commandLines reads the "Command Line:" lines of one unit of systemd's dump,
// which it quotes for a shell.
func commandLines(t testing.TB, dump, unit string) [][]string {
	t.Helper()
	_, dump, ok := strings.Cut(dump, "-> Unit "+unit+":\n")
	if !ok {
		t.Fatalf("systemd did not load %s:\n%s", unit, dump)
	}
	dump, _, _ = strings.Cut(dump, "\t-> Unit ")
	var all [][]string
	for line := range strings.Lines(dump) {
		if _, quoted, ok := strings.Cut(line, "Command Line: "); ok {
			all = append(all, dumped(t, strings.TrimSuffix(quoted, "\n")))
		}
	}
	return all
}

// dumped splits a command line as quote_command_line (src/shared/exec-util.c)
// writes it: plain words, or double quotes with C escapes and \$, \` inside.
func dumped(t testing.TB, s string) []string {
	t.Helper()
	var words []string
	for s != "" {
		if s[0] != '"' {
			word, rest, _ := strings.Cut(s, " ")
			words, s = append(words, word), rest
			continue
		}
		var b bytes.Buffer
		i := 1
		for ; s[i] != '"'; i++ {
			if s[i] != '\\' {
				b.WriteByte(s[i])
				continue
			}
			i++
			switch c := s[i]; c {
			case 'n', 't', 'r', 'a', 'b', 'f', 'v':
				b.WriteByte("\n\t\r\a\b\f\v"[strings.IndexByte("ntrabfv", c)])
			case '0', '1', '2', '3':
				v, err := strconv.ParseUint(s[i:i+3], 8, 8)
				if err != nil {
					t.Fatalf("systemd wrote %q: %v", s, err)
				}
				b.WriteByte(byte(v))
				i += 2
			default:
				b.WriteByte(c)
			}
		}
		words, s = append(words, b.String()), strings.TrimPrefix(s[i+1:], " ")
	}
	return words
}

func feed(r *os.File) string {
	data, _ := io.ReadAll(r)
	return string(data)
}
