package imports

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"rdgen/runtime/domain"
)

var update = flag.Bool("update", false, "rewrite what is expected in testdata")

// TestGolden reads the files of each case, whose first line says how, and compares all that
// they become: the files of domains, what is left, services, or the error. `make golden`
// rewrites it.
func TestGolden(t *testing.T) {
	cases, _ := filepath.Glob("testdata/*.txtar")
	formats := map[string]int{}
	for _, file := range cases {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root := fstest.MapFS{}
			want := &txtar.Archive{Comment: a.Comment}
			got := &txtar.Archive{Comment: a.Comment}
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "/") {
					root[f.Name[1:]] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
					got.Files, want.Files = append(got.Files, f), append(want.Files, f)
				} else {
					want.Files = append(want.Files, f)
				}
			}
			line, _, _ := strings.Cut(string(a.Comment), "\n")
			words := strings.Fields(strings.TrimPrefix(line, "rdgen import "))
			if formats[words[0]]++; strings.Contains(string(a.Comment), "--root") {
				t.Fatal("a case has a root of its own")
			}
			got.Files = append(got.Files, outcome(t, root, words)...)
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(got))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	for _, f := range append(Formats(), "ifupdown") {
		if least := 10; formats[f] < least {
			t.Errorf("%d cases of %s; want %d", formats[f], f, least)
		}
	}
}

// outcome is what the words of a command line become.
func outcome(t *testing.T, root fstest.MapFS, words []string) (list []txtar.File) {
	format, files, netns := words[0], words[1:], ""
	if n := len(files); n > 1 && files[n-2] == "--netns" {
		netns, files = files[n-1], files[:n-2]
	}
	if len(files) == 0 {
		files = Default(format)
	}
	in, err := domain.Parse(netns, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(root, format, files, in.Netns)
	if err != nil {
		return []txtar.File{{Name: "error", Data: []byte(err.Error() + "\n")}}
	}
	for _, d := range r.Domains {
		list = append(list, txtar.File{Name: "out/" + d.ID.String() + ".conf", Data: d.Text})
	}
	for _, s := range r.Services {
		list = append(list, txtar.File{Name: "service " + s.Name, Data: []byte(s.From.String() + ": " + s.In.String() + "\n")})
	}
	if len(r.Left) > 0 {
		list = append(list, txtar.File{Name: "left", Data: []byte(strings.Join(r.Left, "\n") + "\n")})
	}
	return list
}
