package openrc

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// confRows are conf.d files of the service svc: what vrf and netns are, or why
// the reader is not certain.
var confRows = []struct {
	name, text string
	vrf, netns string
	err        string // part of the error; "" where the reader is certain
}{
	{name: "empty", text: ""},
	{name: "plain word", text: "vrf=blue\n", vrf: "blue"},
	{name: "no newline at the end", text: "vrf=blue", vrf: "blue"},
	{name: "both", text: "vrf=mgmt\nnetns=t1\n", vrf: "mgmt", netns: "t1"},
	{name: "double quotes", text: `vrf="blue"`, vrf: "blue"},
	{name: "single quotes", text: `vrf='blue'`, vrf: "blue"},
	{name: "pieces", text: `vrf=b"l"'u'\e`, vrf: "blue"},
	{name: "hash in quotes", text: `netns="a#b"`, netns: "a#b"},
	{name: "hash in a word", text: `netns=a#b`, netns: "a#b"},
	{name: "comment", text: "vrf=blue # not red\n#vrf=red\n", vrf: "blue"},
	{name: "two on a line", text: "vrf=blue netns=red", vrf: "blue", netns: "red"},
	{name: "semicolon", text: "vrf=blue; netns=red", vrf: "blue", netns: "red"},
	{name: "last wins", text: "vrf=red\nvrf=blue", vrf: "blue"},
	{name: "export", text: "export vrf=blue", vrf: "blue"},
	{name: "export later", text: "vrf=blue\nexport vrf", vrf: "blue"},
	{name: "export two", text: "export vrf=blue netns='red'", vrf: "blue", netns: "red"},
	{name: "readonly", text: "readonly vrf=blue", vrf: "blue"},
	{name: "default", text: ": ${vrf:=blue}", vrf: "blue"},
	{name: "default quoted", text: `: "${vrf:=blue}"`, vrf: "blue"},
	{name: "default quoted twice", text: `: "${vrf:="blue"}"`, vrf: "blue"},
	{name: "default of a set one", text: "vrf=blue\n: ${vrf:=red}", vrf: "blue"},
	{name: "default of an empty one", text: "vrf=\n: ${vrf:=blue}", vrf: "blue"},
	{name: "default of an empty one that is set", text: "vrf=\n: ${vrf=blue}"},
	{name: "variable set before", text: "site=ams\nvrf=${site}-mgmt", vrf: "ams-mgmt"},
	{name: "variable in quotes", text: "site=ams\nvrf=\"$site-mgmt\"", vrf: "ams-mgmt"},
	{name: "use default", text: "site=\nvrf=${site:-blue}", vrf: "blue"},
	{name: "use default if unset", text: "site=\nnetns=x${site-blue}", netns: "x"},
	{name: "alternative", text: "site=ams\nvrf=${site:+blue}", vrf: "blue"},
	{name: "suffix", text: "site=ams.example.org\nvrf=${site%%.*}", vrf: "ams"},
	{name: "short suffix", text: "site=ams.example.org\nvrf=${site%.*}", vrf: "ams.example"},
	{name: "prefix", text: "site=ams.example.org\nvrf=${site#*.}", vrf: "example.org"},
	{name: "long prefix", text: "site=ams.example.org\nvrf=${site##*.}", vrf: "org"},
	{name: "prefix of a variable", text: "a=vrf-\nb=vrf-x\nvrf=${b#$a}", vrf: "x"},
	{name: "prefix of OpenRC", text: "netns=${RC_PREFIX%/}x$RC_PREFIX", netns: "x"},
	{name: "service name", text: "netns=$RC_SVCNAME-$SVCNAME", netns: "svc-svc"},
	{name: "line continuation", text: "vrf=bl\\\nue\n", vrf: "blue"},
	{name: "continued quotes", text: "vrf=\"bl\\\nue\"\n", vrf: "blue"},
	{name: "name continued", text: "v\\\nrf=blue\n", vrf: "blue"},
	{name: "other variables", text: "opts='-a\n-b'\nvrf=blue\nx=`date`\ny=$(id -u)", vrf: "blue"},
	{name: "other variable in a branch", text: "if [ -f /x ]; then opts=-x; fi\nvrf=blue", vrf: "blue"},
	{name: "certain again", text: "vrf=$(hostname)\nvrf=blue", vrf: "blue"},
	{name: "certain after a branch", text: "if true; then vrf=red; fi\nvrf=blue", vrf: "blue"},
	{name: "subshell", text: "vrf=blue\n(vrf=red)\necho | vrf=green", vrf: "blue"},
	{name: "command substitution", text: "vrf=blue\nx=$(vrf=red)", vrf: "blue"},
	{name: "prefix of a command", text: "vrf=red true", err: "does not set it"},
	{name: "prefix of a special builtin", text: "vrf=blue :", vrf: "blue"},
	{name: "block", text: "{ vrf=blue; }", vrf: "blue"},
	{name: "function not called", text: "f() { vrf=red; }\nvrf=blue", vrf: "blue"},
	{name: "condition runs", text: "if vrf=blue; then :; fi", vrf: "blue"},
	{name: "left of a list runs", text: "vrf=blue && true", vrf: "blue"},
	{name: "negated", text: "! vrf=blue || :", vrf: "blue"},
	{name: "unset", text: "vrf=red\nunset vrf", err: "does not set it"},
	{name: "empty", text: "vrf=\nnetns=''"},
	{name: "glob in an assignment", text: "x=*\nvrf=blue", vrf: "blue"},
	{name: "constant arithmetic", text: "x=$((1024 * 4))\nvrf=blue", vrf: "blue"},
	{name: "not an assignment", text: "vrf+=blue\n1vrf=x\n:", err: "this does not set vrf"},
	{name: "command called like one", text: "\"vrf=blue\" || :", err: "this does not set vrf"},
	{name: "spaces", text: "vrf = blue\nvrf:blue\n:", err: "this does not set vrf"},
	{name: "length", text: "x=abc\nnetns=n${#x}", netns: "n3"},
	{name: "local in a function", text: "f() { local vrf; vrf=red; }\nvrf=blue\nf", vrf: "blue"},
	{name: "backslashes in quotes", text: `x="\a\$\"\\"` + "\nvrf=blue", vrf: "blue"},
	{name: "umlauts elsewhere", text: "# Größe\nx=\"größe\"\nvrf=blue", vrf: "blue"},
	{name: "read another", text: "read x y || :\nvrf=blue", vrf: "blue"},
	{name: "loop over others", text: "for i in 1 2 3; do x=\"$x $i\"; done\nvrf=blue", vrf: "blue"},
	{name: "break in a loop", text: "for i in 1 2 3; do break; done\nvrf=blue", vrf: "blue"},
	{name: "case of others", text: "case $SVCNAME in *.x) opts=a;; *) opts=b;; esac\nvrf=blue", vrf: "blue"},
	{name: "use of a missing one", text: "opts=\"$nothing -x\"\nvrf=blue", vrf: "blue"},

	{name: "unset variable", text: "#\n#\nvrf=\"${site}-mgmt\"", err: `/etc/conf.d/svc:3: vrf="${site}-mgmt" needs a shell to read`},
	{name: "substitution", text: "vrf=$(hostname)", err: "needs a shell"},
	{name: "backquotes", text: "vrf=`hostname`", err: "needs a shell"},
	{name: "arithmetic", text: "vrf=vrf$((1+1))", err: "needs a shell"},
	{name: "positional", text: "vrf=$1", err: "needs a shell"},
	{name: "special parameter", text: "vrf=a$$", err: "needs a shell"},
	{name: "in if", text: "if true; then\n vrf=blue\nfi", err: `/etc/conf.d/svc:2: vrf=blue depends on "if"`},
	{name: "in else", text: "if true; then :; else vrf=blue; fi", err: `depends on "if"`},
	{name: "in elif", text: "if true; then :; elif vrf=blue; then :; fi", err: `depends on "if"`},
	{name: "in case", text: "case x in x) vrf=blue;; esac", err: `depends on "case"`},
	{name: "in while", text: "while vrf=blue; do break; done", err: "depends on a loop"},
	{name: "in for", text: "for i in 1; do vrf=blue; done", err: `depends on "for"`},
	{name: "for variable", text: "for vrf in a b; do :; done", err: `depends on "for"`},
	{name: "after and", text: "true && vrf=blue", err: `depends on "&&"`},
	{name: "after or", text: "false || vrf=blue", err: `depends on "||"`},
	{name: "function called", text: "f() { vrf=blue; }\nf", err: "/etc/conf.d/svc:1: vrf=blue depends on f()"},
	{name: "function that calls", text: "g() { vrf=blue; }\nf() { g; }\nf", err: "depends on g()"},
	{name: "recursive function", text: "f() { vrf=blue; f; }\nf", err: "depends on f()"},
	{name: "before a function", text: "f() { :; }\nvrf=blue f", err: "needs a shell"},
	{name: "redirection", text: "vrf=blue > /dev/null", err: "depends on a redirection"},
	{name: "block with redirection", text: "{ vrf=blue; } < /nothing", err: "depends on a redirection"},
	{name: "background", text: "vrf=blue &", err: "depends on a redirection or"},
	{name: "sourced file", text: "vrf=blue\n. /etc/site.conf", err: "/etc/conf.d/svc:2: . /etc/site.conf may set any variable"},
	{name: "source", text: "source /etc/site.conf\nvrf=blue", err: "needs a shell"},
	{name: "eval", text: "vrf=blue\neval x=y", err: "needs a shell"},
	{name: "read", text: "read vrf", err: "read vrf needs a shell"},
	{name: "read computed", text: "read $x", err: "needs a shell"},
	{name: "getopts", text: "getopts ab vrf", err: "needs a shell"},
	{name: "unset computed", text: "vrf=blue\nunset $x", err: "needs a shell"},
	{name: "alias", text: "alias x=y\nvrf=blue", err: "needs a shell"},
	{name: "set", text: "set -e\nvrf=blue", err: "needs a shell"},
	{name: "exit", text: "vrf=blue\n[ -f /x ] || exit 1", err: "needs a shell"},
	{name: "return", text: "vrf=red\nif [ -f /x ]; then return; fi\nvrf=blue", err: "needs a shell"},
	{name: "computed command", text: "vrf=blue\n$x", err: "needs a shell"},
	{name: "prefix of a computed command", text: "vrf=blue $x", err: "needs a shell"},
	{name: "tilde", text: "vrf=~", err: "needs a shell"},
	{name: "dollar quotes", text: "vrf=$'blue'", err: "needs a shell"},
	{name: "dollar double quotes", text: "vrf=$\"blue\"", err: "needs a shell"},
	{name: "default that is uncertain", text: ": ${vrf:=$(hostname)}", err: "needs a shell"},
	{name: "default in a branch", text: "true && : ${vrf:=blue}", err: "depends on"},
	{name: "arithmetic assignment", text: "vrf=1\n: $((vrf = 2))", err: "needs a shell"},
	{name: "arithmetic on text", text: "x='vrf=2'\nvrf=1\n: $((x))", err: "needs a shell"},
	{name: "read-only", text: "readonly vrf=red\nvrf=blue", err: "/etc/conf.d/svc:2: vrf is read-only"},
	{name: "error if unset", text: "vrf=blue\nunset x\n: ${x?no x}", err: "ends the shell"},
	{name: "local", text: "local vrf=blue", err: "needs a shell"},
	{name: "array element", text: "vrf[0]=red", err: "needs a shell"},
	{name: "let", text: "let vrf=1", err: "needs a shell"},
	{name: "double brackets", text: "[[ a = a ]] && x=y\nvrf=blue", err: "needs a shell"},
	{name: "command eval", text: "command eval vrf=blue", err: "needs a shell"},
	{name: "trap", text: "trap 'vrf=red' USR1\nvrf=blue", err: "needs a shell"},
	{name: "split in export", text: "x='a b'\nexport vrf=$x", err: "needs a shell"},
	{name: "glob in export", text: "export vrf=a*", err: "needs a shell"},
	{name: "conditional function", text: "if true; then f() { vrf=blue; }; fi\nf", err: "needs a shell"},
	{name: "command of a sourced file", text: ". /x\nvrf=blue\nsetup", err: "may be a function"},

	{name: "long name", text: "#\n\nvrf=management-plane", err: `/etc/conf.d/svc:3: vrf name "management-plane" has 16 bytes, the kernel allows 15`},
	{name: "slash", text: "netns=../x", err: `netns name "../x" contains "/"`},
	{name: "percent", text: "vrf=red%d", err: `contains "%"`},
	{name: "space", text: "vrf=\"a b\"", err: `contains " "`},
	{name: "newline in quotes", text: "vrf=\"blue\n\"", err: `contains "\n"`},
	{name: "braces", text: "netns={a,b}", err: `contains "{"`},
	{name: "carriage return", text: "x=y\nvrf=blue\r\n", err: "/etc/conf.d/svc:2: contains a carriage return"},
	{name: "NUL", text: "vrf=blue\n\x00", err: "/etc/conf.d/svc:2: contains a NUL byte"},
	{name: "not UTF-8", text: "vrf=blue\n#\xff", err: "/etc/conf.d/svc:2: is not valid UTF-8"},
	{name: "unclosed quote", text: "vrf=blue\nx='", err: "/etc/conf.d/svc:2: syntax error"},
	{name: "missing fi", text: "vrf=blue\nif true; then", err: "syntax error"},
	{name: "array", text: "vrf=(blue)", err: "not POSIX shell: arrays"},
	{name: "function", text: "function vrf { :; }", err: `not POSIX shell: the "function" builtin`},
	{name: "function keyword", text: "vrf=blue\nfunction f { :; }", err: "/etc/conf.d/svc:2: "},
	{name: "function called like a builtin", text: "export() { :; }\nvrf=blue", err: "/etc/conf.d/svc:1: syntax error: export cannot be"},
	{name: "dollar quotes with a backslash", text: "vrf=blue\nx=$'\\'", err: "/etc/conf.d/svc:2: syntax error: $'...'"},
	{name: "substring", text: "vrf=${RC_SVCNAME:0:2}", err: "not POSIX shell"},
}

