package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// share is where the machine sees the folder that it has in common with the test.
const share = "/usr/lib/rdgen-test"

// enter makes the calling process, the first of its namespaces, one that sees
// the machine and nothing else, and executes init.
func enter(folder string, init []string) error {
	// A namespace belongs to a thread, and the one that executes init must have
	// this one. The cgroup that it is in by now is the root that it sees.
	runtime.LockOSThread()
	// A machine boots with nice 0, whatever the test itself has.
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 0); err != nil {
		return fmt.Errorf("nice: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("cgroup namespace: %w", err)
	}
	root := filepath.Join(folder, "fs", "root")
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := os.MkdirAll(share[1:], 0o755); err != nil {
		return err
	}
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
		data                 string
	}{
		{"proc", "proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		// What is there for the whole kernel is not for the machine to change.
		{"proc/sys", "proc/sys", "", unix.MS_BIND, ""},
		{"proc/sys/net", "proc/sys/net", "", unix.MS_BIND, ""},
		{"", "proc/sys", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY, ""},
		{"sysfs", "sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"cgroup2", "sys/fs/cgroup", "cgroup2", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"bpf", "sys/fs/bpf", "bpf", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=700"},
		{"", "sys", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"run", "run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"dev", "dev", "tmpfs", unix.MS_NOSUID, "mode=755"},
		{filepath.Join(folder, "share"), share[1:], "", unix.MS_BIND | unix.MS_REC, ""},
	} {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := devices(folder); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	name, err := os.ReadFile("/etc/hostname")
	if err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(strings.TrimSpace(string(name)))); err != nil {
		return err
	}
	return unix.Exec(init[0], init, []string{"container=rdgen-test", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TERM=linux"})
}

// devices fills dev in the working directory. The console and the kernel's log
// are the machine's own.
func devices(folder string) error {
	for _, d := range []struct {
		name         string
		major, minor uint32
	}{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}, {"net/tun", 10, 200}} {
		path := "dev/" + d.name
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	for _, name := range []string{"console", "kmsg"} {
		if err := os.WriteFile("dev/"+name, nil, 0o600); err != nil {
			return err
		}
		if err := unix.Mount(filepath.Join(folder, name), "dev/"+name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("dev/%s: %w", name, err)
		}
	}
	for _, m := range []struct{ dir, kind, data string }{
		{"dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620,gid=5"}, {"dev/shm", "tmpfs", "mode=1777"}} {
		if err := os.Mkdir(m.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, unix.MS_NOSUID, m.data); err != nil {
			return fmt.Errorf("%s: %w", m.dir, err)
		}
	}
	for name, to := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(to, "dev/"+name); err != nil {
			return err
		}
	}
	return nil
}
