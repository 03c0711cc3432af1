package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected files in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rdgen": main})
}

// TestScripts runs rdgen as a user does: one file holds the input, the command
// and all that it must print or write. `make golden` rewrites what is expected.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			files, err := filepath.Abs("../../openrc/files")
			env.Setenv("SHIPPED", files) // what rdgen installs for OpenRC
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"big":      big,
			"readlink": readlink,
			"shorten":  shorten,
		},
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0, nil
		},
	})
}

// big FILE BYTES writes a conf.d file of that size.
func big(ts *testscript.TestScript, _ bool, args []string) {
	size := 0
	for _, c := range args[1] {
		size = size*10 + int(c-'0')
	}
	line := []byte("# a line of a comment, and another one after it\n")
	text := make([]byte, 0, size+len(line))
	for len(text) < size {
		text = append(text, line...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// shorten FILE writes what was printed into the file short, with one line instead of the
// text of FILE, which is a file of the sources that is installed as it is. So a word of
// such a file is in no golden. It is an error if its text was not printed.
func shorten(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile("../../" + args[0])
	ts.Check(err)
	before, after, found := strings.Cut(ts.ReadFile("stdout"), string(text))
	if !found {
		ts.Fatalf("%s was not printed as it is", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs("short"), []byte(before+"(the text of "+args[0]+")\n"+after), 0o644))
}

// readlink LINK TARGET checks where a link leads to, as it is written.
func readlink(ts *testscript.TestScript, _ bool, args []string) {
	got, err := os.Readlink(ts.MkAbs(args[0]))
	ts.Check(err)
	if got != args[1] {
		ts.Fatalf("%s leads to %s; want %s", args[0], got, args[1])
	}
}