func confFS(text string) fstest.MapFS {
	return fstest.MapFS{"etc/conf.d/svc": {Data: []byte(text)}}
}

func TestConf(t *testing.T) {
	for _, row := range confRows {
		t.Run(row.name, func(t *testing.T) {
			c, err := ReadConf(confFS(row.text), "svc")
			var d domain.Domain
			if err == nil {
				d, _, err = c.Domain()
			}
			if row.err != "" {
				var e *problem.Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("Domain of %q = %v, %v; want a *problem.Error with %q", row.text, d, err, row.err)
				}
				if !d.IsDefault() {
					t.Errorf("Domain of %q = %v beside an error; want nothing", row.text, d)
				}
				return
			}
			if strings.ContainsAny(row.netns, "#") { // certain, though not a name
				v, _, err := c.Lookup("netns")
				if v.Text != row.netns || err != nil {
					t.Errorf("Lookup(netns) of %q = %v, %v; want %q", row.text, v, err, row.netns)
				}
				return
			}
			if err != nil || d.VRF.String() != row.vrf || d.Netns.String() != row.netns {
				t.Errorf("Domain of %q = %v, %v; want vrf %q, netns %q", row.text, d, err, row.vrf, row.netns)
			}
		})
	}
}

// TestConfConfirm asks the real shells about every row that the reader is
// certain of, and about every other variable in it.
func TestConfConfirm(t *testing.T) {
	shells := realShells(t)
	for _, row := range confRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if c, err := ReadConf(confFS(row.text), "svc"); err == nil {
				confirm(t, shells, []byte(row.text), c.sh)
			}
		})
	}
}

