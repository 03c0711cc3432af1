package vm

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// Files of a booted state, in a folder beside the image.
const (
	stateDisk   = "disk.qcow2" // what booting wrote, over the image
	stateMemory = "state"
)

// booted returns the folder of the state that img has once it is booted and its
// agent answers, and boots it first if the cache has none for this agent, this
// QEMU and this command line.
func booted(program emulator, img image, cache string, logf func(string, ...any)) (string, error) {
	path, err := need.Program("test/vm/agent")
	if err != nil {
		return "", err
	}
	// The same bytes from the same sources.
	agent, err := os.ReadFile(path)
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
	err = guest.Once(dir, func(work string) error {
		place, err := makers.take(cache, 0)
		if err != nil {
			return err
		}
		defer place.Close()
		start := time.Now()
		err = boot(program, img, agent, filepath.Join(work, "out"))
		if errors.Is(err, guest.ErrDead) {
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
	var g guest.Guest
	g.Connect(q.link())
	if err := g.Greeted(bootLimit); err != nil {
		q.kill()
		return err
	}
	if err := q.save(); err != nil {
		q.kill()
		return err
	}
	return nil
}
