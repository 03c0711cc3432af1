package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/runtime/domain"
	"rdgen/test/need"
	"rdgen/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// claim says of the blocks of a page whose title matches what holds them.
type claim struct {
	page  string
	title string // a regular expression for "SECTION: FIRST LINE"
	by    func(*session, block)
}

// TestClaims: each block of each page is claimed by exactly one line of the
// table, each line claims something, and the tests that are named there exist.
func TestClaims(t *testing.T) {
	s := &session{T: t, dry: true}
	used := map[int]bool{}
	for _, b := range blocks(t) {
		var by []int
		for i, c := range claims {
			if c.page == b.page && regexp.MustCompile(c.title).MatchString(b.title()) {
				by, used[i] = append(by, i), true
			}
		}
		if len(by) != 1 {
			t.Errorf("%s:%d: %q is claimed by %d lines of the table; want 1", b.page, b.line, b.title(), len(by))
			continue
		}
		claims[by[0]].by(s, b)
	}
	for i, c := range claims {
		if !used[i] {
			t.Errorf("%s: no block %q", c.page, c.title)
		}
	}
}

// blocks returns the blocks of all pages. The manual pages that rdgen makes of
// itself are not among the files; TestPages has them.
func blocks(t *testing.T) (all []block) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "man/*.[1-8]"} {
		found, _ := filepath.Glob("../../" + pattern)
		pages = append(pages, found...)
	}
	if len(pages) < 10 {
		t.Fatalf("%d pages found; want all", len(pages))
	}
	for _, path := range pages {
		page := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		if strings.HasSuffix(page, ".md") {
			all = append(all, markdown(page, read(t, page))...)
			all = append(all, compared(page, read(t, page))...)
		} else {
			all = append(all, manual(page, read(t, page))...)
		}
	}
	return all
}

// session is a page that is being typed. In a dry one nothing is.
type session struct {
	*testing.T
	dry     bool
	outputs []string // of the commands so far
}

// TestLint: mandoc finds nothing to say about any manual page. (That a page of
// another package is not installed here is no fault of the page.)
func TestLint(t *testing.T) {
	mandoc := need.Tools(t, need.Sh, "mandoc")[0]
	rdgen, err := need.Program("cmd/rdgen")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sandbox.Sh(t, rdgen+" man "+dir)
	made, _ := filepath.Glob(dir + "/*")
	ours, _ := filepath.Glob("../../man/*")
	if len(made) < 7 || len(ours) < 4 {
		t.Fatalf("%d pages are made, %d written; want all", len(made), len(ours))
	}
	out, _ := exec.Command(mandoc, append([]string{"-Tlint"}, slices.Concat(made, ours)...)...).Output()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "referenced manual not found") {
			t.Error(strings.TrimSpace(line))
		}
	}
}

// TestPages types the pages in a sandbox that stands for a machine on which
// this project is installed.
func TestPages(t *testing.T) {
	need.Uid0(t)
	sandbox.Need(t)
	need.Tools(t, need.Sh, "busybox", "ip")
	all := blocks(t)
	install(t)
	for _, name := range []string{"rdgen", "rdgen-check", "rdgen-list", "rdgen-man", "rdgen-openrc", "rdgen-s6", "rdgen-systemd"} {
		text, err := os.ReadFile("/run/man/" + name + ".8")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, manual(name+".8", string(text))...)
	}
	var pages []string
	for _, b := range all {
		if !slices.Contains(pages, b.page) {
			pages = append(pages, b.page)
		}
	}
	for _, page := range pages {
		t.Run(page, func(t *testing.T) {
			s := &session{T: t}
			sandbox.Sh(t, before[""]+before[page])
			t.Cleanup(func() { sandbox.Sh(t, after) })
			for _, b := range all {
				if b.page != page {
					continue
				}
				if strings.HasPrefix(page, "rdgen") {
					lines(s, b)
					continue
				}
				for _, c := range claims {
					if c.page == page && regexp.MustCompile(c.title).MatchString(b.title()) {
						c.by(s, b)
					}
				}
			}
		})
	}
}

// install puts the programs into the sandbox's /usr/sbin, and rdgen's pages
// into /run/man.
func install(t *testing.T) {
	programs := ""
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		program, err := need.Program("cmd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		programs += " " + program
	}
	sandbox.Sh(t, `mkdir -p /run/over/up /run/over/work /run/stubs
		mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/run/over/up,workdir=/run/over/work /usr/sbin
		cp `+programs+` /usr/sbin/
		for c in ping wget; do ln -s "$(command -v busybox)" /run/stubs/$c; done
		printf 'root:x:0:0::/:/bin/sh\nntp:x:123:123::/:/bin/sh\n' >/etc/passwd
		printf 'root:x:0:\nntp:x:123:\n' >/etc/group
		mkdir /run/man; /usr/sbin/rdgen man /run/man`)
	t.Setenv("PATH", "/usr/sbin:/run/stubs:"+os.Getenv("PATH"))
	t.Setenv("pkgdir", "/run/pkg") // as in a recipe of a package
	t.Chdir("../..")
	t.Cleanup(func() { sandbox.Sh(t, "umount /usr/sbin") })
}