// confirm holds everything that sh is certain of against real shells that run
// the same text.
func confirm(t *testing.T, shells [][]string, text []byte, sh *shell) {
	t.Helper()
	names := []string{}
	want := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(sh.vars)) {
		certain(sh, name, want, &names)
	}
	for _, name := range []string{"vrf", "netns"} {
		if !slices.Contains(names, name) {
			certain(sh, name, want, &names)
		}
	}
	if len(names) == 0 {
		return
	}
	for _, shell := range shells {
		got, ended := ask(t, shell, text, names)
		if ended {
			if !sh.mayEnd {
				t.Errorf("%v stopped at %q; the reader is certain of %q", shell, text, want)
			}
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v reads %q differently (-reader +shell):\n%s", shell, text, diff)
		}
	}
}

func certain(sh *shell, name string, want map[string]string, names *[]string) {
	v := sh.get(name)
	if v.doubt != nil {
		return
	}
	*names = append(*names, name)
	if v.set {
		want[name] = v.text
	}
}

// TestDeepNesting parses the deepest files that are let through.
func TestDeepNesting(t *testing.T) {
	for _, s := range []string{"(", "{ ", "$(", "`", "${x:-", "! ", "x=1&&", "x|", "if ", "while ", "until ",
		"for i in x; do ", "case x in x) ", "$((1+", "f()(", "\"$("} {
		text := strings.Repeat(s, maxNesting/max(1, nesting([]byte(s)))-10)
		for _, end := range []string{"", "x"} {
			ReadConf(confFS(text+end), "svc")
		}
	}
	for _, s := range []string{"-", "(", "~", "a=", "1+", "1?", "1-", "!"} {
		ReadConf(confFS(": $(("+strings.Repeat(s, maxNesting-10)+"1"), "svc")
		ReadConf(confFS(": $(("+strings.Repeat(s, maxNesting-10)+"1))"), "svc")
	}
}

