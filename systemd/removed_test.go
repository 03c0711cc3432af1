package systemd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rdgen/test/need"
)

// script is a generator of this folder that reads and writes in root alone.
func script(t *testing.T, name, root string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.NewReplacer(" /run /etc /usr/local/lib /usr/lib /lib;", " "+root+"/run "+root+"/etc "+root+"/usr/lib "+root+"/lib;", "/etc/*:", root+"/etc/*:",
		"/etc/conf.d", root+"/etc/conf.d", "/usr/bin/rdgen", root+"/usr/bin/rdgen", "=/run/", "="+root+"/run/",
		"/dev/kmsg", root+"/kmsg").Replace(string(text))
	put(t, filepath.Join(root, name), moved, 0o755)
	return filepath.Join(root, name)
}

func put(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// generate runs a script as systemd does, after what before says, and returns the
// drop-ins that it made and the links to /dev/null in generator.early.
func generate(t *testing.T, script, before string) (made []string) {
	t.Helper()
	root := filepath.Dir(script)
	for _, dir := range []string{"out", "early"} {
		os.RemoveAll(root + "/" + dir)
		if err := os.Mkdir(root+"/"+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", before+"\n"+`exec "$@"`, "sh", script, root+"/out", root+"/early", root+"/late")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.CombinedOutput()
	t.Logf("%s: %v\n%s", filepath.Base(script), err, out)
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		rest, ok := strings.CutPrefix(path, root+"/out/")
		if target, _ := os.Readlink(path); target == "/dev/null" && strings.HasPrefix(path, root+"/early/") {
			rest, ok = strings.TrimPrefix(path, root+"/"), true
		}
		if ok && !d.IsDir() {
			if text, _ := os.ReadFile(path); len(text) == 0 {
				rest += " (empty)"
			}
			made = append(made, rest)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// held are the drop-ins of rdgen-removed for conf.d files of these names.
func held(names ...string) (files []string) {
	for _, n := range names {
		units := []string{n + ".service", n + ".socket"}
		if !strings.Contains(n, "@") { // there is no template of an instance
			units = append(units, n+"@.service")
		}
		for _, unit := range units {
			files = append(files, unit+".d/zzzz-rdgen-removed.conf")
		}
	}
	slices.Sort(files)
	return files
}

// TestRemovedNames: whatever a file of conf.d is called as, each service is held that could
// be of that name, and no other; and none of what is no file keeps the boot waiting.
func TestRemovedNames(t *testing.T) {
	need.Tools(t, need.Sh, "sh", "find", "xargs")
	root := t.TempDir()
	conf := root + "/etc/conf.d/"
	for _, name := range []string{"web", `foo@a\x2db`, "it's", `a"b`, "foo copy", "foo --help", "x\nsshd", "-n", ".hidden", "linked"} {
		put(t, conf+name, "netns=q\n", 0o644)
	}
	put(t, conf+"other", "# netns=q\nopts=x\n", 0o644)
	if err := os.Mkdir(conf+"folder", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(root+"/fifo", 0o644); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "linked", "fifo": root + "/fifo", "zero": "/dev/zero", "kmsg": "/proc/kmsg", "gone": "/nope"} {
		if err := os.Symlink(target, conf+name); err != nil {
			t.Fatal(err)
		}
	}
	put(t, conf+"endless", "", 0o644)
	if err := os.Truncate(conf+"endless", 1<<40); err != nil {
		t.Fatal(err)
	}
	removed := script(t, "rdgen-removed", root)
	got, want := generate(t, removed, ""), held("web", `foo@a\x2db`, "-n", "linked", "link", "endless", "fifo", "zero", "gone")
	if !slices.Equal(got, want) {
		t.Errorf("held are %q\nwant %q", got, want)
	}
	// The units of other names that a line spoke for when rdgen was removed.
	text, err := os.ReadFile(removed)
	if err != nil {
		t.Fatal(err)
	}
	put(t, removed, string(text)+"#: foo@a\\x2db e\\x2df.service\n#: web nick.service\n#: other no.service\n", 0o755)
	for _, unit := range []string{`e\x2df.service`, "nick.service"} {
		want = append(want, unit+".d/zzzz-rdgen-removed.conf")
	}
	slices.Sort(want)
	if got := generate(t, removed, ""); !slices.Equal(got, want) {
		t.Errorf("with units of other names, held are %q\nwant %q", got, want)
	}
	// No byte can be written: what is held is masked.
	got = generate(t, removed, "trap '' XFSZ\nulimit -f 0")
	for i := range want {
		want[i] = "early/" + strings.TrimSuffix(want[i], ".d/zzzz-rdgen-removed.conf") + " (empty)"
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("with no place, held are %q\nwant %q", got, want)
	}
}

// TestRemovedLines: what could set a domain is held, what certainly does not is not.
func TestRemovedLines(t *testing.T) {
	need.Tools(t, need.Sh, "sh", "find", "xargs")
	root := t.TempDir()
	var want []string
	for i, line := range []string{
		"netns=q", " vrf='q'", `vrf="q"`, "a=1; netns=q", "export netns=q", `: "${netns:=q}"`, ": ${netns=q}", "x=1&netns=q",
		`export "netns=q"`, "true&&netns=q", "netns+=q", "netns = q", "(netns=q)", "NETNS=q", "Vrf:q", "netns=$x", `netns=""q`,
		"netns=\\", "netns=\"\nq\"", `netns="'"`, "read netns", "netns=#q", `x="a#b" netns=q`, "{ vrf=q; }", "\tnetns\tq",
	} {
		name := fmt.Sprint("yes", i)
		put(t, root+"/etc/conf.d/"+name, "# a comment\n"+line+"\n", 0o644)
		want = append(want, held(name)...)
	}
	for i, line := range []string{
		"", "# netns=q", " \t# vrf = q", "#vrf=q", "netns=", "vrf=\nnetns=", `vrf="" netns=''`, "netns=;", "my_netns=q", "xvrf=q", "netnsx=q", "opts=--netns-x",
	} {
		put(t, root+"/etc/conf.d/"+fmt.Sprint("no", i), line+"\n", 0o644)
	}
	slices.Sort(want)
	if got := generate(t, script(t, "rdgen-removed", root), ""); !slices.Equal(got, want) {
		t.Errorf("held are %q\nwant %q", got, want)
	}
}

// TestLifted: what wins over the drop-in of all services is made when rdgen came to its end,
// or is turned off by a link to /dev/null; not by any other file of that name.
func TestLifted(t *testing.T) {
	need.Tools(t, need.Sh, "sh", "find", "xargs")
	lifts := []string{"rdgen.done (empty)", "service.d/" + Held + " (empty)", "socket.d/" + Held + " (empty)"}
	root := t.TempDir()
	put(t, root+"/etc/conf.d/web", "netns=q\n", 0o644)
	generator, removed := script(t, "rdgen-generator", root), script(t, "rdgen-removed", root)
	for code, want := range map[string][]string{"exit 0": lifts, "exit 3": lifts, "exit 1": nil, "exit 2": nil, "kill -KILL $$": nil} {
		put(t, root+"/usr/bin/rdgen", "#!/bin/sh\n"+code+"\n", 0o755)
		if got := generate(t, generator, ""); !slices.Equal(got, want) {
			t.Errorf("rdgen %s: %q; want %q", code, got, want)
		}
	}
	for name, c := range map[string]struct {
		before string
		want   []string
	}{
		"as installed":    {"", held("web")},
		"turned off":      {"ln -s /dev/null etc/systemd/system-generators/rdgen", lifts},
		"one's own":       {"printf '#!/bin/sh' >etc/systemd/system-generators/rdgen", held("web")},
		"a link":          {"ln -s true etc/systemd/system-generators/rdgen", held("web")},
		"no generator":    {"rm usr/lib/systemd/system-generators/rdgen", lifts},
		"the end removed": {"rm usr/bin/rdgen", held("web")},
	} {
		put(t, root+"/usr/bin/rdgen", "", 0o755)
		put(t, root+"/usr/lib/systemd/system-generators/rdgen", "x", 0o755)
		before := "cd " + root + "\nrm -rf etc/systemd; mkdir -p etc/systemd/system-generators; : >etc/systemd/system-generators/true\n" + c.before
		if got := generate(t, removed, before); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
	// What a removal has left, in /etc, holds as long as the removal is not at its end.
	if err := os.RemoveAll(root + "/etc/systemd"); err != nil { // what the last of the cases made
		t.Fatal(err)
	}
	left := script(t, "rdgen-removed", root+"/etc/systemd/system-generators")
	text, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	put(t, left, strings.ReplaceAll(string(text), filepath.Dir(left), root), 0o755)
	put(t, root+"/usr/bin/rdgen", "", 0o755)
	if got := generate(t, left, "rm "+root+"/usr/lib/systemd/system-generators/rdgen"); !slices.Equal(got, held("web")) {
		t.Errorf("without the generator alone: %q; want %q", got, held("web"))
	}
}
