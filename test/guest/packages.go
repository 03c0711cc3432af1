package guest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// PutPackages makes the packages of a kind ("deb", "apk"), in the versions 0.1.0 and
// 0.2.0, and puts them into the guest's /root.
func (g *Guest) PutPackages(t testing.TB, kind string) {
	t.Helper()
	made, _ := packages.LoadOrStore(kind, sync.OnceValues(func() (map[string][]byte, error) { return makePackages(kind) }))
	files, err := made.(func() (map[string][]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		g.Put(t, "/root/"+name, 0o644, data)
	}
}

var packages sync.Map

// makePackages returns the packages by their names.
func makePackages(kind string) (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "rdgen-packages-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, version := range []string{"0.1.0", "0.2.0"} {
		cmd := exec.Command("make", "-s", "packages", "ARCHES=amd64", "DIST="+dir)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "KINDS="+kind, "VERSION="+version, "SOURCE_DATE_EPOCH=1767323045")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make packages: %w\n%s", err, out)
		}
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