func TestReadConfErrors(t *testing.T) {
	big := strings.Repeat("#", maxFile+1)
	fsys := fstest.MapFS{
		"etc/conf.d/big":    {Data: []byte(big)},
		"etc/conf.d/dir":    {Mode: fs.ModeDir},
		"etc/conf.d/fifo":   {Mode: fs.ModeNamedPipe},
		"etc/conf.d/nested": {Data: []byte(strings.Repeat("(", 200_000))},
		"etc/conf.d/deep":   {Data: []byte(strings.Repeat("$((", 1) + strings.Repeat("-", 200_000) + "1))")},
	}
	for _, row := range []struct{ service, err string }{
		{"big", "/etc/conf.d/big: has 1048577 bytes, at most 1048576 are read"},
		{"dir", "/etc/conf.d/dir: is a directory"},
		{"fifo", "/etc/conf.d/fifo: is not a regular file"},
		{"nested", "/etc/conf.d/nested:1: is nested too deeply"},
		{"deep", "/etc/conf.d/deep:1: is nested too deeply"},
		{"none", "/etc/conf.d/none: no such file"},
		{"../x", `"../x" is not the name of a service`},
		{"", `"" is not the name of a service`},
	} {
		c, err := ReadConf(fsys, row.service)
		var e *problem.Error
		if c != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), row.err) {
			t.Errorf("ReadConf(%q) = %v, %v; want a *problem.Error with %q", row.service, c, err, row.err)
		}
		if got := errors.Is(err, fs.ErrNotExist); got != (row.service == "none") {
			t.Errorf("ReadConf(%q): errors.Is(%v, fs.ErrNotExist) = %v", row.service, err, got)
		}
	}
}

