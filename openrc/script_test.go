package openrc

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rdgen/problem"
)

// readTestScript reads one of the services in testdata.
func readTestScript(t *testing.T, service string) *Script {
	t.Helper()
	fsys := os.DirFS("testdata")
	conf, err := ReadConf(fsys, service)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	s, err := ReadScript(fsys, service, conf)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var scriptRows = []struct {
	service string
	vars    map[string]string // "" for a variable that is not set
	args    map[string][]string
	decl    string // part of Declarative's error, "" for nil
}{
	{
		service: "sshd",
		vars: map[string]string{
			"command": "/usr/sbin/sshd", "command_args": "-o 'Banner /etc/issue net' -4", "pidfile": "/run/sshd.pid",
			"cfgfile": "/etc/ssh/sshd_config", "required_files": "/etc/ssh/sshd_config", "supervisor": "",
			"description": "OpenBSD Secure Shell server", "vrf": "mgmt", "netns": "", "command_user": "",
		},
		args: map[string][]string{"command_args": {"-o", "Banner /etc/issue net", "-4"}, "command_args_background": nil},
	},
	{
		service: "sshd-stop",
		vars:    map[string]string{"command": "/usr/sbin/sshd", "pidfile": "/run/sshd-stop.pid", "command_args": ""},
		decl:    "/etc/init.d/sshd-stop:53: the script has its own stop()",
	},
	{
		service: "node-exporter",
		vars: map[string]string{
			"supervisor": "supervise-daemon", "command": "/usr/bin/node_exporter", "command_user": "prometheus:prometheus",
			"directory": "/var/empty", "output_log": "/var/log/node-exporter.log", "respawn_delay": "5", "respawn_max": "0",
			"umask": "027", "retry": "TERM/30/KILL/5", "name": "Node exporter", "netns": "monitoring",
		},
		args: map[string][]string{
			"command_args": {"--web.listen-address=:9100", "--log.level=info",
				"--collector.textfile.directory", "/var/lib/node exporter"},
			"command_args_foreground": {"--no-daemon"},
		},
	},
	{
		service: "legacyd",
		vars:    map[string]string{"command": ""},
		decl:    "/etc/init.d/legacyd:14: the script has its own stop()",
	},
	{
		service: "nginx.private",
		vars: map[string]string{
			"command": "/usr/sbin/nginx", "pidfile": "/run/nginx.private.pid", "netns": "private", "user": "www",
			"extra_started_commands": "upgrade reload", "required_files": "/etc/nginx/private.conf",
		},
		args: map[string][]string{"command_args": {"-c", "/etc/nginx/private.conf", "-g", "pid /run/nginx.private.pid;"}},
	},
	{
		service: "firewall",
		vars:    map[string]string{"rules": "/etc/firewall.rules", "extra_commands": "save panic"},
		decl:    "/etc/init.d/firewall:13: the script has its own start()",
	},
}

func TestScript(t *testing.T) {
	for _, row := range scriptRows {
		t.Run(row.service, func(t *testing.T) {
			s := readTestScript(t, row.service)
			for name, want := range row.vars {
				v, ok, err := s.Lookup(name)
				if err != nil || v.Text != want || !ok && want != "" {
					t.Errorf("Lookup(%s) = %q, %v, %v; want %q", name, v.Text, ok, err, want)
				}
			}
			for name, want := range row.args {
				got, err := s.Args(name)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("Args(%s) = %q, %v; want %q", name, got, err, want)
				}
			}
			err := s.Declarative()
			if row.decl == "" && err != nil {
				t.Errorf("Declarative() = %v; want nil", err)
			}
			if row.decl != "" && (err == nil || !strings.Contains(err.Error(), row.decl)) {
				t.Errorf("Declarative() = %v; want an error with %q", err, row.decl)
			}
		})
	}
}

// TestScriptConfirm sources each script's conf.d files and the script in real
// shells, and compares every variable and the words that eval makes.
func TestScriptConfirm(t *testing.T) {
	for _, shell := range realShells(t) {
		for _, row := range scriptRows {
			s := readTestScript(t, row.service)
			want := []string{row.service}
			program := "RC_SVCNAME=" + row.service + " SVCNAME=" + row.service + "\n"
			base, _, _ := strings.Cut(row.service, ".")
			for _, file := range slices.Compact([]string{"conf.d/" + base, "conf.d/" + row.service, "init.d/" + row.service}) {
				program += "[ ! -e testdata/etc/" + file + " ] || . ./testdata/etc/" + file + "\n"
			}
			program += "echo $RC_SVCNAME\n"
			for _, name := range slices.Sorted(maps.Keys(s.sh.vars)) {
				if v := s.sh.vars[name]; v.doubt == nil && v.set {
					program += "printf '%s\\n' \"" + name + "=$" + name + "\"\n"
					want = append(want, name+"="+v.text)
				}
			}
			for _, name := range []string{"command_args", "command_args_foreground"} {
				words, err := s.Args(name)
				if err != nil {
					t.Fatal(err)
				}
				program += "eval set -- $" + name + "\nfor w; do printf '<%s>\\n' \"$w\"; done\n"
				for _, w := range words {
					want = append(want, "<"+w+">")
				}
			}
			cmd := exec.Command(shell[0], append(shell[1:], "-c", program)...)
			cmd.Env = []string{"PATH=/nonexistent"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %v", shell, err)
			}
			if diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")); diff != "" {
				t.Errorf("%v reads %s differently (-reader +shell):\n%s", shell, row.service, diff)
			}
		}
	}
}

