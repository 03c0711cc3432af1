package imports

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// secrets are keys and passwords of the cases, as far as they are nothing else there.
var secrets = []string{"yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "correct-horse-battery", "another one"}

// TestDamaged reads each case with a line less, cut off behind each line, with half a line,
// with another word for a key, and with each value gone: it says in which file the fault is,
// or it has a text that rdomain takes, and a secret is in neither.
func TestDamaged(t *testing.T) {
	cases, _ := filepath.Glob("testdata/*.txtar")
	read := 0
	for _, path := range cases {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(a.Comment), "\n")
		words := strings.Fields(strings.TrimPrefix(line, "rdgen import "))
		for i, f := range a.Files {
			if !strings.HasPrefix(f.Name, "/") {
				continue
			}
			for what, text := range damages(string(f.Data)) {
				root := fstest.MapFS{}
				for _, o := range a.Files {
					if strings.HasPrefix(o.Name, "/") {
						root[o.Name[1:]] = &fstest.MapFile{Data: o.Data, Mode: 0o644}
					}
				}
				root[a.Files[i].Name[1:]] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
				if wrong := lookAt(root, words, strings.HasPrefix(what, "with another word")); wrong != "" {
					t.Errorf("%s: %s, %s: %s", path, f.Name, what, wrong)
				}
				read++
			}
		}
	}
	if read < 2000 {
		t.Errorf("%d files were read; want more", read)
	}
}

// damages returns a text with faults, by what they are.
func damages(text string) map[string]string {
	list := map[string]string{}
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		before, after := strings.Join(lines[:i], ""), strings.Join(lines[i+1:], "")
		list[fmt.Sprintf("without line %d", i+1)] = before + after
		list[fmt.Sprintf("to line %d", i+1)] = before + l
		list[fmt.Sprintf("with half of line %d", i+1)] = before + l[:len(l)/2] + "\n" + after
		if at := strings.IndexAny(strings.TrimSuffix(l, "\n"), "=:"); at >= 0 {
			start := l[:len(l)-len(strings.TrimLeft(l, " \t-"))]
			list[fmt.Sprintf("with another word in line %d", i+1)] = before + start + "thing" + l[at:] + after
		}
		if at := strings.LastIndexAny(strings.TrimRight(l, "\n"), "=: \t"); at >= 0 {
			list[fmt.Sprintf("without the value of line %d", i+1)] = before + l[:at+1] + "\n" + after
		}
	}
	return list
}

// lookAt reads files, and returns what is wrong with what is said of them. A password that is
// called by another name cannot be told from what is none, a key can.
func lookAt(root fstest.MapFS, words []string, renamed bool) string {
	format, files, netns := words[0], words[1:], ""
	if n := len(files); n > 1 && files[n-2] == "--netns" {
		netns, files = files[n-1], files[:n-2]
	}
	if len(files) == 0 {
		files = Default(format)
	}
	in, err := domain.Parse(netns, "")
	if err != nil {
		return err.Error()
	}
	r, err := Read(root, format, files, in.Netns)
	said := ""
	if err != nil {
		said = err.Error()
		if p, ok := errors.AsType[*problem.Error](err); !ok || p.File == "" && !strings.HasPrefix(said, "nothing that is read") {
			return "says no place: " + said
		}
	} else {
		for _, d := range r.Domains {
			said += string(d.Text)
		}
		said += strings.Join(r.Left, "\n")
	}
	for _, s := range secrets {
		if strings.Contains(said, s) && (!renamed || keyLike.MatchString(s)) {
			return "says a secret: " + said
		}
	}
	return ""
}

// TestOfAnotherFormat: who may have root import any file learns nothing of one that is of no format
// at all: a hash of /etc/shadow, a key, a word.
func TestOfAnotherFormat(t *testing.T) {
	const secret = "sesame"
	for _, text := range []string{
		"root:$y$j9T$sesame:20000:0:99999:7:::\nbin:*:20000:0:99999:7:::\n", "sesame\n", "sesame open\n", "*sesame\n", "&sesame\n", "!sesame x\n", "%sesame\n",
		"localhost:5432:*:sesame\n", "-----BEGIN KEY-----\nsesame+sesame/\n-----END KEY-----\n", "{sesame\n", "\"sesame\n", "- sesame\n", "sesame: [\n", "@sesame\n", "[sesame\n",
	} {
		for _, format := range Formats() {
			for _, name := range []string{"f", "f.netdev", "f.network"} {
				_, err := Read(fstest.MapFS{"etc/" + name: {Data: []byte(text)}}, format, []string{"/etc/" + name}, domain.NetnsName{})
				if err == nil || strings.Contains(err.Error(), secret) {
					t.Errorf("%s of %q: %v", format, text, err)
				}
			}
		}
	}
}
