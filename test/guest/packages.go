package guest

import (
	"cmp"
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

// Packager returns the program that writes packages, which takes half a minute of a processor to
// compile: in the folder $RDGEN_BIN, where all tests of a run share it, or in temp.
func Packager(temp string) (string, error) {
	dir := shared(temp, "nfpm")
	return filepath.Join(dir, "nfpm"), Once(dir, func(work string) error {
		cmd := exec.Command("go", "build", "-modfile=packaging/nfpm.mod", "-trimpath", "-buildvcs=false",
			"-o", filepath.Join(work, "out", "nfpm"), "github.com/goreleaser/nfpm/v2/cmd/nfpm")
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
		return Finish(cmd)
	})
}

// shared is a folder for Once that all tests of a run share, or one below temp.
func shared(temp, name string) string {
	// Once wants six bytes in the name.
	return filepath.Join(cmp.Or(os.Getenv("RDGEN_BIN"), temp), fmt.Sprintf("%s-%012x", name, 0))
}

// havePackages returns the packages by their names.
func havePackages(kind string) (map[string][]byte, error) {
	temp, err := os.MkdirTemp("", "rdgen-packages-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	nfpm, err := Packager(temp)
	if err != nil {
		return nil, err
	}
	dir := shared(temp, "packages-"+kind)
	if err := Once(dir, func(work string) error { return makePackages(nfpm, kind, filepath.Join(work, "out")) }); err != nil {
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
func makePackages(nfpm, kind, dir string) error {
	const script = `for version in 0.1.0 0.2.0; do make -s packages ARCHES=amd64 DIST="$1" VERSION=$version; done`
	cmd := exec.Command("sh", "-euc", script, "sh", dir)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "NFPM="+nfpm, "KINDS="+kind, "SOURCE_DATE_EPOCH=1767323045", "RDGEN_DEB_COMPRESSION=gzip")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make packages: %w\n%s", err, out)
	}
	return nil
}
