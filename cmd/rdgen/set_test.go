package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

// TestNextIsWords: what a shell is given is the words, whatever a service is called.
func TestNextIsWords(t *testing.T) {
	words := []string{"web", "a b", `it's; $(touch x) "q" \`, "", "-n", "*", "a\tb", "sshd@é"}
	a := after{last: problem.Command("echo", "&&")}
	a.add(append([]string{"printf", `%s\n`}, words...)...)
	out, err := exec.Command("/bin/sh", "-c", a.String()).CombinedOutput()
	if want := strings.Join(words, "\n") + "\n&&\n"; err != nil || string(out) != want {
		t.Errorf("%s\n%v\n%q; want\n%q", a, err, out, want)
	}
	a = after{first: []string{"false"}, last: "echo x"}
	if out, err := exec.Command("/bin/sh", "-c", a.String()).CombinedOutput(); err == nil || len(out) > 0 {
		t.Errorf("%s went on: %q, %v", a, out, err)
	}
}

const declarative = "#!/sbin/openrc-run\ncommand=/usr/sbin/d\n"

// TestSetKeepsModeAndOwner: the file is another one, and nobody sees it.
func TestSetKeepsModeAndOwner(t *testing.T) {
	root := t.TempDir()
	write(t, root, "etc/conf.d/d", "X=1\n", "etc/init.d/d", declarative)
	file := filepath.Join(root, "etc/conf.d/d")
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		uid, gid = 12, 34
	}
	if err := errors.Join(os.Chown(file, uid, gid), os.Chmod(file, 0o640|fs.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	syscall.Umask(0o077)
	defer syscall.Umask(0o022)
	if out, err := rdgen(t, "set", "d", "netns=blue", "--root", root).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	if int(st.Uid) != uid || int(st.Gid) != gid || info.Mode() != 0o640|fs.ModeSetgid {
		t.Errorf("%d:%d %v; want %d:%d, 0640 and setgid", st.Uid, st.Gid, info.Mode(), uid, gid)
	}
	if list, _ := os.ReadDir(filepath.Dir(file)); len(list) != 1 {
		t.Errorf("%v is left beside the file", list)
	}
}

// TestSetPutsBack: a file that does not say what it should, when it is read again, is put
// back as it was, and a new one is removed.
func TestSetPutsBack(t *testing.T) {
	for _, before := range []string{"", "X=1\n"} {
		dir := t.TempDir()
		write(t, dir, "etc/init.d/d", declarative, "etc/conf.d/other", "")
		if before != "" {
			write(t, dir, "etc/conf.d/d", before)
		}
		root, err := openRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		edit, err := services.NewLoader(root, domain.Domain{}).Edit("d", []openrc.Assignment{{Key: "netns", Value: "blue"}})
		if err != nil {
			t.Fatal(err)
		}
		file := tree.Edit{Path: edit.File, Old: edit.Old, New: []byte("netns=red\n")} // what somebody else makes of it
		if err := (&steering{root: dir}).write(file, root, edit); err == nil || !strings.Contains(err.Error(), "names netns red now, and not netns blue") {
			t.Errorf("%v", err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "etc/conf.d/d"))
		if string(text) != before || before == "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q is left (%v); want %q", text, err, before)
		}
	}
}

// TestSetSeesAnotherWriter: a file that changed since it was read is not written over.
func TestSetSeesAnotherWriter(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "etc/conf.d/d", "X=2\n")
	for _, old := range [][]byte{nil, []byte("X=1\n")} {
		err := tree.Edit{Path: "/etc/conf.d/d", Old: old, New: []byte("netns=blue\n")}.Write(dir)
		if err == nil || !strings.HasSuffix(err.Error(), "/etc/conf.d/d: has changed since it was read") {
			t.Errorf("%v", err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "etc/conf.d/d")); err != nil || string(text) != "X=2\n" {
		t.Errorf("%q, %v", text, err)
	}
}