func scriptFS(script, conf string) fstest.MapFS {
	return fstest.MapFS{"etc/init.d/svc": {Data: []byte(script), Mode: 0o755}, "etc/conf.d/svc": {Data: []byte(conf)}}
}

const runHeader = "#!/sbin/openrc-run\n"

func TestDeclarativeRefuses(t *testing.T) {
	for _, row := range []struct{ script, err string }{
		{"command=/bin/x\nstart()\n{ :; }", "/etc/init.d/svc:3: the script has its own start()"},
		{"command=/bin/x\nif true; then\nstop() { :; }\nfi", "/etc/init.d/svc:4: the script has its own stop()"},
		{"command=/bin/x\nf() {\n start() { :; }\n}\nf", "/etc/init.d/svc:4: the script has its own start()"},
		{"command=/bin/x\nf() {\n start() { :; }\n}", "/etc/init.d/svc:4: the script has its own start()"},
		{"command=/bin/x\n. /lib/x", "/etc/init.d/svc:3: . /lib/x may set any variable"},
		{". /lib/x\ncommand=/bin/x", "/etc/init.d/svc:2: . /lib/x may set any variable"},
		{"name=x", "/etc/init.d/svc: sets no command="},
		{"command=", "/etc/init.d/svc: sets no command="},
		{"command=$(which x)", "/etc/init.d/svc:2: command=$(which x) needs a shell"},
		{"command=/bin/x\nstart_pre() {\n command_args=-y\n}", "/etc/init.d/svc:4: command_args=-y depends on start_pre()"},
		{"command=/bin/x\nstart_pre() {\n . /etc/x\n}", "/etc/init.d/svc:4: . /etc/x may set any variable"},
		{"command=/bin/x\n[ -f /x ] && pidfile=/x", `/etc/init.d/svc:3: pidfile=/x depends on "&&"`},
		{"command=/bin/x\nsupervisor=s6", `/etc/init.d/svc:3: supervisor="s6" is neither`},
		{"command=/bin/x\ndefault_start() { :; }", "/etc/init.d/svc:3: the script has its own default_start()"},
		{"command=/bin/x\ncommand_args=$rc_opts", "/etc/init.d/svc:3: command_args=$rc_opts needs a shell"},
	} {
		s, err := ReadScript(scriptFS(runHeader+row.script, ""), "svc", nil)
		if err != nil {
			t.Fatalf("ReadScript of %q: %v", row.script, err)
		}
		var e *problem.Error
		if err := s.Declarative(); !errors.As(err, &e) || !strings.Contains(err.Error(), row.err) {
			t.Errorf("Declarative of %q = %v; want a *problem.Error with %q", row.script, err, row.err)
		}
	}
}

// TestLineDependsOnNothing: what stands later in a script is no reason not to add the
// line, as long as a shell takes it. Each is given to real shells.
func TestLineDependsOnNothing(t *testing.T) {
	shells := realShells(t)
	for _, text := range []string{
		"start() {\n\tprog &>/dev/null\n}\n", "start() {\n\tprog >& /dev/null\n}\n", "x=${y//a/b}\n", "x=${y:1:2} z=${y^^}\n", "IFS=$'\\n'\n",
		"[[ $a == b* ]] && :\n", "local x=1\n", "x=`echo \"$(echo a)\"`\n", "# caf\xe9\nx=1\n", "# caf\u00e9\r\n", "x='a\rb'\n",
		": $((x -= 1)) $((y++))\n", "let x=1\n", "echo {1..3} <(:)\n", "select=1\n", "function=1\n", "x=${!y}\n", "echo -e \"$'\\t'\"\n", "x+=1\n",
		"trap 'x' INT; eval \"$y\"; exit 0\n", "cat <<-'E'\n\tif then\n\tE\n", "",
	} {
		s, err := ReadScript(scriptFS(runHeader+text, ""), "svc", nil)
		if err != nil || s.Broken != nil {
			t.Errorf("ReadScript of %q: %v, %v", text, err, s.Broken)
			continue
		}
		if want, with := runHeader+line+"\n"+text, s.WithLine(); string(with) != want {
			t.Errorf("WithLine of %q = %q; want %q", text, with, want)
		}
		taken := 0
		for _, shell := range append(shells, []string{"bash"}) {
			cmd := exec.Command(shell[0], append(slices.Clone(shell[1:]), "-n")...)
			cmd.Stdin = strings.NewReader(runHeader + text)
			if cmd.Run() == nil {
				taken++
			}
		}
		if taken == 0 {
			t.Errorf("no shell takes %q", text)
		}
	}
	s, err := ReadScript(scriptFS(runHeader+"if\n", ""), "svc", nil)
	if err != nil || s.Broken == nil || !strings.Contains(s.Broken.Error(), "/etc/init.d/svc:2: syntax error") {
		t.Errorf("ReadScript of a broken script: %v, %v; want a warning of line 2", err, s.Broken)
	}
}

