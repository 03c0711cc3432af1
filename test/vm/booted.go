package vm

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Files of a booted state, in a folder beside the image.
const (
	stateDisk   = "disk.qcow2" // what booting wrote, over the image
	stateMemory = "state"
)

// kept is how many images of one system are kept, and booted states of one
// image: those of the sources, the agents and the QEMUs that were lately used.
const kept = 3

// sixBytes matches six bytes in hexadecimal.
var sixBytes = strings.Repeat("[0-9a-f]", 12)

// booted returns the folder of the state that img has once it is booted and its
// agent answers, and boots it first if the cache has none for this agent, this
// QEMU and this command line.
func booted(program string, img image, logf func(string, ...any)) (string, error) {
	agent, err := buildAgent()
	if err != nil {
		return "", err
	}
	version, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, err)
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%x\n%s\n%q\n", sha256.Sum256(agent), version, img.arguments())
	dir := fmt.Sprintf("%s-booted-%x", img.dir, hash.Sum(nil)[:6])
	held, err := lock(dir+".lock", unix.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer held.Close()
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		return dir, os.Chtimes(dir, now, now)
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	start := time.Now()
	err = boot(program, img, agent, dir)
	if errors.Is(err, errDead) {
		// A guest that died before its agent answered is booted once more, and
		// the run says so; a second death fails.
		logf("%s: %v; booting it once more", img.system, err)
		err = boot(program, img, agent, dir)
	}
	if err != nil {
		return "", err
	}
	logf("%s: booted in %v", img.system, time.Since(start).Round(time.Second))
	return dir, prune(img.dir+"-booted-"+sixBytes, kept)
}

// boot boots img and leaves what it is then in dir.
func boot(program string, img image, agent []byte, dir string) error {
	work, err := os.MkdirTemp(filepath.Dir(dir), ".boot-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	archive, err := initramfs(agent, img.modules)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "initramfs"), archive, 0o644); err != nil {
		return err
	}
	if err := overlay(filepath.Join(work, stateDisk), img.root, "raw"); err != nil {
		return err
	}
	q, err := run(program, work, img)
	if err != nil {
		return err
	}
	c := newConn(q)
	if err := c.greet(); err != nil {
		q.kill()
		return err
	}
	if err := q.save(); err != nil {
		q.kill()
		return err
	}
	return os.Rename(work, dir)
}

// overlay makes a disk at path that takes what is written and reads the rest from
// below.
func overlay(path, below, format string) error {
	return command("qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", below, path)
}

// prune removes all folders that match pattern (filepath.Match) but the kept
// ones that were used last, and what has their name with "-booted-" added. A
// machine that runs on one of them has its files open.
func prune(pattern string, kept int) error {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	used := map[string]time.Time{}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			return true
		}
		used[dir] = info.ModTime()
		return false
	})
	slices.SortFunc(dirs, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, dir := range dirs[min(len(dirs), kept):] {
		below, err := filepath.Glob(dir + "-booted-*")
		if err != nil {
			return err
		}
		for _, path := range append(below, dir) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
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
