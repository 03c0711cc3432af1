package s6

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rdgen/problem"
	"rdgen/test/need"
)

func TestReadScript(t *testing.T) {
	for _, c := range []struct{ name, text, again, want string }{
		{"execline", "#!/bin/execlineb -P\nweb\n", "", "#!/bin/execlineb -P\nENTER " + Mark + "\nweb\n"},
		{"execline with options", "#!/command/execlineb -S0\n# x\nweb $@", "", "#!/command/execlineb -S0\nENTER " + Mark + "\n# x\nweb $@"},
		{"execline by env", "#!/usr/bin/env execlineb\nweb", "", "#!/usr/bin/env execlineb\nENTER " + Mark + "\nweb"},
		{"execline with a container's environment", "#!/command/with-contenv execlineb\nweb", "", "#!/command/with-contenv execlineb\nENTER " + Mark + "\nweb"},
		{"after the redirection", "#!/bin/execlineb -P\n# x\n\nfdmove -c 2 1\nweb\n", "", "#!/bin/execlineb -P\n# x\n\nfdmove -c 2 1\nENTER " + Mark + "\nweb\n"},
		{"not after another", "#!/bin/execlineb -P\ns6-envdir env\nfdmove -c 2 1\nweb\n", "", "#!/bin/execlineb -P\nENTER " + Mark + "\ns6-envdir env\nfdmove -c 2 1\nweb\n"},
		{"sh", "#!/bin/sh\nexec 2>&1\nexec web\n", "/bin/sh", "#!/bin/sh\nexec 2>&1\nENTER " + Mark + "\nexec web\n"},
		{"sh with options", "#! /bin/sh -eu\nweb", "/bin/sh -eu", "#! /bin/sh -eu\nENTER " + Mark + "\nweb"},
		{"bash by env", "#!/usr/bin/env bash\nweb", "bash", "#!/usr/bin/env bash\nENTER " + Mark + "\nweb"},
		{"env that splits", "#!/usr/bin/env -S bash -euo pipefail\nweb", "bash -euo pipefail", "#!/usr/bin/env -S bash -euo pipefail\nENTER " + Mark + "\nweb"},
		{"busybox", "#!/bin/busybox ash\nweb", "/bin/busybox ash", "#!/bin/busybox ash\nENTER " + Mark + "\nweb"},
		{"bashio", "#!/command/with-contenv bashio\nweb", "bashio", "#!/command/with-contenv bashio\nENTER " + Mark + "\nweb"},
		{"with-contenv", "#!/usr/bin/with-contenv bash\nweb", "bash", "#!/usr/bin/with-contenv bash\nENTER " + Mark + "\nweb"},
	} {
		s, err := ReadScript("/x/run", []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(s.Again, " "); got != c.again {
			t.Errorf("%s: executed again by %q; want %q", c.name, got, c.again)
		}
		wrapped := s.Wrapped("ENTER")
		if string(wrapped) != c.want {
			t.Errorf("%s: wrapped\n%s\nwant\n%s", c.name, wrapped, c.want)
		}
		again, err := ReadScript("/x/run", wrapped)
		if err != nil || !bytes.Equal(again.Wrapped("ENTER"), wrapped) || string(original(again)) != c.text {
			t.Errorf("%s: wrapped twice: %v\n%s", c.name, err, again.Wrapped("ENTER"))
		}
	}
}

func TestReadScriptRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		msg  string
	}{
		{"\x7fELF\x02", 0, "is a program, not a script"},
		{"exec web\n", 1, `does not begin with "#!"`},
		{"", 1, `does not begin with "#!"`},
		{"#!/bin/sh\r\nweb\r\n", 1, "carriage return"},
		{"#!/bin/sh\nweb\x00\n", 2, "NUL"},
		{"#!\nweb\n", 1, "no interpreter"},
		{"#!/usr/bin/perl -w\n", 1, `"/usr/bin/perl" is neither`},
		{"#!/usr/bin/env -S perl\n", 1, `"perl" is neither`},
		{"#!/usr/bin/env -i sh\n", 1, `"/usr/bin/env" is neither`},
		{"#!/usr/bin/env -S FOO=$X sh\n", 1, `"/usr/bin/env" is neither`},
		{"#!/usr/bin/fish\n", 1, `"/usr/bin/fish" is neither`},
		{"#!/bin/busybox\n", 1, `"/bin/busybox" is neither`},
		{"#!/command/with-contenv bash -e\n", 1, `"/command/with-contenv" is neither`},
		{"#!/bin/sh -c\nweb\n", 1, `is given "-c"`},
		{"#!/bin/sh -n\nweb\n", 1, `is given "-n"`},
		{"#!/bin/bash -o pipefail\nweb\n", 1, `is given "-o pipefail"`},
		{"#!/bin/bash --rcfile=x\nweb\n", 1, `is given "--rcfile=x"`},
		{"#!/bin/execlineb -cP\nweb\n", 1, `is given "-cP"`},
		{"#!/bin/execlineb other\nweb\n", 1, `is given "other"`},
		{"#!/bin/execlineb -P\nif { a\n\"b\n", 3, "unmatched quote"},
		{"#!/bin/execlineb -P\n\na }\n", 3, "unmatched }"},
	} {
		_, err := ReadScript("/x/run", []byte(c.text))
		var line *problem.Error
		if !errors.As(err, &line) || line.Pos != (problem.Pos{File: "/x/run", Line: c.line}) || !strings.Contains(line.Msg, c.msg) {
			t.Errorf("ReadScript(%q) = %+v; want line %d, %q", c.text, err, c.line, c.msg)
		}
	}
	for _, empty := range []string{"#!/bin/execlineb -P\n# x\n", "#!/bin/sh"} {
		if s, err := ReadScript("/x/run", []byte(empty)); err != nil || !s.Empty {
			t.Errorf("ReadScript(%q) = %+v, %v; want one that runs nothing", empty, s, err)
		}
	}
}