// sh runs a command as the reader does and returns what it prints.
func (s *session) sh(line string) (out string, code int) {
	cmd := exec.Command("sh", "-c", line)
	text, _ := cmd.CombinedOutput()
	s.outputs = append(s.outputs, string(text))
	return string(text), cmd.ProcessState.ExitCode()
}

// noVerb is what a command line that makes no sense is told, with the exit code of rdgen
// and rdomain check that found something.
var noVerb = regexp.MustCompile(`(?m)^rdgen: error: (there is no verb|unknown )`)

// console types the commands of a block. Each prints what is shown, and ends
// with 0 but where an error is shown. "cat FILE" of a file of rdomain that is
// not there writes it: so the page tells the reader to.
func console(s *session, b block) { typeAll(s, b, false) }

// written is a file, whose first line is its name in a comment. It is there for what the
// page types later.
func written(also func(*session, block)) func(*session, block) {
	return func(s *session, b block) {
		also(s, b)
		path, ok := strings.CutPrefix(b.text[0], "# /etc/rdomain/")
		if !ok {
			s.Fatalf("%s:%d: %q is no name of a file", b.page, b.line, b.text[0])
		}
		if s.dry {
			return
		}
		if err := os.WriteFile("/etc/rdomain/"+path, []byte(strings.Join(b.text[1:], "\n")+"\n"), 0o644); err != nil {
			s.Fatal(err)
		}
	}
}

// finds is a console whose commands may end with 1, which is how a check says
// that it found something, and print what the page does not show.
func finds(s *session, b block) { typeAll(s, b, true) }

func typeAll(s *session, b block, found bool) {
	commands := typed(b)
	if len(commands) == 0 {
		s.Errorf("%s:%d: no command begins with a prompt", b.page, b.line)
	}
	if s.dry {
		return
	}
	for _, c := range commands {
		want := strings.TrimSpace(strings.Join(c.shown, "\n"))
		if path, cat := strings.CutPrefix(c.line, "cat "); cat && strings.HasPrefix(path, "/etc/rdomain/") {
			if err := os.WriteFile(path, []byte(want+"\n"), 0o644); err != nil {
				s.Fatal(err)
			}
		}
		out, code := s.sh(c.line)
		fails := found && code == 1 && !noVerb.MatchString(out) || regexp.MustCompile(`error: |can't connect`).MatchString(want)
		if got := trim(out); got != want && (want != "" || !found) || code != 0 && !fails {
			s.Errorf("%s:%d: %s\nends with %d and prints\n%s\nthe page shows\n%s", b.page, b.line, c.line, code, got, want)
		}
	}
}

// trim takes the spaces from the ends of lines.
func trim(text string) string {
	return strings.TrimSpace(regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAllString(text, ""))
}

// printed is a block that shows a part of what an earlier command of the page
// printed.
func printed(s *session, b block) {
	want := strings.Join(b.text, "\n")
	if !s.dry && !slices.ContainsFunc(s.outputs, func(out string) bool { return strings.Contains(out, want) }) {
		s.Errorf("%s:%d: shows\n%s\nprinted was\n%s", b.page, b.line, want, strings.Join(s.outputs, "----\n"))
	}
}

// lines is a block of commands without prompts, as manual pages have them.
func lines(s *session, b block) {
	if s.dry {
		return
	}
	for _, line := range b.text {
		if out, code := s.sh(line); code != 0 && (code != 1 || !regexp.MustCompile(`\bcheck\b`).MatchString(line)) {
			s.Errorf("%s:%d: %s\n%s", b.page, b.line, line, out)
		}
	}
}

// from prepares the machine for one block.
func from(prepare string, by func(*session, block)) func(*session, block) {
	return func(s *session, b block) {
		if !s.dry {
			sandbox.Sh(s, prepare)
		}
		by(s, b)
	}
}

// docker is a line of a Dockerfile.
func docker(s *session, b block) {
	line, ok := strings.CutPrefix(strings.Join(b.text, "\n"), "RUN ")
	if !ok {
		s.Errorf("%s:%d: want RUN", b.page, b.line)
	} else if !s.dry {
		lines(s, block{b.page, b.section, b.line, []string{line}})
	}
}

// followed is a file of conf.d that rdgen follows.
func followed(s *session, b block) {
	if !s.dry {
		s.confd(b, strings.Join(b.text, "\n"), true)
	}
}

