package guest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// PutPackages puts the Packages of a kind into the guest's /root.
func (g *Guest) PutPackages(t testing.TB, kind string) {
	t.Helper()
	for name, data := range Packages(t, kind) {
		g.Put(t, "/root/"+name, 0o644, data)
	}
}

// Packages returns the packages of a kind ("deb", "apk") by their names, in the versions
// 0.1.0 and 0.2.0. They are made once, which takes a minute: a test asks for them before it
// has a machine that would wait. Where there is a folder $RDGEN_BIN, all tests of a run share
// them.
func Packages(t testing.TB, kind string) map[string][]byte {
	t.Helper()
	made, _ := packages.LoadOrStore(kind, sync.OnceValues(func() (map[string][]byte, error) { return havePackages(kind) }))
	files, err := made.(func() (map[string][]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var packages sync.Map

// havePackages returns the packages by their names.
func havePackages(kind string) (map[string][]byte, error) {
	dir := os.Getenv("RDGEN_BIN")
	if dir == "" {
		temp, err := os.MkdirTemp("", "rdgen-packages-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	// Once wants six bytes in the name.
	dir = filepath.Join(dir, fmt.Sprintf("packages-%s-%012x", kind, 0))
	if err := Once(dir, func(work string) error { return makePackages(kind, filepath.Join(work, "out")) }); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(dir + "/*")
	files := map[string][]byte{}
	for _, path := range paths {
		if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	if len(files) < 2 {
		return nil, fmt.Errorf("make packages made %d of kind %s", len(files), kind)
	}
	return files, err
}

// makePackages writes the packages into the folder dir.
func makePackages(kind, dir string) error {
	const script = `tool=$(mktemp -d) && trap 'rm -rf "$tool"' EXIT
		GOFLAGS=-mod=mod go build -modfile=packaging/nfpm.mod -trimpath -buildvcs=false -o "$tool" github.com/goreleaser/nfpm/v2/cmd/nfpm
		export NFPM="$tool/nfpm" KINDS="$1" SOURCE_DATE_EPOCH=1767323045 RDGEN_DEB_COMPRESSION=gzip
		for version in 0.1.0 0.2.0; do make -s packages ARCHES=amd64 DIST="$2" VERSION=$version; done`
	cmd := exec.Command("sh", "-euc", script, "sh", kind, dir)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make packages: %w\n%s", err, out)
	}
	return nil
}
