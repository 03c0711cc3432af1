// Package vm is the bed of the tests that need another kernel or a booted init
// system: Debian releases and an Alpine as test machines under QEMU.
//
// An image is built once for each content hash into a cache folder, and booted
// once; what was booted is kept beside it, with its memory. A test gets that
// machine, running, on a throw-away layer of its own, takes in files and runs
// commands. Reboot boots it again from its disk.
package vm

import (
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// The init systems that a machine can boot.
const (
	OpenRC  = guest.OpenRC
	Systemd = guest.Systemd
)

// Alpine is the release of a machine that is no Debian; its init system is OpenRC.
const Alpine = guest.Alpine

// System is one kind of test machine.
type System struct {
	Release string // Debian's code name, or Alpine
	Init    guest.Init
	// Timed is for what is timed: the processor and the kernel are as a router has them, and
	// the clock counts 1 ns for each instruction (4 in other machines), so that what is timed
	// inside depends on nothing else.
	Timed bool
	// Seconds is about how long the test takes with it: the longest begins first.
	Seconds int
}

// String returns "trixie-openrc", or "trixie-openrc-timed".
func (s System) String() string {
	if s.Timed {
		return s.image() + "-timed"
	}
	return s.image()
}

// image names the image that s is booted from.
func (s System) image() string {
	return s.Release + "-" + string(s.Init)
}

// Boot returns a machine of the kind s that is up and answers. It skips t where
// a machine cannot be had here, or fails it where RDGEN_REQUIRE lists the layer
// vm, or vm-RELEASE. The machine is stopped, and its console and logs kept if t
// failed, when t ends. No more machines run at once, by all tests of the host
// together, than one more than there are processors, or $RDGEN_VM_MACHINES.
func Boot(t testing.TB, s System) *Machine {
	t.Helper()
	layer := need.VM + "-" + s.Release
	need.Tools(t, layer, "mmdebstrap", "mkfs.ext4", "debugfs", "xz", "pip")
	cache, err := guest.CacheDir("vm")
	if err != nil {
		need.Missing(t, layer, err.Error())
	}
	image, err := s.findImage(cache, t.Logf)
	if err != nil {
		need.Missing(t, layer, err.Error())
	}
	program, err := findEmulator(cache)
	if err != nil {
		need.Missing(t, layer, err.Error())
	}
	state, err := booted(program, image, cache, t.Logf)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	place, err := machines.take(cache, s.Seconds)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { place.Close() })
	m, err := newMachine(program, image, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.end(t) })
	if err := m.start(); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return m
}