// TestBlame: a value that needs a shell is blamed on the line that makes it so.
func TestBlame(t *testing.T) {
	for _, row := range []struct{ script, conf, want string }{
		{"if [ -e /x ]; then\n\tconf=/a\nfi\ncommand=/bin/x\ncommand_args=\"-c $conf\"\n", "", "/etc/init.d/svc:3: conf=/a depends on"},
		{"command=/bin/x\ncommand_args=\"-c $OPTS\"\n", "a=1\nOPTS=$(date)\n", "/etc/conf.d/svc:2: OPTS=$(date) needs a shell to read; command_args= of /etc/init.d/svc:3"},
		{"command=/bin/x\ncommand_args=\"-c $(date)\"\n", "", "/etc/init.d/svc:3: command_args="},
		{"command=$RC_LIBEXECDIR/x\n", "", "/etc/init.d/svc:2: command="},
		{"command=${RC_PREFIX%/}/bin/x\ncommand_args=$OPTS\n", "OPTS=${RC_PREFIX%/}/etc/x$RC_SVCNAME$UNSET\n", ""},
	} {
		fsys := scriptFS(runHeader+row.script, row.conf)
		conf, err := ReadConf(fsys, "svc")
		if row.conf == "" {
			conf, err = nil, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := ReadScript(fsys, "svc", conf)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Declarative(); (err == nil) != (row.want == "") || err != nil && !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("Declarative of %q with %q: %v; want %s", row.script, row.conf, err, row.want)
		}
	}
}

func TestReadScriptErrors(t *testing.T) {
	for _, row := range []struct{ script, err string }{
		{"#!/bin/sh\n### BEGIN INIT INFO\n", "/etc/init.d/svc:1: is an LSB init script (#!/bin/sh)"},
		{"#!/bin/sh\n:\n", "is a plain sh script"},
		{"#!/sbin/runscript\n", "is written for runscript"},
		{"#!/usr/bin/python3\n", "is a script for /usr/bin/python3"},
		{"command=x\n", "there is no #! line"},
		{"", "there is no #! line"},
		{"#!\n", "there is no #! line"},
		{"#!/sbin/openrc-run\r\ncommand=x\r\n", "/etc/init.d/svc:1: contains a carriage return"},
	} {
		s, err := ReadScript(scriptFS(row.script, ""), "svc", nil)
		var e *problem.Error
		if s != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), row.err) {
			t.Errorf("ReadScript of %q = %v, %v; want a *problem.Error with %q", row.script, s, err, row.err)
		}
	}
	for _, first := range []string{"#!/sbin/openrc-run", "#!/usr/sbin/openrc-run", "#! /sbin/openrc-run", "#!/usr/bin/env openrc-run"} {
		if _, err := ReadScript(scriptFS(first+"\n:\n", ""), "svc", nil); err != nil {
			t.Errorf("ReadScript of %q: %v; want none", first, err)
		}
	}
	if _, err := ReadScript(fstest.MapFS{}, "svc", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadScript of nothing = %v; want fs.ErrNotExist", err)
	}
	local := fstest.MapFS{"usr/local/etc/init.d/svc": {Data: []byte(runHeader + "command=x\n")}}
	if s, err := ReadScript(local, "svc", nil); err != nil || s.Path != "/usr/local/etc/init.d/svc" {
		t.Errorf("ReadScript of a local script = %v, %v; want its path", s, err)
	}
}

