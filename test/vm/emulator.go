package vm

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"

	"rdgen/test/guest"
)

// The QEMU of the machines is that of one Debian release, whatever the host's is:
// 10.0 boots an emulated machine in a third of the time of bookworm's 7.2, and
// runs it in six tenths.
const (
	emulatorRelease  = "trixie"
	emulatorPackages = "qemu-system-x86,qemu-utils"
)

// emulator is the folder of a Debian root file system whose packages were unpacked,
// not installed. Its programs run on the host by its own loader, with its own
// libraries.
type emulator string

// findEmulator returns the emulator of the cache, and makes it first if there is none.
func findEmulator(cache string) (emulator, error) {
	hash := sha256.Sum256([]byte(emulatorRelease + " " + emulatorPackages))
	dir := filepath.Join(cache, fmt.Sprintf("qemu-%x", hash[:6]))
	err := guest.Once(dir, func(work string) error {
		return guest.Mmdebstrap("--variant=extract", "--include="+emulatorPackages, emulatorRelease, filepath.Join(work, "out"))
	})
	if err != nil {
		return "", fmt.Errorf("QEMU cannot be had today: %w", err)
	}
	return emulator(dir), nil
}

// run returns the command that runs a program of /usr/bin in e. It goes before most of what
// the host does: a machine that is often kept from its processor needs up to twice as much
// of it, for the guest's clock goes on, and what waits in the guest asks more often.
func (e emulator) run(program string, args ...string) *exec.Cmd {
	libraries := e.path("usr/lib/x86_64-linux-gnu")
	words := []string{"-n", "-5", e.path("usr/lib64/ld-linux-x86-64.so.2"), "--library-path", libraries, e.path("usr/bin", program)}
	cmd := exec.Command("nice", append(words, args...)...)
	cmd.Env = append(cmd.Environ(), "QEMU_MODULE_DIR="+filepath.Join(libraries, "qemu"))
	return cmd
}

// machine returns the command that runs a machine.
func (e emulator) machine(args ...string) *exec.Cmd {
	firmware := []string{"-L", e.path("usr/share/qemu"), "-L", e.path("usr/share/seabios")}
	return e.run("qemu-system-x86_64", append(firmware, args...)...)
}

// version is what the emulator says about itself.
func (e emulator) version() (string, error) {
	out, err := e.machine("--version").Output()
	if err != nil {
		return "", fmt.Errorf("qemu-system-x86_64 --version: %w", err)
	}
	return string(out), nil
}

// overlay makes a disk at path that takes what is written and reads the rest from
// below.
func (e emulator) overlay(path, below, format string) error {
	return guest.Finish(e.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", below, path))
}

func (e emulator) path(names ...string) string {
	return filepath.Join(append([]string{string(e)}, names...)...)
}
