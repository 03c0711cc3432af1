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
	"rdgen/systemd"
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

// TestRestartActive: --now restarts the units that run. Where systemd keeps sockets of one,
// a restart would leave those where they were made.
func TestRestartActive(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	fake := "#!/bin/sh\necho \"$@\" >>" + log + "\ncase $1 in is-active) case $* in *' '-a.service|*' 'a.service) ;; *) false;; esac;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	stores := func(setting string) services.Again {
		u := &systemd.Unit{Name: "a.service", Settings: []systemd.Setting{{Section: "Service", Key: "FileDescriptorStoreMax", Value: "1"}}}
		if setting != "" {
			u.Settings = append(u.Settings, systemd.Setting{Section: "Service", Key: setting, Value: "yes"})
		}
		return services.AgainOf([]*systemd.Unit{u})
	}
	for _, row := range []struct {
		units []string
		again services.Again
		want  string
	}{
		{[]string{"a.service", "b.service"}, services.Again{}, "restart a.service"},
		// Nor is a socket restarted while its service runs.
		{[]string{"b.socket", "a.service"}, services.Again{}, "stop a.service\nstart a.service"},
		{[]string{"-a.service", "b.service"}, services.Again{}, "restart -- -a.service"},
		{[]string{"a.service", "b.service"}, stores(""), "stop a.service\nstart a.service"},
		{[]string{"a.service", "b.service"}, stores("FileDescriptorStorePreserve"), "stop a.service\nclean --what=fdstore a.service\nstart a.service"},
	} {
		os.Remove(log)
		cmd := exec.Command("/bin/sh", "-euc", "{ "+restartActive(row.again, row.units)+"active "+strings.Join(row.units, " ")+"; }")
		cmd.Env = []string{"PATH=" + dir}
		out, err := cmd.CombinedOutput()
		text, _ := os.ReadFile(log)
		want, behind := "", ""
		if row.units[0][0] == '-' {
			behind = "-- " // else the name is read as options
		}
		for _, u := range row.units {
			want += "is-active --quiet " + behind + u + "\n"
		}
		want += "daemon-reload\n" + row.want + "\n"
		if err != nil || string(text) != want {
			t.Errorf("%s: %v\n%s\n%s; want\n%s", row.units, err, out, text, want)
		}
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