func TestArgs(t *testing.T) {
	for _, row := range []struct {
		value string // as it stands in the script
		want  []string
		err   string
	}{
		{`""`, nil, ""},
		{`"  "`, nil, ""},
		{`"-a -b"`, []string{"-a", "-b"}, ""},
		{`"-a  'b  c'"`, []string{"-a", "b c"}, ""},
		{`"-a \"b c\" d\\ e"`, []string{"-a", "b c", "d e"}, ""},
		{`"-a '' \"\""`, []string{"-a", "", ""}, ""},
		{"'-a\n-b\t-c'", []string{"-a", "-b", "-c"}, ""},
		{`'-a $x "$x"'`, []string{"-a", "val", "val"}, ""},
		{`'-a $y'`, nil, "needs a shell"},
		{`'"$y" ${y}z'`, nil, "needs a shell"},
		{`"-f >/dev/null"`, nil, "is more than words"},
		{`"-f; reboot"`, nil, "is more than words"},
		{`"-f &"`, nil, "is more than words"},
		{`"-f | cat"`, nil, "is more than words"},
		{`"-f # x"`, nil, "is more than words"},
		{`"-f ;"`, nil, "is more than words"},
		{`'$(date)'`, nil, "needs a shell"},
		{`"*.conf"`, nil, "may match files"},
		{`"'*.conf'"`, nil, "may match files"},
		{`"~/x"`, nil, "needs a shell"},
		{`"it's"`, nil, "is not shell"},
		{`"{a,b} a=b -- %i ü"`, []string{"{a,b}", "a=b", "--", "%i", "ü"}, ""},
	} {
		script := runHeader + "x=val\ny='a b'\ncommand_args=" + row.value + "\n"
		s, err := ReadScript(scriptFS(script, ""), "svc", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Args("command_args")
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) || !strings.HasPrefix(err.Error(), "/etc/init.d/svc:4: ") {
				t.Errorf("Args of %s = %q, %v; want an error with %q", row.value, got, err, row.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("Args of %s = %q, %v; want %q", row.value, got, err, row.want)
		}
		for _, shell := range realShells(t) {
			program := "x=val\ny='a b'\ncommand_args=" + row.value +
				"\neval set -- $command_args\nfor w; do printf '<%s>\\n' \"$w\"; done\n"
			cmd := exec.Command(shell[0], append(shell[1:], "-c", program)...)
			cmd.Dir = t.TempDir()
			out, err := cmd.Output()
			var want string
			for _, w := range row.want {
				want += "<" + w + ">\n"
			}
			if err != nil || string(out) != want {
				t.Errorf("%v makes %q, %v of %s; the reader %q", shell, out, err, row.value, want)
			}
		}
	}
	s, err := ReadScript(scriptFS(runHeader+"IFS=:\ncommand_args=a:b\n", ""), "svc", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Args("command_args"); err == nil {
		t.Errorf("Args with IFS=: is %q; want an error", got)
	}
}

func TestWithLine(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"#!/sbin/openrc-run\ncommand=x\n", "#!/sbin/openrc-run\n" + line + "\ncommand=x\n"},
		{"#!/sbin/openrc-run\n" + line + "\ncommand=x", "#!/sbin/openrc-run\n" + line + "\ncommand=x"},
		{"#!/sbin/openrc-run\n. /lib/rdgen/openrc.sh\ncommand=x\n", "#!/sbin/openrc-run\n" + line + "\ncommand=x\n"},
		{"#!/sbin/openrc-run\nif [ -n \"$vrf\" ]; then . /lib/rdgen/openrc.sh; fi # old\ncommand=x\n", "#!/sbin/openrc-run\n" + line + "\ncommand=x\n"},
		{"#!/sbin/openrc-run\n. /lib/rdgen/openrc.sh # old\n", "#!/sbin/openrc-run\n" + line + "\n"},
		{"#!/sbin/openrc-run\n\n\t# ü \\\ncommand=x", "#!/sbin/openrc-run\n" + line + "\n\n\t# ü \\\ncommand=x"},
	} {
		s := &Script{Path: "/etc/init.d/svc", Source: []byte(row.in)}
		got := s.WithLine()
		if string(got) != row.want {
			t.Errorf("WithLine of %q = %q; want %q", row.in, got, row.want)
		}
		if again := (&Script{Source: got}).WithLine(); !bytes.Equal(again, got) {
			t.Errorf("WithLine of %q = %q; want it unchanged", got, again)
		}
	}
	for _, service := range []string{"sshd", "firewall", "nginx"} {
		s := readTestScript(t, service)
		got := s.WithLine()
		if removed := bytes.Replace(got, []byte(line+"\n"), nil, 1); !bytes.Equal(removed, s.Source) {
			t.Errorf("WithLine of %s changes more than one line", service)
		}
		file := filepath.Join(t.TempDir(), service)
		if err := os.WriteFile(file, got, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, shell := range realShells(t) {
			if out, err := exec.Command(shell[0], append(shell[1:], "-n", file)...).CombinedOutput(); err != nil {
				t.Errorf("%v -n %s: %s", shell, service, out)
			}
		}
	}
}