// refused are lines of conf.d that rdgen refuses, each of them.
func refused(s *session, b block) {
	for _, line := range b.text {
		if !s.dry {
			s.confd(b, line, false)
		}
	}
}

func (s *session) confd(b block, text string, follows bool) {
	if err := os.WriteFile("/etc/conf.d/web", []byte(text+"\n"), 0o644); err != nil {
		s.Fatal(err)
	}
	if out, code := s.sh("rdgen systemd web"); follows != strings.Contains(out, "rdomain@") || !follows && code == 0 {
		s.Errorf("%s:%d: %s\nfollowed: %v\n%s", b.page, b.line, text, code == 0, out)
	}
}

// script is a file that is executed.
func script(s *session, b block) {
	if s.dry {
		return
	}
	need.Tools(s, need.S6, "execlineb")
	if err := os.WriteFile("/run/script", []byte(strings.Join(b.text, "\n")+"\n"), 0o755); err != nil {
		s.Fatal(err)
	}
	lines(s, block{b.page, b.section, b.line, []string{"/run/script"}})
}

// grammar is a command of rdexec that cannot run here, because this kernel may
// have no VRF: its command line is one.
func grammar(s *session, b block) {
	for _, line := range b.text {
		words := strings.Fields(line)
		if _, err := domain.ParseArgs(words[1:]); err != nil || words[0] != "rdexec" {
			s.Errorf("%s:%d: %s: %v", b.page, b.line, line, err)
		}
	}
}

// targets are commands of the Makefile.
func targets(s *session, b block) {
	for _, line := range b.text {
		line, _, _ = strings.Cut(line, "#")
		target, ok := strings.CutPrefix(strings.TrimSpace(line), "make ")
		if !ok || !s.dry {
			continue
		}
		if !strings.Contains("\n"+read(s.T, "Makefile"), "\n"+target+":") {
			s.Errorf("%s:%d: the Makefile has no %s", b.page, b.line, target)
		}
	}
}

// by says that a test elsewhere types the block: the test is in that file, and
// the file names the page.
func by(file, test string) func(*session, block) {
	return func(s *session, b block) {
		if !s.dry {
			return
		}
		if text := read(s.T, file); !strings.Contains(text, "func "+test+"(") || !strings.Contains(text, b.page) {
			s.Errorf("%s:%d: %s has no %s that reads %s", b.page, b.line, file, test, b.page)
		}
	}
}

// measured says that a benchmark runs each command of a table.
func measured(file string) func(*session, block) {
	return func(s *session, b block) {
		if !s.dry {
			return
		}
		for _, command := range b.text {
			if !strings.Contains(read(s.T, file), `"`+command+`"`) {
				s.Errorf("%s:%d: %s does not measure %s", b.page, b.line, file, command)
			}
		}
	}
}

// TestInline: what a page names within its lines is there: each target of make and each
// test of "go test FOLDER -run TEST".
func TestInline(t *testing.T) {
	makefile, found := "\n"+read(t, "Makefile"), 0
	pages, _ := filepath.Glob("../../docs/*.md")
	top, _ := filepath.Glob("../../*.md")
	for _, path := range slices.Concat(pages, top) {
		page := strings.TrimPrefix(path, "../../")
		for _, m := range regexp.MustCompile("(?s)`([^`]+)`").FindAllStringSubmatch(read(t, page), -1) {
			words := strings.Fields(m[1])
			for i, w := range words {
				switch {
				case w == "make" && i == 0 && len(words) > 1:
					found++
					if !strings.Contains(makefile, "\n"+words[1]+":") {
						t.Errorf("%s: `%s`: the Makefile has no %s", page, m[1], words[1])
					}
				case w == "-run" && i > 0 && i+1 < len(words):
					found++
					name, _, _ := strings.Cut(strings.Trim(words[i+1], "'"), "/")
					if out, err := exec.Command("grep", "-rql", "func "+name+"(", "../../"+words[i-1]).Output(); err != nil {
						t.Errorf("%s: `%s`: %s has no %s (%s)", page, m[1], words[i-1], name, out)
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("%d commands found within lines; want all", found)
	}
}

// as says that other pages show each command of the block, with the same
// output, where it is typed.
func as(pages ...string) func(*session, block) {
	return func(s *session, b block) {
		if !s.dry {
			return
		}
		var there []string
		for _, page := range pages {
			for _, other := range markdown(page, read(s.T, page)) {
				for _, c := range typed(other) {
					there = append(there, fmt.Sprint(c))
				}
			}
		}
		for _, c := range typed(b) {
			if !slices.Contains(there, fmt.Sprint(c)) {
				s.Errorf("%s:%d: %s is not in %v, or with another output", b.page, b.line, c.line, pages)
			}
		}
	}
}
