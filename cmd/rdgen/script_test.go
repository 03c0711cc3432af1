package main

import (
	"flag"
	"os"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"big":      big,
			"readlink": readlink,
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

// readlink LINK TARGET checks where a link leads to, as it is written.
func readlink(ts *testscript.TestScript, _ bool, args []string) {
	got, err := os.Readlink(ts.MkAbs(args[0]))
	ts.Check(err)
	if got != args[1] {
		ts.Fatalf("%s leads to %s; want %s", args[0], got, args[1])
	}
}
