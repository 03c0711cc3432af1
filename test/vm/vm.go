// Package vm is the bed of the tests that need another kernel or a booted init
// system: Debian releases as test machines under QEMU. An image is built once
// for each content hash into a cache folder; a machine boots from a throw-away
// layer over it, takes in files while it runs, and runs commands for the test.
package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rdgen/test/need"
)

// Init is the init system of a test machine.
type Init string

// The init systems that a machine can boot.
const (
	OpenRC  Init = "openrc"
	Systemd Init = "systemd"
)

// System is one kind of test machine.
type System struct {
	Release string // Debian's code name
	Init    Init
}

// String returns "trixie-openrc", which names the image's folder too.
func (s System) String() string { return s.Release + "-" + string(s.Init) }

// Boot starts a machine of the kind s and waits until its agent answers. It
// skips t where a machine cannot be had here, or fails it where the layer vm is
// required. The machine is stopped, and its console and log kept if t failed,
// when t ends.
func Boot(t *testing.T, s System) *Machine {
	t.Helper()
	tools := need.Tools(t, need.VM, "qemu-system-x86_64", "qemu-img", "mmdebstrap", "mkfs.ext4", "xz")
	image, err := s.image(t.Logf)
	if err != nil {
		need.Missing(t, need.VM, err.Error())
	}
	m, err := start(t, tools[0], image)
	if err != nil {
		// A guest that died before its agent answered is booted once more, and
		// the run says so; a second death fails.
		t.Logf("%s: %v; booting it once more", s, err)
		m, err = start(t, tools[0], image)
	}
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return m
}

// cacheDir is where images are kept: $RDGEN_VM_CACHE, or rdgen/vm below the
// user's cache folder.
func cacheDir() (string, error) {
	if dir := os.Getenv("RDGEN_VM_CACHE"); dir != "" {
		return dir, nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder (set RDGEN_VM_CACHE): %w", err)
	}
	return filepath.Join(base, "rdgen", "vm"), nil
}
