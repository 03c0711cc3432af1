package vm

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"

	"rdgen/test/guest"
)

// customizeAlpine finishes a root file system; its arguments are that and a folder.
//
//go:embed customize-alpine
var customizeAlpine string

// alpineRoot makes root, a root file system of Alpine, and leaves the kernel and the
// modules in out; work is for what is between.
func (e emulator) alpineRoot(work, root, out string) error {
	err := guest.AlpineRoot(work, root, func(from, to string) *exec.Cmd {
		return e.run("qemu-img", "convert", "-O", "raw", from, to)
	})
	if err != nil {
		return err
	}
	script := filepath.Join(work, "customize")
	if err := os.WriteFile(script, []byte(customizeAlpine), 0o755); err != nil {
		return err
	}
	return guest.Finish(exec.Command(script, root, out))
}