func TestConfInstances(t *testing.T) {
	fsys := fstest.MapFS{
		"etc/conf.d/nginx":         {Data: []byte("site=ams\nvrf=base\n")},
		"etc/conf.d/nginx.private": {Data: []byte("vrf=$site-$RC_SVCNAME\nvrf=${vrf%.*}\n")},
		"etc/conf.d/only.x":        {Data: []byte("netns=x")},
	}
	for _, row := range []struct{ service, domain, pos, files string }{
		{"nginx", "vrf base", "/etc/conf.d/nginx:2", "/etc/conf.d/nginx"},
		{"nginx.private", "vrf ams-nginx", "/etc/conf.d/nginx.private:2", "/etc/conf.d/nginx /etc/conf.d/nginx.private"},
		{"nginx.other", "vrf base", "/etc/conf.d/nginx:2", "/etc/conf.d/nginx"},
		{"only.x", "netns x", "/etc/conf.d/only.x:1", "/etc/conf.d/only.x"},
	} {
		c, err := ReadConf(fsys, row.service)
		if err != nil {
			t.Fatal(err)
		}
		d, pos, err := c.Domain()
		if err != nil || d.String() != row.domain || pos.String() != row.pos {
			t.Errorf("%s: Domain() = %v, %v, %v; want %s, %s", row.service, d, pos, err, row.domain, row.pos)
		}
		if got := strings.Join(c.Files, " "); got != row.files {
			t.Errorf("%s: Files = %s; want %s", row.service, got, row.files)
		}
	}
}

