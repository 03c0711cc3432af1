// Command agent is the only program of the tests inside a test machine. As the
// first process of the initramfs it mounts the root file system, puts itself
// there as /usr/lib/rdgen-agent and hands over to the real init. Started again
// by that init, once it is through with booting, it serves the tests.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/test/guest/wire"
)

const self = "/usr/lib/rdgen-agent"

func main() {
	var err error
	switch {
	case os.Getpid() == 1:
		err = boot()
	default:
		err = serve()
	}
	fmt.Fprintln(os.Stderr, "rdgen-agent: fatal:", err)
	if os.Getpid() == 1 {
		unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	}
	os.Exit(1)
}

// boot is the initramfs: modules from /modules in the order of their names, the
// root file system from the first disk, the real init.
func boot() error {
	for _, m := range []struct{ fs, dir string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}} {
		os.MkdirAll(m.dir, 0o755)
		if err := unix.Mount(m.fs, m.dir, m.fs, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	modules, _ := filepath.Glob("/modules/*")
	for _, name := range modules {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && err != unix.EEXIST {
			return fmt.Errorf("module %s: %w", name, err)
		}
	}
	if err := await("/dev/vda"); err != nil {
		return err
	}
	os.MkdirAll("/root", 0o755)
	if err := unix.Mount("/dev/vda", "/root", "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	binary, err := os.ReadFile("/init")
	if err != nil {
		return err
	}
	if err := os.WriteFile("/root"+self, binary, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(dir, "/root"+dir, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := os.Chdir("/root"); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return syscall.Exec("/sbin/init", []string{"/sbin/init"}, []string{"HOME=/", "TERM=linux"})
}

// await returns once path exists. Devices appear some time after their module.
func await(path string) error {
	for range 1000 {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s did not appear", path)
}

func serve() error {
	port, err := openPort()
	if err != nil {
		return err
	}
	return wire.Serve(port)
}

func openPort() (*os.File, error) {
	names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
	for _, name := range names {
		if text, _ := os.ReadFile(name); strings.TrimSpace(string(text)) == wire.Port {
			dev := "/dev/" + filepath.Base(filepath.Dir(name))
			// Blocking on purpose: the port is not pollable while nobody
			// listens at the other end.
			fd, err := unix.Open(dev, unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				return nil, fmt.Errorf("open %s: %w", dev, err)
			}
			return os.NewFile(uintptr(fd), dev), nil
		}
	}
	return nil, errors.New("no virtio-console port called " + wire.Port)
}
