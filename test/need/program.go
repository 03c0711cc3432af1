package need

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Program returns the path of a program of this project, static, built from its
// main package in the folder pkg: "cmd/rdomain". It is in the folder $RDGEN_BIN,
// where make puts what all tests share; without that it is built, once for this
// process.
func Program(pkg string) (string, error) {
	if dir := os.Getenv("RDGEN_BIN"); dir != "" {
		path := filepath.Join(dir, filepath.Base(pkg))
		_, err := os.Stat(path)
		return path, err
	}
	build, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() (string, error) { return build(pkg) }))
	return build.(func() (string, error))()
}

var builds sync.Map

// bin is where this process builds. What processes before it left there goes.
var bin = sync.OnceValues(func() (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), "rdgen-bin-*"))
	for _, dir := range old {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "rdgen-bin-%d", &pid); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("rdgen-bin-%d", os.Getpid()))
	return dir, os.MkdirAll(dir, 0o755)
})

func build(pkg string) (string, error) {
	dir, err := bin()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, "rdgen/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s does not build: %w\n%s", pkg, err, out)
	}
	return path, nil
}
