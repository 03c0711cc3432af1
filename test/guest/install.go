package guest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"rdgen/test/guest/wire"
	"rdgen/test/need"
)

// Install does in the guest what `make install` does for its init system, with
// the programs as they are built from the sources of now. The files get the time of
// the guest, whose clock goes on from where it was saved: OpenRC keeps what it knows
// of dependencies as long as no file is newer.
func (g *Guest) Install(t testing.TB) {
	t.Helper()
	archive, err := installed[g.Init]()
	if err != nil {
		t.Fatal(err)
	}
	tar := []string{"tar", "-xzmof", "-", "-C", "/"}
	if g.Release != Alpine { // busybox's always keeps them
		tar = append(tar, "--keep-directory-symlink")
	}
	if out := g.run(t, wire.Request{Argv: tar, Stdin: archive}); out.Code != 0 {
		t.Fatalf("%s: install: %s", g.Name, out.Stderr)
	}
}

// PutProbe builds test/vm/probe, a program with which tests look at sockets, and
// puts it into the guest as /usr/local/bin/probe.
func (g *Guest) PutProbe(t testing.TB) {
	t.Helper()
	path, err := need.Program("test/vm/probe")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g.Put(t, "/usr/local/bin/probe", 0o755, data)
}

var installed = map[Init]func() ([]byte, error){
	OpenRC:  sync.OnceValues(func() ([]byte, error) { return makeInstall("install-bin", "install-openrc") }),
	Systemd: sync.OnceValues(func() ([]byte, error) { return makeInstall("install-bin", "install-systemd") }),
}

// makeInstall returns a compressed tar archive of what the targets install.
func makeInstall(targets ...string) ([]byte, error) {
	var built string
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		path, err := need.Program("cmd/" + name)
		if err != nil {
			return nil, err
		}
		built = filepath.Dir(path)
	}
	dir, err := os.MkdirTemp("", "rdgen-install-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("make", append(targets, "DESTDIR="+dir+"/root", "BUILT="+built)...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make: %w\n%s", err, out)
	}
	if err := Finish(exec.Command("tar", "-czf", dir+"/archive", "-C", dir+"/root", ".")); err != nil {
		return nil, err
	}
	return os.ReadFile(dir + "/archive")
}
