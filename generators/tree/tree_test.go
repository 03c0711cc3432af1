package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func sample(t *testing.T) Tree {
	t.Helper()
	var tr Tree
	for _, f := range []File{
		{Path: "/etc/init.d/rdomain.blue", Link: "rdomain"},
		{Path: "/etc/init.d/sshd", Mode: 0o755, Data: []byte("#!/sbin/openrc-run\n")},
		{Path: "/etc/conf.d/sshd", Mode: 0o644, Data: []byte("netns=blue\n")},
	} {
		if err := tr.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

func TestAdd(t *testing.T) {
	tr := sample(t)
	for _, f := range sample(t).Files() {
		if err := tr.Add(f); err != nil {
			t.Errorf("Add(%+v), the same once more = %v; want nil", f, err)
		}
	}
	for _, f := range []File{
		{Path: "/etc/init.d/sshd", Mode: 0o755, Data: []byte("other")},
		{Path: "/etc/init.d/sshd", Mode: 0o644, Data: []byte("#!/sbin/openrc-run\n")},
		{Path: "/etc/init.d/rdomain.blue", Link: "elsewhere"},
		{Path: "etc/x"}, {Path: "/etc/../x"}, {Path: "/etc/x/"}, {Path: "/"}, {Path: ""}, {Path: "/a\x00b"},
	} {
		if err := tr.Add(f); err == nil {
			t.Errorf("Add(%+v) = nil; want an error", f)
		}
	}
	if n := len(tr.Files()); n != 3 {
		t.Errorf("%d files after refused ones; want 3", n)
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	if err := sample(t).Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "# /etc/conf.d/sshd\nnetns=blue\n\n# /etc/init.d/rdomain.blue -> rdomain\n\n# /etc/init.d/sshd\n#!/sbin/openrc-run\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("Print (-want +got):\n%s", d)
	}
}

func TestPlace(t *testing.T) {
	const file = "/etc/systemd/system/nginx.service.d/zz-rdomain.conf"
	for dir, want := range map[string]string{
		"/":                       "etc/systemd/system/nginx.service.d/zz-rdomain.conf",
		"/tmp/pkg":                "etc/systemd/system/nginx.service.d/zz-rdomain.conf",
		"/etc":                    "systemd/system/nginx.service.d/zz-rdomain.conf",
		"/tmp/pkg/etc/":           "systemd/system/nginx.service.d/zz-rdomain.conf",
		"/etc/systemd/system":     "nginx.service.d/zz-rdomain.conf",
		"/tmp/x/etc/systemd":      "system/nginx.service.d/zz-rdomain.conf",
		"/tmp/systemd/system":     "etc/systemd/system/nginx.service.d/zz-rdomain.conf",
		"/tmp/xetc":               "etc/systemd/system/nginx.service.d/zz-rdomain.conf",
		"/etc/systemd/system/etc": "systemd/system/nginx.service.d/zz-rdomain.conf",
	} {
		if got := Place(dir, file); got != want {
			t.Errorf("Place(%q) = %q; want %q", dir, got, want)
		}
	}
}

func TestWriteAndDiff(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	tr := sample(t)
	before, err := tr.Diff(dir)
	if err != nil || !strings.Contains(before, "+netns=blue") || !strings.Contains(before, "new link to rdomain") {
		t.Errorf("Diff(no folder) = %q, %v; want all files as new", before, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Diff made the folder")
	}
	defer syscall.Umask(syscall.Umask(0o077)) // modes must not depend on it
	if err := tr.Write(dir); err != nil {
		t.Fatal(err)
	}
	if after, err := tr.Diff(dir); after != "" || err != nil {
		t.Errorf("Diff after Write = %q, %v; want nothing", after, err)
	}
	if info, _ := os.Stat(filepath.Join(dir, "etc/init.d/sshd")); info.Mode().Perm() != 0o755 {
		t.Errorf("mode = %v; want 0755", info.Mode())
	}
	if names := list(t, dir); slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, ".rdgen-") }) {
		t.Errorf("temporary files left: %q", names)
	}
}

func TestWriteLeavesEqualFilesAlone(t *testing.T) {
	dir := t.TempDir()
	tr := sample(t)
	if err := tr.Write(dir); err != nil {
		t.Fatal(err)
	}
	inode := func(name string) uint64 {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	same, changed := inode("etc/init.d/sshd"), inode("etc/conf.d/sshd")
	os.WriteFile(filepath.Join(dir, "etc/conf.d/sshd"), []byte("netns=red\n"), 0o644)
	if d, err := tr.Diff(dir); err != nil || !strings.Contains(d, "-netns=red\n+netns=blue\n") {
		t.Errorf("Diff = %q, %v; want the changed line", d, err)
	}
	if err := tr.Write(dir); err != nil {
		t.Fatal(err)
	}
	if inode("etc/init.d/sshd") != same {
		t.Error("an equal file was replaced")
	}
	if inode("etc/conf.d/sshd") == changed {
		t.Error("a changed file was written in place, not replaced")
	}
}

// Nothing at all is written when one file cannot be.
func TestWriteAllOrNothing(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"a folder stands at a file's place": func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, "etc/init.d/sshd"), 0o755)
		},
		"a file stands at a folder's place": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/init.d"), nil, 0o644)
		},
		"a link leads out": func(dir string) error {
			return os.Symlink(os.TempDir(), filepath.Join(dir, "etc/init.d"))
		},
		"a relative link leads out": func(dir string) error {
			return os.Symlink("../../../..", filepath.Join(dir, "etc/init.d"))
		},
		"a link loop": func(dir string) error {
			return os.Symlink("init.d", filepath.Join(dir, "etc/init.d"))
		},
		"a FIFO": func(dir string) error {
			os.Mkdir(filepath.Join(dir, "etc/init.d"), 0o755)
			return syscall.Mkfifo(filepath.Join(dir, "etc/init.d/sshd"), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			os.Mkdir(filepath.Join(dir, "etc"), 0o755)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			before := list(t, dir)
			err := sample(t).Write(dir)
			if err == nil || !strings.Contains(err.Error(), dir+"/etc/init.d") {
				t.Errorf("Write = %v; want an error that names the place", err)
			}
			if d := cmp.Diff(before, list(t, dir)); d != "" {
				t.Errorf("Write changed something (-before +after):\n%s", d)
			}
		})
	}
}

