// Command agent is the only program of the tests inside a test machine. As the
// first process of the initramfs it mounts the root file system, puts itself
// there as /usr/lib/rdgen-agent and hands over to the real init. Started again
// by that init, once it is through with booting, it serves the tests.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rdgen/test/vm/wire"
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
	var mu sync.Mutex
	out := json.NewEncoder(port)
	reply := func(r wire.Reply) {
		mu.Lock()
		defer mu.Unlock()
		out.Encode(r)
	}
	reply(wire.Reply{})
	in := json.NewDecoder(port)
	for {
		var r wire.Request
		if err := in.Decode(&r); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		go func() { reply(do(r)) }()
	}
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

func do(r wire.Request) wire.Reply {
	reply := wire.Reply{ID: r.ID}
	var err error
	switch {
	case r.Put != "":
		err = put(r)
	case r.Get != "":
		reply.Data, err = os.ReadFile(r.Get)
	default:
		err = run(r, &reply)
	}
	if err != nil {
		reply.Error = err.Error()
	}
	return reply
}

// put replaces the file, also one that is being executed.
func put(r wire.Request) error {
	if err := os.MkdirAll(filepath.Dir(r.Put), 0o755); err != nil {
		return err
	}
	temp := r.Put + ".new"
	if err := os.WriteFile(temp, r.Data, os.FileMode(r.Mode)); err != nil {
		return err
	}
	if err := os.Chmod(temp, os.FileMode(r.Mode)); err != nil {
		return err
	}
	return os.Rename(temp, r.Put)
}

func run(r wire.Request, reply *wire.Reply) error {
	ctx := context.Background()
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, r.Argv[0], r.Argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}, r.Env...)
	cmd.Stdin = bytes.NewReader(r.Stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: r.UID, Gid: r.UID}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// A daemon that the program left behind keeps the pipes; it is not waited for.
	cmd.WaitDelay = 500 * time.Millisecond
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Writer(&stdout), io.Writer(&stderr)
	err := cmd.Run()
	reply.Stdout, reply.Stderr = stdout.Bytes(), stderr.Bytes()
	if ctx.Err() != nil {
		return fmt.Errorf("killed after %v", r.Timeout)
	}
	if cmd.ProcessState == nil {
		return err
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	reply.Code = status.ExitStatus()
	if status.Signaled() {
		reply.Code = 128 + int(status.Signal())
	}
	return nil
}