func TestConfRunlevels(t *testing.T) {
	levels := fstest.MapFS{
		"etc/runlevels/boot":    {Mode: fs.ModeDir | 0o755},
		"etc/runlevels/default": {Mode: fs.ModeDir | 0o755},
	}
	for _, row := range []struct {
		name   string
		files  map[string]string
		domain string
		err    string
	}{
		{"same", map[string]string{"svc": "vrf=blue", "svc.boot": "vrf=blue"}, "vrf blue", ""},
		{"other", map[string]string{"svc": "vrf=blue", "svc.boot": "\nvrf=red"}, "",
			`/etc/conf.d/svc.boot:2: vrf is "red" here, but vrf is "blue" (/etc/conf.d/svc:1)`},
		{"none in the variant", map[string]string{"svc": "vrf=blue", "svc.boot": "x=y"}, "",
			`/etc/conf.d/svc.boot: vrf is not set here, but vrf is "blue" (/etc/conf.d/svc:1)`},
		{"none in the plain", map[string]string{"svc": "x=y", "svc.boot": "vrf=blue"}, "",
			`/etc/conf.d/svc.boot:1: vrf is "blue" here, but vrf is not set (/etc/conf.d/svc)`},
		{"variant only", map[string]string{"svc.boot": "vrf=blue"}, "", `/etc/conf.d/svc.boot:1: vrf is "blue" here`},
		{"uncertain variant", map[string]string{"svc": "vrf=blue", "svc.boot": "vrf=$(x)"}, "", "/etc/conf.d/svc.boot:1: vrf=$(x) needs a shell"},
		{"not a runlevel", map[string]string{"svc": "vrf=blue", "svc.bak": "vrf=red"}, "vrf blue", ""},
		{"broken variant", map[string]string{"svc": "vrf=blue", "svc.boot": "if"}, "", "/etc/conf.d/svc.boot:1: syntax error"},
	} {
		fsys := maps.Clone(levels)
		for name, text := range row.files {
			fsys["etc/conf.d/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		c, err := ReadConf(fsys, "svc")
		var d domain.Domain
		if err == nil {
			d, _, err = c.Domain()
		}
		if row.err == "" && (err != nil || d.String() != row.domain) {
			t.Errorf("%s: Domain() = %v, %v; want %s", row.name, d, err, row.domain)
		}
		if row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
			t.Errorf("%s: Domain() = %v, %v; want an error with %q", row.name, d, err, row.err)
		}
	}
	both := maps.Clone(levels)
	both["etc/conf.d/svc"] = &fstest.MapFile{Data: []byte("vrf=blue")}
	both["etc/conf.d/svc.boot"] = &fstest.MapFile{Data: []byte("vrf=blue\ncommand_args=-x")}
	if c, err := ReadConf(both, "svc"); err != nil {
		t.Error(err)
	} else if v, ok, err := c.Lookup("command_args"); err == nil {
		t.Errorf("Lookup of a variable of one runlevel = %v, %v; want an error", v, ok)
	}
	// The base of an instance has variants too.
	fsys := maps.Clone(levels)
	fsys["etc/conf.d/a"] = &fstest.MapFile{Data: []byte("vrf=blue")}
	fsys["etc/conf.d/a.boot"] = &fstest.MapFile{Data: []byte("vrf=red")}
	fsys["etc/conf.d/a.x"] = &fstest.MapFile{Data: []byte("netns=x")}
	c, err := ReadConf(fsys, "a.x")
	if err != nil {
		t.Fatal(err)
	}
	if d, _, err := c.Domain(); err == nil || !strings.Contains(err.Error(), "/etc/conf.d/a.boot:1") {
		t.Errorf("Domain() of a.x = %v, %v; want an error at a.boot:1", d, err)
	}
	fsys["etc/conf.d/a.x"] = &fstest.MapFile{Data: []byte("netns=x\nvrf=green")}
	if c, err = ReadConf(fsys, "a.x"); err != nil {
		t.Fatal(err)
	}
	if d, _, err := c.Domain(); err != nil || d.ID() != "green@x" {
		t.Errorf("Domain() of a.x = %v, %v; want green@x, which overrides both", d, err)
	}
}

func TestList(t *testing.T) {
	fsys := fstest.MapFS{
		"etc/runlevels/boot": {Mode: fs.ModeDir | 0o755},
		"etc/init.d/b.boot":  {},
		"etc/conf.d/sub/x":   {},
		"etc/conf.d/d/x":     {},
		"etc/init.d/d":       {},
		"etc/init.d/e":       {},
		"etc/conf.d/e.boot":  {Mode: fs.ModeDir | 0o755},
	}
	for _, name := range strings.Fields("sshd sshd.boot nginx.private b.boot sshd~ sshd.apk-new ._cfg0000_sshd sshd.bak sshd.dpkg-dist sshd.rpmnew #sshd# .hidden c.boot") {
		fsys["etc/conf.d/"+name] = &fstest.MapFile{}
	}
	got, err := List(fsys)
	if want := []string{"b.boot", "c", "d", "e", "nginx.private", "sshd"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("List() = %q, %v; want %q", got, err, want)
	}
	if got, err := List(fstest.MapFS{}); got != nil || err != nil {
		t.Errorf("List() of nothing = %q, %v; want nothing", got, err)
	}
	nowhere := fstest.MapFS{"etc/conf.d": {Data: []byte("/nope"), Mode: fs.ModeSymlink}}
	if got, err := List(nowhere); err == nil || !strings.Contains(err.Error(), "/etc/conf.d: is a link to /nope, which cannot be read") {
		t.Errorf("List() of a link to nowhere = %q, %v", got, err)
	}
}