func TestWriteReplacesALinkInsteadOfFollowingIt(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	os.WriteFile(outside, []byte("keep"), 0o644)
	os.MkdirAll(filepath.Join(dir, "etc/conf.d"), 0o755)
	os.Symlink(outside, filepath.Join(dir, "etc/conf.d/sshd"))
	if err := sample(t).Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(outside); string(got) != "keep" {
		t.Errorf("a link was followed out of the folder: %q", got)
	}
	if info, _ := os.Lstat(filepath.Join(dir, "etc/conf.d/sshd")); !info.Mode().IsRegular() {
		t.Errorf("the link was not replaced: %v", info.Mode())
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		names = append(names, p+" "+d.Type().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRootIsAFS(t *testing.T) {
	dir := t.TempDir()
	if err := sample(t).Write(dir); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "etc/init.d/rdomain.blue")) // dangling: TestFS would open it
	r := root(t, dir)
	if err := fstest.TestFS(r, "etc/init.d/sshd", "etc/conf.d/sshd"); err != nil {
		t.Error(err)
	}
}

func root(t *testing.T, dir string) *Root {
	t.Helper()
	r, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRootStaysInside(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "usr/lib"), 0o755)
	os.WriteFile(filepath.Join(dir, "usr/lib/x"), []byte("inside"), 0o644)
	outside := filepath.Join(t.TempDir(), "x")
	os.WriteFile(outside, []byte("outside"), 0o644)
	for name, target := range map[string]string{
		"absolute": "/usr/lib/x",
		"dots":     "../../../../../../usr/lib/x",
		"out":      outside,
		"loop":     "loop",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644)
	r := root(t, dir)
	for _, name := range []string{"absolute", "dots"} {
		if got, err := fs.ReadFile(r, name); string(got) != "inside" || err != nil {
			t.Errorf("ReadFile(%s) = %q, %v; want the file inside", name, got, err)
		}
	}
	if got, err := fs.ReadFile(r, "out"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadFile(out) = %q, %v; want that it does not exist inside", got, err)
	}
	if _, err := fs.ReadFile(r, "loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("ReadFile(loop) = %v; want ELOOP", err)
	}
	if _, err := fs.ReadFile(r, "fifo"); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "is a FIFO") {
		t.Errorf("ReadFile(fifo) = %v; want that it is a FIFO", err)
	}
	if got, err := r.ReadLink("absolute"); got != "/usr/lib/x" || err != nil {
		t.Errorf("ReadLink = %q, %v; want the target as written", got, err)
	}
}

// TestRootReadsNoFileOfTheKernel: a link to /proc/kmsg in place of a file of conf.d held up
// rdgen check and systemd's daemon-reload until they were killed.
func TestRootReadsNoFileOfTheKernel(t *testing.T) {
	r, link := root(t, "/"), filepath.Join(t.TempDir(), "x")
	for _, target := range []string{"/proc/version", "/sys/kernel/uevent_seqnum"} {
		if _, err := os.Stat(target); err != nil {
			t.Logf("%s: %v", target, err)
			continue
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(r, link[1:]); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "is a file of the kernel") {
			t.Errorf("ReadFile of a link to %s = %q, %v; want that it is a file of the kernel", target, got, err)
		}
		if got, err := fs.ReadFile(r, target[1:]); len(got) == 0 || err != nil {
			t.Errorf("ReadFile(%s) = %q, %v; want its text: nobody was misled by a link", target, got, err)
		}
		os.Remove(link)
	}
}

// TestDiffOfAnEmptyFile: a file that is there to be there, as in s6-rc's
// dependencies.d, must not be missing in silence.
func TestDiffOfAnEmptyFile(t *testing.T) {
	dir := t.TempDir()
	var tr Tree
	if err := tr.Add(File{Path: "/etc/empty", Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	want := "# " + dir + "/etc/empty: new empty file\n"
	if got, err := tr.Diff(dir); got != want || err != nil {
		t.Errorf("Diff = %q, %v; want %q", got, err, want)
	}
	if err := tr.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := tr.Diff(dir); got != "" || err != nil {
		t.Errorf("Diff after Write = %q, %v; want nothing", got, err)
	}
}
