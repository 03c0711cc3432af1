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
	g.unpack(t, archive)
}

// InstallWith is Install with the settings of a packager, "SBINDIR=/usr/bin", and
// with programs that are built for them.
func (g *Guest) InstallWith(t testing.TB, settings ...string) {
	t.Helper()
	archive, err := makeInstall(append(settings, targets[g.Init]...)...)
	if err != nil {
		t.Fatal(err)
	}
	g.unpack(t, archive)
}

func (g *Guest) unpack(t testing.TB, archive []byte) {
	t.Helper()
	tar := []string{"tar", "-xmof", "-", "-C", "/"}
	if g.Release != Alpine { // busybox's always keeps them
		tar = append(tar, "--keep-directory-symlink")
	}
	if out := g.run(t, wire.Request{Argv: tar, Stdin: archive}); out.Code != 0 {
		t.Fatalf("%s: install: %s", g.Name, out.Stderr)
	}
}

// PutProgram builds the program of a folder of the sources and puts it into the guest.
func (g *Guest) PutProgram(t testing.TB, path, folder string) {
	t.Helper()
	built, err := need.Program(folder)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	g.Put(t, path, 0o755, data)
}

// PutProbe puts the programs of tests into the guest's /usr/local/bin: test/vm/probe, which
// looks at sockets, await, fetch and cg.
func (g *Guest) PutProbe(t testing.TB) {
	t.Helper()
	g.PutProgram(t, "/usr/local/bin/probe", "test/vm/probe")
	g.Put(t, "/usr/local/bin/await", 0o755, []byte(Await))
	g.Put(t, "/usr/local/bin/fetch", 0o755, []byte(Fetch))
	g.Put(t, "/usr/local/bin/cg", 0o755, []byte(cg))
}

// TestBinary returns the tests of a package as a program.
func TestBinary(t testing.TB, pkg string) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "test")
	cmd := exec.Command("go", "test", "-c", "-o", binary, "rdgen/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c %s: %v\n%s", pkg, err, out)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// targets are those of the Makefile that install what an init system needs, on a Debian.
var targets = map[Init][]string{OpenRC: {"install-bin", "install-openrc", "LSBFUNCTIONSDIR=/usr/lib/lsb/init-functions.d"}, Systemd: {"install-bin", "install-systemd"}}

var installed = map[Init]func() ([]byte, error){
	OpenRC:  sync.OnceValues(func() ([]byte, error) { return makeBuilt(OpenRC) }),
	Systemd: sync.OnceValues(func() ([]byte, error) { return makeBuilt(Systemd) }),
}

// makeBuilt is makeInstall of the programs that tests share.
func makeBuilt(init Init) ([]byte, error) {
	var built string
	for _, name := range []string{"rdgen", "rdomain", "rdexec"} {
		path, err := need.Program("cmd/" + name)
		if err != nil {
			return nil, err
		}
		built = filepath.Dir(path)
	}
	return makeInstall(append([]string{"BUILT=" + built}, targets[init]...)...)
}

// makeInstall returns a tar archive of what make installs, given targets and settings. It is
// not compressed: an emulated guest reads it in half the time in which it would unpack that.
func makeInstall(words ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rdgen-install-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("make", append(words, "DESTDIR="+dir+"/root", "O="+dir+"/bin")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make: %w\n%s", err, out)
	}
	if err := Finish(exec.Command("tar", "-cf", dir+"/archive", "-C", dir+"/root", ".")); err != nil {
		return nil, err
	}
	return os.ReadFile(dir + "/archive")
}