func TestReadUp(t *testing.T) {
	for in, want := range map[string]string{
		"nft -f x\n":                         "ENTER " + Mark + "\nnft -f x\n",
		"#!/command/execlineb -P\nnft":       "#!/command/execlineb -P\nENTER " + Mark + "\nnft",
		"# comment\nfdmove -c 2 1\nnft":      "# comment\nfdmove -c 2 1\nENTER " + Mark + "\nnft",
		"foreground { a } { b }":             "ENTER " + Mark + "\nforeground { a } { b }",
		"ENTER old " + Mark + "\nnft -f x\n": "ENTER " + Mark + "\nnft -f x\n",
	} {
		s, err := ReadUp("/x/run", []byte(in))
		if got := s.Wrapped("ENTER"); err != nil || string(got) != want {
			t.Errorf("ReadUp(%q) wrapped = %q, %v; want %q", in, got, err, want)
		}
	}
	if _, err := ReadUp("/x/run", []byte("# x\na {")); err == nil {
		t.Error("an open block was accepted")
	}
}

// original is the script without our line.
func original(s Script) []byte { return slices.Concat(s.head, s.body) }

// FuzzReadScript: whatever a script holds, wrapping adds one line and takes the
// same away again.
func FuzzReadScript(f *testing.F) {
	for _, s := range []string{"#!/bin/sh\nexec 2>&1\nweb\n", "#!/bin/execlineb -P\n# x\nfdmove -c 2 1\nif { a } b\n", "#!/command/with-contenv bash\nx " + Mark + "\ny", "#!/bin/sh\n\n#\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ReadScript("/x/run", text)
		if err != nil {
			return
		}
		before := original(s)
		if !bytes.Contains(text, []byte(Mark)) && !bytes.Equal(before, text) {
			t.Fatalf("%q became %q", text, before)
		}
		if s.Empty {
			return
		}
		wrapped := s.Wrapped("true")
		if len(wrapped) != len(before)+len("true "+Mark+"\n") {
			t.Fatalf("%q became %q", text, wrapped)
		}
		again, err := ReadScript("/x/run", wrapped)
		if err != nil || !bytes.Equal(again.Wrapped("true"), wrapped) {
			t.Fatalf("%q, wrapped twice, is %q, %v", text, again.Wrapped("true"), err)
		}
	})
}

// configs are files for envfile, and what is read of vrf in them; "!" is an error.
var configs = []struct{ text, want string }{
	{"vrf=blue\n", "blue"}, {"vrf = blue \n", "blue"}, {"\tvrf\t=\tblue", "blue"}, {`vrf="blue"`, "blue"}, {"# vrf=x\nvrf=blue", "blue"},
	{"vrf=blue # x", "!"}, {"vrf='blue'", "!"}, {`vrf="bl\x75e"`, "!"}, {"vrf=bl\\\nue", "blue"}, {"vrf=a\nvrf=b", "!"}, {"vrf=a\nvrf=a", "a"},
	{"X=\\\nvrf=blue\n", ""}, {"X=a\\\\\nvrf=blue\n", "blue"}, {"#x\\\nvrf=blue\n", "blue"}, {"vrf=\n", ""}, {"vrfs=x\nXvrf=y\n", ""}, {"vrf", "!"},
	{"X=\"a#b\"\nvrf=c#d", "!"}, {"VRF=blue", ""}, {"vrf=b-1.x_y", "b-1.x_y"},
}

func TestConfig(t *testing.T) {
	for _, c := range configs {
		values, err := Config("/x.conf", []byte(c.text), "vrf")
		got := values["vrf"].Text
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("Config(%q) = %q, %v; want %q", c.text, got, err, c.want)
		}
	}
}

// TestConfigAgreesWithEnvfile: what is read for certain is what the real envfile
// would put into the environment.
func TestConfigAgreesWithEnvfile(t *testing.T) {
	execlineb := need.Tools(t, need.S6, "execlineb")[0] // which finds envfile wherever that is
	for _, c := range configs {
		if c.want == "!" {
			continue
		}
		file := filepath.Join(t.TempDir(), "conf")
		os.WriteFile(file, []byte(c.text), 0o644)
		cmd := exec.Command(execlineb, "-Pc", `envfile `+file+` sh -c "printf %s \"$vrf\""`)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil || string(out) != c.want {
			t.Errorf("envfile reads %q of %q, %v; want %q", out, c.text, err, c.want)
		}
	}
}
