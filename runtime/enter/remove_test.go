package enter

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// RemoveEtc takes what an entering has made, and nothing else.
func TestRemoveEtc(t *testing.T) {
	h := newHost(t)
	h.files("blue", map[string]string{"resolv.conf": "nameserver blue\n"})
	h.enter("-n", "blue", "--", "true")
	blue := parse(t, "blue", "")
	dir := etcOf(blue).linkDir()
	if _, err := os.Stat(dir + "/.host/etc"); err != nil {
		t.Fatal(err)
	}
	h.must(RemoveEtc(blue))
	h.must(RemoveEtc(blue))
	if _, err := os.Lstat(dir); err == nil {
		t.Errorf("%s is left", dir)
	}
	h.write("/etc/netns/blue/hosts", "")

	stays := func(what string, path string) {
		t.Helper()
		err := RemoveEtc(blue)
		if err == nil || !strings.HasPrefix(err.Error(), "unable to remove "+path+": ") {
			t.Errorf("%s: RemoveEtc = %v; want an error that names %s", what, err, path)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.enter("-n", "blue", "--", "true")
	h.mount("tmpfs", dir+"/.host/etc", "tmpfs", 0)
	stays("a mount", dir+"/.host/etc")
	h.must(unix.Unmount(dir+"/.host/etc", 0))
	h.must(os.WriteFile(dir+"/.host/etc/file", nil, 0o600))
	stays("a file in it", dir+"/.host/etc")
	h.must(os.Remove(dir + "/.host/etc/file"))
	h.must(os.WriteFile(dir+"/.host/file", nil, 0o600))
	stays("a file", dir+"/.host/file")
	h.must(os.Remove(dir + "/.host/file"))
	h.must(RemoveEtc(blue))

	h.must(os.RemoveAll(runDir))
	h.must(os.Mkdir(h.tmp+"/blue", 0o755))
	h.must(os.Symlink(h.tmp, runDir))
	stays("a symbolic link", dir)
}
