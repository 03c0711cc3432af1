package vm

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Files of a booted state, in a folder beside the image.
const (
	stateDisk   = "disk.qcow2" // what booting wrote, over the image
	stateMemory = "state"
)

// booted returns the folder of the state that img has once it is booted and its
// agent answers, and boots it first if the cache has none for this agent, this
// QEMU and this command line.
func booted(program emulator, img image, logf func(string, ...any)) (string, error) {
	agent, err := buildAgent()
	if err != nil {
		return "", err
	}
	version, err := program.version()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%x\n%s\n%q\n", sha256.Sum256(agent), version, img.arguments())
	dir := fmt.Sprintf("%s-booted-%x", img.dir, hash.Sum(nil)[:6])
	err = once(dir, func(work string) error {
		start := time.Now()
		err := boot(program, img, agent, filepath.Join(work, "out"))
		if errors.Is(err, errDead) {
			// A guest that died before its agent answered is booted once more, and
			// the run says so; a second death fails.
			logf("%s: %v; booting it once more", img.system, err)
			err = boot(program, img, agent, filepath.Join(work, "out"))
		}
		if err == nil {
			logf("%s: booted in %v", img.system, time.Since(start).Round(time.Second))
		}
		return err
	})
	return dir, err
}

// boot boots img and leaves what it is then in dir.
func boot(program emulator, img image, agent []byte, dir string) error {
	archive, err := initramfs(agent, img.modules)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "initramfs"), archive, 0o644); err != nil {
		return err
	}
	if err := program.overlay(filepath.Join(dir, stateDisk), img.root, "raw"); err != nil {
		return err
	}
	q, err := run(program, dir, img)
	if err != nil {
		return err
	}
	if err := newConn(q).greet(); err != nil {
		q.kill()
		return err
	}
	if err := q.save(); err != nil {
		q.kill()
		return err
	}
	return nil
}

// buildAgent builds the agent, once a run: a static program, the same bytes
// from the same sources.
var buildAgent = sync.OnceValues(func() ([]byte, error) { return build("test/vm/agent") })

// build builds the project's main package in the folder pkg and returns the
// program.
func build(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rdgen-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "rdgen/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s does not build: %w\n%s", pkg, err, out)
	}
	return os.ReadFile(binary)
}
